"""What is said of a relay, and the messages that find it out."""

import hmac
from dataclasses import replace
from ipaddress import ip_address

import pytest

from colloque.doctor import stun
from colloque.doctor.relays import ELSEWHERE, ONLY_RELAYS, RelayFacts, judge
from tests.support.doctor_words import codes, english

WELL = RelayFacts("3478/UDP", "10.0.0.5", "turn.ports[0]", "answers")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ["relay.relays"]),
        ({"reach": "closed"}, ["relay.closed"]),
        ({"reach": "silent"}, ["relay.silent"]),
        ({"reach": "not_tls"}, ["relay.not_tls"]),
        ({"asks_nobody": True}, ["relay.for_anybody"]),
        ({"allocation_error": 401}, ["relay.wrong_secret"]),
        ({"allocation_error": 486}, ["relay.full"]),
        ({"allocation_error": 508}, ["relay.full"]),
        ({"allocation_error": 440}, ["relay.no_allocation"]),
        ({"allocation_error": 0}, ["relay.no_allocation"]),
        ({"refused_media": ("192.0.2.5",)}, ["relay.media_refused"]),
        ({"allowed_strangers": ("127.0.0.1",)}, ["relay.open"]),
        (
            {"refused_media": ("192.0.2.5",), "allowed_strangers": ("127.0.0.1",)},
            ["relay.media_refused", "relay.open"],
        ),
    ],
)
def test_each_fault_of_a_relay_has_its_line(change: dict[str, object], said: list[str]) -> None:
    assert codes(judge(replace(WELL, **change))) == said  # type: ignore[arg-type]


def test_relays_on_other_hosts_are_named() -> None:
    assert codes(ELSEWHERE(names="turn1.example")) == ["relay.elsewhere"]
    assert codes(ONLY_RELAYS(name="turn1.example")) == ["relay.only_relays"]


def test_a_relay_that_falls_silent_is_told_in_words() -> None:
    assert "gives no allocation (no answer)" in english(judge(replace(WELL, allocation_error=0)))
    assert "gives no allocation (440)" in english(judge(replace(WELL, allocation_error=440)))


def test_the_line_for_coturns_file_names_our_address() -> None:
    assert "allowed-peer-ip=192.0.2.5" in english(judge(replace(WELL, refused_media=("192.0.2.5",))))


# RFC 5769, 2.4: a request with long-term credentials. Its user name, realm and nonce are signed as here.
_RFC_5769 = bytes.fromhex(
    "000100602112a44278ad3433c6ad72c029da412e"
    "00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b"
    "6578616d706c652e6f726700"
    "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666"
)


def test_the_key_of_long_term_credentials_is_the_standards() -> None:
    login = stun.Login(
        "\u30de\u30c8\u30ea\u30c3\u30af\u30b9",
        "TheMatrIX",
        b"example.org",
        b"f//499k954d6OL34oL9FSTvy64sA",
    )
    signed = _RFC_5769[:-24]
    assert hmac.digest(login.key, signed, "sha1") == _RFC_5769[-20:]


def test_a_request_is_signed_over_everything_before_the_signature() -> None:
    login = stun.Login("1:a", "secret", b"realm", b"nonce")
    sent = stun.permit(bytes(12), ip_address("192.0.2.5"), login)
    assert int.from_bytes(sent[2:4]) == len(sent) - stun.HEADER_BYTES
    assert sent[-20:] == hmac.digest(login.key, sent[:-24], "sha1")


def test_addresses_of_peers_are_masked_as_the_standard_has_it() -> None:
    # RFC 5769, 2.2 and 2.3 have these addresses and port 32853; a permission has no port.
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    login = stun.Login("1:a", "secret", b"realm", b"nonce")
    assert bytes.fromhex("0001" + "2112" + "e112a643") in stun.permit(
        transaction, ip_address("192.0.2.1"), login
    )
    masked = "0113a9faa5d3f179bc25f4b5bed2b9d9"
    sent = stun.permit(transaction, ip_address("2001:db8:1234:5678:11:2233:4455:6677"), login)
    assert bytes.fromhex("0002" + "2112" + masked) in sent


def test_a_refusal_is_read_with_what_is_needed_to_try_again() -> None:
    body = bytes.fromhex("0009000400000401") + b"\x00\x14\x00\x05realm\0\0\0" + b"\x00\x15\x00\x04once"
    message = b"\x01\x13" + len(body).to_bytes(2) + bytes.fromhex("2112a442") + bytes(12) + body
    answer = stun.read(message)
    assert answer == stun.Answer(bytes(12), 401, b"realm", b"once")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        _RFC_5769,  # a request
        b"\x01\x01\x00\x04\x21\x12\xa4\x42" + bytes(12),  # shorter than it says
        b"\x01\x01\x00\x00\x21\x12\xa4\x43" + bytes(12),  # another cookie
    ],
)
def test_what_is_no_answer_of_stun_is_none(message: bytes) -> None:
    assert stun.read(message) is None
