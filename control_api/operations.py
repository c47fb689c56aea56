"""An operation of the REST interface as a value, and the values it takes and gives: no HTTP library here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from control_api.problems import FieldError, Problem
from rooms import Application
from turn_config import IceServers

if TYPE_CHECKING:
    from control_api.auth import Caller
    from control_api.live import LiveRooms
    from control_api.webhooks import Courier
    from rooms import Rooms

NO_RELAY_TTL_SECONDS = 14_400
"""How long the answer holds that there is no relay."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where this server is reached from outside."""

    public_url: str
    """Scheme, host and port, without a slash at the end."""

    @property
    def ws_url(self) -> str:
        """The same for WebSockets: `ws://` for `http://`, `wss://` for `https://`."""
        return "ws" + self.public_url.removeprefix("http")

    def link(self, secret: str) -> str:
        """Give the address of the page for a link."""
        return f"{self.public_url}/r/{secret}"

    def connection_test(self, secret: str) -> str:
        """Give the address of the page for a connection test."""
        return f"{self.public_url}/t/{secret}"


def no_ice_servers() -> IceServers:
    """Return none: clients reach the media port directly."""
    return IceServers((), NO_RELAY_TTL_SECONDS)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read and checked, on its way to a handler."""

    rooms: Rooms
    addresses: Addresses
    now: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any = None
    """The checked body, or the plain JSON value where an operation checks it itself."""
    caller_or_none: Caller | None = None
    courier_or_none: Courier | None = None

    @property
    def courier(self) -> Courier:
        """Who carries events to webhooks."""
        assert self.courier_or_none is not None, "a server that has webhooks delivers them"  # noqa: S101
        return self.courier_or_none

    ice_servers: Callable[[], IceServers] = no_ice_servers
    """Makes the list of relays for one client."""
    live: LiveRooms | None = None
    """The calls in progress; `None` where there are none, as in a tool."""

    @property
    def calls(self) -> LiveRooms:
        """The calls in progress; raise `Problem` where this server carries none."""
        if self.live is None:
            raise Problem("busy", "no calls are carried here", headers={"Retry-After": "2"})
        return self.live

    @property
    def caller(self) -> Caller:
        """Who calls; only operations with a scope have one."""
        assert self.caller_or_none is not None, "an operation without a scope asked who calls"  # noqa: S101
        return self.caller_or_none

    @property
    def tenant(self) -> str:
        """Whose rooms are meant."""
        return self.caller.tenant

    @property
    def application(self) -> Application:
        """The caller, on the room that the path names."""
        return Application(self.tenant, self.path["room"])


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: a model or ready JSON text, or nothing."""

    status: int
    body: BaseModel | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter that may come; a `*` at the end of its name stands for any name."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    """What the value looks like, as JSON schema; the handler checks it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the interface: from it come the route, the check of the body and the OpenAPI entry."""

    method: str
    path: str
    handler: Handler
    summary: str
    scope: str | None
    """Needed of the caller; `None` for operations that need no key."""
    by_join_token: bool = False
    """The caller shows a join token instead of a key, and may come into its room now."""
    body: type[BaseModel] | None = None
    body_optional: bool = False
    merge_patch: bool = False
    """The body is a JSON merge patch of `body`; the handler applies and checks it."""
    answer: type[BaseModel] | None = None
    status: int = 200
    status_if_new: int | None = None
    """Where a request may make an object or change one: the status for one that was made."""
    refusals: tuple[str, ...] = ()
    """Codes of problems that follow from nothing else here."""
    gives: tuple[str, ...] = ()
    """Headers of the answer."""
    makes: Mapping[str, str] = field(default_factory=dict)
    """The parts of paths that lead to what is made, and where its answer has them."""
    query: tuple[Query, ...] = ()
    idempotent_by_key: bool = False
    versioned: bool = False
    """`If-Match` is honoured."""
    also_csv: bool = False
    """The answer may be asked for as a table."""

    @property
    def name(self) -> str:
        """The `operationId`: the handler's name."""
        return self.handler.__name__


def tag(version: int, uid: str) -> str:
    """Write the `ETag` of an object; a room made again under the same id has another."""
    return f'"{uid[3:11]}.{version}"'


def wanted_version(call: Call, uid: str) -> int | None:
    """Read `If-Match`: the version that the change is meant for, or `None` for any of them."""
    text = call.headers.get("if-match")
    if text is None or text.strip() == "*":
        return None
    for one in text.split(","):
        name, _, version = one.strip().strip('"').rpartition(".")
        if name == uid[3:11] and version.isascii() and version.isdigit() and len(version) < 16:
            return int(version)
    raise Problem("stale-version")


def invalid_query(name: str, detail: str) -> Problem:
    """Say what is wrong with a query parameter."""
    return Problem("invalid-field", f"{name} {detail}", errors=(FieldError(f"?{name}", "invalid", detail),))
