"""A leg: one live connection of a participant to a call."""

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfu.bridge import EXTENSION_URIS, CoreBusy
from sfu.caps import Downlink, Uplink
from sfu.channels import Channels
from sfu.errors import PeerError, UsageError
from sfu.model import (
    Answer,
    CloseReason,
    LegKey,
    LegListener,
    LegStats,
    MediaKind,
    PublishIntent,
    TrackKey,
    TrackView,
    Wanted,
)
from sfu.negotiation import effects
from sfu.negotiation.asking import Asking
from sfu.negotiation.jsep import Outcome, Wish, negotiate
from sfu.negotiation.needs import needed
from sfu.negotiation.read import most_bytes, read_offer
from sfu.negotiation.table import Table
from sfu.policy.admission import OfferRate, check_room_for_subscription, check_room_for_track
from sfu.subscription import Subscription
from sfu.track import Track
from sfu.transport import Transport

if TYPE_CHECKING:
    from sfu.call import Call
    from sfu.shell import Shell

log = logging.getLogger(__name__)

_MAX_CAP_KBPS = 1_000_000


class Leg:
    """One live connection: what it publishes, what it receives, and its transport.

    Made by `Call.add_leg`; every method but `close` raises UsageError after `close`. The listener is never
    called from within `subscribe`, `unsubscribe` or `publish`, and never after `close`.
    """

    def __init__(self, shell: "Shell", call: "Call", key: LegKey, listener: LegListener) -> None:
        self.transport = Transport(shell, self, shell.place(call))
        self.channels = Channels(shell)
        self.uplink = Uplink(shell, self)
        self.downlink = Downlink(shell, self)
        self._shell = shell
        self._call = call
        self._key = key
        self._listener = listener
        self._tracks: dict[TrackKey, Track] = {}
        self._subscriptions: dict[TrackKey, Subscription] = {}
        self._ssrcs = {0}
        self._table = Table(session=secrets.randbits(62))
        self._asking = Asking()
        self._offers = OfferRate(shell.limits)
        self._considering = False
        self._closed = False

    @property
    def key(self) -> LegKey:
        """The key its caller chose."""
        return self._key

    @property
    def tracks(self) -> Mapping[TrackKey, TrackView]:
        """What this leg publishes, in the order of announcement."""
        return {key: track.view() for key, track in self._tracks.items()}

    @property
    def subscriptions(self) -> Sequence[TrackKey]:
        """What this leg is subscribed to, delivered or waiting."""
        return tuple(self._subscriptions)

    def negotiate(self, offer: str) -> Answer:
        """Take an SDP offer and return the answer; new ICE credentials in it are an ICE restart.

        Raises PeerError when the offer cannot be used; nothing has changed then. Codes: `sdp-too-large`,
        `sdp-malformed`, `sdp-limit` (too many sections or the like), `sdp-mismatch` (it does not continue the
        last offer), `sdp-unsupported` (no common ground for a transport), `too-many-offers`, `busy`.
        """
        self._check_open()
        try:
            return self._negotiate(offer)
        except PeerError as error:
            self._shell.occurrences.offer_refused(error.code)
            raise

    def publish(self, intent: PublishIntent) -> None:
        """Announce a track, so that a section of an offer may carry it.

        Others can subscribe to it at once. Raises PeerError `track-limit` when the leg has its share of
        tracks, and UsageError when the track's key is in use.
        """
        self._check_open()
        check_room_for_track(self._shell.limits, len(self._tracks))
        track = Track(self._shell, self, intent)
        self._call.register(track)
        self._tracks[intent.key] = track
        self.reconsider()

    def unpublish(self, track: TrackKey) -> None:
        """End a track for everybody; does nothing when it is gone already."""
        self._check_open()
        self._end_track(track)
        self.reconsider()

    def set_muted(self, track: TrackKey, muted: bool) -> None:
        """Stop or resume forwarding a track of this leg; subscriptions and sections stay as they are."""
        self._check_open()
        if track in self._tracks:
            self._tracks[track].mute(muted)

    def subscribe(self, track: TrackKey) -> None:
        """Deliver a track of the call to this leg; does nothing when that is so already.

        The listener hears `sections_needed` when an offer must come first, then `subscribed`; or
        `subscription_failed`. Raises PeerError `subscription-limit`.
        """
        self._check_open()
        if track in self._subscriptions:
            return
        check_room_for_subscription(self._shell.limits, len(self._subscriptions))
        source = self._call.track(track)
        if source is None:
            self.tell(lambda listener: listener.subscription_failed(track, "track-gone"))
            return
        self._subscriptions[track] = Subscription(self._shell, self, source, *self._new_ssrcs())
        self.reconsider()

    def unsubscribe(self, track: TrackKey) -> None:
        """End the delivery of a track; does nothing when there is none."""
        self._check_open()
        self.track_gone(track)

    def set_wanted(self, track: TrackKey, wanted: Wanted) -> None:
        """Say what this leg wants of a track it is subscribed to; ignored when it is not."""
        self._check_open()
        if track in self._subscriptions:
            self._subscriptions[track].want(wanted)

    def cap(self, *, up_kbps: int | None, down_kbps: int | None) -> None:
        """Bound what this leg may send and what it is sent, each in all, on the wire; None lifts a bound.

        The peer is asked to stay within its part (REMB), and of pictures only as much is passed on as fits.
        Sound is never left out. UsageError when a bound is not 1 to 1,000,000.
        """
        self._check_open()
        for kbps in (up_kbps, down_kbps):
            if kbps is not None and not 1 <= kbps <= _MAX_CAP_KBPS:
                raise UsageError(f"a cap is 1 to {_MAX_CAP_KBPS} kbps")
        self.transport.cap_up(up_kbps)
        self.uplink.cap(up_kbps)
        self.downlink.cap(down_kbps)

    def send_data(self, label: str, payload: bytes, *, binary: bool = True) -> bool:
        """Send a message on the peer's data channel of that label.

        Messages wait within a bound until the channel is open. False: it could not be queued and is lost.
        """
        self._check_open()
        return self.channels.send(self.transport.id, label, payload, binary)

    def resync(self) -> None:
        """Tell the listener again what is needed of the peer: earlier words may not have arrived."""
        self._check_open()
        self._asking = Asking()
        self.reconsider()

    def move(self, call: "Call", listener: LegListener) -> None:
        """Go over to another call, with all that is published; `listener` hears of this leg from now on.

        The peer's connection stays as it is. What this leg receives ends, and so does what others receive of
        it. Raises PeerError `full`, and nothing has changed then, when the other call has no room.
        """
        self._check_open()
        call.arrived(self)
        for key in list(self._subscriptions):
            self.track_gone(key)
        before, self._call, self._listener = self._call, call, listener
        for track in self._tracks.values():
            before.unregister(track)
            call.register(track)
            track.move(call.group)
        before.left(self)
        self.reconsider()

    def stats(self) -> LegStats:
        """Return the leg's figures since it connected."""
        self._check_open()
        return self.transport.stats()

    def layers(self) -> Mapping[TrackKey, int | None]:
        """Return which encoding of each subscribed picture is sent to this leg now, 0 the lowest.

        None while nothing of it is sent.
        """
        self._check_open()
        subscriptions = self._subscriptions.items()
        return {key: one.layer for key, one in subscriptions if one.track.kind is MediaKind.VIDEO}

    def close(self, reason: CloseReason) -> None:
        """End the connection, its tracks and its subscriptions; does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        for track in list(self._tracks):
            self._end_track(track)
        for subscription in list(self._subscriptions.values()):
            subscription.end()
        self._subscriptions.clear()
        self.uplink.end()
        self.transport.close()
        self._shell.occurrences.leg_closed(reason)
        self._call.left(self)

    # --- for the rest of sfu ---

    @property
    def received(self) -> Iterable[Subscription]:
        """Every subscription, delivered or waiting, in the order in which they began."""
        return self._subscriptions.values()

    @property
    def published(self) -> Iterable[Track]:
        """Every track, in the order of announcement."""
        return self._tracks.values()

    def track_gone(self, track: TrackKey) -> None:
        """End a subscription, if there is one."""
        subscription = self._subscriptions.pop(track, None)
        if subscription is not None:
            subscription.end()
            self._ssrcs -= {subscription.ssrc, subscription.rtx_ssrc}
            self.reconsider()

    def reconsider(self) -> None:
        """Compare agreed with wanted when the loop next turns, so that many changes make one question."""
        if not self._considering:
            self._considering = True
            self._shell.in_turn(self._ask)

    def tell(self, message: Callable[[LegListener], None]) -> None:
        """Tell the listener when the loop next turns."""
        self._shell.soon(lambda: self.tell_now(message))

    def tell_now(self, message: Callable[[LegListener], None]) -> None:
        """Tell the listener; its defects stay its own."""
        if not self._closed:
            try:
                message(self._listener)
            except Exception:
                log.exception("leg_listener_failed")

    def debug_state(self) -> dict[str, Any]:
        """Describe it as JSON values."""
        return {
            "key": self._key,
            "transport": self.transport.debug_state(),
            "sections": len(self._table.slots),
            "tracks": [track.debug_state() for track in self._tracks.values()],
            "subscriptions": [each.debug_state() for each in self._subscriptions.values()],
            "data_channels": self.channels.labels,
        }

    # --- negotiation ---

    def _negotiate(self, offer: str) -> Answer:
        carried = len(self._tracks) + len(self._subscriptions)
        most = most_bytes(self._shell.limits, carried=carried)
        self._offers.admit(min(len(offer), most), most=most, now=self._shell.now())
        described = read_offer(offer, self._shell.limits, carried=carried)
        outcome = negotiate(
            self._table,
            described,
            local=self.transport.local(self._table, described),
            extensions=EXTENSION_URIS,
            announced={key: track.intent for key, track in self._tracks.items()},
            wanted=self._wishes(),
        )
        self._apply(outcome)
        self._asking = self._asking.offer_came(self._table, outcome.table)
        self._table = outcome.table
        self._tell_outcome(outcome)
        self.reconsider()
        return Answer(outcome.sdp, outcome.mid_to_track)

    def _wishes(self) -> dict[TrackKey, Wish]:
        return {key: subscription.wish for key, subscription in self._subscriptions.items()}

    def _apply(self, outcome: Outcome) -> None:
        """Do what an agreement asks for; when the core has no room, take back what was begun."""
        was_open = self.transport.id is not None
        assert outcome.table.local is not None  # noqa: S101 - negotiate sets it
        try:
            transport = self.transport.open(outcome.table.local)
            for effect in outcome.effects:
                self._do(effect, transport)
        except CoreBusy:
            for effect in outcome.effects:
                self._undo(effect)
            if not was_open:
                self.transport.close()
            raise PeerError("busy", "the server has no room; try again later") from None

    def _do(self, effect: effects.Effect, transport: int) -> None:
        match effect:
            case effects.TrackAdded():
                self._tracks[effect.track].open(effect, transport, self._call.group)
            case effects.TrackEnded() if effect.track in self._tracks:
                self._end_track(effect.track)
                self.tell(lambda listener: listener.track_unpublished(effect.track))
            # A leg that is subscribed to its own track may have lost it to this very offer.
            case effects.Delivered() if effect.track in self._subscriptions:
                self._subscriptions[effect.track].deliver(effect, transport)
            case effects.Undelivered() if effect.track in self._subscriptions:
                self._withdraw(effect.track, effect.ssrc)
            case effects.IceRestarted():
                self.transport.restart_ice(effect.local)
            case effects.RemoteSet():
                self.transport.set_remote(effect.remote)

    def _undo(self, effect: effects.Effect) -> None:
        match effect:
            case effects.TrackAdded():
                self._tracks[effect.track].shut()
            case effects.Delivered() if effect.track in self._subscriptions:
                self._withdraw(effect.track, effect.ssrc)

    def _withdraw(self, track: TrackKey, ssrc: int) -> None:
        """Let a subscription wait again, unless it is another one than that which was delivered."""
        subscription = self._subscriptions[track]
        if subscription.ssrc == ssrc:
            used = {ssrc, subscription.rtx_ssrc}
            subscription.withdraw(*self._new_ssrcs())
            self._ssrcs -= used

    def _tell_outcome(self, outcome: Outcome) -> None:
        """Tell the listener, who may end tracks and subscriptions or close the leg while it hears."""
        for effect in outcome.effects:
            if isinstance(effect, effects.TrackAdded) and effect.track in self._tracks:
                self._published(self._tracks[effect.track])
            elif isinstance(effect, effects.Delivered) and effect.track in self._subscriptions:
                self._subscribed(effect)
        for track in outcome.refused:
            self._refuse(track, "codec-unsupported")

    def _published(self, track: Track) -> None:
        self.tell_now(lambda listener: listener.track_published(track.view()))
        for subscription in tuple(track.subscriptions):
            subscription.leg.reconsider()

    def _subscribed(self, effect: effects.Delivered) -> None:
        self.tell_now(lambda listener: listener.subscribed(effect.track, effect.mid))

    def _ask(self) -> None:
        self._considering = False
        if self._closed or self._table.remote is None:
            return  # the first offer comes unasked
        announced = {key: track.intent for key, track in self._tracks.items()}
        need = needed(self._table, announced, self._wishes(), self._shell.limits)
        for track in need.refused:
            self._refuse(track, "codec-unsupported")
        for track in need.crowded_out:
            self._refuse(track, "subscription-limit")
        self._asking, question = self._asking.ask(need)
        if question is not None:
            self.tell_now(lambda listener: listener.sections_needed(*question))

    def _refuse(self, track: TrackKey, code: str) -> None:
        self.track_gone(track)
        self.tell(lambda listener: listener.subscription_failed(track, code))

    def _new_ssrcs(self) -> tuple[int, int]:
        """Choose two SSRCs that this leg does not receive yet."""
        chosen: list[int] = []
        while len(chosen) < 2:
            ssrc = secrets.randbits(32)
            if ssrc not in self._ssrcs:
                self._ssrcs.add(ssrc)
                chosen.append(ssrc)
        return chosen[0], chosen[1]

    def _end_track(self, key: TrackKey) -> None:
        track = self._tracks.pop(key, None)
        if track is not None:
            self._call.unregister(track)
            track.end()

    def _check_open(self) -> None:
        if self._closed:
            raise UsageError("the leg is closed")
