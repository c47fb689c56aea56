"""Binding a port for a moment, and asking who answers on it."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from typing import Literal

from colloque.doctor.ports import PortFacts
from colloque.doctor.probes.holders import holder_of

ANY_PORT = 0
ANSWER_SECONDS = 3.0
_SERVER = "colloque"  # in the Server header of every answer of the public listener


def bind_error(protocol: Literal["tcp", "udp"], address: str, port: int) -> int | None:
    """Bind the port as the server does and let it go; give the errno, or None where it was free."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    try:
        with socket.socket(family, kind) as probe:
            if protocol == "tcp":
                # As the server's own: what a connection that has just ended leaves behind does not count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
            if protocol == "tcp":
                # Several may bind with SO_REUSEADDR; only one may listen. Who knocks now is turned away.
                probe.listen(1)
    except OSError as error:
        return error.errno or errno.EIO
    return None


def look(
    protocol: Literal["tcp", "udp"],
    address: str,
    port: int,
    *,
    setting: str,
    address_setting: str,
    ours: int | None,
) -> PortFacts:
    """Find out whether the server can have a port.

    `ours` is the process of our running server: 0 where this user may not see it, None where none runs.
    """
    error = bind_error(protocol, address, port)
    holder = holder_of(protocol, address, port) if error == errno.EADDRINUSE else None
    is_ours = ours == (0 if holder is None else holder.pid)
    return PortFacts(
        protocol=protocol,
        port=port,
        address=address,
        setting=setting,
        address_setting=address_setting,
        error=error,
        ours=error == errno.EADDRINUSE and is_ours,
        holder="" if holder is None else str(holder),
    )


def is_admin(address: str, port: int) -> bool:
    """Ask the admin listener whether it is Colloque's."""
    try:
        connection = http.client.HTTPConnection(reachable(address), port, timeout=ANSWER_SECONDS)
        connection.request("GET", "/livez")
        with connection.getresponse() as answer:
            return answer.status == 200 and answer.read(100) == b"live\n"
    except (OSError, http.client.HTTPException):
        return False


def is_page(address: str, port: int, *, over_tls: bool) -> bool:
    """Ask the public listener whether it is Colloque's, whatever its certificate says."""
    try:
        connection: http.client.HTTPConnection
        if over_tls:
            connection = http.client.HTTPSConnection(
                reachable(address), port, timeout=ANSWER_SECONDS, context=unverified()
            )
        else:
            connection = http.client.HTTPConnection(reachable(address), port, timeout=ANSWER_SECONDS)
        connection.request("GET", "/")
        with connection.getresponse() as answer:
            return answer.getheader("Server") == _SERVER
    except (OSError, http.client.HTTPException):
        return False


def shown_certificate(address: str, port: int) -> bytes | None:
    """Give the certificate that a TLS listener shows (DER); None where none answers."""
    try:
        with (
            socket.create_connection((reachable(address), port), ANSWER_SECONDS) as plain,
            unverified().wrap_socket(plain) as secured,
        ):
            return secured.getpeercert(binary_form=True)
    except OSError:
        return None


def reachable(address: str) -> str:
    """Give an address to connect to for one to listen on."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - nothing listens here


def unverified() -> ssl.SSLContext:
    """Make a context that takes any certificate: it is judged apart, and nothing secret is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
