"""The body of how the connections of a call are."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from control_api.schema_types import moment_or_none
from rooms import IpFamily, LayerNow, LegQuality, QualityWord


class PictureBody(BaseModel):
    """Which layer of somebody's picture goes to a person now."""

    identity: str = Field(description="Who publishes it.", examples=["host-1"])
    source: str = Field(examples=["camera"])
    layer: int | None = Field(description="0: the lowest; null: nothing of it goes to them.", examples=[1])
    layers: int = Field(description="How many there are.", examples=[3])

    @classmethod
    def of(cls, picture: LayerNow) -> PictureBody:
        """Write a picture."""
        return cls(
            identity=picture.identity, source=picture.source, layer=picture.layer, layers=picture.layers
        )


class LegQualityBody(BaseModel):
    """One connection. Up is from the client to the server; figures are of the last five seconds or so."""

    connection: str = Field(
        description="The name that `connection.*` events have it by.", examples=["PA_9LK29ZfWwZbxus"]
    )
    identity: str = Field(examples=["patient-1"])
    group: str | None = Field(
        description="The sub-group whose call they are in; null: the room's own.", examples=[None]
    )
    path: str = Field(description="The kind of path that media takes; more may come.", examples=["udp"])
    family: IpFamily
    loss_up: float | None = Field(
        description="Share of the packets lost, 0 to 1; null where none were sent.", examples=[0.012]
    )
    loss_down: float | None = Field(examples=[0.0])
    rtt_seconds: float | None = Field(description="Round trip; null while unknown.", examples=[0.0384])
    kbps_up: float | None = Field(
        description="RTP payload, kbit/s; null in the first seconds.", examples=[812.5]
    )
    kbps_down: float | None = Field(examples=[640.0])
    pictures: list[PictureBody] = Field(description="One for each picture they are subscribed to.")
    audio_only: bool = Field(description="Pictures neither come from them nor go to them.", examples=[False])
    quality: QualityWord | None = Field(description="As clients are told; null before that.")
    score: float | None = Field(
        description="Behind it: 1 (bad) to 5 (perfect), 0 where nothing is heard.", examples=[4.3]
    )
    since: datetime | None = Field(
        description="Since when that has been the quality.", examples=["2031-05-06T07:03:20Z"]
    )

    @classmethod
    def of(cls, leg: LegQuality) -> LegQualityBody:
        """Write a connection."""
        figures = leg.figures
        return cls(
            connection=leg.leg,
            identity=leg.identity,
            group=leg.group,
            path=leg.path,
            family=leg.family,
            loss_up=_rounded(figures.loss_up, 4),
            loss_down=_rounded(figures.loss_down, 4),
            rtt_seconds=_rounded(figures.rtt_seconds, 4),
            kbps_up=_rounded(figures.kbps_up, 1),
            kbps_down=_rounded(figures.kbps_down, 1),
            pictures=[PictureBody.of(one) for one in leg.pictures],
            audio_only=leg.audio_only,
            quality=leg.word,
            score=_rounded(leg.score, 2),
            since=moment_or_none(leg.since),
        )


class QualityBody(BaseModel):
    """Every connection of a call."""

    items: list[LegQualityBody]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
