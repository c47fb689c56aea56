"""The demonstration's state between two starts."""

import stat
from pathlib import Path

import pytest

from colloque.demo import (
    PEOPLE,
    ROOM,
    DemoState,
    demo_settings,
    load_state,
    open_room,
    prepare_state,
    save_state,
)
from colloque.errors import StartError
from rooms import KeyRing, RoomAct, Rooms

SECRET = "a-secret-of-the-tests-that-is-long-enough"


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = prepare_state(tmp_path / "var", None, None, 8080)
    again = prepare_state(tmp_path / "var", None, None, 8080)
    assert first == again
    assert first.key == "devkey"
    assert len(first.secret) >= 32
    assert stat.S_IMODE((tmp_path / "var" / "demo.json").stat().st_mode) == 0o600


def test_a_secret_that_is_given_wins(tmp_path: Path) -> None:
    prepare_state(tmp_path, None, None, 8080)
    assert prepare_state(tmp_path, "k", SECRET, 8081).secret == SECRET
    assert prepare_state(tmp_path, None, None, 8080) == DemoState("k", SECRET, port=8080)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"key": "k"}',
        f'{{"key": "a b", "secret": "{SECRET}", "links": {{}}, "port": 8080}}',
        '{"key": "k", "secret": "short", "links": {}, "port": 8080}',
    ],
)
def test_a_state_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "demo.json").write_text(content)
    with pytest.raises(StartError, match=r"demo\.json"):
        load_state(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="--data-dir"):
        save_state(tmp_path / "file" / "var", DemoState("k", SECRET))


async def test_links_go_on_working_after_a_restart_and_dead_ones_are_made_anew(tmp_path: Path) -> None:
    state = DemoState("k", SECRET)
    rooms = await Rooms.open(f"sqlite:///{tmp_path}/demo.sqlite3", keys=KeyRing([]))
    assert await open_room(rooms, state)
    links = dict(state.links)
    assert set(links) == set(PEOPLE)
    assert not await open_room(rooms, state)
    assert state.links == links
    await rooms.act("default", ROOM, RoomAct.CANCEL, now=0)
    assert not await open_room(rooms, state)
    assert (await rooms.get_room("default", ROOM)).state == "planned"
    await rooms.delete_room("default", ROOM, now=0)
    assert await open_room(rooms, state)
    assert not set(state.links.values()) & set(links.values())
    await rooms.close()


def test_it_serves_this_machine_only(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path, DemoState("k", SECRET, port=1), udp_port=2, admin_port=3)
    listening = (settings.server.listen, settings.server.admin_listen, settings.media.addresses[0].bind)
    assert all(one.startswith("127.0.0.1") for one in listening)


def test_media_is_served_on_the_machines_own_address_too_for_firefox(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path, DemoState("k", SECRET, port=1), own_address="192.0.2.7")
    assert [one.announce for one in settings.media.addresses] == ["127.0.0.1", "192.0.2.7"]
