"""The deployment of a region: three hosts in a DMZ, each with calls and a relay, in both families."""

from datetime import date
from ipaddress import ip_address

from turn_config import Deployment, FirewallSettings, Host, MediaAddress, TurnSettings

SECRET = "a-relay-secret-of-the-tests-that-is-long"
TODAY = date(2026, 11, 25)

REGIONAL = Deployment(
    public_url="https://visio.region.example",
    media_port=10000,
    media_addresses=(
        MediaAddress(ip_address("10.20.0.1"), ip_address("192.0.2.1")),
        MediaAddress(ip_address("2001:db8:20::1"), ip_address("2001:db8:20::1")),
    ),
    named_hosts=tuple(
        Host.model_validate(
            {
                "name": f"visio{number}.region.example",
                "ipv4": {"public": f"192.0.2.{number}", "dmz": f"10.20.0.{number}"},
                "ipv6": {"public": f"2001:db8:20::{number}"},
            }
        )
        for number in (1, 2, 3)
    ),
    turn=TurnSettings.model_validate({"mode": "external", "secrets": [SECRET]}),
    firewall=FirewallSettings(seats=10, contact="support@region.example, 01 02 03 04 05"),
)
