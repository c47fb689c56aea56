"""What a check says of a turnserver.conf: the line, how bad it is, and what to do; never a secret."""

import pytest

from tests.unit.turn_config.test_checks import SECRET, deployment
from turn_config.coturn import OLDEST, CoturnVersion, check, turnserver_conf

RELAYING = deployment(secrets=[SECRET, "the-secret-before-it-that-is-long-enough"])
HOST = RELAYING.relays[0]
NEWEST = CoturnVersion(4, 17, 1)


def told(text: str, version: CoturnVersion = OLDEST) -> list[str]:
    return [f"{one.line}: {one}" for one in check(text, RELAYING, HOST, version)]


def with_line(line: str, version: CoturnVersion = OLDEST) -> list[str]:
    """Add a line at the end; give what is said, with that line's number as N."""
    text = turnserver_conf(RELAYING, HOST, version)
    number = text.count("\n") + 1
    return [one.replace(f"{number}: ", "N: ", 1) for one in told(f"{text}{line}\n", version)]


def without(line: str, instead: str = "", version: CoturnVersion = OLDEST) -> list[str]:
    text = turnserver_conf(RELAYING, HOST, version)
    assert f"\n{line}\n" in text
    return told(text.replace(f"\n{line}\n", f"\n{instead}\n"), version)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_nothing_is_said_of_what_was_written(version: CoturnVersion) -> None:
    assert told(turnserver_conf(RELAYING, HOST, version), version) == []


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("no-auth", "N: danger: no-auth: anybody may relay"),
        ("allow-loopback-peers", "N: danger: allow-loopback-peers: who has credentials reaches"),
        ("server-relay", "N: danger: server-relay: "),
        ("user=bob:hunter2", "N: danger: user: an account that never runs out"),
        ("prometheus-username-labels", "N: danger: prometheus-username-labels: "),
        ("verbose", "N: danger: verbose: user names and addresses of people"),
        ("Verbose", "N: danger: Verbose: "),
        ("log-binding", "N: danger: log-binding: "),
        ("web-admin", "N: danger: web-admin: "),
        ("mobility", "N: danger: mobility: "),
        ("alternate-server=192.0.2.77", "N: danger: alternate-server: "),
        ("acme-redirect=https://x.example", "N: danger: acme-redirect: "),
        ("psql-userdb=host=db password=hunter2", "N: danger: psql-userdb: users, secrets and peers"),
        (
            "allowed-peer-ip=10.0.0.7",
            "N: danger: allowed-peer-ip: opens 10.0.0.7, which is no server of calls",
        ),
        (
            "allowed-peer-ip=192.0.2.1-192.0.2.9",
            "N: danger: allowed-peer-ip: opens 192.0.2.1-192.0.2.9: name",
        ),
        ("denied-peer-ip=10.0.0.0/8", "N: danger: denied-peer-ip: is no address and no range"),
        ("static-auth-secret=north", "N: danger: static-auth-secret: is shorter than 32 characters"),
        ("static-auth-secret=" + "n" * 40, "N: differs: static-auth-secret: is none of turn.secrets"),
        (f"static-auth-secret={SECRET}", "N: differs: static-auth-secret: stands further up already"),
        ("no-loopback-peers", "N: differs: no-loopback-peers: coturn 4.6.1 does not know it"),
        ("unauthorized-ratelimit", "N: differs: unauthorized-ratelimit: coturn 4.6.1 does not know it"),
        ("listening-ip=192.0.2.99", "N: differs: listening-ip: the settings have no 192.0.2.99"),
        ("aux-server=192.0.2.1:19302", "N: differs: aux-server: line 8 says it already"),
        ("no-udp", "N: differs: no-udp: clients cannot come by UDP"),
        ("fingerprint=perhaps", "N: differs: fingerprint: is neither yes nor no"),
        ("cipher-list=HIGH", "N: note: cipher-list: the settings do not ask for it"),
        ("a line of prose", "N: differs: a: coturn 4.6.1 does not know it"),
    ],
)
def test_one_line_too_many(line: str, start: str) -> None:
    said = with_line(line)
    assert [one for one in said if one.startswith(start)], said


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("use-auth-secret", "danger: use-auth-secret: is missing, so anybody may relay: add it"),
        ("no-tcp-relay", "danger: no-tcp-relay: is missing, so the relay connects to every TCP port of"),
        ("denied-peer-ip=0.0.0.0-255.255.255.255", "danger: denied-peer-ip: lets the relay reach 0.0.0.0"),
        (f"static-auth-secret={SECRET}", "differs: static-auth-secret: turn.secrets[0] is missing"),
        ("allowed-peer-ip=192.0.2.3", "differs: allowed-peer-ip: 192.0.2.3 is missing, so calls there are"),
        ("max-bps=750000", "differs: max-bps: is missing: add max-bps=750000"),
        ("no-cli", "differs: no-cli: is missing: add it"),
    ],
)
def test_one_line_missing(line: str, expected: str) -> None:
    (said,) = without(line)
    assert said.startswith(f"None: {expected}")


def test_what_coturn_does_by_itself_need_not_be_written() -> None:
    assert without("listening-port=3478") == []


@pytest.mark.parametrize(
    ("line", "instead", "expected"),
    [
        ("max-bps=750000", "max-bps=6000000", ["max-bps: the settings want 750000: write max-bps=750000"]),
        ("max-bps=750000", "max-bps = 0750000", []),
        ("stale-nonce=600", "stale-nonce=0", ["stale-nonce: the settings want 600: write stale-nonce=600"]),
        (
            "no-multicast-peers",
            "no-multicast-peers=no",
            ["no-multicast-peers: is switched off: switch it on"],
        ),
        ("no-multicast-peers", 'no-multicast-peers "yes"', []),
        (
            "realm=visio.hospital.example",
            "realm=visio.hospital.example # ours",
            [
                "realm: the settings want visio.hospital.example: write realm=visio.hospital.example",
            ],
        ),
        ("realm=visio.hospital.example", 'realm = "visio.hospital.example"', []),
    ],
)
def test_one_line_otherwise(line: str, instead: str, expected: list[str]) -> None:
    assert [one.partition(": differs: ")[2] for one in without(line, instead)] == expected


def test_ranges_are_added_up() -> None:
    halves = "denied-peer-ip=128.0.0.0-255.255.255.255\ndenied-peer-ip=0.0.0.0-127.255.255.255"
    assert without("denied-peer-ip=0.0.0.0-255.255.255.255", halves) == []
    (said,) = without("denied-peer-ip=0.0.0.0-255.255.255.255", halves.replace("128.0.0.0", "128.0.0.1"))
    assert "reach 128.0.0.0, and maybe more" in said


def test_ipv4_in_disguise_is_open_where_only_ipv4_is_denied() -> None:
    """CVE-2026-27624: `::ffff:127.0.0.1` is an IPv6 address to the lists of older releases."""
    (said,) = without("denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    assert said.startswith("None: danger: denied-peer-ip: lets the relay reach ::, and maybe more")


def test_of_two_lines_the_last_counts() -> None:
    assert with_line("max-bps=1") == [
        "N: differs: max-bps: line 54 has it already, and this one counts: keep one",
        "N: differs: max-bps: the settings want 750000: write max-bps=750000",
    ]


@pytest.mark.parametrize("password", ["", "qwerty"])
def test_a_telnet_password_that_everybody_knows(password: str) -> None:
    text = turnserver_conf(RELAYING, HOST, OLDEST).replace("\nno-cli\n", f"\ncli-password={password}\n")
    said = "\n".join(told(text))
    assert "danger: cli-password: is one that everybody knows" in said
    assert "no-cli: is missing" in said


def test_what_is_safe_by_itself_is_not_asked_of_a_newer_release() -> None:
    old = turnserver_conf(RELAYING, HOST, OLDEST)
    skipped = [one.split(": ")[2] for one in told(old, NEWEST) if "does not know it" in one]
    assert skipped == ["no-stun-backward-compatibility"]
    assert [one for one in with_line("tlsv1", NEWEST) if "danger: tlsv1: TLS older than 1.2" in one]


def test_an_empty_file_relays_for_everybody() -> None:
    dangerous = [one.split(": ")[2] for one in told("") if "danger" in one]
    assert {"use-auth-secret", "no-tcp-relay", "denied-peer-ip"} <= set(dangerous)


def test_no_secret_password_or_account_is_repeated() -> None:
    lines = ["user=bob:hunter2", "static-auth-secret=hunter2", "cli-password=hunter2", "userdb=hunter2"]
    text = turnserver_conf(RELAYING, HOST, OLDEST).replace("\nno-cli\n", "\n") + "\n".join(lines)
    assert "hunter2" not in "\n".join(told(text))
    assert "hunter2" not in repr(check(text, RELAYING, HOST, OLDEST))


@pytest.mark.parametrize("text", ["4.6", "four", "", "4.6.1.2.3x", "-4.6.1"])
def test_what_is_no_version_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"no version of coturn|^$"):
        CoturnVersion.parse(text)


def test_a_packages_version_is_one() -> None:
    assert CoturnVersion.parse("4.6.1-1+deb12u1") == OLDEST
    assert str(CoturnVersion.parse("4.17.1")) == "4.17.1"
    assert CoturnVersion(4, 10, 0) > CoturnVersion(4, 9, 9)
