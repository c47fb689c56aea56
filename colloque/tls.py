"""The certificate of the public listener."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from colloque.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make a context for TLS 1.2 and newer; raise `StartError` that names the file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load(context, certificate, key)
    return context


def load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Use this certificate for new connections; those that are open keep theirs."""
    for setting, path in (("tls_certificate", certificate), ("tls_key", key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise StartError(f"server.{setting}: {path}: {error.strerror}") from error
    try:
        # An empty password, since the default asks for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "not a PEM certificate and its key"
        raise StartError(f"server.tls_certificate: {certificate} with {key}: {reason}") from error
