"""Every verb of the hosts' channel times everybody who could say it; a new one fails until classified."""

import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from rooms import (
    Admission,
    ApiKey,
    Application,
    Forbidden,
    GroupDraft,
    KeyRing,
    NotFound,
    ParticipantDraft,
    Role,
    RoomAct,
    RoomDraft,
    Rooms,
    RoomsSettings,
)
from signalling.livekit.outbox import Sendable
from signalling.livekit.timers import TimerTable
from signalling.waiting import CALL_VERBS, GROUP_VERBS, HOST_VERBS, Deed, WaitingSettings
from signalling.waiting.hub import Hub
from signalling.waiting.messages import Word
from signalling.waiting.seats import Seat
from signalling.waiting.wishes import Order
from tests.support.messages import rows
from tests.support.rooms_database import empty_database

NOW = 1_900_000_000.0
KEY = ApiKey("portal", "a-secret-of-the-tests-that-is-long-enough")
VERBS = {row.name: row for row in rows("waiting")}
MAY: Mapping[str | None, bool] = {
    None: False,
    "guest": False,
    "patient": False,
    "observer": False,
    "delegate": True,
    "host": True,
}
"""Who may say them, by role; None has said no hello."""


class Outlet:
    """Keeps what the server says."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.closed: int | None = None

    def send(self, message: Sendable) -> None:
        self.said.append(cast("Word", message).value)

    def close(self, code: int, reason: str) -> None:
        self.closed = code


@pytest.fixture
def url(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return empty_database(tmp_path / "rooms.sqlite3", tmp_path_factory.getbasetemp() / "template.sqlite3")


@pytest.fixture
async def rooms(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rooms]:
    ids = itertools.count()
    monkeypatch.setattr("rooms.groups.new_group_id", lambda: f"GR_{next(ids)}")
    service = await Rooms.open(url, keys=KeyRing([KEY]), settings=RoomsSettings())
    for room in ("rdv", "other"):
        await service.create_room("default", RoomDraft(id=room, waiting_room=True), now=NOW)
        await service.act("default", room, RoomAct.START, now=NOW)
    await service.participants.put("default", "rdv", "target", ParticipantDraft(role="patient"), now=NOW)
    group = GroupDraft("Table 0", ["target"])
    await service.groups.open(Application("default", "rdv"), [group], now=NOW)
    yield service
    await service.close()


async def admission(rooms: Rooms, role: str, room: str = "rdv") -> Admission:
    draft = ParticipantDraft(role=cast("Role", role))
    await rooms.participants.put("default", room, "tester", draft, now=NOW)
    token = (await rooms.participants.mint_token(KEY, room, "tester", now=NOW)).token
    return await rooms.verify_knock(token, now=NOW)


def seated(hub: Hub, who: Admission | None) -> tuple[Seat, Outlet]:
    outlet = Outlet()
    seat = hub.open(outlet, "192.0.2.1", now=0.0)
    if who is not None:
        hub.receive(seat, json.dumps({"type": "hello", "v": 1, "token": "t"}), now=0.0)
        hub.seat(seat, who, now=0.0)
    return seat, outlet


def make_hub() -> Hub:
    return Hub(
        WaitingSettings(), TimerTable(), HOST_VERBS, wish=lambda _: None, clock=lambda: 0.0, wall=lambda: NOW
    )


def deed(rooms: Rooms, order: Order, who: Admission) -> Deed:
    return Deed(
        rooms=rooms,
        tenant="default",
        room_id=who.room_name,
        room_uid=who.room_id,
        by=who.identity,
        role=cast("Role", who.role),
        admission=who,
        body=order.body,
        now=NOW,
        write_to=lambda _identity, _text: None,
    )


def say(hub: Hub, seat: Seat, verb: str) -> Any:
    return hub.receive(seat, json.dumps({"type": verb, "id": 7, **VERBS[verb].says}), now=0.0)


def test_every_verb_about_the_call_is_on_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "moderation.md").read_text()
    rows = "".join(line.split("|")[2] for line in page.splitlines() if line.startswith("| "))
    assert set(re.findall(r"`(\w+)[ `]", rows)) == {*CALL_VERBS, *GROUP_VERBS}


def test_every_verb_is_classified() -> None:
    assert set(VERBS) == set(HOST_VERBS), "say in tests/data/messages.toml who may say this"


@pytest.mark.parametrize("verb", HOST_VERBS)
@pytest.mark.parametrize("role", MAY)
async def test_who_may_say_it(rooms: Rooms, verb: str, role: str | None) -> None:
    who = None if role is None else await admission(rooms, role)
    hub = make_hub()
    seat, outlet = seated(hub, who)
    order = say(hub, seat, verb)
    if MAY[role]:
        assert who is not None
        await order.verb.run(deed(rooms, order, who))
        events = (await rooms.events.read(after=0, limit=200)).items
        assert verb in {"unlock", "admit_all", "lower_hand"} or events[-1].data["cause"] == "host"
    elif role is None:
        assert outlet.closed == 1008
    else:
        assert order is None
        assert (outlet.said[-1]["code"], outlet.said[-1]["id"]) == (VERBS[verb].refusal, 7)


@pytest.mark.parametrize("verb", HOST_VERBS)
@pytest.mark.parametrize("then", ["removed", "made a guest", "forgotten"])
async def test_who_was_a_host_when_they_said_it_is_checked_again(rooms: Rooms, verb: str, then: str) -> None:
    who = await admission(rooms, "host")
    hub = make_hub()
    order = say(hub, seated(hub, who)[0], verb)
    if then == "removed":
        await rooms.participants.remove("default", "rdv", "tester", now=NOW)
    elif then == "forgotten":
        await rooms.participants.forget("default", "rdv", "tester", now=NOW)
    else:
        await rooms.participants.put("default", "rdv", "tester", ParticipantDraft(role="guest"), now=NOW)
    before = await rooms.events.newest()
    with pytest.raises(Forbidden):
        await order.verb.run(deed(rooms, order, who))
    assert await rooms.events.newest() == before


@pytest.mark.parametrize("verb", [name for name, row in VERBS.items() if "identity" in row.says])
async def test_a_host_of_another_room_finds_nobody_of_this_one(rooms: Rooms, verb: str) -> None:
    who = await admission(rooms, "host", "other")
    hub = make_hub()
    order = say(hub, seated(hub, who)[0], verb)
    with pytest.raises(NotFound):
        await order.verb.run(deed(rooms, order, who))


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("place", {"places": [{"identity": "target", "group": "GR_0"}]}),
        ("close_group", {"group": "GR_0"}),
    ],
)
async def test_a_host_of_another_room_finds_no_group_of_this_one(
    rooms: Rooms, verb: str, fields: dict[str, object]
) -> None:
    who = await admission(rooms, "host", "other")
    hub = make_hub()
    order = hub.receive(seated(hub, who)[0], json.dumps({"type": verb, **fields}), now=0.0)
    assert isinstance(order, Order)
    with pytest.raises(NotFound):
        await order.verb.run(deed(rooms, order, who))
    (group,) = await rooms.groups.list("default", "rdv")
    assert group.members == ("target",)


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("announce", {"text": "   "}),
        ("announce", {"text": "x" * 501}),
        ("open_groups", {"groups": []}),
        ("open_groups", {"groups": [{}] * 21}),
        ("open_groups", {"groups": [{"name": ""}]}),
        ("open_groups", {"groups": [{}], "minutes": 0}),
        ("place", {"places": []}),
        ("place", {"places": [{"identity": "target"}]}),
        ("close_groups", {"group": "GR_0"}),
        ("mute", {"identity": "target", "sources": []}),
        ("mute", {"identity": "target", "sources": ["face"]}),
        ("mute", {}),
        ("mute_all", {"sources": "camera"}),
        ("restrain", {"forbidden": ["camera"] * 5}),
        ("restrain", {"may_unmute": "no"}),
        ("lock", {"identity": "target"}),
        ("remove", {"identity": 7}),
    ],
)
async def test_fields_that_make_no_sense_are_refused(
    rooms: Rooms, verb: str, fields: dict[str, object]
) -> None:
    hub = make_hub()
    seat, outlet = seated(hub, await admission(rooms, "host"))
    assert hub.receive(seat, json.dumps({"type": verb, "id": 1, **fields}), now=0.0) is None
    assert outlet.said[-1]["code"] == "invalid-field"
