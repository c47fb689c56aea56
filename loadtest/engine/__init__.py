"""Carries out a plan: synthetic people who join a running server, send and receive, and count.

Python does what a client's signalling does, one connection for each person; media runs in the Rust core's
`Swarm`.
"""

from loadtest.engine.run import run

__all__ = ["run"]
