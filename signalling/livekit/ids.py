"""Ids of live things: random, with the prefixes by which client SDKs tell them apart."""

import secrets

from sfu import LegKey, MediaKind, TrackKey, TrackSource

# What each random byte becomes: 32 letters and digits that nobody mistakes, each as likely as any other.
_LETTER_OF = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ" * 8
_CHARS = 16  # 80 bits: unique, and never used as a secret

_SOURCE_LETTERS = {
    TrackSource.CAMERA: "C",
    TrackSource.MICROPHONE: "M",
    TrackSource.SCREEN_SHARE: "S",
    TrackSource.SCREEN_SHARE_AUDIO: "s",
}


def new_leg_key() -> LegKey:
    """Make the id of a leg, which clients know as the participant's sid."""
    return LegKey(f"PA_{_random_text()}")


def new_track_key(kind: MediaKind, source: TrackSource) -> TrackKey:
    """Make the id of a track; its first letters tell kind and source to whoever reads a log."""
    letter = "A" if kind is MediaKind.AUDIO else "V"
    return TrackKey(f"TR_{letter}{_SOURCE_LETTERS.get(source, '')}{_random_text()}")


def _random_text() -> str:
    return secrets.token_bytes(_CHARS).translate(_LETTER_OF).decode()
