"""One synthetic person: joins, publishes, answers what the server asks for, leaves."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
from typing import TYPE_CHECKING, Any

from livekit.protocol import models, rtc

from loadtest.engine.answer import Answer, AnswerError, read_answer, read_candidates
from loadtest.engine.core import SwarmConnected, SwarmMediaStarted
from loadtest.engine.offer import OPUS_PT, VIDEO_PTS, Kind, Ours, Section, write_offer
from loadtest.engine.signalling import Signalling, SignallingError
from loadtest.engine.sources import Camera, Microphone
from loadtest.engine.tracks import Tracks
from loadtest.plan import FAITHFUL, VideoPlan
from loadtest.results import JoinResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    import aiohttp

    from loadtest.engine.core import Swarm, SwarmClosed
    from loadtest.plan import PersonPlan

_CONNECTED_WITHIN = 15.0  # seconds
_PING_INTERVAL = 5  # seconds, where the server does not say
_RECEIVING = 3  # sections of each kind in the first offer, as browsers have them
_ALPHABET = string.ascii_letters + string.digits
_PAYLOADS = [
    (OPUS_PT, "opus"),
    *((pts[0], codec) for codec, pts in VIDEO_PTS.items()),
    *((pts[1], "rtx") for pts in VIDEO_PTS.values()),
]


class Person:
    """One stay in one room. Times come from `clock`, in seconds."""

    def __init__(
        self,
        plan: PersonPlan,
        swarm: Swarm,
        rng: Random,
        clock: Callable[[], float],
        on_message: Callable[[str, rtc.SignalResponse], None] | None = None,
    ) -> None:
        self.plan = plan
        self._on_message = on_message
        self.participant: int | None = None
        self._swarm = swarm
        self._clock = clock
        self._began = 0.0
        self._added_ms = 0.0
        self._signalling: Signalling | None = None
        self._signalling_ms: float | None = None
        self._connected: SwarmConnected | None = None
        self._is_connected = asyncio.Event()
        self._first: dict[str, float] = {}
        self._video_offered_ms: float | None = None
        self._error: str | None = None
        self._ours = Ours(_word(8), _word(24), swarm.fingerprint)
        self._rng = rng
        self._tracks = Tracks(swarm)
        self._starts: list[Microphone | Camera] = []
        if plan.audio:
            self._starts.append(Microphone.make(plan.audio, "mic", rng))
        if plan.video:
            self._starts.append(Camera.make(plan.video, "cam", rng))
        self._sections = [source.section for source in self._starts]
        self._offers = 0
        self._answered = 0
        self._offer_due = False
        self._answer: Answer | None = None
        self._candidates: list[tuple[str, int]] = []
        self._asked: set[str] = set()

    async def stay(
        self, http: aiohttp.ClientSession, url: str, on_participant: Callable[[Person], None]
    ) -> None:
        """Join and stay until cancelled or until the connection ends; `result` tells how it went."""
        self._began = self._clock()
        try:
            self._signalling = await Signalling.open(http, url, self.plan.token, self._join_request())
            async with asyncio.TaskGroup() as jobs:
                jobs.create_task(self._watch_connecting())
                if self.plan.later:
                    jobs.create_task(self._change(self._signalling))
                await self._listen(self._signalling, jobs, on_participant)
        except* (SignallingError, AnswerError, OSError) as group:
            self._error = self._error or str(group.exceptions[0])
        finally:
            await self._go()

    def heard(self, news: SwarmConnected | SwarmMediaStarted | SwarmClosed) -> None:
        """Note what became of the person's media."""
        if isinstance(news, SwarmConnected):
            self._connected = news
            self._is_connected.set()
        elif isinstance(news, SwarmMediaStarted):
            self._first[news.kind] = self._added_ms + news.after_ms
        elif self._error is None and self.participant is not None:
            self._error = "the server ended the media connection"

    @property
    def is_connected(self) -> bool:
        """Whether media can flow now."""
        return self._connected is not None and self.participant is not None

    def result(self) -> JoinResult:
        """Tell how the join went; times count from its start."""
        connected = self._connected
        return JoinResult(
            identity=self.plan.identity,
            ok=connected is not None and self._error is None,
            error=self._error,
            signalling_ms=self._signalling_ms,
            ice_ms=None if connected is None else self._added_ms + connected.ice_ms,
            dtls_ms=None if connected is None else self._added_ms + connected.dtls_ms,
            first_audio_ms=self._first.get("audio"),
            first_video_ms=self._first.get("video"),
            video_offered_ms=self._video_offered_ms or 0.0,
        )

    def _join_request(self) -> rtc.JoinRequest:
        if self.plan.subscribes:
            self._receive(_RECEIVING, _RECEIVING)
        return rtc.JoinRequest(
            connection_settings=rtc.ConnectionSettings(auto_subscribe=self.plan.subscribes),
            add_track_requests=[source.announcement() for source in self._starts],
            publisher_offer=self._offer(),
        )

    async def _listen(
        self,
        signalling: Signalling,
        jobs: asyncio.TaskGroup,
        on_participant: Callable[[Person], None],
    ) -> None:
        """Do what the server says until it ends the connection, and then raise `SignallingError`."""
        async for message in signalling.messages():
            kind = message.WhichOneof("message") or ""
            if kind == "join":
                jobs.create_task(signalling.ping(message.join.ping_interval or _PING_INTERVAL))
                self._note_offer(message.join.other_participants, at_ms=0.0)
            if self._on_message is not None:
                self._on_message(kind, message)
            await self._hear(kind, message, on_participant)
        raise SignallingError(f"the server ended the connection ({signalling.close_code})")

    async def _hear(
        self, kind: str, message: rtc.SignalResponse, on_participant: Callable[[Person], None]
    ) -> None:
        match kind:
            case "answer":
                await self._take_answer(message.answer, on_participant)
            case "trickle":
                self._candidates += read_candidates(message.trickle.candidateInit)
                self._connect(on_participant)
            case "media_sections_requirement":
                wanted = message.media_sections_requirement
                self._receive(wanted.num_audios, wanted.num_videos)
                self._offer_due = True
                await self._offer_again()
            case "update":
                self._note_offer(message.update.participants)
            case "track_published":
                self._tracks.published(message.track_published)
            case "subscribed_quality_update":
                self._tracks.wanted(message.subscribed_quality_update)
            case "request_response" if message.request_response.HasField("add_track"):
                self._error = f"the server takes no track: {message.request_response.message}"
            case "leave":
                self._error = self._error or f"the server sent us away ({message.leave.reason})"

    def _note_offer(self, people: Iterable[models.ParticipantInfo], at_ms: float | None = None) -> None:
        """Note when there was first somebody else's picture to see."""
        if self._video_offered_ms is not None:
            return
        others = (
            one
            for one in people
            if one.identity != self.plan.identity and not one.identity.startswith(FAITHFUL)
        )
        if any(track.type == models.TrackType.VIDEO for one in others for track in one.tracks):
            self._video_offered_ms = self._since_began() if at_ms is None else at_ms

    async def _take_answer(
        self, told: rtc.SessionDescription, on_participant: Callable[[Person], None]
    ) -> None:
        self._answer = read_answer(told.sdp)
        self._answered += 1
        if self._signalling_ms is None:
            self._signalling_ms = self._since_began()
        self._candidates += self._answer.candidates
        self._connect(on_participant)
        self._start_sources()
        if self.participant is not None:
            self._swarm.pair_resends(self.participant, list(self._answer.resends))
        await self._ask_for_size(told.mid_to_track_id)
        await self._offer_again()

    def _connect(self, on_participant: Callable[[Person], None]) -> None:
        answer = self._answer
        if self.participant is not None or answer is None or not self._candidates:
            return
        address, port = self._candidates[0]
        self._added_ms = self._since_began()
        self.participant = self._swarm.add_participant(
            ufrag=self._ours.ufrag,
            pwd=self._ours.pwd,
            address=address,
            port=port,
            remote_ufrag=answer.ufrag,
            remote_pwd=answer.pwd,
            remote_fingerprint=answer.fingerprint,
            extensions=list(answer.extensions),
            payloads=_PAYLOADS,
        )
        on_participant(self)
        self._start_sources()

    def _start_sources(self) -> None:
        """Start what the server has agreed to receive by now."""
        if self.participant is None or self._answer is None:
            return
        for source in list(self._starts):
            if source.section.mid in self._answer.taken:
                self._tracks.start(source, self.participant)
                self._starts.remove(source)

    async def _ask_for_size(self, mid_to_track: Any) -> None:
        """Say once for each picture how large it will be shown."""
        if self.plan.wanted is None or self._signalling is None or self._answer is None:
            return
        width, height = self.plan.wanted
        kinds = {section.mid: section.kind for section in self._sections}
        given = {mid for mid in self._answer.given if kinds.get(mid) == "video"}
        sids = {sid for mid, sid in mid_to_track.items() if mid in given} - self._asked
        if sids:
            self._asked |= sids
            setting = rtc.UpdateTrackSettings(track_sids=sorted(sids), width=width, height=height)
            await self._signalling.send(track_setting=setting)

    def _receive(self, audios: int, videos: int) -> None:
        """Add sections for so many tracks of others."""
        kinds: list[Kind] = ["audio"] * audios + ["video"] * videos  # type: ignore[assignment]
        self._sections += [Section(f"r{len(self._sections) + at}", kind) for at, kind in enumerate(kinds)]

    def _offer(self) -> rtc.SessionDescription:
        self._offers += 1
        self._offer_due = False
        sdp = write_offer(self._ours, self._sections, version=self._offers)
        return rtc.SessionDescription(type="offer", sdp=sdp, id=self._offers)

    async def _offer_again(self) -> None:
        """Offer what is due, unless an answer is still awaited."""
        if self._offer_due and self._answered >= self._offers and self._signalling is not None:
            await self._signalling.send(offer=self._offer())

    async def _change(self, signalling: Signalling) -> None:
        """Do what is planned for later, each at its time or as soon as media can flow."""
        await self._is_connected.wait()
        cids: dict[int, str] = {}
        for change in self.plan.later:
            since_join = change.at - self.plan.joins_at
            await asyncio.sleep(max(0.0, self._began + since_join - self._clock()))
            if change.source is not None:
                mid = f"t{len(self._sections)}"
                source = (
                    Camera.make(change.source, mid, self._rng)
                    if isinstance(change.source, VideoPlan)
                    else Microphone.make(change.source, mid, self._rng)
                )
                cids[change.track] = source.cid
                self._starts.append(source)
                self._sections.append(source.section)
                await signalling.send(add_track=source.announcement())
                self._offer_due = True
                await self._offer_again()
            else:
                cid, muted = cids[change.track], change.what == "mute"
                await signalling.send(mute=rtc.MuteTrackRequest(sid=await self._tracks.sid(cid), muted=muted))
                self._tracks.mute(cid, muted=muted)

    async def _watch_connecting(self) -> None:
        try:
            async with asyncio.timeout(_CONNECTED_WITHIN):
                await self._is_connected.wait()
        except TimeoutError:
            raise SignallingError(f"no media connection within {_CONNECTED_WITHIN:g} s") from None

    async def _go(self) -> None:
        if self.participant is not None:
            self._swarm.remove_participant(self.participant)
            self.participant = None
        if self._signalling is not None:
            # A server that is gone needs no goodbye.
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await self._signalling.leave()

    def _since_began(self) -> float:
        return (self._clock() - self._began) * 1000


def _word(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
