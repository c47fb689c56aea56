"""How long the worst session descriptions hold the event loop: run `python -m tests.figures.hostile_sdp`.

Each text has the largest size that is read at all; the bound of one is 50 ms.
"""

import time
from collections.abc import Iterator

from sfu import _core

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF "
EVERY_TYPE = AUDIO + " ".join(map(str, range(128))) + "\r\n"


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of each hostile description."""
    yield "payload types repeated in m= lines", HEAD + _fill(AUDIO + "96 " * 1300 + "\r\n")
    yield "sections without anything", HEAD + _fill("m=a 9 b\r\n", most=250)
    yield "rtpmap repeated", HEAD + EVERY_TYPE + _fill("a=rtpmap:96 VP8/90000\r\n")
    yield "fmtp repeated", HEAD + EVERY_TYPE + _fill("a=fmtp:96 x=1\r\n")
    yield "feedback for all types", HEAD + EVERY_TYPE + _numbered("a=rtcp-fb:* {}")
    wildcards = "".join(f"a=rtcp-fb:* nack{n}\r\n" for n in range(8))
    yield "sections with feedback for all types", HEAD + _fill(EVERY_TYPE + wildcards, most=63)
    yield "ssrcs, all different", HEAD + EVERY_TYPE + _numbered("a=ssrc:{} cname:x")
    yield "ssrcs, all the same", HEAD + EVERY_TYPE + _fill("a=ssrc:1 cname:x\r\n")
    yield "ssrc groups", HEAD + EVERY_TYPE + _fill("a=ssrc-group:FID " + "1 " * 2000 + "\r\n")
    yield "rids", HEAD + EVERY_TYPE + _numbered("a=rid:{} send")
    yield "simulcast repeated", HEAD + EVERY_TYPE + _fill("a=simulcast:send " + "a;" * 2000 + "a\r\n")
    yield "extensions repeated", HEAD + EVERY_TYPE + _fill("a=extmap:1 urn:x\r\n")
    yield "candidates", HEAD + EVERY_TYPE + _fill("a=candidate:1 1 udp 1 h.example 1 typ host\r\n")
    yield "bundle groups", HEAD + _fill("a=group:BUNDLE " + "0 " * 2000 + "\r\n")
    yield "fingerprints", HEAD + _fill("a=fingerprint:sha-256 " + ":".join(["AA"] * 32) + "\r\n")
    yield "ICE options", HEAD + _fill("a=ice-options:" + "a " * 2000 + "\r\n")
    yield "unknown lines", HEAD + _fill("a=xxxxxxxxxxx\r\n")
    yield "one huge line", HEAD + "a=mid:" + "x" * (_core.MAX_SDP_BYTES - 200)
    yield "huge numbers", HEAD + "m=audio " + "9" * 4000
    yield "bytes of no meaning", "\x01" * _core.MAX_SDP_BYTES


def _fill(piece: str, most: int = 100_000) -> str:
    """Repeat a piece as often as the bounds of size and lines let."""
    lines = piece.count("\n")
    fits = (_core.MAX_SDP_BYTES - len(HEAD) - len(EVERY_TYPE)) // len(piece)
    return piece * min(most, fits, 16_000 // lines)


def _numbered(line: str) -> str:
    return "".join(line.format(n) + "\r\n" for n in range(1, 11_000))


def main() -> None:
    """Print the longest of five readings of each text, in processor time, for the machine may be busy."""
    for name, text in texts():
        assert len(text) <= _core.MAX_SDP_BYTES
        took = max(_read(text) for _ in range(5))
        print(f"{name:40} {len(text) / 1024:6.0f} KiB {took * 1000:7.1f} ms")


def _read(text: str) -> float:
    started = time.thread_time()
    try:
        read: _core.SessionDescription | None = _core.parse_sdp(text)
    except _core.SdpError:
        read = None
    # Looking at what was read, and throwing it away, hold the loop as well.
    for section in read.media if read else ():
        assert len(section.payloads) + len(section.ssrcs) + len(section.rids) < 100_000
    del read
    return time.thread_time() - started


if __name__ == "__main__":
    main()
