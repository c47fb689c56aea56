"""Clips: pictures are cut so that receivers can put them together again, and are made once."""

from pathlib import Path

import av
import pytest

from loadtest.clips import store
from loadtest.clips.packets import PAYLOAD_MAX, STAMP, h264_payloads, vp8_payloads
from loadtest.clips.store import Picture, camera_of, clip_of
from loadtest.errors import RunError
from loadtest.plan import Change, PersonPlan, RunPlan, VideoPlan

SMALL = VideoPlan(frames_per_second=10, encodings=((160, 90, 50), (320, 180, 150)), source="clip")
SPS, PPS, SEI, DELIMITER = b"\x67\x42\x00\x1f", b"\x68\xce", b"\x06\x05\x01", b"\x09\x10"


def slice_of(kind: int, length: int) -> bytes:
    return bytes([0x60 | kind]) + bytes(1 + n % 250 for n in range(length - 1))


def annex_b(payloads: list[bytes]) -> bytes:
    """Put payloads together again, as RFC 6184 says."""
    units: list[bytes] = []
    for payload in payloads:
        match payload[0] & 0x1F:
            case 24:
                at = 1
                while at < len(payload):
                    end = at + 2 + int.from_bytes(payload[at : at + 2], "big")
                    units.append(payload[at + 2 : end])
                    at = end
            case 28 if payload[1] & 0x80:
                units.append(bytes([payload[0] & 0x60 | payload[1] & 0x1F]) + payload[2:])
            case 28:
                units[-1] += payload[2:]
            case _:
                units.append(payload)
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def test_a_vp8_picture_is_cut_into_parts_of_about_one_length() -> None:
    picture = bytes(n % 256 for n in range(3 * PAYLOAD_MAX + 8))
    payloads = vp8_payloads(picture)
    assert b"".join(payloads) == picture
    sizes = [len(payload) for payload in (*payloads[:-1], payloads[-1] + bytes(STAMP))]
    assert sizes == [858, 859, 859, 859]
    assert vp8_payloads(b"x") == [b"x"]


def test_an_h264_key_frame_has_its_parameters_together_in_front_and_no_extras() -> None:
    key = slice_of(5, 3000)
    stream = b"\0\0\0\1".join((b"", DELIMITER, SPS, PPS)) + b"\0\0\1" + SEI + b"\0\0\1" + key
    payloads = h264_payloads(stream)
    assert payloads[0][0] & 0x1F == 24
    assert [payload[1] & 0xC0 for payload in payloads[1:]] == [0x80, 0, 0x40]
    assert all(len(payload) <= PAYLOAD_MAX for payload in payloads)
    assert annex_b(payloads) == b"".join(b"\0\0\0\1" + unit for unit in (SPS, PPS, key))


@pytest.mark.parametrize("length", [2, PAYLOAD_MAX])
def test_an_h264_unit_that_fits_a_packet_goes_as_it_is(length: int) -> None:
    unit = slice_of(1, length)
    assert h264_payloads(b"\0\0\0\1" + unit) == [unit]


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_clip_has_one_key_frame_in_front_keeps_its_rate_and_is_decoded(codec: str, tmp_path: Path) -> None:
    plan = VideoPlan(codec=codec, frames_per_second=10, encodings=SMALL.encodings, source="clip")  # type: ignore[arg-type]
    told: list[float] = []
    clip = clip_of(plan, folder=tmp_path, tell=told.append)
    assert told[-1] == 1.0
    for pictures, (width, _, kilobits) in zip(clip, plan.encodings, strict=True):
        assert [key for key, _ in pictures] == [True] + [False] * 79
        bits = sum(len(payload) for _, payloads in pictures for payload in payloads)
        assert bits == pytest.approx(kilobits * 1000, rel=0.15)  # of eight seconds, in bytes
        assert {picture.width for picture in decoded(codec, pictures)} == {width}


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_stamp_behind_each_picture_does_not_change_what_is_decoded(codec: str, tmp_path: Path) -> None:
    plan = VideoPlan(codec=codec, frames_per_second=10, encodings=((320, 180, 150),), source="clip")  # type: ignore[arg-type]
    (pictures,) = clip_of(plan, folder=tmp_path)
    stamp = bytes([0, 0xC0, 0x11, 0x0C, 1, 2, 3, 4, 0xFF, 0xFF, 0xFE, 5, 6, 7, 8, 9])
    stamped = [(key, [*payloads[:-1], payloads[-1] + stamp]) for key, payloads in pictures]
    for plain, other in zip(decoded(codec, pictures), decoded(codec, stamped), strict=True):
        assert bytes(plain.planes[0]) == bytes(other.planes[0])


def decoded(codec: str, pictures: list[Picture]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("libvpx" if codec == "vp8" else "h264", "r")
    shown = []
    for _, payloads in pictures:
        shown += decoder.decode(av.Packet(b"".join(payloads) if codec == "vp8" else annex_b(payloads)))
    shown += decoder.decode(None)
    assert len(shown) == len(pictures)
    return shown


@pytest.fixture
def filmed(monkeypatch: pytest.MonkeyPatch) -> list[VideoPlan]:
    """Count what is encoded, which is always the same clip."""
    plans: list[VideoPlan] = []

    def film(plan: VideoPlan, tell: object) -> list[list[Picture]]:
        plans.append(plan)
        return [[(True, [b"ab", b"c"]), (False, [b"def"])], [(True, [b"\n{}"])]]

    monkeypatch.setattr("loadtest.clips.film.film", film)
    return plans


def test_a_clip_is_made_once_for_each_kind_of_camera(tmp_path: Path, filmed: list[VideoPlan]) -> None:
    first = clip_of(SMALL, folder=tmp_path / "new")
    assert clip_of(SMALL, folder=tmp_path / "new") == first
    assert len(filmed) == 1
    clip_of(
        VideoPlan(frames_per_second=11, encodings=SMALL.encodings, source="clip"), folder=tmp_path / "new"
    )
    assert len(filmed) == 2


@pytest.mark.parametrize(
    "damage", [b"", b"nonsense", b"[[[true,[2,1]]],[]]\nab", b"[[[true,[-1]]],[]]\n", b"{}\n"]
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, filmed: list[VideoPlan], damage: bytes) -> None:
    made = clip_of(SMALL, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert clip_of(SMALL, folder=tmp_path) == made
    assert len(filmed) == 2
    assert list(tmp_path.iterdir()) == [file]


def test_what_to_install_is_said_when_a_clip_has_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "find_spec", lambda _name: None)
    with pytest.raises(RunError, match=r"pip install 'colloque\[faithful\]'"):
        clip_of(SMALL, folder=tmp_path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, filmed: list[VideoPlan]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="the clip cannot be kept"):
        clip_of(SMALL, folder=tmp_path / "file")


def test_the_camera_of_a_run_is_found_also_where_it_starts_later() -> None:
    def run(**fields: object) -> RunPlan:
        person = PersonPlan("r", "p", "t", 0.0, None, **fields)  # type: ignore[arg-type]
        return RunPlan("ws://x", (person,), 1.0, 1.0, 1)

    assert camera_of(run()) is None
    assert camera_of(run(video=VideoPlan())) is None
    assert camera_of(run(video=SMALL)) == SMALL
    assert camera_of(run(later=(Change(1.0, 1, "publish", SMALL),))) == SMALL
