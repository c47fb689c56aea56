"""coturn: its settings file, what holds it in bounds, and a check of a file that is there already."""

from turn_config.coturn.check import check
from turn_config.coturn.finding import Finding, Severity
from turn_config.coturn.relay_rules import relay_rules
from turn_config.coturn.systemd import drop_in
from turn_config.coturn.turnserver_conf import turnserver_conf
from turn_config.coturn.version import OLDEST, CoturnVersion

__all__ = [
    "OLDEST",
    "CoturnVersion",
    "Finding",
    "Severity",
    "check",
    "drop_in",
    "relay_rules",
    "turnserver_conf",
]
