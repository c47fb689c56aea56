"""Who has credentials of Colloque gets a relay, on every port and by every way; who has none does not."""

import ssl
import warnings

import pytest

from tests.support.coturn import Way
from tests.support.relay_stage import CLIENT, TODAY, YESTERDAY, Relay
from tests.support.turn_client import Data, Refused

pytestmark = pytest.mark.integration

WAYS: list[tuple[Way, int]] = [("udp", 3478), ("tcp", 3478), ("udp", 19302), ("tcp", 19302), ("tls", 5349)]
UNAUTHORIZED, QUOTA_REACHED = 401, 486


@pytest.mark.parametrize(("way", "port"), WAYS)
@pytest.mark.parametrize("family", [4, 6])
def test_media_goes_both_ways(relay: Relay, way: Way, port: int, family: int) -> None:
    call = {4: "192.0.2.2", 6: "2001:db8::2"}[family]
    with relay.namespace.udp(call, 10_000) as server:
        client = relay.client(way, port, family=family)
        address = client.allocate(family)
        client.permit(call)
        client.send(call, 10_000, b"up")
        assert server.recvfrom(100)[0] == b"up"
        server.sendto(b"down", address)
        assert client.receive() == Data((call, 10_000), b"down")
        client.bind_channel(call, 10_000)
        client.send_channel(b"by channel")
        assert server.recvfrom(100)[0] == b"by channel"


def test_the_secret_before_is_taken_too(relay: Relay) -> None:
    assert relay.client(secret=YESTERDAY).allocate()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"ttl_seconds": -1}, id="expired"),
        pytest.param({"password": "guessed"}, id="forged"),
        pytest.param({"secret": "another-secret-that-is-long-enough-too"}, id="other secret"),
    ],
)
@pytest.mark.parametrize(("way", "port"), WAYS)
def test_other_credentials_are_refused(relay: Relay, way: Way, port: int, wrong: dict[str, object]) -> None:
    client = relay.client(way, port, **wrong)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        client.allocate()
    assert refused.value.code == UNAUTHORIZED


def test_so_are_none_at_all(relay: Relay) -> None:
    client = relay.coturn.client("udp", CLIENT[4], "192.0.2.1", 3478)
    with pytest.raises(Refused) as refused:
        client.allocate()
    assert refused.value.code == UNAUTHORIZED
    client.close()


def test_one_set_of_credentials_has_so_many_allocations_and_no_more(relay: Relay) -> None:
    for _ in range(3):
        relay.client(user=b"greedy").allocate()
    with pytest.raises(Refused) as refused:
        relay.client(user=b"greedy").allocate()
    assert refused.value.code == QUOTA_REACHED
    assert relay.client(user=b"modest").allocate()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(relay: Relay, version: ssl.TLSVersion) -> None:
    with pytest.raises((ssl.SSLError, OSError)):
        _handshake(relay, version)


def test_tls_1_2_is_not(relay: Relay) -> None:
    _handshake(relay, ssl.TLSVersion.TLSv1_2)


def test_answers_and_log_tell_nothing(relay: Relay) -> None:
    client = relay.client(user=b"private")
    client.allocate()
    client.permit("192.0.2.1")
    with pytest.raises(Refused):
        client.permit("198.51.100.1")
    assert not [one for one in client.answers if "SOFTWARE" in one.attributes]
    with pytest.raises(Refused):
        relay.client(password="guessed").allocate()
    for word in (*CLIENT.values(), b"private".hex(), TODAY, YESTERDAY):
        assert word not in relay.coturn.log


def _handshake(relay: Relay, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Else it is this side that refuses.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with (
        relay.namespace.tcp(CLIENT[4], "192.0.2.1", 5349, timeout=2.0) as stream,
        context.wrap_socket(stream) as secured,
    ):
        assert secured.version()
