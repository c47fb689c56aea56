"""The live part of a connection test: see docs/connection-test.md."""

from signalling.probe.paths import Path
from signalling.probe.seen import Seen
from signalling.probe.server import ProbeServer
from signalling.probe.settings import ProbeLimits, ProbeSettings, ProbeTimes

__all__ = ["Path", "ProbeLimits", "ProbeServer", "ProbeSettings", "ProbeTimes", "Seen"]
