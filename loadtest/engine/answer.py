"""What a server's answer says: where to connect to, and which sections it uses."""

import re
from dataclasses import dataclass, field

from loadtest.engine.core import SdpError, parse_sdp

_CANDIDATE = re.compile(r"candidate:\S+ 1 udp (\d+) (\S+) (\d+) typ ", re.IGNORECASE)
_SHA_256_BYTES = 32


class AnswerError(Exception):
    """The server's description cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer, as far as a person needs it."""

    ufrag: str
    pwd: str = field(repr=False)
    fingerprint: bytes
    """SHA-256 of the server's certificate."""
    candidates: tuple[tuple[str, int], ...]
    """Addresses and UDP ports, the preferred one first; empty where they come later."""
    extensions: tuple[tuple[str, int], ...]
    """URIs and ids of the header extensions that the server takes."""
    taken: frozenset[str]
    """Sections in which the server receives."""
    given: frozenset[str]
    """Sections in which the server sends."""
    resends: tuple[tuple[int, int], ...]
    """SSRCs of what the server may send again, each with that of what it was first."""


def read_answer(text: str) -> Answer:
    """Read an answer; raise `AnswerError`."""
    try:
        description = parse_sdp(text)
    except SdpError as error:
        raise AnswerError(f"line {error.line} of the server's answer cannot be read") from None
    used = [media for media in description.media if media.port > 0 or media.bundle_only]
    if not used:
        raise AnswerError("the server's answer uses no section")
    ufrag = used[0].ufrag or description.ufrag
    pwd = used[0].pwd or description.pwd
    named = used[0].fingerprints or description.fingerprints
    digests = [
        digest for function, digest in named if function == "sha-256" and len(digest) == _SHA_256_BYTES
    ]
    if not ufrag or not pwd or not digests:
        raise AnswerError("the server's answer has no ICE credentials or no SHA-256 fingerprint")
    extensions = {uri: id_ for media in used for id_, uri, _ in media.extensions}
    streams = [media for media in used if media.kind in ("audio", "video") and media.mid]
    return Answer(
        ufrag,
        pwd,
        digests[0],
        read_candidates(text),
        tuple(extensions.items()),
        frozenset(str(media.mid) for media in streams if media.direction in ("recvonly", "sendrecv")),
        frozenset(str(media.mid) for media in streams if media.direction in ("sendonly", "sendrecv")),
        tuple(
            (ssrcs[1], ssrcs[0])
            for media in streams
            for semantics, ssrcs in media.ssrc_groups
            if semantics == "FID" and len(ssrcs) > 1
        ),
    )


def read_candidates(text: str) -> tuple[tuple[str, int], ...]:
    """Return the UDP candidates in a description or in a message of its own, the preferred one first."""
    found = sorted(_CANDIDATE.findall(text), key=lambda each: -int(each[0]))
    return tuple((address, int(port)) for _, address, port in found)
