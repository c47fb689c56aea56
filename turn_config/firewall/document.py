"""The sheet as a document in one language, before it is HTML or text, so that both say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from turn_config.firewall.rows import Direction, Need
from turn_config.firewall.sheet import (
    CONSENT_SECONDS,
    LOSS_PERCENT,
    PING_SECONDS,
    ROUND_TRIP_MS,
    TCP_IDLE_SECONDS,
    TLS_MIN,
    UDP_STATE_SECONDS,
    WAITING_PING_SECONDS,
)
from turn_config.listeners import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from turn_config.firewall.rows import Row
    from turn_config.firewall.sheet import Sheet
    from turn_config.firewall.words import Titled, Words
    from turn_config.settings import Host


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of each row is its head."""

    kind: str
    """Of which tables it is one, for the look of it."""
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, in this order."""

    id: str
    title: str
    before: tuple[str, ...] = ()
    items: tuple[Titled, ...] = ()
    tables: tuple[Table, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole sheet."""

    title: str
    lead: str
    facts: tuple[Titled, ...]
    sections: tuple[Section, ...]


def document(sheet: Sheet, words: Words) -> Document:
    """Say in this language what the sheet says."""
    facts = (
        (words.address, sheet.public_url),
        (words.date, sheet.date.strftime(words.date_format)),
        (words.fingerprint, sheet.fingerprint),
        (words.test_page, sheet.test_page),
        *([(words.contact, sheet.contact)] if sheet.contact else []),
    )
    sections = (
        _hosts(sheet, words),
        _flows(sheet, words),
        _reserve(sheet, words),
        _times(sheet, words),
        _marks(sheet, words),
        _advice(sheet, words),
        _check(sheet, words),
    )
    return Document(words.title, words.lead.format(url=sheet.public_url), facts, sections)


def purpose_of(row: Row, words: Words) -> str:
    """Say what a rule is for."""
    if row.direction is Direction.RETURN:
        return words.flows.comes_back.format(port=row.port)
    return words.flows.purpose[row.purpose]


def closed(row: Row, words: Words) -> str:
    """Say what a site notices without the rule."""
    return words.flows.if_closed[row.if_closed].format(instead=listed(row.instead))


def listed(ports: Iterable[str]) -> str:
    """Write several ports or names in a sentence."""
    return ", ".join(ports)


def number(value: float, words: Words) -> str:
    """Write a number as the language does, with one decimal place at most."""
    whole, _, rest = f"{value:,.1f}".partition(".")
    return whole.replace(",", words.thousands) + ("" if rest == "0" else words.decimal_point + rest)


def _hosts(sheet: Sheet, words: Words) -> Section:
    said = words.hosts
    before = [said.intro.format(url=sheet.public_url)]
    if sheet.public_name not in {host.name for host in sheet.hosts}:
        before.append(said.service_name.format(name=sheet.public_name))
    rows = tuple(
        (
            host.name,
            said.none if host.ipv4 is None else str(host.ipv4.public),
            said.none if host.ipv6 is None else str(host.ipv6.public),
            listed(said.serves[one] for one in ("calls", "relay") if _does(sheet, host, one)),
        )
        for host in sheet.hosts
    )
    return Section(
        "hosts", said.title, tuple(before), tables=(Table("hosts", said.caption, said.heads, rows),)
    )


def _does(sheet: Sheet, host: Host, role: str) -> bool:
    media = {Purpose.WEB, Purpose.MEDIA}
    return any(row.host == host.name and (row.purpose in media) == (role == "calls") for row in sheet.rows)


def _flows(sheet: Sheet, words: Words) -> Section:
    said = words.flows
    before = list(said.intro)
    if sheet.relay_ports:
        media = listed(sheet.ports_for(Purpose.MEDIA))
        before.append(said.media_ways.format(media=media, relays=listed(sheet.relay_ports)))
    present = {row.need for row in sheet.rows}
    return Section(
        "flows",
        said.title,
        tuple(before),
        items=tuple((said.need[one], said.need_means[one]) for one in Need if one in present),
        tables=tuple(_flow_table(host, sheet, words) for host in sheet.hosts),
    )


def _flow_table(host: Host, sheet: Sheet, words: Words) -> Table:
    said = words.flows
    rows = tuple(
        (
            row.written,
            said.direction[row.direction],
            purpose_of(row, words),
            said.need[row.need],
            closed(row, words),
        )
        for row in sheet.rows
        if row.host == host.name
    )
    known = dict.fromkeys((host.name, *(str(one.public) for one in host.addresses)))
    return Table("flows", listed(known), said.heads, rows)


def _reserve(sheet: Sheet, words: Words) -> Section:
    said = words.line
    use, seat, all_seats = said.reserve_heads
    heads = (use, seat, all_seats.format(seats=number(sheet.seats, words)))
    rows = tuple(
        (said.reserve[one.profile], _rate(one.kbps_per_seat, words), _rate(one.kbps, words))
        for one in sheet.reserves
    )
    table = Table("figures", said.reserve_caption, heads, rows)
    return Section(
        "bandwidth",
        said.reserve_title,
        (said.reserve_intro,),
        tables=(table,),
        after=(said.reserve_note,),
    )


def _rate(kbps: int, words: Words) -> str:
    value, unit = (kbps / 1000, words.mbps) if kbps >= 1000 else (kbps, words.kbps)
    return f"{number(value, words)}\u00a0{unit}"


def _times(sheet: Sheet, words: Words) -> Section:
    said = words.line
    rows = (
        _filled(said.udp_state, seconds=UDP_STATE_SECONDS, consent=CONSENT_SECONDS),
        _filled(
            said.tcp_idle, seconds=TCP_IDLE_SECONDS, ping=PING_SECONDS, waiting_ping=WAITING_PING_SECONDS
        ),
        _filled(said.round_trip, ms=ROUND_TRIP_MS),
        _filled(said.loss, percent=LOSS_PERCENT),
        *([_filled(said.tls, version=TLS_MIN, name=sheet.public_name)] if _over_tls(sheet) else []),
    )
    table = Table("times", said.times_caption, said.times_heads, rows)
    return Section("times", said.times_title, tables=(table,))


def _filled(texts: tuple[str, ...], **values: str | int) -> tuple[str, ...]:
    return tuple(text.format(**values) for text in texts)


def _over_tls(sheet: Sheet) -> bool:
    return sheet.public_url.startswith("https://")


def _marks(sheet: Sheet, words: Words) -> Section:
    said, media = words.line, listed(sheet.ports_for(Purpose.MEDIA))
    if not sheet.marks:
        return Section("marks", said.marks_title, (said.no_marks.format(media=media),))
    rows = tuple(
        (said.traffic[one.traffic], one.name, str(one.dscp), f"0x{one.tos:02X}") for one in sheet.marks
    )
    return Section(
        "marks",
        said.marks_title,
        (said.marks_intro,),
        tables=(Table("figures", said.marks_caption, said.marks_heads, rows),),
        after=(said.marks_note.format(media=media),),
    )


def _advice(sheet: Sheet, words: Words) -> Section:
    return Section("advice", words.advice.title, items=tuple(_advised(sheet, words)))


def _advised(sheet: Sheet, words: Words) -> Iterator[Titled]:
    said, names = words.advice, listed(sheet.names)
    if _over_tls(sheet):
        yield said.inspection[0], said.inspection[1].format(names=names)
    yield said.proxy[0], " ".join(_proxy(sheet, words))
    yield said.application
    yield said.sip
    packets, seats = number(sheet.packets_per_second, words), number(sheet.seats, words)
    yield said.floods[0], said.floods[1].format(packets=packets, seats=seats)
    yield said.browsers


def _proxy(sheet: Sheet, words: Words) -> Iterator[str]:
    said = words.advice
    media, relays = listed(sheet.ports_for(Purpose.MEDIA)), listed(sheet.relay_ports)
    web = listed(sheet.ports_for(Purpose.WEB))
    yield said.proxy[1].format(web=web, names=listed(sheet.names))
    if relays:
        yield said.proxy_and_relays.format(media=media, relays=relays)
    else:
        yield said.proxy_and_media.format(media=media)
    tls = listed(sheet.ports_for(Purpose.TURN_TLS))
    if tls:
        yield said.proxy_and_tls.format(tls=tls)


def _check(sheet: Sheet, words: Words) -> Section:
    said = [words.check_test.format(test_page=sheet.test_page)]
    if sheet.contact:
        said.append(words.check_contact.format(contact=sheet.contact))
    said.append(words.check_fingerprint.format(fingerprint=sheet.fingerprint))
    return Section("check", words.check_title, tuple(said))
