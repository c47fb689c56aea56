"""What happens when the core reports something: one method for each event."""

import logging
from collections.abc import Callable
from typing import Any

from sfu import bridge
from sfu.leg import Leg
from sfu.policy.speakers import merged, speakers
from sfu.shell import Shell
from sfu.transport import TransportState

log = logging.getLogger(__name__)


class Observer:
    """Finds the object an event is about. Events about objects that are gone are normal: closing races."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._handlers: dict[type, Callable[[Any], None]] = {
            bridge.TransportConnected: self._transport_connected,
            bridge.PathChanged: self._path_changed,
            bridge.TransportSilent: self._transport_silent,
            bridge.TransportResumed: self._transport_resumed,
            bridge.TransportFailed: self._transport_failed,
            bridge.TrackStarted: self._track_started,
            bridge.LayersChanged: self._layers_changed,
            bridge.LayerSwitched: self._layer_switched,
            bridge.RatesChanged: self._rates_changed,
            bridge.SpeakersChanged: self._speakers_changed,
            bridge.DataChannelOpened: self._data_channel_opened,
            bridge.DataReceived: self._data_received,
            bridge.EventsDropped: self._events_dropped,
        }

    def receive(self, event: bridge.Event) -> None:
        """Act on one event."""
        self._handlers[type(event)](event)

    def _leg(self, transport: int) -> Leg | None:
        return self._shell.directory.legs.get(transport)

    def _transport_connected(self, event: bridge.TransportConnected) -> None:
        leg = self._leg(event.transport)
        if leg is not None:
            transport = leg.transport
            transport.state, transport.has_been_up = TransportState.CONNECTED, True
            transport.path, transport.ipv6 = event.path, event.ipv6
            transport.srtp_profile = event.srtp_profile
            seconds = self._shell.now() - transport.begun_at
            self._shell.occurrences.join.labels("transport").observe(seconds)
            log.info("transport_connected", extra={"path": event.path, "srtp_profile": event.srtp_profile})
            leg.tell_now(lambda listener: listener.connected(event.path, ipv6=event.ipv6))

    def _path_changed(self, event: bridge.PathChanged) -> None:
        leg = self._leg(event.transport)
        if leg is not None:
            leg.transport.path, leg.transport.ipv6 = event.path, event.ipv6
            log.info("path_changed", extra={"path": event.path})
            leg.tell_now(lambda listener: listener.path_changed(event.path, ipv6=event.ipv6))

    def _transport_silent(self, event: bridge.TransportSilent) -> None:
        leg = self._leg(event.transport)
        if leg is not None and leg.transport.state is TransportState.CONNECTED:
            leg.transport.state = TransportState.SILENT
            leg.tell_now(lambda listener: listener.silent())

    def _transport_resumed(self, event: bridge.TransportResumed) -> None:
        leg = self._leg(event.transport)
        if leg is not None and leg.transport.state is TransportState.SILENT:
            leg.transport.state = TransportState.CONNECTED
            leg.tell_now(lambda listener: listener.resumed())

    def _transport_failed(self, event: bridge.TransportFailed) -> None:
        leg = self._leg(event.transport)
        if leg is not None:
            leg.transport.state = TransportState.FAILED
            self._shell.occurrences.transport_failed(event.reason)
            log.info("transport_failed", extra={"reason": event.reason})
            leg.tell_now(lambda listener: listener.failed(event.reason))

    def _track_started(self, event: bridge.TrackStarted) -> None:
        track = self._shell.directory.tracks.get(event.track)
        if track is not None and not track.started:
            track.started = True
            transport = track.leg.transport
            if track.of_join and not transport.media_seen:
                transport.media_seen = True
                self._shell.occurrences.join.labels("media").observe(self._shell.now() - transport.begun_at)
            track.leg.tell_now(lambda listener: listener.track_started(track.key))

    def _layers_changed(self, event: bridge.LayersChanged) -> None:
        track = self._shell.directory.tracks.get(event.track)
        if track is not None:
            track.active = event.active

    def _layer_switched(self, event: bridge.LayerSwitched) -> None:
        subscription = self._shell.directory.subscriptions.get(event.subscription)
        if subscription is not None:
            subscription.current = event.encoding

    def _rates_changed(self, event: bridge.RatesChanged) -> None:
        track = self._shell.directory.tracks.get(event.track)
        if track is not None:
            track.measured(event.rates)

    def _speakers_changed(self, event: bridge.SpeakersChanged) -> None:
        call = self._shell.directory.calls.get(event.group)
        if call is not None:
            call.rankings[event.worker] = event.speakers
            ranked = merged(call.rankings.values())
            known = {
                number: (track.leg.key, track.key)
                for number, _ in ranked
                if (track := self._shell.directory.tracks.get(number)) is not None
            }
            call.tell_speakers(speakers(ranked, known))

    def _data_channel_opened(self, event: bridge.DataChannelOpened) -> None:
        leg = self._leg(event.transport)
        if leg is not None:
            leg.channels.opened(event.transport, event.channel, event.label)
            leg.tell_now(lambda listener: listener.data_channel_opened(event.label))

    def _data_received(self, event: bridge.DataReceived) -> None:
        leg = self._leg(event.transport)
        label = leg.channels.label(event.channel) if leg is not None else None
        if leg is not None and label is not None:
            leg.tell_now(lambda listener: listener.data_received(label, event.payload, binary=event.binary))

    def _events_dropped(self, event: bridge.EventsDropped) -> None:
        log.warning("events_dropped", extra={"count": event.count})
