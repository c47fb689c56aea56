"""The complete `turnserver.conf` of one host."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from turn_config.coturn.wanted import wanted

if TYPE_CHECKING:
    from turn_config.coturn.version import CoturnVersion
    from turn_config.deployment import Deployment
    from turn_config.settings import Host

_WIDTH = 100
_HEAD = (
    "For coturn {version} on {host}, as the settings of Colloque want it. Made by `colloque turn coturn`:"
    " change the settings and write it again; `colloque turn check` compares. It holds secrets: readable by"
    " root alone."
)


def turnserver_conf(deployment: Deployment, host: Host, version: CoturnVersion) -> str:
    """Write the file for coturn of this release on this host, which must be one of the relays."""
    blocks = [_comment(_HEAD.format(version=version, host=host.name))]
    blocks += [
        "\n".join([_comment(group.why), *(str(entry) for entry in group.entries)])
        for group in wanted(deployment, host, version)
    ]
    return "\n\n".join(blocks) + "\n"


def _comment(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
