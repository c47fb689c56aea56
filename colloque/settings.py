"""Every setting: its default, its bounds and the sentence that explains it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from turn_config import FirewallSettings, Host, TurnSettings

SECRET_MIN_CHARS = 32  # HS256 needs a key as long as its hash (RFC 7518, 3.2)


def _host_and_port(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be ADDRESS:PORT, like 0.0.0.0:443 or [::]:443")
    ip_address(host.removeprefix("[").removesuffix("]"))
    return text


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or text != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ValueError("must be http(s)://HOST[:PORT] and nothing after it")
    if parts.username is not None:
        raise ValueError("must not have a user name in it")
    return text


def _address(text: str) -> str:
    if "%" in text:
        raise ValueError("must be without a zone")
    ip_address(text)
    return text


def _network(text: str) -> str:
    ip_network(text)
    return text


def _database(text: str) -> str:
    # No sentence repeats a part of the text: it may be one of a password that was not written as it must be.
    scheme, separator, rest = text.partition("://")
    if scheme not in {"sqlite", "postgresql"} or not separator:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if scheme == "sqlite":
        if not rest.startswith("/") or len(rest) < 2:
            raise ValueError("must be sqlite:///FILE, with four slashes where the path is absolute")
        return text
    name = rest.rpartition("@")[2].partition("?")[0].partition("/")[2]
    try:
        parts = urlsplit(text)
        usable = parts.port != 0 and parts.netloc.count("@") < 2 and parts.path.removeprefix("/") == name
    except ValueError:
        usable = False
    if not usable or "#" in text:
        raise ValueError(
            "must be postgresql://USER:PASSWORD@HOST:PORT/NAME,"
            " with / : @ # ? % in the password written as %2F %3A %40 %23 %3F %25"
        )
    if not name or "/" in name:
        raise ValueError("must end with the name of a database, like postgresql://USER@HOST/colloque")
    if "password" in parse_qs(rest.partition("?")[2]):
        raise ValueError("must have the password before the @, or none and the variable PGPASSWORD")
    return text


def _target(text: str) -> str:
    # Loads the HTTP client, which a command that only signs a token would wait for.
    from control_api.webhooks import checked_entry

    return checked_entry(text)


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SECRET_MIN_CHARS:
        raise ValueError(f"must have at least {SECRET_MIN_CHARS} characters, as of `openssl rand -base64 33`")
    return secret


Listen = Annotated[str, AfterValidator(_host_and_port)]
Origin = Annotated[str, AfterValidator(_origin)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
Target = Annotated[str, AfterValidator(_target)]
OptionalPath = Annotated[Path | None, BeforeValidator(_none_if_empty)]
Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
Scope = Literal["rooms:read", "rooms:write", "participants:admit", "events:read", "ops"]


class Section(BaseModel):
    """A section of the settings; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    """Where the page, the REST interface and the signalling are reached."""

    public_url: Origin = Field(
        default="http://127.0.0.1:8080",
        description="What people and applications type: scheme, name and port as seen from outside.",
    )
    listen: Listen = Field(default="127.0.0.1:8080", description="Address and port of the public listener.")
    tls_certificate: OptionalPath = Field(
        default=None,
        description="PEM file with the certificate and its chain; without it the listener speaks plain HTTP.",
    )
    tls_key: OptionalPath = Field(default=None, description="PEM file with the certificate's private key.")
    admin_listen: Listen = Field(
        default="127.0.0.1:9090",
        description="Address and port for /metrics, /livez, /readyz, /debug/state and /firewall.html;"
        " keep it inside.",
    )
    allowed_origins: list[Origin] = Field(
        default=[],
        description="Origins whose pages may use this server besides its own; empty: only its own for REST, "
        "all for joining with a token.",
    )
    trusted_proxies: list[Network] = Field(
        default=[], description="Networks of proxies in front, whose X-Forwarded-For header is believed."
    )
    node_name: str = Field(
        default="node",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Of several servers that share a database each needs a name of its own: at its start a "
        "server closes the connections that an earlier run under its name left open.",
    )
    shutdown_seconds: int = Field(
        default=5, ge=0, le=60, description="How long requests may take to end after a stop signal."
    )

    @model_validator(mode="after")
    def _certificate_with_key(self) -> ServerSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: set both or neither")
        return self


class MediaAddressSettings(Section):
    """One address for media; several where a host has several, or two families."""

    bind: Address = Field(description="Address of this host to receive on.")
    announce: Address = Field(description="The same address as clients reach it: another one behind NAT.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> MediaAddressSettings:
        bind, announce = ip_address(self.bind), ip_address(self.announce)
        if announce.is_unspecified:
            raise ValueError(f"announce: {announce} is no address that clients can reach")
        if bind.version != announce.version:
            raise ValueError(f"bind and announce must be of one family, unlike {bind} and {announce}")
        return self


class MediaSettings(Section):
    """Where the media of calls arrives."""

    udp_port: int = Field(default=10000, ge=1, le=65535, description="The one UDP port of all media.")
    addresses: list[MediaAddressSettings] = Field(
        default=[MediaAddressSettings(bind="127.0.0.1", announce="127.0.0.1")],
        min_length=1,
        max_length=16,
        description="Addresses to receive media on, and how clients reach each.",
    )
    workers: int = Field(
        default=1, ge=1, le=16, description="Threads that move packets: at most one for each processor."
    )
    busy_poll_us: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="For so many microseconds a thread that had work looks for more before it sleeps, within"
        " a tenth of the time: less delay for more processor time. 0 for not at all.",
    )
    audio_gather_ms: int = Field(
        default=1,
        ge=0,
        le=20,
        description="Where at least five voices sound at once for at least eight listeners, sound waits so"
        " many milliseconds at most for that of others, and leaves with it as one message: for a little delay"
        " less processor time. 0 for never.",
    )
    steering: bool = Field(
        default=True,
        description="Several workers have the kernel give each datagram to the right one, where it lets them"
        " (CAP_BPF).",
    )
    dscp: Literal["rfc8837", "off"] = Field(
        default="rfc8837",
        description="Marks for routers on the way: EF on sound and AF41 on pictures (RFC 8837), or none.",
    )


class ApiKeySettings(Section):
    """A key for an application that calls the REST interface."""

    key: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="The key's name; it is not secret.")
    secret: Secret = Field(
        description="Authenticates the application and signs tokens; 32 characters or more."
    )
    tenant: str = Field(
        default="default", pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="Whose rooms the key sees."
    )
    scopes: list[Scope] = Field(default=list(get_args(Scope)), description="What the key may do.")


class StoreSettings(Section):
    """Where rooms are kept."""

    url: DatabaseUrl = Field(
        default="sqlite:///var/colloque.sqlite3",
        description="sqlite:///FILE, with four slashes where the path is absolute,"
        " or postgresql://USER:PASSWORD@HOST:PORT/NAME.",
    )


class RoomSettings(Section):
    """What holds for rooms that do not say otherwise."""

    open_before_minutes: int = Field(
        default=30, ge=0, le=10080, description="Entry is possible this long before the planned start."
    )
    close_after_minutes: int = Field(
        default=60, ge=0, le=10080, description="Entry ends this long after the planned end."
    )
    overrun_minutes: int = Field(
        default=240,
        ge=1,
        le=10080,
        description="A call that goes on after entry has ended is ended so long after that.",
    )
    events_kept_days: int = Field(
        default=30, ge=2, le=3650, description="How long /v1/events can replay what happened."
    )
    connection_tests_kept_days: int = Field(
        default=30, ge=1, le=365, description="How long connection tests and their results are kept."
    )
    create_on_join: bool = Field(
        default=False, description="A valid token for a room that does not exist makes the room."
    )
    token_ttl_seconds: int = Field(
        default=900, ge=30, le=86400, description="Life of a join token; a leg in a call gets fresh ones."
    )


class BandwidthSettings(Section):
    """What one person's media may take of the line."""

    max_kbps: int = Field(
        default=2000,
        ge=0,
        le=100_000,
        description="Most that one person sends, and most that one person is sent; a room may say less."
        " Of pictures only what fits is passed on, sound always. 0 means no bound.",
    )


class WebhookSettings(Section):
    """Where events may be told."""

    allowed_targets: list[Target] = Field(
        default=[],
        max_length=200,
        description="Hosts that webhooks may call (portal.example, *.example, http://10.1.2.3:8080) and"
        " private networks that they may be in (10.0.0.0/8); empty: none.",
    )


class LimitSettings(Section):
    """Bounds that keep one caller or peer from costing the others; 0 requests a minute is no limit."""

    api_requests_per_minute_per_key: int = Field(
        default=6000, ge=0, description="REST requests of one API key."
    )
    api_requests_per_minute_per_address: int = Field(
        default=1200, ge=0, description="REST requests from one address; a hospital may be one address."
    )
    failures_per_minute_per_address: int = Field(
        default=120, ge=0, description="Wrong keys, unknown links and refused joins from one address."
    )
    http_connections: int = Field(
        default=10_000,
        ge=10,
        description="Open connections of the public listener, WebSockets included; of too many, those of the "
        "address with the most are closed first, and WebSockets last.",
    )
    participants_per_room: int = Field(
        default=1000, ge=1, le=100_000, description="Participants stored for a room, guests included."
    )
    links_per_room: int = Field(default=1000, ge=1, le=100_000, description="Links stored for a room.")
    connection_tests: int = Field(
        default=50, ge=0, le=1000, description="Connection tests that run at one time; 0 for none."
    )
    connection_tests_per_address: int = Field(
        default=4, ge=1, le=1000, description="Connection tests that run at one time from one address."
    )
    calls: int = Field(default=2000, ge=1, description="Calls at one time.")
    legs_per_call: int = Field(default=200, ge=1, description="Connections in one call.")
    tracks_per_leg: int = Field(default=16, ge=1, description="Tracks that one connection publishes.")
    subscriptions_per_leg: int = Field(default=256, ge=1, description="Tracks delivered to one connection.")
    sdp_bytes: int = Field(default=65536, ge=1024, le=262_144, description="Size of a session description.")
    sections_per_offer: int = Field(
        default=128, ge=8, le=1024, description="Media sections in a description."
    )
    offers_per_10_seconds: int = Field(default=100, ge=1, description="Descriptions from one connection.")
    data_message_bytes: int = Field(
        default=65536, ge=1024, le=262_144, description="Size of a data message between participants."
    )


class LoggingSettings(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="At debug the log holds addresses and names: never leave it so in production.",
    )
    format: Literal["json", "text"] = Field(
        default="json", description="One JSON object a line, or plain text."
    )


class Settings(Section):
    """All settings, from one TOML file and from COLLOQUE_SECTION__FIELD variables."""

    server: ServerSettings = ServerSettings()
    media: MediaSettings = MediaSettings()
    hosts: list[Host] = Field(
        default=[],
        max_length=32,
        description="The hosts of this deployment as the firewall sees them; one table each, none where"
        " this is the only one.",
    )
    turn: TurnSettings = TurnSettings()
    firewall: FirewallSettings = FirewallSettings()
    api_keys: list[ApiKeySettings] = Field(
        default=[], description="Applications that may call; one table each."
    )
    store: StoreSettings = StoreSettings()
    rooms: RoomSettings = RoomSettings()
    bandwidth: BandwidthSettings = BandwidthSettings()
    webhooks: WebhookSettings = WebhookSettings()
    limits: LimitSettings = LimitSettings()
    logging: LoggingSettings = LoggingSettings()

    @model_validator(mode="after")
    def _keys_are_told_apart(self) -> Settings:
        names = [key.key for key in self.api_keys]
        if len(set(names)) != len(names):
            raise ValueError("api_keys: a key is there twice")
        return self
