"""The options that coturn of a given release knows; what it does not know it skips, and says so in its log.

From `turnserver -h` of 4.6.1 and, for what came and went later, from the pull requests named in `version.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from turn_config.coturn.version import (
    CLI_OFF,
    DRAINS_TO_A_NUMBER,
    DROPS_OLD_WORDS,
    DTLS_OFF,
    LIMITS_UNAUTHORIZED,
    OLDEST,
    SAFER_DEFAULTS,
    CoturnVersion,
)


class Kind(StrEnum):
    """How often an option may stand in the file, and what follows it."""

    FLAG = "flag"
    """True where nothing follows; else a word for yes or no."""
    VALUE = "value"
    """The last one counts."""
    LIST = "list"
    """Each adds to those before."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the settings file."""

    kind: Kind
    since: CoturnVersion = OLDEST
    """Or earlier."""
    until: CoturnVersion | None = None
    """The first release that no longer knows it."""
    default: str | None = None
    """What holds where the file does not say, if it is worth comparing."""

    def known_to(self, version: CoturnVersion) -> bool:
        """Say whether this release reads it."""
        return self.since <= version and (self.until is None or version < self.until)


def option(name: str, version: CoturnVersion) -> Option | None:
    """Give the option if this release reads it."""
    found = _OPTIONS.get(name)
    return found if found is not None and found.known_to(version) else None


def names(version: CoturnVersion) -> frozenset[str]:
    """Give the names of all options that this release reads."""
    return frozenset(name for name, one in _OPTIONS.items() if one.known_to(version))


_FLAGS = """
    Verbose allow-loopback-peers check-origin-consistency daemon dh1066 dh566 fingerprint keep-address-family
    log-binding lt-cred-mech mobility new-log-timestamp no-auth no-auth-pings no-dynamic-ip-list
    no-dynamic-realms no-multicast-peers no-rfc5780 no-software-attribute no-stdout-log no-stun no-tcp
    no-tcp-relay no-tls no-tlsv1_2 no-udp no-udp-relay oauth prometheus prometheus-username-labels
    response-origin-only-with-rfc5780 secure-stun server-relay simple-log stun-only syslog udp-self-balance
    use-auth-secret verbose web-admin web-admin-listen-on-workers
"""
_VALUES = """
    CA-file acme-redirect allocation-default-address-family alt-listening-port alt-tls-listening-port
    bps-capacity cert channel-lifetime cipher-list cli-ip cli-max-output-sessions cli-password cli-port db
    dh-file ec-curve-name listening-device log-file max-allocate-lifetime max-allocate-timeout max-bps
    mongo-userdb mysql-userdb ne new-log-timestamp-format permission-lifetime pidfile pkey pkey-pwd proc-group
    proc-user prometheus-port psql-userdb realm redis-statsdb redis-userdb relay-device relay-threads
    rest-api-separator secret-key-file server-name sql-userdb syslog-facility tcp-proxy-port total-quota
    user-quota userdb web-admin-ip web-admin-port
"""
_LISTS = """
    allowed-peer-ip alternate-server aux-server denied-peer-ip external-ip listening-ip relay-ip
    static-auth-secret tls-alternate-server user
"""
_OPTIONS = {
    **{name: Option(Kind.FLAG) for name in _FLAGS.split()},
    **{name: Option(Kind.VALUE) for name in _VALUES.split()},
    **{name: Option(Kind.LIST) for name in _LISTS.split()},
    "listening-port": Option(Kind.VALUE, default="3478"),
    "tls-listening-port": Option(Kind.VALUE, default="5349"),
    "min-port": Option(Kind.VALUE, default="49152"),
    "max-port": Option(Kind.VALUE, default="65535"),
    "stale-nonce": Option(Kind.VALUE),
    # What is off by itself from some release on.
    "prod": Option(Kind.FLAG, until=SAFER_DEFAULTS),
    "no-tlsv1": Option(Kind.FLAG, until=SAFER_DEFAULTS),
    "no-tlsv1_1": Option(Kind.FLAG, until=SAFER_DEFAULTS),
    "no-stun-backward-compatibility": Option(Kind.FLAG, until=SAFER_DEFAULTS),
    "no-cli": Option(Kind.FLAG, until=DROPS_OLD_WORDS),
    "no-dtls": Option(Kind.FLAG, until=DROPS_OLD_WORDS),
    # And what asks for it there.
    "software-attribute": Option(Kind.FLAG, since=SAFER_DEFAULTS),
    "rfc5780": Option(Kind.FLAG, since=SAFER_DEFAULTS),
    "tlsv1": Option(Kind.FLAG, since=SAFER_DEFAULTS),
    "tlsv1_1": Option(Kind.FLAG, since=SAFER_DEFAULTS),
    "stun-backward-compatibility": Option(Kind.FLAG, since=SAFER_DEFAULTS),
    "cli": Option(Kind.FLAG, since=CLI_OFF),
    "dtls": Option(Kind.FLAG, since=DTLS_OFF),
    # New ones.
    "prometheus-address": Option(Kind.VALUE, since=SAFER_DEFAULTS),
    "prometheus-path": Option(Kind.VALUE, since=SAFER_DEFAULTS),
    "unauthorized-ratelimit": Option(Kind.FLAG, since=LIMITS_UNAUTHORIZED),
    "unauthorized-ratelimit-rps": Option(Kind.VALUE, since=LIMITS_UNAUTHORIZED),
    "drain-min-allocations": Option(Kind.VALUE, since=DRAINS_TO_A_NUMBER, default="0"),
    "log-min-level": Option(Kind.VALUE, since=DRAINS_TO_A_NUMBER),
    "multiplex-peer": Option(Kind.FLAG, since=DRAINS_TO_A_NUMBER),
    "multiplex-peer-port": Option(Kind.VALUE, since=DRAINS_TO_A_NUMBER),
    "stateless-nonce": Option(Kind.FLAG, since=DTLS_OFF),
    "stateless-nonce-secret": Option(Kind.VALUE, since=DTLS_OFF),
}
