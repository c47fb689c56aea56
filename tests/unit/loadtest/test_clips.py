"""Clips: pictures are cut so that receivers can put them together again, and are made once."""

from pathlib import Path
from typing import get_args

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from loadtest.clips import store
from loadtest.clips.layered import LAYERS, av1_payloads, vp9_payloads
from loadtest.clips.packets import PAYLOAD_MAX, STAMP, h264_payloads, vp8_payloads
from loadtest.clips.store import Picture, camera_of, clip_of
from loadtest.errors import RunError
from loadtest.plan import LAYERED, Change, Codec, PersonPlan, RunPlan, VideoPlan

SMALL = VideoPlan(frames_per_second=10, encodings=((160, 90, 50), (320, 180, 150)), source="clip")
TAILS = {"vp8": 0, "h264": 0, "vp9": 6, "av1": 1}
"""Bytes behind a stamp (`VideoCodec::tail`)."""
DECODERS = {"vp8": "libvpx", "h264": "h264", "vp9": "libvpx-vp9", "av1": "libdav1d"}
STAMPED = bytes([0, 0xC0, 0x11, 0x0C, 1, 2, 3, 4, 0xFF, 0xFF, 0xFE, 5, 6, 7, 8, 0xC9])
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


def vp9_frame(payloads: list[bytes], *, key: bool) -> bytes:
    """Put payloads together again and leave the scalability structure out, as RFC 9628 says."""
    return b"".join(payloads)[5 + 1 + 2 * 4 :] if key else b"".join(payloads)


def av1_unit(payloads: list[bytes]) -> bytes:
    """Put payloads together again, as the RTP payload format for AV1 says, and give OBUs their sizes."""
    obus: list[bytes] = []
    for number, payload in enumerate(payloads):
        elements: list[bytes] = []
        at, listed = 1, payload[0] >> 4 & 3
        while at < len(payload):
            size = len(payload) - at
            if not listed or len(elements) < listed - 1:
                size, at = leb128(payload, at)
            elements.append(payload[at : at + size])
            at += size
        assert not listed or len(elements) == listed
        assert bool(payload[0] & 0x80) == (number > 0 and bool(payloads[number - 1][0] & 0x40))
        if payload[0] & 0x80:
            obus[-1] += elements.pop(0)
        obus += elements
    assert not payloads[-1][0] & 0x40
    return b"".join(with_size(obu) for obu in obus)


def leb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def with_size(obu: bytes) -> bytes:
    head = 2 if obu[0] & 4 else 1
    size, written = len(obu) - head, b""
    while size >= 0x80:
        written, size = written + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([obu[0] | 2]) + obu[1:head] + written + bytes([size]) + obu[head:]


def test_a_vp9_key_frame_has_its_structure_in_front_and_every_picture_says_where_it_ends() -> None:
    picture = bytes(n % 256 for n in range(2 * PAYLOAD_MAX))
    (payloads,) = vp9_payloads([picture], key=True, sizes=[(640, 360)])
    groups = b"\x04\x14\x04\x54\x01\x34\x02\x54\x01"
    index = b"\xd8" + len(picture).to_bytes(4, "little") + b"\xd8"
    assert b"".join(payloads) == b"\x18\x02\x80\x01\x68" + groups + picture + index
    assert max(map(len, payloads)) <= PAYLOAD_MAX
    assert vp9_payloads([picture[:9]], key=False, sizes=[(640, 360)]) == [
        [picture[:9] + index.replace(index[1:5], b"\x09\0\0\0")]
    ]


def test_frames_of_several_sizes_are_cut_by_themselves_and_the_largest_says_where_each_ends() -> None:
    sizes = [(160, 90), (320, 180), (640, 360)]
    frames = [bytes([n]) * length for n, length in enumerate([300, 1_500, PAYLOAD_MAX - 20])]
    small, middle, large = vp9_payloads(frames, key=True, sizes=sizes)
    structure = b"\x58\0\xa0\0\x5a\x01\x40\0\xb4\x02\x80\x01\x68" + b"\x04\x14\x04\x54\x01\x34\x02\x54\x01"
    assert (b"".join(small), b"".join(middle)) == (structure + frames[0], frames[1])
    lengths = b"".join(len(frame).to_bytes(4, "little") for frame in frames)
    assert b"".join(large) == frames[2] + b"\xda" + lengths + b"\xda"
    assert [len(one) for one in (small, middle, large)] == [1, 2, 2], "the last has a place for a stamp"
    assert vp9_payloads(frames, key=False, sizes=sizes)[0] == [frames[0]]


def test_an_av1_picture_has_no_delimiter_and_tells_its_layer_and_where_a_sequence_begins() -> None:
    frame = bytes(n % 251 for n in range(2 * PAYLOAD_MAX))
    unit = b"\x12\x00" + with_size(b"\x08\x00\x00") + with_size(b"\x30" + frame)
    payloads = av1_payloads(unit, key=True, layer=2)
    assert [payload[0] for payload in payloads] == [0x40 | 0x20 | 0x08, 0xC0 | 0x10, 0x80]
    assert payloads[0][1:7] == b"\x03\x08\0\0" + b"\x34\x40", "two OBUs, the last without its length"
    assert payloads[-1].endswith(bytes([1 + STAMP + 1, 0x78, 0x80])), "a place for a stamp"
    assert all(
        len(payload) <= PAYLOAD_MAX - 16 * last
        for last, payload in zip([False, False, True], payloads, strict=True)
    )


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[Codec, list[Picture]]:
    """Give a small clip of each codec."""
    folder = tmp_path_factory.mktemp("clips")
    plans = {
        codec: VideoPlan(codec=codec, frames_per_second=10, encodings=((320, 180, 150),), source="clip")
        for codec in get_args(Codec)
    }
    return {codec: clip_of(plan, folder=folder)[0] for codec, plan in plans.items()}


@pytest.mark.slow
@pytest.mark.parametrize("codec", get_args(Codec))
def test_a_clip_has_one_key_frame_in_front_keeps_its_rate_and_is_decoded(
    codec: Codec, tmp_path: Path
) -> None:
    encodings = SMALL.encodings[1:] if codec in LAYERED else SMALL.encodings
    plan = VideoPlan(codec=codec, frames_per_second=10, encodings=encodings, source="clip")
    told: list[float] = []
    clip = clip_of(plan, folder=tmp_path, tell=told.append)
    assert told[-1] == 1.0
    for pictures, (width, _, kilobits) in zip(clip, plan.encodings, strict=True):
        assert [key for key, _ in pictures] == [True] + [False] * 79
        bits = sum(len(payload) for _, payloads in pictures for payload in payloads)
        assert bits == pytest.approx(kilobits * 1000, rel=0.15)  # of eight seconds, in bytes
        assert {picture.width for picture in decoded(codec, pictures)} == {width}


@pytest.mark.slow
@pytest.mark.parametrize("codec", get_args(Codec))
def test_a_stamp_in_its_place_does_not_change_what_is_decoded(
    codec: Codec, clips: dict[Codec, list[Picture]]
) -> None:
    pictures = clips[codec]
    # Without its OBU an empty place for a stamp is none.
    plain = [(key, [*payloads[:-1], payloads[-1][:-3]]) for key, payloads in pictures]
    for before, after in zip(
        decoded(codec, plain if codec == "av1" else pictures),
        decoded(codec, [(key, stamped(codec, payloads)) for key, payloads in pictures]),
        strict=True,
    ):
        assert luma(before) == luma(after)


@pytest.mark.slow
@pytest.mark.parametrize("codec", LAYERED)
@pytest.mark.parametrize(
    ("left_out", "until"), [({2}, 80), ({1, 2}, 80), ({2}, 40), ({1, 2}, 40), ({2}, 42), ({1, 2}, 42)]
)
def test_layers_can_be_left_out_and_added_again(
    codec: Codec, left_out: set[int], until: int, clips: dict[Codec, list[Picture]]
) -> None:
    pictures = clips[codec]
    kept = [n for n in range(80) if n >= until or LAYERS[n % 4] not in left_out]
    whole, some = decoded(codec, pictures), decoded(codec, [pictures[n] for n in kept])
    assert len(kept) < 80
    for number, shown in zip(kept, some, strict=True):
        assert luma(shown) == luma(whole[number]), number


@pytest.mark.slow
@pytest.mark.parametrize("codec", LAYERED)
def test_a_picture_of_a_layer_that_others_need_cannot_be_left_out(
    codec: Codec, clips: dict[Codec, list[Picture]]
) -> None:
    """Or the layers would be none."""
    pictures = clips[codec]
    for number in (4, 6):
        whole = decoded(codec, pictures[: number + 2])[-1]
        with pytest.raises((AssertionError, av.InvalidDataError)):
            assert luma(decoded(codec, [*pictures[:number], pictures[number + 1]])[-1]) == luma(whole)


def stamped(codec: Codec, payloads: list[bytes]) -> list[bytes]:
    """Put a stamp where it is put for a packet."""
    at = len(payloads[-1]) - TAILS[codec]
    return [*payloads[:-1], payloads[-1][:at] + STAMPED + payloads[-1][at:]]


def luma(frame: av.VideoFrame) -> bytes:
    """Give what is shown of a plane, whose lines are longer in memory."""
    plane = frame.planes[0]
    lines = bytes(plane)
    return b"".join(lines[at : at + plane.width] for at in range(0, len(lines), plane.line_size))


def joined(codec: Codec, payloads: list[bytes], *, key: bool) -> bytes:
    match codec:
        case "vp8":
            return b"".join(payloads)
        case "h264":
            return annex_b(payloads)
        case "vp9":
            return vp9_frame(payloads, key=key)
        case "av1":
            return av1_unit(payloads)


def decoded(codec: Codec, pictures: list[Picture]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    shown: list[av.VideoFrame] = []
    for key, payloads in pictures:
        shown += decoder.decode(av.Packet(joined(codec, payloads, key=key)))
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
