"""The bodies of connection tests: how one is asked for and opened, and what comes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from control_api.probe_result_schemas import ProbeResultBody
from control_api.schema_types import WEEK_MINUTES, ChosenId, Strict, moment, moment_or_none
from rooms import (
    Advice,
    AdviceCode,
    ConnectionTest,
    ConnectionTestState,
    Judgement,
    ProbeTicket,
    Verdict,
    VerdictReason,
)

Secret = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class ConnectionTestRequest(Strict):
    """A connection test to be made: for a participant, for a room, or for nobody in particular."""

    room: ChosenId | None = Field(default=None, examples=["rdv-2031"])
    identity: ChosenId | None = Field(
        default=None, description="A participant of the room.", examples=["p-17"]
    )
    valid_minutes: int = Field(
        default=1440, ge=5, le=WEEK_MINUTES, description="How long the test may be done and done again."
    )


class AdviceBody(BaseModel):
    """One thing to do."""

    code: AdviceCode = Field(examples=["open_udp_media"])
    ports: list[str] = Field(description="To be opened, where it is about ports.", examples=[["10000/udp"]])

    @classmethod
    def of(cls, advice: Advice) -> AdviceBody:
        """Write a piece of advice."""
        return cls(code=advice.code, ports=list(advice.ports))


class VerdictBody(BaseModel):
    """What kind of call is possible."""

    verdict: Verdict
    reason: VerdictReason = Field(description="Why no better one.", examples=["udp_open"])
    advice: list[AdviceBody] = Field(description="What to do, the most important first.")

    @classmethod
    def of(cls, judged: Judgement) -> VerdictBody:
        """Write a verdict."""
        return cls(
            verdict=judged.verdict,
            reason=judged.reason,
            advice=[AdviceBody.of(one) for one in judged.advice],
        )


class ConnectionTestBody(BaseModel):
    """A connection test, and what came of it."""

    id: str = Field(examples=["test_2gfwqd2vqmyxvurdtgqg3dqnli"])
    state: ConnectionTestState = Field(
        description="`open` until a result comes, which may come again; `expired` if none came in time.",
        examples=["finished"],
    )
    room: str | None = Field(examples=["rdv-2031"])
    identity: str | None = Field(examples=["p-17"])
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None = Field(description="When the newest result came.")
    verdict: Verdict | None = Field(description="null as long as there is no result, like the next ones.")
    reason: VerdictReason | None = Field(description="Why no better one.", examples=["udp_open"])
    advice: list[AdviceBody] | None = Field(description="What to do, the most important first.")
    result: ProbeResultBody | None
    url: str | None = Field(
        description="The page that does the test; shown once, when it is made.",
        examples=["https://visio.example/t/mxptodmdhr2crx6xm7bhcc6nmi"],
    )

    @classmethod
    def of(cls, test: ConnectionTest, *, url: str | None = None) -> ConnectionTestBody:
        """Write a test."""
        return cls(
            id=test.id,
            state=test.state,
            room=test.room_id,
            identity=test.identity,
            created_at=moment(test.created_at),
            expires_at=moment(test.expires_at),
            finished_at=moment_or_none(test.finished_at),
            verdict=test.verdict,
            reason=test.reason,
            advice=None if test.verdict is None else [AdviceBody.of(one) for one in test.advice],
            result=None if test.result is None else ProbeResultBody.model_validate(test.result),
            url=url,
        )


class ConnectionTestPage(BaseModel):
    """Some connection tests, the newest first."""

    items: list[ConnectionTestBody]
    next: str | None = Field(description="Give it as `cursor` to go on; null at the end.", examples=[None])


class ProbeRequest(Strict):
    """What the holder of a test's address or of an appointment's link shows: one of the two."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"test": "mxptodmdhr2crx6xm7bhcc6nmi"}]})

    test: Secret | None = Field(
        default=None,
        description="The last part of a test's address.",
        examples=["mxptodmdhr2crx6xm7bhcc6nmi"],
    )
    link: Secret | None = Field(
        default=None,
        description="The last part of a link's address, of a room that is not over; makes a test.",
        examples=["hk3v7c2mkaq4xwy5tb6rmxptod"],
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.test is None) == (self.link is None):
            raise ValueError("either test or link, not both")
        return self


class ProbeTicketBody(BaseModel):
    """A token that opens a connection test and nothing else."""

    id: str = Field(description="Of the test.", examples=["test_2gfwqd2vqmyxvurdtgqg3dqnli"])
    token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.…"])
    ws_url: str = Field(description="The channel that tests.", examples=["wss://visio.example/probe"])
    expires_at: datetime

    @classmethod
    def of(cls, ticket: ProbeTicket, ws_url: str) -> ProbeTicketBody:
        """Write a token."""
        expires_at = datetime.fromtimestamp(int(ticket.expires_at), tz=UTC)
        return cls(id=ticket.test_id, token=ticket.token, ws_url=ws_url, expires_at=expires_at)


class ProbeReportRequest(Strict):
    """What a connection test found."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=8192)] = Field(
        description="The one with which the test was done.", examples=["eyJhbGciOiJIUzI1NiJ9.…"]
    )
    result: ProbeResultBody
