"""A service on a database of its own, of each kind, at a time of its own."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from rooms import Announcement, ApiKey, CallRules, Grants, KeyRing, Restraints, Rooms, RoomsSettings
from tests.support.postgresql import emptied
from tests.support.rooms_database import empty_database

NOW = 1_900_000_000.0
SECRET = "a-secret-of-the-tests-that-is-long-enough"


class Witness:
    """Remembers what observers are told."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def participant_removed(self, room_id: str, identity: str) -> None:
        self.heard.append(("removed", room_id, identity))

    def participant_changed(
        self, room_id: str, identity: str, stored: Grants, name: str, attributes: Mapping[str, str]
    ) -> None:
        self.heard.append(("changed", room_id, identity, stored, name, attributes))

    def participant_restrained(self, room_id: str, identity: str, restraints: Restraints) -> None:
        self.heard.append(("restrained", room_id, identity, restraints))

    def tracks_muted(self, room_id: str, identity: str | None, sources: tuple[str, ...]) -> None:
        self.heard.append(("muted", room_id, identity, sources))

    def hands_lowered(self, room_id: str, identity: str | None, by: str | None) -> None:
        self.heard.append(("hands", room_id, identity, by))

    def announced(self, room_id: str, announcement: Announcement) -> None:
        self.heard.append(("announced", room_id, announcement))

    def room_changed(self, room_id: str, rules: CallRules) -> None:
        self.heard.append(("room", room_id, rules))

    def room_closed(self, room_id: str, reason: str) -> None:
        self.heard.append(("closed", room_id, reason))


@pytest.fixture
def now() -> float:
    return NOW


@pytest.fixture
def key() -> ApiKey:
    return ApiKey("portal", SECRET)


@pytest.fixture
def other_key() -> ApiKey:
    return ApiKey("other", SECRET[::-1], tenant="elsewhere")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "postgresql":
        return emptied(request.getfixturevalue("postgresql"), "rooms")
    return empty_database(tmp_path / "rooms.sqlite3", tmp_path_factory.getbasetemp() / "template.sqlite3")


@pytest.fixture
async def rooms(url: str, key: ApiKey, other_key: ApiKey) -> AsyncIterator[Rooms]:
    service = await Rooms.open(url, keys=KeyRing([key, other_key]), settings=RoomsSettings())
    yield service
    await service.close()


@pytest.fixture
def witness(rooms: Rooms) -> Witness:
    watching = Witness()
    rooms.observe(watching)
    return watching
