"""Which setting is named when media cannot start."""

import errno

import pytest

from colloque.ports import media_reason


@pytest.mark.parametrize(
    ("number", "setting"),
    [
        (errno.EADDRINUSE, "media.udp_port"),
        (errno.EADDRNOTAVAIL, "media.addresses"),
        (errno.EMFILE, "media"),
    ],
)
def test_the_setting_to_be_put_right_and_the_address_are_named(number: int, setting: str) -> None:
    said = "cannot bind UDP 192.0.2.7:10000: for some reason"
    assert media_reason(OSError(number, said)) == f"{setting}: {said}"
