"""What has to be asked of the peer, who alone may offer."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfu.model import MediaKind, PublishIntent, SfuLimits, TrackKey
from sfu.negotiation.jsep import Wish
from sfu.negotiation.read import most_bytes
from sfu.negotiation.room import Room
from sfu.negotiation.sections import FreeSections
from sfu.negotiation.table import Down, Table


@dataclass(frozen=True, slots=True)
class Need:
    """What the next offer must bring."""

    offer: bool = False
    """Something is to change, so an offer is needed at all."""
    audio: int = 0
    """Receiving audio sections beyond those of the last offer."""
    video: int = 0
    refused: tuple[TrackKey, ...] = ()
    """Subscriptions that no section can carry: the peer has none of the track's codecs."""
    crowded_out: tuple[TrackKey, ...] = ()
    """Subscriptions whose sections would make the description larger than we read."""


def needed(
    table: Table,
    announced: Mapping[TrackKey, PublishIntent],
    wanted: Mapping[TrackKey, Wish],
    limits: SfuLimits,
) -> Need:
    """Compare what is agreed with what is announced and wanted.

    A section that is still taken by a track nobody wants any more counts as one that will be free, even
    though it takes one more offer: reusing it keeps the description from growing for as long as the call
    lasts. Sound comes first where not everything has room.
    """
    bound = {slot.down.track for slot in table.slots if slot.down is not None and _current(slot.down, wanted)}
    stale = any(slot.down is not None and slot.down.track not in bound for slot in table.slots)
    receiving = [slot for slot in table.slots if slot.receives]
    free = [slot for slot in receiving if slot.down is None or slot.down.track not in bound]
    sections = FreeSections(receiving, free)
    waiting = [wish for wish in wanted.values() if wish.track not in bound and wish.payloads]
    waiting.sort(key=lambda wish: wish.kind is MediaKind.VIDEO)
    room = Room(table, most_bytes(limits, carried=len(announced) + len(wanted)), limits.sections_per_offer)
    missing = {MediaKind.AUDIO: 0, MediaKind.VIDEO: 0}
    refused, crowded_out = [], []
    for wish in waiting:
        if sections.unreadable(wish.kind, wish.payloads):
            refused.append(wish.track)
        elif sections.take(wish.kind, wish.payloads) is None:
            if room.take(wish.kind):
                missing[wish.kind] += 1
            else:
                crowded_out.append(wish.track)
    return Need(
        offer=stale or len(waiting) > len(refused) + len(crowded_out) or _unclaimed(table, announced),
        audio=missing[MediaKind.AUDIO],
        video=missing[MediaKind.VIDEO],
        refused=tuple(refused),
        crowded_out=tuple(crowded_out),
    )


def _current(down: Down, wanted: Mapping[TrackKey, Wish]) -> bool:
    wish = wanted.get(down.track)
    return wish is not None and wish.ssrc == down.ssrc


def _unclaimed(table: Table, announced: Mapping[TrackKey, PublishIntent]) -> bool:
    """Whether the peer already sends in a section what has been announced only since."""
    bound = table.ups
    pending = {intent.kind for intent in announced.values() if intent.key not in bound}
    return any(s.sends and s.up is None and not s.released and s.kind in pending for s in table.slots)
