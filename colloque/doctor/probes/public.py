"""A request to the public address, as a browser makes it."""

from __future__ import annotations

import http.client
import json
import ssl
from urllib.parse import urlsplit

from colloque.doctor.public import PublicFacts

ANSWER_SECONDS = 5.0
_ANSWER_MAX_BYTES = 4_000_000
# X509_V_ERR: not yet valid, expired, another name or address. The rest depends on whom a host trusts.
_WRONG_FOR_ALL = frozenset({9, 10, 62, 64})
_PATH, _TITLE = "/v1/openapi.json", "Colloque room API"
"""The answer of a proxy may hide who is behind it; this says it."""


def look(url: str) -> PublicFacts:
    """Ask who answers at the public address."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", _PATH)
        with connection.getresponse() as answer:
            text = answer.read(_ANSWER_MAX_BYTES)
    except ssl.SSLCertVerificationError as error:
        is_wrong = error.verify_code in _WRONG_FOR_ALL
        return PublicFacts(
            url, "wrong_certificate" if is_wrong else "untrusted", error.verify_message.rstrip(".")
        )
    except OSError:
        return PublicFacts(url, "silent")
    except http.client.HTTPException:
        return PublicFacts(url, "stranger")
    finally:
        connection.close()
    return PublicFacts(url, "ours" if _is_ours(text) else "stranger")


def _is_ours(text: bytes) -> bool:
    try:
        return bool(json.loads(text)["info"]["title"] == _TITLE)
    except (ValueError, TypeError, KeyError):
        return False
