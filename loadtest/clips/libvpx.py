"""VP9 in spatial and temporal layers, by the libvpx that av brings: through av there are no spatial ones.

Declared here is what is needed of libvpx's `vpx_encoder.h` and `vp8cx.h`. The library compares the number of
its binary interface before it reads what it is given, so another version is an error and never a wrong
layout; before that it only fills in a configuration, which has room to spare.
"""

from __future__ import annotations

import ctypes.util
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from cffi import FFI

from loadtest.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

_ABI = 39
"""`VPX_ENCODER_ABI_VERSION` of libvpx 1.16 and 1.17, which av has from 18.1 on."""
_I420 = 0x102
_FORCE_KEY_FRAME, _REAL_TIME = 1, 1
_CBR, _NO_KEY_FRAMES, _RESILIENT = 1, 0, 1
_FOUR_PICTURES = 3
"""`VP9E_TEMPORAL_LAYERING_MODE_0212`."""
_SET_SPEED, _SET_MAX_KEY_FRAME, _SET_ADAPTIVE_QUANTIZER = 13, 26, 36
_SET_SVC, _SET_SVC_PARAMETERS, _SET_BUILDS_ON_SMALLER = 39, 41, 60
_ONLY_KEY_FRAMES = 2
_TEMPORAL_SHARES = (0.5, 0.75, 1.0)
"""Of the bit rate, what the temporal layers up to each have: as libwebrtc gives it to VP9."""

_INSTALL = "pip install 'colloque[faithful]'"

_DECLARATIONS = """
typedef struct { int num, den; } vpx_rational;
typedef struct { void *buf; size_t sz; } vpx_fixed_buf;
typedef struct {
    unsigned g_usage, g_threads, g_profile, g_w, g_h;
    int g_bit_depth;
    unsigned g_input_bit_depth;
    vpx_rational g_timebase;
    uint32_t g_error_resilient;
    int g_pass;
    unsigned g_lag_in_frames, rc_dropframe_thresh, rc_resize_allowed, rc_scaled_width, rc_scaled_height;
    unsigned rc_resize_up_thresh, rc_resize_down_thresh;
    int rc_end_usage;
    vpx_fixed_buf rc_twopass_stats_in, rc_firstpass_mb_stats_in;
    unsigned rc_target_bitrate, rc_min_quantizer, rc_max_quantizer, rc_undershoot_pct, rc_overshoot_pct;
    unsigned rc_buf_sz, rc_buf_initial_sz, rc_buf_optimal_sz;
    unsigned rc_2pass_vbr_bias_pct, rc_2pass_vbr_minsection_pct, rc_2pass_vbr_maxsection_pct;
    unsigned rc_2pass_vbr_corpus_complexity;
    int kf_mode;
    unsigned kf_min_dist, kf_max_dist, ss_number_layers;
    int ss_enable_auto_alt_ref[5];
    unsigned ss_target_bitrate[5], ts_number_layers, ts_target_bitrate[5], ts_rate_decimator[5];
    unsigned ts_periodicity, ts_layer_id[16], layer_target_bitrate[12];
    int temporal_layering_mode;
    char and_what_follows[1024];
} vpx_codec_enc_cfg;
typedef struct {
    const char *name;
    void *iface;
    int err;
    const char *err_detail;
    long init_flags;
    void *config, *priv;
} vpx_codec_ctx;
typedef struct {
    int max_quantizers[12], min_quantizers[12], scaling_factor_num[12], scaling_factor_den[12];
    int speed_per_layer[12], temporal_layering_mode, loopfilter_ctrl[12];
} vpx_svc_extra_cfg;
typedef struct {
    int kind;
    void *buf;
    size_t sz;
    int64_t pts;
    unsigned long duration;
    uint32_t flags;
} vpx_codec_cx_pkt;
void *vpx_codec_vp9_cx(void);
int vpx_codec_enc_config_default(void *, vpx_codec_enc_cfg *, unsigned);
int vpx_codec_enc_init_ver(vpx_codec_ctx *, void *, vpx_codec_enc_cfg *, long, int);
int vpx_codec_control_(vpx_codec_ctx *, int, ...);
int vpx_codec_encode(vpx_codec_ctx *, void *, int64_t, unsigned long, long, unsigned long);
const vpx_codec_cx_pkt *vpx_codec_get_cx_data(vpx_codec_ctx *, void **);
int vpx_codec_destroy(vpx_codec_ctx *);
const char *vpx_codec_error(vpx_codec_ctx *);
const char *vpx_codec_version_str(void);
void *vpx_img_wrap(void *, int, unsigned, unsigned, unsigned, unsigned char *);
void vpx_img_free(void *);
"""


class Vp9Encoder:
    """Encodes as browsers do for a call (L1T3 to L3T3_KEY): sizes build on others in key frames only."""

    def __init__(self, sizes: Sequence[tuple[int, int, int]], frames_per_second: int) -> None:
        """Make it for sizes of (width, height, kb/s), each half of the next; raise `RunError`."""
        self._ffi = FFI()
        self._ffi.cdef(_DECLARATIONS)
        self._libvpx: Any = self._ffi.dlopen(_path())
        self._context = self._ffi.new("vpx_codec_ctx *")
        self._config = self._ffi.new("vpx_codec_enc_cfg *")
        interface = self._libvpx.vpx_codec_vp9_cx()
        self._check(self._libvpx.vpx_codec_enc_config_default(interface, self._config, 0))
        self._configure(sizes, frames_per_second)
        if self._libvpx.vpx_codec_enc_init_ver(self._context, interface, self._config, 0, _ABI):
            version = self._ffi.string(self._libvpx.vpx_codec_version_str()).decode()
            raise RunError(f"clips in vp9 need libvpx 1.16 or 1.17, not {version}: {_INSTALL}")
        self._control(sizes)
        self._width, self._height, _ = sizes[-1]
        self._pixels = self._ffi.new("unsigned char[]", self._width * self._height * 3 // 2)
        self._image = self._libvpx.vpx_img_wrap(
            self._ffi.NULL, _I420, self._width, self._height, 1, self._pixels
        )
        self._count = 0

    def encode(self, picture: VideoFrame) -> list[bytes]:
        """Return the frames of a picture of the largest size in yuv420p, the smallest first."""
        at = 0
        for plane in picture.planes:
            for line in _lines(plane):
                self._pixels[at : at + len(line)] = line
                at += len(line)
        flags = 0 if self._count else _FORCE_KEY_FRAME
        self._check(
            self._libvpx.vpx_codec_encode(self._context, self._image, self._count, 1, flags, _REAL_TIME)
        )
        self._count += 1
        state = self._ffi.new("void **")
        packet = self._libvpx.vpx_codec_get_cx_data(self._context, state)
        assert packet, "nothing is left out"  # noqa: S101
        return list(_frames(bytes(self._ffi.buffer(packet.buf, packet.sz))))

    def close(self) -> None:
        """Give the memory back."""
        self._libvpx.vpx_img_free(self._image)
        self._libvpx.vpx_codec_destroy(self._context)

    def _configure(self, sizes: Sequence[tuple[int, int, int]], frames_per_second: int) -> None:
        config, rates = self._config, [kilobits for _, _, kilobits in sizes]
        config.g_w, config.g_h, _ = sizes[-1]
        config.g_timebase.num, config.g_timebase.den = 1, frames_per_second
        config.g_threads, config.g_lag_in_frames, config.g_error_resilient = 1, 0, _RESILIENT
        config.rc_end_usage, config.rc_target_bitrate, config.rc_dropframe_thresh = _CBR, sum(rates), 0
        # What libwebrtc asks of it.
        config.rc_min_quantizer, config.rc_max_quantizer = 2, 56
        config.rc_undershoot_pct, config.rc_overshoot_pct = 50, 50
        config.rc_buf_initial_sz, config.rc_buf_optimal_sz, config.rc_buf_sz = 500, 600, 1000
        config.kf_mode = _NO_KEY_FRAMES
        config.ss_number_layers, config.ts_number_layers = len(sizes), len(_TEMPORAL_SHARES)
        config.ts_rate_decimator[0:3], config.ts_periodicity = [4, 2, 1], 4
        config.temporal_layering_mode = _FOUR_PICTURES
        for spatial, rate in enumerate(rates):
            config.ss_target_bitrate[spatial] = rate
            for temporal, share in enumerate(_TEMPORAL_SHARES):
                config.layer_target_bitrate[spatial * len(_TEMPORAL_SHARES) + temporal] = round(rate * share)

    def _control(self, sizes: Sequence[tuple[int, int, int]]) -> None:
        layers = self._ffi.new("vpx_svc_extra_cfg *")
        for spatial, (width, _, _) in enumerate(sizes):
            scale = Fraction(width, sizes[-1][0])
            layers.scaling_factor_num[spatial], layers.scaling_factor_den[spatial] = scale.as_integer_ratio()
            layers.speed_per_layer[spatial] = 7
        for layer in range(len(sizes) * len(_TEMPORAL_SHARES)):
            layers.min_quantizers[layer], layers.max_quantizers[layer] = 2, 56
        for control, value in (
            (_SET_SPEED, 7),
            (_SET_MAX_KEY_FRAME, 900),
            (_SET_ADAPTIVE_QUANTIZER, 3),
            (_SET_SVC, 1),
            (_SET_SVC_PARAMETERS, layers),
            (_SET_BUILDS_ON_SMALLER, _ONLY_KEY_FRAMES),
        ):
            # A call with any number of arguments has to be told the type of each.
            given = self._ffi.cast("int", value) if isinstance(value, int) else value
            self._check(self._libvpx.vpx_codec_control_(self._context, control, given))

    def _check(self, result: int) -> None:
        if result:
            said = self._ffi.string(self._libvpx.vpx_codec_error(self._context)).decode()
            raise RunError(f"libvpx cannot make the clip: {said}")


def _path() -> str:
    beside = sorted((Path(av.__file__).parent.parent / "av.libs").glob("libvpx-*"))
    found = str(beside[0]) if beside else ctypes.util.find_library("vpx")
    if found is None:
        raise RunError(f"clips in vp9 need libvpx, which this av does not have: {_INSTALL}")
    return found


def _lines(plane: VideoPlane) -> Iterator[memoryview]:
    """Give the rows of a plane without what fills them up in memory."""
    rows = memoryview(bytes(plane))
    if plane.line_size == plane.width:
        yield rows[: plane.width * plane.height]
        return
    for row in range(plane.height):
        yield rows[row * plane.line_size :][: plane.width]


def _frames(superframe: bytes) -> Iterator[bytes]:
    """Give the frames that the index of a superframe tells of (VP9 bitstream, annex B)."""
    mark = superframe[-1]
    if mark & 0xE0 != 0xC0:
        yield superframe
        return
    count, width = (mark & 7) + 1, (mark >> 3 & 3) + 1
    index = superframe[-1 - count * width : -1]
    at = 0
    for number in range(count):
        size = int.from_bytes(index[number * width :][:width], "little")
        yield superframe[at : at + size]
        at += size
