"""The service over the store: rooms themselves, and the doors to participants, links and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from rooms import entrance, rows
from rooms.agenda import RoomFilter, count_rooms, find_rooms
from rooms.announcements import Announcements
from rooms.answers import Answer, Once, earlier_answer, keep_answer
from rooms.connection_tests import ConnectionTests
from rooms.context import Context, RoomsSettings, find_room_row, log, room_row
from rooms.deadlines import Deadlines
from rooms.draining import announce_draining
from rooms.errors import InvalidTransition, InvalidValue, StaleVersion, Taken
from rooms.event_log import EventLog
from rooms.events import append_event
from rooms.groups import Groups
from rooms.ids import is_usable_id, new_room_id
from rooms.leg_journal import LegJournal
from rooms.legs import check_here, close_connections, is_elsewhere
from rooms.life import begin, move_room
from rooms.links import Links
from rooms.model import Bandwidth
from rooms.moderation import Moderation
from rooms.neighbours import Neighbours
from rooms.outbox import Outbox
from rooms.participants import Participants
from rooms.ratings import Ratings
from rooms.states import RoomAct
from rooms.store import Store
from rooms.waiting_room import WaitingRoom
from rooms.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.events import EventType
    from rooms.keys import KeyRing
    from rooms.model import Admission, Room, RoomDraft, RoomObserver, RoomState
    from rooms.tables import RoomRow
    from rooms.transitions import Cause
    from rooms.writers import Writers


class Rooms:
    """Durable truth about rooms; every method that writes returns once the change is on disk."""

    def __init__(self, context: Context) -> None:
        """Use `Rooms.open`."""
        self._context = context
        self.events = EventLog(context)
        self.webhooks = Webhooks(context)
        self.outbox = Outbox(context)
        self.webhooks.watch(self.outbox.look_again)
        self.participants = Participants(context)
        self.links = Links(context)
        self.waiting_room = WaitingRoom(context)
        self.moderation = Moderation(context)
        self.deadlines = Deadlines(context)
        self.ratings = Ratings(context)
        self.groups = Groups(context)
        self.neighbours = Neighbours(context)
        self.announcements = Announcements(context)
        self.connection_tests = ConnectionTests(context)

    @classmethod
    async def open(cls, url: str, *, keys: KeyRing, settings: RoomsSettings | None = None) -> Rooms:
        """Open the database (`sqlite:///path`) and bring it up to date; raise `StoreUnavailable`."""
        return cls(Context(await Store.open(url), keys, settings or RoomsSettings()))

    async def close(self) -> None:
        """Close the database."""
        await self._context.store.close()

    async def ping(self) -> None:
        """Raise `StoreUnavailable` if the database does not answer."""
        await self._context.store.ping()

    def reconfigure(self, *, keys: KeyRing, settings: RoomsSettings) -> None:
        """Use new keys and settings from now on; tokens of a key that is gone are dead."""
        self._context.keys, self._context.settings = keys, settings

    @property
    def writers(self) -> Writers:
        """The queue of those who write, for the metrics."""
        return self._context.store.writers

    @property
    def keys(self) -> KeyRing:
        """The API keys in force."""
        return self._context.keys

    def observe(self, observer: RoomObserver) -> None:
        """Tell `observer` of every later change, on the event loop, once it is on disk."""
        self._context.observers.append(observer)

    def leg_journal(self, wall: Callable[[], float], *, node: str = "node") -> LegJournal:
        """Make what signalling tells of legs on the server `node`; the caller runs it."""
        self._context.node = node
        return LegJournal(self._context, node=node, wall=wall)

    async def verify_join(self, token: str, *, now: float) -> Admission:
        """Check a join token, the participant's epoch and the opening hours; raise `JoinRefused`.

        Where the settings allow it, a token of LiveKit's SDK for a room that does not exist makes it.
        """
        return await entrance.verify_join(self._context, token, now=now)

    async def verify_knock(self, token: str, *, now: float) -> Admission:
        """Check like `verify_join`, but let those pass who have to wait: for the waiting room."""
        return await entrance.verify_join(self._context, token, now=now, waits=True)

    async def refresh_token(self, admission: Admission, *, now: float) -> str:
        """Give a fresh token, as good as its last, to a leg in the call; raise `JoinRefused`."""
        return await entrance.refresh_token(self._context, admission, now=now)

    async def transfer(self, admission: Admission, room_id: str, *, now: float) -> tuple[Admission, str]:
        """Let somebody in a call into another room of the tenant, by its id; raise `JoinRefused`.

        Gives what holds there and a token for it. Rights are those of the first room, within what is stored
        in the other.
        """
        return await entrance.transfer(self._context, admission, room_id, now=now)

    async def place(self, admission: Admission, *, now: float) -> tuple[Admission, str]:
        """Say where in its room somebody in the call belongs now, with a fresh token; raise `JoinRefused`."""
        return await entrance.place(self._context, admission, now=now)

    async def create_room(
        self, tenant: str, draft: RoomDraft, *, now: float, once: Once | None = None
    ) -> Room | Answer:
        """Make a room; with `once`, a repeated request makes nothing and gets the earlier answer."""
        _check(draft)
        try:
            async with self._context.change() as session:
                if (earlier := await earlier_answer(session, tenant, once, now=now)) is not None:
                    return earlier
                room_id = draft.id or new_room_id()
                if await find_room_row(session, tenant, room_id) is not None:
                    raise Taken("id")
                row = entrance.new_room_row(tenant, room_id, draft, self._context.settings, now)
                await begin(session, row, "api", now=now)
                await _tell_of_pictures(session, row, Bandwidth(), now=now)
                room = rows.room_of(row)
                keep_answer(session, tenant, once, room, now=now)
        except IntegrityError as error:  # another node was faster
            raise Taken("id") from error
        log.info("room_created", extra={"room": room.uid})
        return room

    async def is_elsewhere(self, room_uid: str) -> bool:
        """Whether another server on the same database carries the call of a room."""
        async with self._context.store.read() as session:
            return await is_elsewhere(self._context, session, room_uid)

    async def announce_draining(self, *, now: float) -> int:
        """Say in the log of each room whose call is here that this server is to be emptied; give how many."""
        return await announce_draining(self._context, now=now)

    async def check_here(self, room_uid: str) -> None:
        """Raise `Elsewhere` if another server on the same database carries the call of a room."""
        async with self._context.store.read() as session:
            await check_here(self._context, session, room_uid)

    async def get_room(self, tenant: str, room_id: str) -> Room:
        """Give one room; raise `NotFound`, also for another tenant's."""
        async with self._context.store.read() as session:
            return rows.room_of(await room_row(session, tenant, room_id))

    async def list_rooms(
        self,
        tenant: str,
        wanted: RoomFilter,
        *,
        after: tuple[float, str] | None = None,
        limit: int = 50,
    ) -> tuple[list[Room], tuple[float, str] | None]:
        """Give up to `limit` rooms in the order of the agenda, and the position to go on `after`, if any."""
        async with self._context.store.read() as session:
            return await find_rooms(session, tenant, wanted, after=after, limit=limit)

    async def replace_room(
        self, tenant: str, room_id: str, draft: RoomDraft, *, now: float, if_version: int | None = None
    ) -> Room:
        """Change a room's rules; its id stays. Raise `StaleVersion` if `if_version` is not the stored one."""
        _check(draft)
        async with self._context.change() as session:
            row = await room_row(session, tenant, room_id)
            if if_version not in {None, row.version}:
                raise StaleVersion("room")
            before = rows.room_of(row)
            entrance.write_draft(row, draft, self._context.settings)
            changed = rows.room_of(row) != before
            row.version += 1
            if changed:
                await append_event(session, row, "room.updated", {"cause": "api"}, now=now)
            await _tell_of_pictures(session, row, before.bandwidth, now=now)
        room, rules = rows.room_of(row), rows.rules_of(row)
        self._context.tell(lambda one: one.room_changed(room.uid, rules))
        return room

    async def act(
        self,
        tenant: str,
        room_id: str,
        act: RoomAct,
        *,
        now: float,
        cause: Cause = "api",
        once: Once | None = None,
    ) -> Room | Answer:
        """Start, finish, cancel or reopen a room; raise `InvalidTransition` if its state does not allow it.

        With `once`, a repeated request does nothing and gets the earlier answer.
        """
        async with self._context.change() as session:
            if (earlier := await earlier_answer(session, tenant, once, now=now)) is not None:
                return earlier
            row = await room_row(session, tenant, room_id)
            overrun = self._context.settings.overrun_seconds
            if not await move_room(session, row, act, cause, overrun=overrun, now=now):
                raise InvalidTransition(row.state, _why_not(row, act, now=now))
            room = rows.room_of(row)
            keep_answer(session, tenant, once, room, now=now)
        return room

    async def share_metadata(self, tenant: str, room_id: str, text: str | None, *, now: float) -> Room:
        """Show this text to everybody in the call, or again what the server says of the room (`None`)."""
        async with self._context.change() as session:
            row = await room_row(session, tenant, room_id)
            if text != row.shared_metadata:
                await append_event(session, row, "room.updated", {"cause": "api"}, now=now)
            row.shared_metadata = text
            row.version += 1
        room, rules = rows.room_of(row), rows.rules_of(row)
        self._context.tell(lambda one: one.room_changed(room.uid, rules))
        return room

    async def delete_room(
        self, tenant: str, room_id: str, *, now: float, if_version: int | None = None
    ) -> None:
        """Delete a room with its participants and links, and end its call; its events stay."""
        async with self._context.change() as session:
            row = await room_row(session, tenant, room_id)
            if if_version not in {None, row.version}:
                raise StaleVersion("room")
            await close_connections(session, row, "room_deleted", now=now)
            await append_event(session, row, "room.deleted", {"before": row.state, "cause": "api"}, now=now)
            await session.delete(row)
        log.info("room_deleted", extra={"room": row.uid})

    async def count_by_state(self) -> dict[RoomState, int]:
        """Count all rooms by state, for the metrics."""
        async with self._context.store.read() as session:
            return await count_rooms(session)


async def _tell_of_pictures(session: AsyncSession, row: RoomRow, before: Bandwidth, *, now: float) -> None:
    audio_only = rows.bandwidth_of(row).audio_only
    if audio_only != before.audio_only:
        type_: EventType = "audio_only.on" if audio_only else "audio_only.off"
        await append_event(session, row, type_, {"cause": "api"}, now=now)


def _check(draft: RoomDraft) -> None:
    if draft.id is not None and not is_usable_id(draft.id):
        raise InvalidValue("id", "must be 1 to 128 printable characters without a slash")
    if draft.starts_at is not None and draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        raise InvalidValue("ends_at", "must be later than starts_at")


def _why_not(row: RoomRow, act: RoomAct, *, now: float) -> str:
    if act is RoomAct.REOPEN and row.closes_at is not None and now >= row.closes_at:
        return "closes_at is over; move ends_at first"
    return f"{act} is not possible while the room is {row.state}"
