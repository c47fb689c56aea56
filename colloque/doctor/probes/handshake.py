"""What a client sees of a certificate: a TLS handshake with ourselves, in memory.

The standard library has no reader of certificates, and `cryptography` is 9 MB that the server does without;
but its TLS client tells all that is wanted, and judges chains as browsers do. It runs against a server made
of the files, without a socket: once believing everything, also what has expired, to read names and times;
once with the authorities that this host knows.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from colloque import tls
from colloque.doctor.certificate import Certificate, CertificateFacts
from colloque.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which `ssl` has no name for
_ED25519_KEY = bytes.fromhex(
    "302a300506032b6570032100"
)  # how each such key begins in a certificate (RFC 8410)
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_TURNS = 6  # a handshake takes three


def look(certificate: Path, key: Path, *, setting: str, shown: bytes | None) -> CertificateFacts:
    """Read a certificate and its chain; `shown` is the one that the running program shows, if it runs."""
    try:
        server = tls.server_context(certificate, key)
        blocks = _blocks(certificate.read_text(encoding="ascii", errors="replace"))
        seen = _read(server, blocks)
    except StartError as error:
        problem = str(error).replace("server.tls_certificate", setting)
        problem = problem.replace("server.tls_key", setting.replace("certificate", "key"))
        return CertificateFacts(str(certificate), setting, problem, None, None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or "not a certificate that a client would read"
        return CertificateFacts(str(certificate), setting, f"{setting}: {certificate}: {reason}", None, None)
    is_shown = None if shown is None else shown == ssl.PEM_cert_to_DER_cert(blocks[0])
    return CertificateFacts(str(certificate), setting, "", seen, is_shown)


def _read(server: ssl.SSLContext, blocks: list[str]) -> Certificate:
    believing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    believing.check_hostname = False
    believing.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    believing.maximum_version = ssl.TLSVersion.TLSv1_2  # whose cipher suites name the kind of key
    believing.load_verify_locations(cadata="\n".join(blocks))
    client = _shaken(believing, server)
    leaf: dict[str, Any] = client.getpeercert() or {}
    cipher = (client.cipher() or ("",))[0]
    is_ed25519 = _ED25519_KEY in ssl.PEM_cert_to_DER_cert(blocks[0])
    return Certificate(
        names=tuple(value for kind, value in leaf.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}),
        not_before=ssl.cert_time_to_seconds(leaf["notBefore"]),
        not_after=ssl.cert_time_to_seconds(leaf["notAfter"]),
        issuer=_name(leaf["issuer"]),
        is_self_signed=leaf["issuer"] == leaf["subject"],
        key="ed25519" if is_ed25519 else "ecdsa" if "ECDSA" in cipher else "rsa",
        is_in_order=_in_order(leaf, blocks[1:]),
        trust_error=_trust_error(server),
    )


def _trust_error(server: ssl.SSLContext) -> int:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False  # names are compared apart
    trusting.verify_flags |= _NO_CHECK_TIME  # as is the time
    try:
        _shaken(trusting, server)
    except ssl.SSLCertVerificationError as error:
        return error.verify_code
    return 0


def _shaken(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> ssl.SSLObject:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_TURNS):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client


def _in_order(leaf: dict[str, Any], rest: list[str]) -> bool:
    before = leaf
    for block in rest:
        reader = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        reader.load_verify_locations(cadata=block)
        authorities: list[dict[str, Any]] = reader.get_ca_certs()
        # One that is no authority has signed nothing.
        if not authorities or authorities[0]["subject"] != before["issuer"]:
            return False
        before = authorities[0]
    return True


def _blocks(text: str) -> list[str]:
    return [f"{_BEGIN}{part.partition(_END)[0]}{_END}\n" for part in text.split(_BEGIN)[1:]]


def _name(parts: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    fields = {name: value for group in parts for name, value in group}
    return fields.get("commonName") or fields.get("organizationName") or "?"
