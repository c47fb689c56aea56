"""Ports taken before anything starts, so that one that cannot be had is the only thing to be said."""

from __future__ import annotations

import errno
import os
import socket

from colloque.errors import StartError

_MEDIA_SETTINGS = {
    errno.EADDRINUSE: "media.udp_port",
    errno.EACCES: "media.udp_port",
    errno.EADDRNOTAVAIL: "media.addresses",
    errno.EAFNOSUPPORT: "media.addresses",
    errno.EINVAL: "media.addresses",  # a link-local address, which means nothing without its zone
}
BACKLOG = 1024  # a hospital's people come back all at once after a cut


def claim(setting: str, listen: str) -> socket.socket:
    """Listen on `ADDRESS:PORT`; raise `StartError` that names the setting."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartError(f"{setting} {listen}: {reason(error)}") from error


def media_reason(error: OSError) -> str:
    """Name the setting by which media cannot start, with the core's own words, which name the address."""
    return f"{_MEDIA_SETTINGS.get(error.errno or 0, 'media')}: {error.strerror}"


def reason(error: OSError) -> str:
    """Give the sentence of the system, without what libraries wrap around it."""
    return os.strerror(error.errno) if error.errno else str(error)
