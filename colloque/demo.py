"""The demonstration: a throw-away key, a database in a folder, one open room and links for two people."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from colloque.errors import StartError
from colloque.settings import (
    ApiKeySettings,
    BandwidthSettings,
    LimitSettings,
    LoggingSettings,
    MediaAddressSettings,
    MediaSettings,
    RoomSettings,
    ServerSettings,
    Settings,
    StoreSettings,
    WebhookSettings,
)
from rooms import InvalidTransition, JoinRefused, ParticipantDraft, RoomAct, RoomDraft, Rooms, Taken

if TYPE_CHECKING:
    from pathlib import Path

ROOM = "demo"
KEY = "devkey"
_ELSEWHERE = ("198.51.100.1", 9)  # of a block that is nobody's (RFC 5737), so on the default route
PEOPLE: dict[str, ParticipantDraft] = {
    "clinician": ParticipantDraft(role="host", name="Clinician"),
    "patient": ParticipantDraft(role="patient"),
}


@dataclass(slots=True)
class DemoState:
    """What must survive a restart for printed links and keys to go on working."""

    key: str
    secret: str
    links: dict[str, str] = field(default_factory=dict)
    """The secret of each person's link."""
    port: int = 8080
    """Where it was served last, for links made by hand."""


def load_state(folder: Path) -> DemoState | None:
    """Read what an earlier start left in the folder, if anything usable."""
    try:
        value = json.loads(_file(folder).read_text(encoding="utf-8"))
        state = DemoState(str(value["key"]), str(value["secret"]), dict(value["links"]), int(value["port"]))
        api_key(state.key, state.secret)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(f"{_file(folder)}: cannot be read; delete it to start afresh") from error
    return state


def prepare_state(folder: Path, key: str | None, secret: str | None, port: int) -> DemoState:
    """Take up the state in the folder or make it, with a new secret unless one is given."""
    state = load_state(folder) or DemoState(KEY, secrets.token_urlsafe(32))
    state.key, state.secret, state.port = key or state.key, secret or state.secret, port
    save_state(folder, state)
    return state


def api_key(key: str, secret: str) -> ApiKeySettings:
    """Give the API key of this name and secret; raise pydantic's `ValidationError`."""
    return ApiKeySettings.model_validate({"key": key, "secret": secret})


def save_state(folder: Path, state: DemoState) -> None:
    """Write the state where only its owner can read it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(_file(folder), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(state), file, indent=2)
    except OSError as error:
        raise StartError(f"--data-dir {folder}: {error.strerror}") from error


def own_address() -> str | None:
    """Find the address by which this machine reaches others, if it reaches any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)  # only asks the routing table; a datagram socket sends nothing here
        except OSError:
            return None
        return str(probe.getsockname()[0])


def demo_settings(
    folder: Path,
    state: DemoState,
    *,
    udp_port: int = 10000,
    workers: int = 1,
    admin_port: int = 9090,
    own_address: str | None = None,
) -> Settings:
    """Give the settings of a server on loopback only, but for media, which `own_address` takes as well.

    Firefox does not use loopback for media, so with loopback alone it could not join its own machine's call.
    """
    media = [MediaAddressSettings(bind=one, announce=one) for one in ("127.0.0.1", own_address) if one]
    return Settings(
        server=ServerSettings(
            public_url=f"http://127.0.0.1:{state.port}",
            listen=f"127.0.0.1:{state.port}",
            admin_listen=f"127.0.0.1:{admin_port}",
        ),
        media=MediaSettings(udp_port=udp_port, addresses=media, workers=workers),
        api_keys=[api_key(state.key, state.secret)],
        store=StoreSettings(url=f"sqlite:///{folder / 'colloque.sqlite3'}"),
        rooms=RoomSettings(create_on_join=True),
        bandwidth=BandwidthSettings(max_kbps=0),  # loopback is no line that has to be shared
        webhooks=WebhookSettings(allowed_targets=["127.0.0.0/8", "::1/128", "http://localhost:*"]),
        # On loopback everybody has the same address.
        limits=LimitSettings(api_requests_per_minute_per_address=0, failures_per_minute_per_address=0),
        logging=LoggingSettings(format="text"),
    )


async def open_room(rooms: Rooms, state: DemoState, tenant: str = "default") -> bool:
    """See that the room, its two people and their links are there; say whether the state was changed."""
    now = time.time()
    with contextlib.suppress(Taken):
        await rooms.create_room(tenant, RoomDraft(id=ROOM, name="Demo"), now=now)
    with contextlib.suppress(InvalidTransition):  # somebody may have finished it
        await rooms.act(tenant, ROOM, RoomAct.REOPEN, now=now)
    changed = False
    for identity, draft in PEOPLE.items():
        if await _opens(rooms, state.links.get(identity), now):
            continue
        await rooms.participants.put(tenant, ROOM, identity, draft, now=now)
        _, state.links[identity] = await rooms.links.create_for_participant(tenant, ROOM, identity, now=now)
        changed = True
    return changed


def greeting(settings: Settings, state: DemoState, version: str) -> str:
    """Write what a person needs who has just started the demonstration."""
    url = settings.server.public_url
    width = max(map(len, PEOPLE))
    links = "\n".join(f"  {name:<{width}}  {url}/r/{state.links[name]}" for name in PEOPLE)
    return (
        f"\nColloque {version}: a demonstration on this machine only. Stop it with Ctrl-C.\n\n"
        f"Open one link in each of two browser windows:\n{links}\n\n"
        f"Room API: {url}/v1  (described at {url}/v1/docs)\n"
        f"  key     {state.key}\n  secret  {state.secret}\n"
    )


async def _opens(rooms: Rooms, secret: str | None, now: float) -> bool:
    if secret is None:
        return False
    try:
        await rooms.links.preview(secret, now=now)
    except JoinRefused:
        return False
    return True


def _file(folder: Path) -> Path:
    return folder / "demo.json"
