"""Descriptions that are allowed and as much work as can be."""

from collections.abc import Callable

from sfu import MAX_SDP_BYTES

HEAD = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:" + "p" * 22 + "\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\na=setup:actpass\r\n"
)
H264 = [f"packetization-mode=1;profile-level-id=42e0{pt:02x}" for pt in range(40)]


def bundle(sections: int) -> str:
    """The head of a description of so many sections."""
    return HEAD + "a=group:BUNDLE " + " ".join(map(str, range(sections))) + "\r\n"


def section(mid: int, payloads: int, codec: str, fmtp: list[str] | None = None) -> str:
    """A section that offers one codec under many numbers."""
    numbers = range(1, payloads + 1)
    lines = [f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
    lines += ["a=rtcp-mux", "a=sendrecv"] + [f"a=rtpmap:{pt} {codec}/90000" for pt in numbers]
    if fmtp:
        lines += [f"a=fmtp:{pt} {fmtp[pt - 1]}" for pt in numbers]
    return "\r\n".join(lines) + "\r\n"


def filled(head: str, make: Callable[[int], str], count: int = 100_000, *, most: int = MAX_SDP_BYTES) -> str:
    """Append pieces until the cap on bytes is reached."""
    text = head
    for number in range(count):
        piece = make(number)
        if len(text) + len(piece) > most:
            break
        text += piece
    return text
