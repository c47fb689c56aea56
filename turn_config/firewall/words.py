"""Every word of the sheet, one table for each language, of a type that lets neither lack a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from turn_config.firewall.rows import Direction, IfClosed, Need
    from turn_config.firewall.sheet import Profile, Traffic
    from turn_config.listeners import Purpose

Language = Literal["fr", "en"]
Titled = tuple[str, str]
"""A few words and what they stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowWords:
    """The rules."""

    title: str
    intro: tuple[str, ...]
    media_ways: str
    """Which ports carry sound and picture, where there are relays: `{media}`, `{relays}`."""
    heads: tuple[str, str, str, str, str]
    """Port, direction, purpose, need, if closed."""
    direction: Mapping[Direction, str]
    need: Mapping[Need, str]
    need_means: Mapping[Need, str]
    purpose: Mapping[Purpose, str]
    comes_back: str
    """The purpose of a return row: `{port}`."""
    if_closed: Mapping[IfClosed, str]
    """`{instead}`: the ports that are taken instead."""
    columns: tuple[str, str, str, str, str, str, str, str, str, str]
    """Of the CSV form: id, host, IPv4, IPv6, protocol, port, direction, purpose, need, if closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWords:
    """Names and addresses."""

    title: str
    intro: str
    """`{url}`."""
    service_name: str
    """Where people type a name that is none of the hosts': `{name}`."""
    caption: str
    heads: tuple[str, str, str, str]
    """Name, IPv4, IPv6, what runs on it."""
    none: str
    """Stands for an address that there is not."""
    serves: Mapping[Literal["calls", "relay"], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWords:
    """Bandwidth, marks, times and qualities."""

    reserve_title: str
    reserve_intro: str
    reserve_caption: str
    reserve_heads: tuple[str, str, str]
    """Use, for each seat, for all: `{seats}`."""
    reserve: Mapping[Profile, str]
    reserve_note: str
    marks_title: str
    marks_intro: str
    marks_caption: str
    marks_heads: tuple[str, str, str, str]
    """Traffic, class, DSCP, whole octet."""
    traffic: Mapping[Traffic, str]
    marks_note: str
    """`{media}`."""
    no_marks: str
    times_title: str
    times_caption: str
    times_heads: tuple[str, str, str]
    """What, wanted, otherwise."""
    udp_state: tuple[str, str, str]
    """`{seconds}`, `{consent}`."""
    tcp_idle: tuple[str, str, str]
    """`{seconds}`, `{ping}`, `{waiting_ping}`."""
    tls: tuple[str, str, str]
    """`{version}`, `{name}`."""
    round_trip: tuple[str, str, str]
    """`{ms}`."""
    loss: tuple[str, str, str]
    """`{percent}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceWords:
    """What else stands in the way, and how to let calls through."""

    title: str
    inspection: Titled
    """`{names}`."""
    proxy: Titled
    """`{names}`, `{web}`."""
    proxy_and_media: str
    """Where there are no relays: `{media}`."""
    proxy_and_relays: str
    """Where there are some: `{media}`, `{relays}`."""
    proxy_and_tls: str
    """Where a relay listens for TLS: `{tls}`."""
    application: Titled
    sip: Titled
    floods: Titled
    """`{packets}`, `{seats}`."""
    browsers: Titled


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """The comments in rules for the hosts' own firewalls."""

    about: tuple[str, ...]
    nftables: tuple[str, ...]
    iptables: tuple[str, ...]
    clients: str
    from_calls: str
    """On a relay's host: what the calls send back."""
    to_calls: str
    """On a relay's host: from the relay's ports to the calls."""
    drop_input: tuple[str, ...]
    only_to_calls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language."""

    language: Language
    title: str
    lead: str
    """`{url}`."""
    address: str
    date: str
    fingerprint: str
    contact: str
    test_page: str
    date_format: str
    decimal_point: str
    thousands: str
    mbps: str
    kbps: str
    """Units of bits a second."""
    label: str
    """Puts a label before a text: `{label}`, `{text}`."""
    flows: FlowWords
    hosts: HostWords
    line: LineWords
    advice: AdviceWords
    rules: RuleWords
    check_title: str
    check_test: str
    """`{test_page}`."""
    check_contact: str
    """`{contact}`."""
    check_fingerprint: str
    """`{fingerprint}`."""
