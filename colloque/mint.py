"""Tokens and links made by hand, for trying things out and for the day the calling application is down."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from colloque import demo, wiring
from colloque.config import load
from colloque.errors import StartError
from rooms import ApiKey, NotFound, ParticipantDraft, Role, Rooms, RoomsError
from rooms.ids import is_usable_id
from rooms.rights import grants_for
from rooms.tokens import NAME_MAX_CHARS, mint_join_token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from colloque.settings import Settings


@dataclass(frozen=True, slots=True)
class Person:
    """Who is to be let in where."""

    room: str
    identity: str
    name: str | None
    role: Role


def find_settings(config: Path | None, data_dir: Path, environment: Mapping[str, str]) -> Settings:
    """Give the settings of the file or the environment, or else those of the demonstration in `data_dir`."""
    settings = load(config, environment)
    if config is not None or settings.api_keys:
        return settings
    state = demo.load_state(data_dir)
    if state is None:
        raise StartError("no API key: name a file with --config, or a demonstration's folder with --data-dir")
    return demo.demo_settings(data_dir, state)


def choose_key(settings: Settings, wanted: str | None) -> ApiKey:
    """Give the named API key, or the first one."""
    if not settings.api_keys:
        raise StartError("api_keys: there is none to sign with")
    name = wanted or settings.api_keys[0].key
    key = wiring.key_ring(settings).find(name)
    if key is None:
        raise StartError(f"api_keys: {name} is not one of them")
    return key


def mint_token(key: ApiKey, person: Person, *, ttl_seconds: int) -> str:
    """Sign a token that any server with this key accepts; nothing is looked up."""
    _check(person)
    return mint_join_token(
        key.key,
        key.secret,
        room=person.room,
        identity=person.identity,
        grants=grants_for(person.role, None),
        now=time.time(),
        ttl_seconds=ttl_seconds,
        name=person.name or "",
        role=person.role,
    )


async def make_link(settings: Settings, key: ApiKey, person: Person | None, room: str) -> dict[str, Any]:
    """Make a link in the database: for guests, or for a person, who is put in the room if need be."""
    if person is not None:
        _check(person)
    rooms = await Rooms.open(
        settings.store.url, keys=wiring.key_ring(settings), settings=wiring.rooms_settings(settings)
    )
    now = time.time()
    try:
        if person is None:
            link, secret = await rooms.links.create_for_guests(key.tenant, room, now=now)
        else:
            await _expect(rooms, key.tenant, person, now)
            link, secret = await rooms.links.create_for_participant(
                key.tenant, room, person.identity, now=now
            )
    except NotFound as error:
        raise StartError(f"--room {room}: there is no such room") from error
    except RoomsError as error:
        raise StartError(f"--room {room}: {error.code}: {error}") from error
    finally:
        await rooms.close()
    return {"id": link.id, "url": f"{settings.server.public_url}/r/{secret}"}


def _check(person: Person) -> None:
    for what, text in (("--room", person.room), ("--identity", person.identity)):
        if not is_usable_id(text):
            raise StartError(f"{what}: must be 1 to 128 printable characters without a slash")
    if person.name is not None and (len(person.name) > NAME_MAX_CHARS or not person.name.isprintable()):
        raise StartError(f"--name: must be at most {NAME_MAX_CHARS} printable characters")


async def _expect(rooms: Rooms, tenant: str, person: Person, now: float) -> None:
    try:
        await rooms.participants.get(tenant, person.room, person.identity)
    except NotFound:
        draft = ParticipantDraft(role=person.role, name=person.name)
        await rooms.participants.put(tenant, person.room, person.identity, draft, now=now)
