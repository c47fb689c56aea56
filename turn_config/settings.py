"""What an operator says about the hosts of a deployment, its relays and its firewall page."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

SECRET_MIN_CHARS = 32
"""Who has one set of credentials can guess at the secret without asking anybody."""

SECRET_MAX_CHARS = 256
PATH_MAX_CHARS = 500
"""coturn cuts lines and values that are longer than about a thousand and five hundred."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def _dns_name(text: str) -> str:
    labels = text.split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise ValueError("must be a DNS name, like visio1.hospital.example")
    return text.lower()


def _secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if (
        not SECRET_MIN_CHARS <= len(text) <= SECRET_MAX_CHARS
        or not text.isascii()
        or not text.isprintable()
        or {" ", "#", '"'} & set(text)
        # coturn takes it for a part of what stands between an option and its value.
        or text.startswith("=")
    ):
        raise ValueError(
            f"must have {SECRET_MIN_CHARS} to {SECRET_MAX_CHARS} characters, as of `openssl rand -base64 33`,"
            ' and no blank, # or ", nor = in front'
        )
    return secret


def _file_on_the_relay(path: Path | None) -> Path | None:
    text = str(path or "/")
    if not path or (path.is_absolute() and text.isprintable() and len(text) <= PATH_MAX_CHARS):
        return path
    raise ValueError("must be the whole path of a file, like /etc/coturn/fullchain.pem")


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


DnsName = Annotated[str, AfterValidator(_dns_name)]
Port = Annotated[int, Field(ge=1, le=65535)]
TurnSecret = Annotated[SecretStr, AfterValidator(_secret)]
OptionalPath = Annotated[Path | None, BeforeValidator(_none_if_empty), AfterValidator(_file_on_the_relay)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AddressV4(_Section):
    """An IPv4 address of a host as clients reach it, and as the host itself has it."""

    public: IPv4Address = Field(description="The address that clients send to.")
    dmz: Annotated[IPv4Address | None, BeforeValidator(_none_if_empty)] = Field(
        default=None,
        description="The address of the host itself where the firewall translates; else the same.",
    )

    @property
    def own(self) -> IPv4Address:
        """The address that programs on the host listen on."""
        return self.public if self.dmz is None else self.dmz


class AddressV6(_Section):
    """An IPv6 address of a host as clients reach it, and as the host itself has it."""

    public: IPv6Address = Field(description="The address that clients send to.")
    dmz: Annotated[IPv6Address | None, BeforeValidator(_none_if_empty)] = Field(
        default=None,
        description="The address of the host itself where the firewall translates; else the same.",
    )

    @property
    def own(self) -> IPv6Address:
        """The address that programs on the host listen on."""
        return self.public if self.dmz is None else self.dmz


class Host(_Section):
    """A host of the deployment, as the firewall sees it."""

    name: DnsName = Field(description="Its DNS name.")
    ipv4: Annotated[AddressV4 | None, BeforeValidator(_none_if_empty)] = Field(
        default=None, description="Its IPv4 address."
    )
    ipv6: Annotated[AddressV6 | None, BeforeValidator(_none_if_empty)] = Field(
        default=None, description="Its IPv6 address."
    )
    serves: list[Literal["calls", "relay"]] = Field(
        default=["calls", "relay"],
        min_length=1,
        max_length=2,
        description="What runs on it: calls (Colloque itself), relay (coturn), or both.",
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> Host:
        if self.ipv4 is None and self.ipv6 is None:
            raise ValueError("needs an address: ipv4, ipv6 or both")
        return self

    @property
    def addresses(self) -> tuple[AddressV4 | AddressV6, ...]:
        """Its addresses, IPv4 first."""
        return tuple(one for one in (self.ipv4, self.ipv6) if one is not None)


class PortRange(_Section):
    """Ports from `first` to `last`, both included."""

    first: Port
    last: Port

    @model_validator(mode="after")
    def _in_order(self) -> PortRange:
        if self.last < self.first:
            raise ValueError(f"last ({self.last}) is before first ({self.first})")
        return self

    def __contains__(self, port: int) -> bool:
        """Say whether the port is one of them."""
        return self.first <= port <= self.last


class TurnSettings(_Section):
    """Relays (coturn) for people whose network lets no media through to 10000/UDP."""

    mode: Literal["off", "external"] = Field(
        default="off",
        description="external: clients are told of the relays on [[hosts]], which run coturn with the file"
        " that `colloque turn coturn` writes.",
    )
    ports: list[Port] = Field(
        default=[3478, 19302],
        min_length=1,
        max_length=2,
        description="Ports of the relays for STUN and TURN, on UDP and TCP both.",
    )
    tls_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the relays for TURN over TLS; 0: none."
    )
    tls_certificate: OptionalPath = Field(
        default=None, description="PEM file on the relays with the certificate for tls_port and its chain."
    )
    tls_key: OptionalPath = Field(
        default=None, description="PEM file on the relays with the certificate's key."
    )
    realm: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]{0,127}$",
        description="Realm of the credentials; empty: the host name of server.public_url.",
    )
    secrets: list[TurnSecret] = Field(
        default=[],
        max_length=4,
        description="Shared with the relays; the first signs, all are accepted, so that one can be replaced"
        " without a call noticing.",
    )
    credential_ttl_seconds: int = Field(
        default=14_400,
        ge=300,
        le=86_400,
        description="How long a client may use its credentials for an allocation; one that exists goes on.",
    )
    relay_ports: PortRange = Field(
        default=PortRange(first=49_152, last=65_535),
        description="UDP ports from which the relays send to the calls; closed to the outside.",
    )
    allocations_per_user: int = Field(
        default=12, ge=1, le=1000, description="Allocations of one set of credentials on a relay."
    )
    allocations: int = Field(default=1200, ge=1, le=65_535, description="Allocations on a relay altogether.")
    max_kbps_per_allocation: int = Field(
        default=6000, ge=64, le=1_000_000, description="What one allocation may carry, each way."
    )
    prometheus_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the relays' own /metrics; 0: none. Keep it inside."
    )

    @model_validator(mode="after")
    def _certificate_with_key(self) -> TurnSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: set both or neither")
        return self


class FirewallSettings(_Section):
    """What the page for the firewall's team says besides ports and addresses."""

    seats: int = Field(
        default=10, ge=1, le=100_000, description="People of one site who are in calls at the same time."
    )
    contact: str = Field(
        default="", max_length=200, description="Whom the site may ask: a desk, not a person."
    )
    test_page: str = Field(
        default="",
        max_length=300,
        pattern=r"^(https://\S+)?$",
        description="Where a site tests its line; empty: the server's own page.",
    )
