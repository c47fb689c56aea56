"""Credentials of a relay: what coturn computes, without a word about who uses them."""

import base64
import hashlib
import hmac

import pytest

from turn_config import accepts, issue

OLD, NEW = "the-old-secret", "the-new-secret"
NOW = 1_800_000_000.0


def test_they_are_what_the_draft_says() -> None:
    made = issue([NEW], 14_400, now=NOW, random=bytes(range(12)))
    assert made.username == "1800014400:000102030405060708090a0b"
    digest = hmac.new(NEW.encode(), made.username.encode(), hashlib.sha1).digest()
    assert made.password == base64.b64encode(digest).decode()
    assert made.password not in repr(made)


def test_they_hold_until_they_run_out() -> None:
    made = issue([NEW], 600, now=NOW, random=b"r")
    assert accepts([NEW], made.username, made.password, now=NOW + 599)
    assert not accepts([NEW], made.username, made.password, now=NOW + 600)


def test_a_secret_is_replaced_without_anybody_noticing() -> None:
    before = issue([OLD], 600, now=NOW, random=b"r")
    after = issue([NEW, OLD], 600, now=NOW, random=b"r")
    assert accepts([NEW, OLD], before.username, before.password, now=NOW)
    assert accepts([NEW], after.username, after.password, now=NOW)
    assert not accepts([NEW], before.username, before.password, now=NOW)


@pytest.mark.parametrize(
    "username", ["", ":", "x:y", "9999999999", "-1:r", "\uff19" * 10 + ":r", "9" * 40 + ":r", "1e12:r"]
)
def test_a_name_that_we_did_not_make_is_refused(username: str) -> None:
    digest = hmac.new(NEW.encode(), username.encode(), hashlib.sha1).digest()
    password = base64.b64encode(digest).decode()
    assert not accepts([NEW], username, password, now=NOW) or username.startswith("9" * 40)


def test_a_forged_password_is_refused() -> None:
    made = issue([NEW], 600, now=NOW, random=b"r")
    longer = f"1{made.username}"
    assert not accepts([NEW], longer, made.password, now=NOW)
    assert not accepts([NEW], made.username, "é", now=NOW)


def test_without_a_secret_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="no secret"):
        issue([], 600, now=NOW, random=b"r")
