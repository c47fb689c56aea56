"""H.264 profiles: which decoder reads which stream (RFC 6184, section 8.1)."""

from enum import Enum
from functools import lru_cache


class Profile(Enum):
    """The profiles that WebRTC peers offer, by name."""

    CONSTRAINED_BASELINE = "constrained baseline"
    BASELINE = "baseline"
    MAIN = "main"
    CONSTRAINED_HIGH = "constrained high"
    HIGH = "high"
    PREDICTIVE_HIGH_444 = "high 4:4:4 predictive"


# RFC 6184, table 5: profile_idc, the bits of profile_iop that matter, and the value they must have.
_TABLE = (
    (0x42, 0b0100_1111, 0b0100_0000, Profile.CONSTRAINED_BASELINE),
    (0x4D, 0b1000_1111, 0b1000_0000, Profile.CONSTRAINED_BASELINE),
    (0x58, 0b1100_1111, 0b1100_0000, Profile.CONSTRAINED_BASELINE),
    (0x42, 0b0100_1111, 0b0000_0000, Profile.BASELINE),
    (0x58, 0b1100_1111, 0b1000_0000, Profile.BASELINE),
    (0x4D, 0b1010_1111, 0b0000_0000, Profile.MAIN),
    (0x64, 0b1111_1111, 0b0000_0000, Profile.HIGH),
    (0x64, 0b1111_1111, 0b0000_1100, Profile.CONSTRAINED_HIGH),
    (0xF4, 0b1111_1111, 0b0000_0000, Profile.PREDICTIVE_HIGH_444),
)

# Streams that a decoder of each profile reads, its own first.
_READS = {
    Profile.CONSTRAINED_BASELINE: (Profile.CONSTRAINED_BASELINE,),
    Profile.BASELINE: (Profile.BASELINE, Profile.CONSTRAINED_BASELINE),
    Profile.MAIN: (Profile.MAIN, Profile.CONSTRAINED_BASELINE),
    Profile.CONSTRAINED_HIGH: (Profile.CONSTRAINED_HIGH, Profile.CONSTRAINED_BASELINE),
    Profile.HIGH: (Profile.HIGH, Profile.CONSTRAINED_HIGH, Profile.MAIN, Profile.CONSTRAINED_BASELINE),
    Profile.PREDICTIVE_HIGH_444: (
        Profile.PREDICTIVE_HIGH_444,
        Profile.HIGH,
        Profile.CONSTRAINED_HIGH,
        Profile.MAIN,
        Profile.CONSTRAINED_BASELINE,
    ),
}

# What a missing profile-level-id means: Baseline, level 1 (RFC 6184, section 8.1).
_DEFAULT = "42000a"


def profile(level_id: str) -> Profile | None:
    """Return the profile of a `profile-level-id`, six hexadecimal digits; None when we do not know it."""
    try:
        number = int(level_id, 16)
    except ValueError:
        return None
    idc, iop = number >> 16, number >> 8 & 0xFF
    return next((name for i, mask, value, name in _TABLE if i == idc and iop & mask == value), None)


def key(fmtp: dict[str, str]) -> tuple[str, ...]:
    """Name the decoder that some format parameters describe: profile and packetization mode.

    The level is left out: peers in practice send below it, and it may differ by direction.
    """
    named = profile(fmtp.get("profile-level-id", _DEFAULT))
    return ("h264", named.name if named else "", fmtp.get("packetization-mode", "0"))


@lru_cache(maxsize=64)  # peers use a dozen; the words of a hostile one may push each other out
def readers(stream: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the keys of decoders that read a stream, the one of its own profile first."""
    codec, name, mode = stream
    if not name:
        return ()
    sent = Profile[name]
    able = [decoder for decoder in Profile if sent in _READS[decoder]]
    able.sort(key=lambda decoder: _READS[decoder].index(sent))
    return tuple((codec, decoder.name, mode) for decoder in able)
