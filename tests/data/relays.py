"""Writes a relay's files for the stored settings anew; look at the difference before you commit it."""

from pathlib import Path

from colloque.config import load
from colloque.deployment import deployment
from turn_config.coturn import OLDEST, CoturnVersion, drop_in, relay_rules, turnserver_conf

FOLDER = Path(__file__).parent / "turn"


def files() -> dict[str, str]:
    """Make the first host's files of the three, by the names under which they are stored."""
    found = deployment(load(FOLDER / "colloque.toml", {}))
    here = found.relays[0]
    return {
        "turnserver.conf": turnserver_conf(found, here, OLDEST),
        "turnserver-4.17.1.conf": turnserver_conf(found, here, CoturnVersion(4, 17, 1)),
        "relay.nft": relay_rules(found, here),
        "coturn.service.d.conf": drop_in(found),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text)
