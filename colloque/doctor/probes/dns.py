"""Looking names up by the host's own resolver, never for longer than a few seconds."""

from __future__ import annotations

import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address

ANSWER_SECONDS = 5.0


def look_up(
    name: str, *, within_seconds: float = ANSWER_SECONDS
) -> tuple[IPv4Address | IPv6Address, ...] | None:
    """Give the addresses of a name; none if it does not exist, None if nobody answers in time."""
    answer: list[tuple[IPv4Address | IPv6Address, ...] | None] = []
    # The resolver takes no bound, and cannot be stopped.
    asking = threading.Thread(target=lambda: answer.append(_ask(name)), daemon=True)
    asking.start()
    asking.join(within_seconds)
    return answer[0] if answer else None


def has_ipv6() -> bool:
    """Say whether this host has an IPv6 address of its own by which it reaches the world."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            # Sends nothing: asks the kernel for a way to an address of documentation (RFC 3849).
            probe.connect(("2001:db8::1", 9))
            return bool(ip_address(str(probe.getsockname()[0])).is_global)
    except OSError:
        return False


def _ask(name: str) -> tuple[IPv4Address | IPv6Address, ...] | None:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return None if error.errno == socket.EAI_AGAIN else ()
    except (OSError, UnicodeError):
        return ()
    # A zone says by which interface, which no setting holds.
    return tuple(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))
