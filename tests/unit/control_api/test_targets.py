"""Where webhooks may go: nowhere that is not on the list, and to no address that is not public or listed."""

import pytest
from yarl import URL

from control_api.webhooks import Targets, checked_entry

LIST = Targets(
    [
        "portal.example",
        "*.hospital.example",
        "https://other.example:8443",
        "http://plain.example",
        "http://any.example:*",
        "http://10.1.2.3:8080",
        "10.20.0.0/16",
        "127.0.0.0/8",
        "fd00:1::/32",
    ]
)


@pytest.mark.parametrize(
    "target",
    [
        "https://portal.example",
        "https://PORTAL.example:443/events?key=1",
        "https://a.hospital.example/",
        "https://a.b.hospital.example/",
        "https://other.example:8443/",
        "http://plain.example/",
        "http://any.example:81/",
        "http://10.1.2.3:8080/x",
        "https://10.20.3.4:9000/",
        "http://127.0.0.1:5000/",
        "https://[fd00:1::5]/",
    ],
)
def test_what_is_listed_may_be_called(target: str) -> None:
    assert LIST.refusal(URL(target)) is None


@pytest.mark.parametrize(
    "target",
    [
        "http://portal.example/",
        "https://portal.example:444/",
        "https://portal.example./",
        "https://hospital.example/",
        "https://evilhospital.example/",
        "https://other.example/",
        "https://plain.example/",
        "https://any.example:81/",
        "http://10.1.2.3/",
        "https://10.1.2.3:8080/",
        "http://10.20.3.4/",
        "https://10.21.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[fd00:2::5]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[fe80::1%25eth0]/",
        "https://portal.example@evil.example/",
        "https://u@portal.example/",
        "file:///etc/passwd",
        "//portal.example/",
        "/events",
    ],
)
def test_what_is_not_listed_may_not(target: str) -> None:
    assert LIST.refusal(URL(target)) is not None


def test_an_empty_list_allows_nothing() -> None:
    assert Targets().refusal(URL("https://portal.example/")) is not None


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "2606:2800:220:1:248:1893:25c8:1946",
        "10.20.255.1",
        "10.1.2.3",
        "127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.20.0.1",
        "64:ff9b::5db8:d822",
        "fd00:1::1",
    ],
)
def test_public_and_listed_addresses_may_be_connected_to(address: str) -> None:
    assert LIST.allows_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "10.1.2.4",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "192.0.2.1",
        "198.18.0.1",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:2::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::",
        "2002:7f00:1::1",
        "2001:0:0:0:0:0:f5ff:fffe",
        "2001:db8::1",
        "::127.0.0.1",
        "portal.example",
        "",
    ],
)
def test_no_other_address_may_whatever_it_is_written_as(address: str) -> None:
    assert not Targets(["10.1.2.3", "10.20.0.0/16", "fd00:1::/32"]).allows_address(address)


@pytest.mark.parametrize(
    "entry",
    ["", "*", "https://", "ftp://a.example", "https://a.example/x", "a.example/", "u@a.example", "10.0.0.1/8",
     "a.*.example", "*.*.example", "a.example:port", "a.example:99999", "https://a.example?x"],
)  # fmt: skip
def test_an_entry_that_means_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        checked_entry(entry)
