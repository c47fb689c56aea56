"""What is said on the channel of a connection test, version 1 (docs/connection-test.md)."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import StringConstraints

from signalling.words import Body, Nothing

VERSION = 1
LEG_NAME_MAX = 16

LegName = Annotated[str, StringConstraints(pattern=rf"^[A-Za-z0-9_-]{{1,{LEG_NAME_MAX}}}$")]
Mid = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,16}$")]


class Offer(Body):
    """A session description of one leg; the first one makes the leg."""

    leg: LegName
    sdp: str
    audio: Mid | None = None
    """The section in which the client sends sound; one that was named once stays."""
    video: Mid | None = None


class OfLeg(Body):
    """About one leg."""

    leg: LegName


CLIENT_SAYS: Mapping[str, type[Body]] = {
    "ping": Nothing,
    "offer": Offer,
    "figures": OfLeg,
    "hang_up": OfLeg,
    "bye": Nothing,
}
"""What a client may say once the server is ready, with the fields of each."""
