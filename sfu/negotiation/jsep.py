"""Offer in, answer out: the state of one leg's description as a pure function.

Theory of operation. A description is a list of sections that only grows; each place in it, a `Slot`, carries
at most one track up (the peer sends) and one down (we send). Only the peer offers, so we change a slot when
an offer comes and at no other time; when we want a change we ask for an offer (needs.py). In `negotiate`
every slot goes through

    continue    keep what the last agreement said, unless the peer or we have dropped it
    bind up     a section in which the peer begins to send gets the announced track that it names
    bind down   a section in which the peer can receive, and which carried nothing since the last answer,
                gets a waiting subscription

A track that we stop sending leaves its slot inactive for one answer before another may enter: browsers take a
new track in a slot for the old one otherwise. What must be done outside, such as opening a track in the core,
is the difference between the old table and the new one, as a list of effects. A description that cannot be
used raises before there is a new table, so that nothing is half applied.

    slot.down   none --bind--> sending --unsubscribe, track ended, peer stops receiving--> none
                (answered inactive)
    slot.up     none --bind--> receiving --unpublish, peer stops sending--> none
    slot.use    media | data --peer closes (port 0), nothing in common--> nothing --recycled--> media | data
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sfu.errors import PeerError
from sfu.model import MediaKind, PublishIntent, TrackKey
from sfu.negotiation.answer import AnsweredSection, Local, SentStream, write_answer
from sfu.negotiation.codecs import Payload, forwarded, payload_maps, prefer, with_parameters
from sfu.negotiation.effects import (
    Delivered,
    Effect,
    IceRestarted,
    RemoteSet,
    TrackAdded,
    TrackEnded,
    Undelivered,
)
from sfu.negotiation.extensions import answered, shared_ids
from sfu.negotiation.ice import Credentials
from sfu.negotiation.offer import Direction, Offer, OfferedPayload, OfferedSection
from sfu.negotiation.sections import FreeSections
from sfu.negotiation.table import Down, Encoding, Remote, Slot, Table, Up, Use

_MEDIA_PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF"})
_DATA_PROTOCOLS = frozenset({"UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"})
_MAX_ENCODINGS = 3  # of one track in the core
_ORDINARY_CHARS = 8_192  # of a section; a larger one, or one of unknown size (0), is not remembered
_LIVEKIT_RIDS = ("q", "h", "f")  # lowest first; the order of the lines says nothing certain


@dataclass(frozen=True, slots=True)
class Wish:
    """A subscription of this leg, delivered or waiting."""

    track: TrackKey
    kind: MediaKind
    stream_id: str
    payloads: tuple[Payload, ...]
    """The publisher's; empty until its section is negotiated, and the wish waits until then."""
    ssrc: int
    rtx_ssrc: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an offer came to."""

    table: Table
    sdp: str
    mid_to_track: Mapping[str, TrackKey]
    effects: tuple[Effect, ...]
    refused: tuple[TrackKey, ...]
    """Subscriptions whose codecs the peer cannot receive."""


def is_restart(table: Table, offer: Offer) -> bool:
    """Whether the offer has other ICE credentials than the last one, so that ours must be new as well."""
    return table.remote is not None and table.remote.credentials != Credentials(offer.ufrag, offer.pwd)


def negotiate(
    table: Table,
    offer: Offer,
    *,
    local: Local,
    extensions: Sequence[str],
    announced: Mapping[TrackKey, PublishIntent],
    wanted: Mapping[TrackKey, Wish],
) -> Outcome:
    """Answer an offer.

    `local` holds the credentials of `table`, or new ones when `is_restart`. `announced` and `wanted` are
    everything this leg publishes and subscribes to at this moment, in order; `extensions` are the URIs the
    core knows. Raises PeerError `sdp-mismatch` or `sdp-unsupported`.
    """
    _check_continuity(table, offer)
    slots = [
        _continue(table.slots[i] if i < len(table.slots) else None, section, announced, wanted)
        for i, section in enumerate(offer.sections)
    ]
    _only_one_data_section(slots)
    _bind_up(slots, offer.sections, announced)
    resting = {slot.mid: slot.down.ssrc for slot in table.slots if slot.down is not None}
    refused = _bind_down(slots, wanted, resting=resting)

    pairs = list(zip(slots, offer.sections, strict=True))
    shared = shared_ids([section.extensions for slot, section in pairs if slot.use is Use.MEDIA], extensions)
    remote = _remote(offer, slots, shared)
    new = replace(
        table,
        version=table.version + 1,
        slots=tuple(slots),
        local=local.credentials,
        remote=remote,
        size=offer.size,
    )
    ids = dict(shared)
    sdp = write_answer(
        [_answer(slot, section, ids, announced) for slot, section in pairs],
        local,
        session=new.session,
        version=new.version,
        extmap_allow_mixed=offer.extmap_allow_mixed,
    )
    return Outcome(new, sdp, _mid_to_track(slots), tuple(_effects(table, new)), refused)


def _check_continuity(table: Table, offer: Offer) -> None:
    if len(offer.sections) < len(table.slots):
        raise PeerError("sdp-mismatch", "the offer has fewer sections than the last one")
    for slot, section in zip(table.slots, offer.sections, strict=False):
        if section.mid != slot.mid and slot.use is not Use.NOTHING:
            raise PeerError("sdp-mismatch", "a section in use has changed its a=mid or its place")
        if section.mid == slot.mid and section.kind != slot.kind:
            raise PeerError("sdp-mismatch", "a section has changed its kind of media")
    if table.remote is not None and set(table.remote.fingerprints) != set(offer.fingerprints):
        # Other keys would mean another DTLS association; a peer that wants one joins anew.
        raise PeerError("sdp-mismatch", "the certificate's fingerprint has changed")


def _continue(
    slot: Slot | None,
    section: OfferedSection,
    announced: Mapping[TrackKey, PublishIntent],
    wanted: Mapping[TrackKey, Wish],
) -> Slot:
    """Carry a slot over into a new offer, or open one for a section that is new."""
    if slot is None or slot.mid != section.mid or slot.use is Use.NOTHING:
        slot = Slot(section.mid, section.kind, Use.NOTHING)
    use, payloads = _usable(section)
    sends = use is Use.MEDIA and section.direction.sends
    receives = use is Use.MEDIA and section.direction.receives
    up = slot.up if slot.up is not None and sends and slot.up.track in announced else None
    if up is not None:
        up = _narrowed(up, payloads)
    down = slot.down if slot.down is not None and receives and _still_wanted(slot.down, wanted) else None
    if down is not None and not _still_offered(down, payloads):
        down = None
    released = sends and (slot.released or (slot.up is not None and up is None))
    return Slot(slot.mid, slot.kind, use, payloads, sends, receives, up, down, section.size, released)


def _usable(section: OfferedSection) -> tuple[Use, tuple[Payload, ...]]:
    if section.closed or not section.bundled:
        return Use.NOTHING, ()
    if section.kind == "application":
        fits = section.protocol in _DATA_PROTOCOLS and section.sctp_port is not None
        return (Use.DATA if fits else Use.NOTHING), ()
    # Without rtcp-mux, RTCP would come on a port that we do not have.
    fits = section.protocol in _MEDIA_PROTOCOLS and section.rtcp_mux
    known = _remembered if 0 < section.size <= _ORDINARY_CHARS else forwarded
    payloads = known(section.payloads, section.kind) if fits else ()
    return (Use.MEDIA if payloads else Use.NOTHING), payloads


# All clients of one kind offer the same in every section, and offer it again at every change of a call.
@lru_cache(maxsize=64)
def _remembered(offered: tuple[OfferedPayload, ...], kind: str) -> tuple[Payload, ...]:
    return forwarded(offered, kind)


def _narrowed(up: Up, offered: Collection[Payload]) -> Up | None:
    """Keep what is still offered of a track's payload types; none is added to those the core was told."""
    numbers = {(payload.pt, payload.codec) for payload in offered}
    kept = tuple(payload for payload in up.payloads if (payload.pt, payload.codec) in numbers)
    return replace(up, payloads=kept) if kept else None


def _still_wanted(down: Down, wanted: Mapping[TrackKey, Wish]) -> bool:
    wish = wanted.get(down.track)
    return wish is not None and wish.ssrc == down.ssrc


def _still_offered(down: Down, offered: Collection[Payload]) -> bool:
    numbers = {(payload.pt, payload.codec) for payload in offered}
    return all((payload.pt, payload.codec) in numbers for payload in down.payloads)


def _only_one_data_section(slots: list[Slot]) -> None:
    """Keep the first: a transport has one SCTP association (RFC 8841, section 10)."""
    data = [index for index, slot in enumerate(slots) if slot.use is Use.DATA]
    for index in data[1:]:
        slots[index] = replace(slots[index], use=Use.NOTHING)


# --- up ---


def _bind_up(
    slots: list[Slot], sections: Sequence[OfferedSection], announced: Mapping[TrackKey, PublishIntent]
) -> None:
    """Give each section in which the peer sends the track that it names, else the oldest one of its kind.

    The names come first for all sections, since some clients give a section an id that nobody announced.
    """
    bound = {slot.up.track for slot in slots if slot.up is not None}
    pending = {key: intent for key, intent in announced.items() if key not in bound}
    for by_name in (True, False):
        for index, (slot, section) in enumerate(zip(slots, sections, strict=True)):
            if not slot.sends:
                continue
            if slot.up is not None and (not by_name or _names(section, announced[slot.up.track])):
                continue
            if not by_name and slot.released:
                continue
            candidates = (i for i in pending.values() if i.kind == slot.kind)
            intent = next((i for i in candidates if not by_name or _names(section, i)), None)
            if intent is not None:
                del pending[intent.key]
                slots[index] = replace(slot, up=_up(slot, section, intent), released=False)


def _names(section: OfferedSection, intent: PublishIntent) -> bool:
    return section.mid in intent.client_ids or any(id_ in intent.client_ids for id_ in section.track_ids)


def _up(slot: Slot, section: OfferedSection, intent: PublishIntent) -> Up:
    payloads = prefer(slot.payloads, intent.codec) if intent.codec else slot.payloads
    if section.rids:
        kept = _lowest_first(section.rids, intent)[:_MAX_ENCODINGS]
        encodings = tuple(Encoding(rid=rid) for rid in kept)
        return Up(intent.key, payloads, encodings, tuple(rid for rid in section.rids if rid in kept))
    streams = section.streams[:_MAX_ENCODINGS]
    encodings = tuple(Encoding(None, stream.ssrc, stream.rtx_ssrc) for stream in streams)
    return Up(intent.key, payloads, encodings or (Encoding(),), ())


def _lowest_first(rids: Sequence[str], intent: PublishIntent) -> tuple[str, ...]:
    for order in ([encoding.rid for encoding in intent.encodings], _LIVEKIT_RIDS):
        if set(rids) <= set(order):
            return tuple(sorted(rids, key=order.index))
    return tuple(rids)


# --- down ---


def _bind_down(
    slots: list[Slot], wanted: Mapping[TrackKey, Wish], *, resting: Mapping[str, int]
) -> tuple[TrackKey, ...]:
    """Give waiting subscriptions free sections, purely receiving ones first; return whom none suits.

    `resting` are the sections that were sending until now, and their SSRCs: neither is used twice.
    """
    bound = {slot.down.track for slot in slots if slot.down is not None}
    receiving = [slot for slot in slots if slot.receives]
    free = [slot for slot in receiving if slot.down is None and slot.mid not in resting]
    # A section in which the peer sends too is another track's, should there be a choice.
    sections = FreeSections(receiving, sorted(free, key=lambda slot: slot.sends))
    places = {slot.mid: index for index, slot in enumerate(slots)}
    used = set(resting.values())
    refused = []
    for wish in wanted.values():
        if wish.track in bound or not wish.payloads:
            continue
        if sections.unreadable(wish.kind, wish.payloads):
            refused.append(wish.track)
        elif wish.ssrc not in used and (mid := sections.take(wish.kind, wish.payloads)) is not None:
            index = places[mid]
            slots[index] = replace(slots[index], down=_down(slots[index], wish))
    return tuple(refused)


def _down(slot: Slot, wish: Wish) -> Down:
    maps = payload_maps(wish.payloads, slot.payloads)
    numbers = list(dict.fromkeys(each.down for each in maps))
    by_number = {payload.pt: payload for payload in slot.payloads}
    payloads = tuple(by_number[pt] for pt in numbers)
    rtx = wish.rtx_ssrc if any(payload.rtx_pt is not None for payload in payloads) else None
    return Down(wish.track, wish.stream_id, wish.ssrc, rtx, payloads, maps)


# --- the answer and what follows from it ---


def _remote(offer: Offer, slots: Sequence[Slot], shared: tuple[tuple[str, int], ...]) -> Remote:
    data = next((s for s, slot in zip(offer.sections, slots, strict=True) if slot.use is Use.DATA), None)
    return Remote(
        Credentials(offer.ufrag, offer.pwd),
        offer.fingerprints,
        shared,
        data.sctp_port if data else None,
        # 64 kB is what a peer takes that does not say (RFC 8841, section 6.1).
        65_536 if data is None or data.max_message_size is None else data.max_message_size,
    )


def _answer(
    slot: Slot,
    section: OfferedSection,
    shared: Mapping[str, int],
    announced: Mapping[TrackKey, PublishIntent],
) -> AnsweredSection:
    if slot.use is not Use.MEDIA:
        return AnsweredSection(slot.mid, slot.kind, section.protocol, data=slot.use is Use.DATA)
    up, down = slot.up, slot.down
    payloads = _merged(up.payloads if up else (), down.payloads if down else ()) or slot.payloads
    if up is not None:
        payloads = tuple(_tuned(payload, announced[up.track]) for payload in payloads)
    return AnsweredSection(
        slot.mid,
        slot.kind,
        section.protocol,
        direction=Direction.of(sends=down is not None, receives=up is not None),
        payloads=payloads,
        extensions=answered(section.extensions, shared),
        rids=up.rids if up is not None else (),
        sent=SentStream(down.stream_id, down.track, down.ssrc, down.rtx_ssrc) if down is not None else None,
    )


def _merged(first: tuple[Payload, ...], second: tuple[Payload, ...]) -> tuple[Payload, ...]:
    numbers = {payload.pt for payload in first}
    return first + tuple(payload for payload in second if payload.pt not in numbers)


def _tuned(payload: Payload, intent: PublishIntent) -> Payload:
    """Say how to encode: an Opus sender goes by the receiver's parameters (RFC 7587, section 7)."""
    if payload.codec != "opus":
        return payload
    stereo = "1" if intent.stereo else ""
    return with_parameters(
        payload, useinbandfec="1", usedtx="1" if intent.dtx else "", stereo=stereo, **{"sprop-stereo": ""}
    )


def _mid_to_track(slots: Sequence[Slot]) -> dict[str, TrackKey]:
    tracks = {}
    for slot in slots:
        carried = slot.down or slot.up
        if carried is not None:
            tracks[slot.mid] = carried.track
    return tracks


def _effects(old: Table, new: Table) -> list[Effect]:
    """List what has changed: ends first, for room in the core; the remote side last, when all is in place."""
    effects: list[Effect] = []
    old_ups, new_ups, old_downs, new_downs = old.ups, new.ups, old.downs, new.downs
    for track, (_, down) in old_downs.items():
        if track not in new_downs or new_downs[track][1].ssrc != down.ssrc:
            effects.append(Undelivered(track, down.ssrc))
    effects += [TrackEnded(track) for track in old_ups if track not in new_ups]
    for track, (mid, up) in new_ups.items():
        if track not in old_ups:
            effects.append(TrackAdded(track, mid, up.payloads, up.encodings))
    for track, (mid, down) in new_downs.items():
        if track not in old_downs or old_downs[track][1].ssrc != down.ssrc:
            effects.append(Delivered(track, mid, down.ssrc, down.rtx_ssrc, down.maps))
    if old.local is not None and new.local is not None and old.local != new.local:
        effects.append(IceRestarted(new.local))
    if new.remote is not None and new.remote != old.remote:
        effects.append(RemoteSet(new.remote))
    return effects
