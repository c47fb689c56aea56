"""What is dangerous in a settings file of coturn, whatever the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turn_config.coturn.finding import Finding, Severity
from turn_config.coturn.version import CLI_OFF, SAFER_DEFAULTS, CoturnVersion
from turn_config.settings import SECRET_MIN_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from turn_config.coturn.reader import ConfFile

_WELL_KNOWN_PASSWORDS = {"", "qwerty", "password", "admin", "coturn", "changeme"}
"""The first is no password at all, the second stands in coturn's example."""

_DANGEROUS_FLAGS = {
    "no-auth": "anybody may relay: remove it",
    "allow-loopback-peers": "who has credentials reaches what listens on this host's loopback: remove it",
    "server-relay": "whoever finds a relay port may send through it: remove it",
    "oauth": "a second way in, by tokens that nobody here issues: remove it",
    "prometheus-username-labels": "user names in the metrics, a new row for every call: remove it",
    "verbose": "user names and addresses of people in the log: remove it",
    "Verbose": "user names and addresses of people in the log: remove it",
    "log-binding": "addresses of people in the log: remove it",
    "web-admin": "the administrator's pages are on: remove it",
    "web-admin-listen-on-workers": "the administrator's pages at the ports for clients: remove it",
    "mobility": "allocations move between addresses, and until coturn 4.17.0 to others and past the quotas:"
    " remove it",
    "tlsv1": "TLS older than 1.2: remove it",
    "tlsv1_1": "TLS older than 1.2: remove it",
    "cli": "the telnet interface is on: remove it",
    "rfc5780": "answers go to addresses that the sender chooses: remove it",
}

_DANGEROUS_OPTIONS = {
    "user": "an account that never runs out, and a password in plain sight: remove it",
    "alternate-server": "clients are sent to another server, with their credentials: remove it",
    "tls-alternate-server": "clients are sent to another server, with their credentials: remove it",
    "tcp-proxy-port": "whoever reaches this port says what address a client has: remove it",
    "acme-redirect": "before coturn 4.15.0 it told strangers what was in the memory: remove it",
    "redis-statsdb": "user names and traffic of everybody in a second database: remove it",
}

_DATABASES = ("db", "userdb", "sql-userdb", "psql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb")
_MEMORY = ":memory:"

_FORBIDDING = {
    "no-udp": "clients cannot come by UDP",
    "no-tcp": "clients cannot come by TCP",
    "no-udp-relay": "calls are sent to by UDP alone",
    "stun-only": "nobody may relay",
    "secure-stun": "browsers ask for their address without credentials",
    "no-tlsv1_2": "browsers that know no TLS 1.3 stay out, and Debian's coturn has none",
}


def dangers(file: ConfFile, version: CoturnVersion) -> Iterator[Finding]:
    """Find what lets strangers in, leads them further than the calls, or tells of people."""
    yield from _authentication(file)
    yield from _weak_secrets(file)
    yield from _switched_on(file)
    yield from _cli(file, version)
    yield from _databases(file)
    if file.on("no-tcp-relay") is None:
        yield Finding(
            None,
            Severity.DANGER,
            "no-tcp-relay",
            "is missing, so the relay connects to every TCP port of the servers of calls: add it",
        )
    if version < SAFER_DEFAULTS and file.on("no-rfc5780") is None and len(file.all("listening-ip")) != 1:
        yield Finding(
            None,
            Severity.DANGER,
            "no-rfc5780",
            "is missing, so answers may go to another address than the question came from: add it",
        )


def _authentication(file: ConfFile) -> Iterator[Finding]:
    if file.on("use-auth-secret") is not None:
        return
    if file.on("lt-cred-mech") is not None:
        text = "is missing, so accounts are asked for that never run out: add it, and remove lt-cred-mech"
    else:
        text = "is missing, so anybody may relay: add it"
    yield Finding(None, Severity.DANGER, "use-auth-secret", text)


def _weak_secrets(file: ConfFile) -> Iterator[Finding]:
    for one in file.all("static-auth-secret"):
        if len(one.value) < SECRET_MIN_CHARS:
            yield Finding(
                one.line,
                Severity.DANGER,
                one.name,
                f"is shorter than {SECRET_MIN_CHARS} characters: whoever has been in a call once can guess at"
                " it; replace it by the output of openssl rand -base64 33",
            )


def _switched_on(file: ConfFile) -> Iterator[Finding]:
    for name, text in _DANGEROUS_FLAGS.items():
        one = file.on(name)
        if one is not None:
            yield Finding(one.line, Severity.DANGER, name, text)
    for name, text in _DANGEROUS_OPTIONS.items():
        for one in file.all(name):
            yield Finding(one.line, Severity.DANGER, name, text)
    for name, text in _FORBIDDING.items():
        one = file.on(name)
        if one is not None:
            yield Finding(one.line, Severity.DIFFERS, name, f"{text}: remove it")


def _cli(file: ConfFile, version: CoturnVersion) -> Iterator[Finding]:
    is_on = file.on("cli") is not None if version >= CLI_OFF else file.on("no-cli") is None
    password = file.last("cli-password")
    if is_on and password is not None and password.value in _WELL_KNOWN_PASSWORDS:
        yield Finding(
            password.line,
            Severity.DANGER,
            password.name,
            "is one that everybody knows, and the telnet interface is on: remove it and add no-cli",
        )


def _databases(file: ConfFile) -> Iterator[Finding]:
    for name in _DATABASES:
        one = file.last(name)
        if one is not None and one.value != _MEMORY:
            yield Finding(
                one.line,
                Severity.DANGER,
                name,
                f"users, secrets and peers of a database count as well: write userdb={_MEMORY} instead",
            )
