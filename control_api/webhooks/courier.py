"""The loop that carries events to webhooks: asks the outbox what to send, sends, and says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from control_api.webhooks.messages import event_message, signed_headers
from control_api.webhooks.metrics import WebhookMetrics
from rooms import Outcome, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from control_api.webhooks.targets import Targets
    from rooms import Parcel, RoomEvent, Rooms, Signing, Turn

    class Carrier(Protocol):
        """What a `Sender` does, or something in its place."""

        targets: Targets

        async def send(self, address: str, headers: Mapping[str, str], body: str, *, now: float) -> Outcome:
            """Post a message once."""


log = logging.getLogger("control_api.webhooks")

POLL_SECONDS = 5.0
"""How late events are noticed that another server on the same database wrote."""
SHORTEST_GAP_SECONDS = 0.05
LONGEST_GAP_SECONDS = 1.0
GAP_PER_TURN = 4.0
"""Turns keep other writers waiting, so they may take a fifth of the time; more events then share one turn."""
SENT_AT_ONCE = 10
"""To one webhook; the others of a turn wait here."""
RUN_SECONDS = 2.0
"""After so long no further event of a run is begun: what was done is written down, what changed is seen."""
RETRY_SECONDS = 1.0
TESTS_AT_ONCE = 4


@dataclass(slots=True)
class _Line:
    """What waits here to be sent to one webhook."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SENT_AT_ONCE))
    users: int = 0
    silent_in: int = 0
    """The turn in which nobody answered last."""
    held: int = 0
    """How often its receiver asked for a pause, or for an end."""


class Courier:
    """Delivers the events of all rooms. Holds only what is on its way, which the outbox bounds by webhook."""

    def __init__(
        self,
        rooms: Rooms,
        sender: Carrier,
        *,
        wall: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        """Deliver by this sender, which must be open while `run` runs."""
        self._rooms = rooms
        self._sender = sender
        self._wall = wall
        self._random = random or Random()  # noqa: S311 - spreads attempts, hides nothing
        self._news = asyncio.Event()
        self._ended: list[tuple[Parcel, Outcome | None]] = []
        self._on_the_way: set[asyncio.Task[None]] = set()
        self._lines: dict[str, _Line] = {}
        self._turns = 0
        self._started = self._unavailable = False
        self._tests = 0
        self.metrics = WebhookMetrics(wall)
        rooms.events.follow(self._wake)
        rooms.webhooks.watch(self._news.set)

    @property
    def targets(self) -> Targets:
        """Where deliveries may go."""
        return self._sender.targets

    def reconfigure(self, targets: Targets) -> None:
        """Use another list of targets from now on."""
        self._sender.targets = targets
        self._news.set()

    async def run(self) -> None:
        """Go on until cancelled; what is on its way then is made again at the next start."""
        try:
            clock = asyncio.get_running_loop().time
            while True:
                self._news.clear()
                began = clock()
                delay = await self.tick()
                ended = clock()
                gap = min(max(SHORTEST_GAP_SECONDS, GAP_PER_TURN * (ended - began)), LONGEST_GAP_SECONDS)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._news.wait()
                await asyncio.sleep(max(0.0, ended + gap - clock()))
        finally:
            for task in self._on_the_way:
                task.cancel()
            await asyncio.gather(*self._on_the_way, return_exceptions=True)

    async def tick(self) -> float:
        """Take one turn and send what it gives; say in how many seconds to look again. Never raises."""
        now, ended = self._wall(), len(self._ended)
        try:
            if not self._started:
                await self._rooms.outbox.start(now=now)
                self._started = True
            turn = await self._rooms.outbox.turn(self._ended[:ended], now=now, random=self._random)
        except StoreUnavailable as error:
            if not self._unavailable:
                log.warning("webhooks_wait_for_the_database", extra={"reason": str(error)})
            self._unavailable = True
            return RETRY_SECONDS  # how attempts ended is kept, and no more are begun until it is written
        except Exception:
            log.exception("webhooks_failed")
            del self._ended[:ended]  # made again, once their claims have run out
            return RETRY_SECONDS
        self._unavailable = False
        del self._ended[:ended]
        self._tell(turn)
        self._send_all(turn.parcels)
        self.metrics.in_flight = len(self._on_the_way)
        if turn.wake_at is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0.0, turn.wake_at - now))

    def _send_all(self, parcels: Sequence[Parcel]) -> None:
        self._turns += 1
        wanted = {one.webhook_id for one in parcels}
        self._lines = {id_: line for id_, line in self._lines.items() if id_ in wanted or line.users}
        for parcel in parcels:
            line = self._lines.setdefault(parcel.webhook_id, _Line())
            line.users += 1
            task = asyncio.create_task(self._deliver(parcel, line, self._turns, line.held))
            self._on_the_way.add(task)
            task.add_done_callback(functools.partial(self._arrived, line))

    async def test(
        self, webhook_id: str, signing: Signing, message_id: str, body: str
    ) -> tuple[Outcome, float] | None:
        """Send a message at once, and only once; give how it ended and the seconds that it took.

        `None` if too many tests are on their way.
        """
        if self._tests >= TESTS_AT_ONCE:
            return None
        self._tests += 1
        clock = asyncio.get_running_loop().time
        try:
            began = clock()
            outcome = await self._send(webhook_id, signing, message_id, body)
            return outcome, clock() - began
        finally:
            self._tests -= 1

    async def _deliver(self, parcel: Parcel, line: _Line, turn: int, held: int) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + RUN_SECONDS  # since the claim, which has an end
        outcome = None
        async with line.places:
            # Of a batch to somebody who does not answer, the rest is given back untried.
            if line.silent_in != turn:
                outcome = await self._attempt(parcel)
                while (
                    parcel.following
                    and outcome.code == "delivered"
                    and line.silent_in != turn
                    and line.held == held
                    and clock() < until
                ):
                    parcel = parcel.next()
                    outcome = await self._attempt(parcel)
        if outcome is not None:
            if not outcome.answered:
                line.silent_in = turn
            line.held += outcome.code == "gone" or outcome.retry_after_seconds is not None
        self._ended.append((parcel, outcome))
        self._news.set()

    async def _attempt(self, parcel: Parcel) -> Outcome:
        try:
            outcome = await self._send(
                parcel.webhook_id, parcel.signing, parcel.event.id, event_message(parcel.event)
            )
        except Exception:
            log.exception("webhook_attempt_failed", extra={"webhook": parcel.webhook_id})
            outcome = Outcome("failed")
        self.metrics.outcomes[outcome.code] += 1
        return outcome

    async def _send(self, webhook_id: str, signing: Signing, message_id: str, body: str) -> Outcome:
        now = self._wall()
        headers = signed_headers(message_id, body, signing.secrets, now=now)
        outcome = await self._sender.send(signing.url, headers, body, now=now)
        log.debug("webhook_attempt", extra={"webhook": webhook_id, "reason": outcome.code})
        return outcome

    def _arrived(self, line: _Line, task: asyncio.Task[None]) -> None:
        line.users -= 1
        self._on_the_way.discard(task)
        self.metrics.in_flight = len(self._on_the_way)

    def _tell(self, turn: Turn) -> None:
        self.metrics.dead += turn.dead
        self.metrics.oldest, self.metrics.lanes = turn.oldest, turn.lanes
        for webhook in turn.fell_silent:
            log.warning("webhook_unreachable", extra={"webhook": webhook})
        for webhook in turn.answering_again:
            log.info("webhook_reachable_again", extra={"webhook": webhook})
        for webhook in turn.disabled:
            log.warning("webhook_disabled", extra={"webhook": webhook, "reason": "gone"})
        if turn.dead:
            log.warning("webhook_events_given_up", extra={"count": turn.dead})

    def _wake(self, _event: RoomEvent) -> None:
        self._news.set()
