"""Which changes of the settings a running server takes up."""

import pytest

from colloque.server import needing_restart
from colloque.settings import Settings


def changed(**sections: object) -> Settings:
    return Settings.model_validate(sections)


@pytest.mark.parametrize(
    ("new", "named"),
    [
        (changed(), []),
        (changed(rooms={"create_on_join": True}, logging={"level": "error"}), []),
        (changed(server={"trusted_proxies": ["10.0.0.0/8"]}), []),
        (changed(api_keys=[{"key": "k", "secret": "x" * 32}]), []),
        (changed(limits={"links_per_room": 1, "api_requests_per_minute_per_key": 1}), []),
        (changed(media={"udp_port": 1}), ["media.udp_port"]),
        (changed(store={"url": "sqlite:///x"}), ["store.url"]),
        (
            changed(server={"listen": "127.0.0.1:1", "public_url": "https://a.example"}, limits={"calls": 1}),
            ["server.public_url", "server.listen", "limits.calls"],
        ),
    ],
)
def test_what_is_read_only_at_the_start_is_named(new: Settings, named: list[str]) -> None:
    assert needing_restart(Settings(), new) == named
