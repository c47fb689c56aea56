"""Webhooks: make, list, read, change, delete; new secrets, tests, redelivery, dead letters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from yarl import URL

from control_api.body import patched
from control_api.idempotency import once, reply
from control_api.operations import Call, Operation, Query, Reply, tag, wanted_version
from control_api.paging import LIMIT, next_page, read_limit, read_number_cursor, write_cursor
from control_api.problems import FieldError, Problem
from control_api.schema_types import moment
from control_api.webhook_schemas import (
    DeadLetterBody,
    DeadLetterPage,
    RedeliveryBody,
    RedeliveryRequest,
    RotationRequest,
    WebhookBody,
    WebhookListBody,
    WebhookRequest,
    WebhookResultBody,
    WebhookSecretBody,
    WebhookTestBody,
)
from rooms import Answer
from rooms.ids import new_event_id

if TYPE_CHECKING:
    from rooms import Webhook

_WEBHOOK = "/v1/webhooks/{webhook}"
_NEVER_STORED = {"Cache-Control": "no-store"}


async def create_webhook(call: Call) -> Reply:
    """Have events told to a URL from now on; the answer holds the secret, which is not shown again."""
    request: WebhookRequest = call.body
    _check_target(call, request)
    repeated = once(call, f"POST /v1/webhooks\n{request.model_dump_json()}", _created)
    made = await call.rooms.webhooks.create(call.tenant, request.draft(), now=call.now, once=repeated)
    return reply(made, _created)


def _created(made: tuple[Webhook, str]) -> Answer:
    webhook, secret = made
    headers = {**_NEVER_STORED, "ETag": _tag(webhook), "Location": f"/v1/webhooks/{webhook.id}"}
    return Answer(201, headers, WebhookSecretBody.with_secret(webhook, secret).model_dump_json())


async def list_webhooks(call: Call) -> Reply:
    """List all webhooks."""
    found = await call.rooms.webhooks.list(call.tenant)
    return Reply(200, WebhookListBody(items=[WebhookBody.of(one) for one in found]))


async def get_webhook(call: Call) -> Reply:
    """Read a webhook."""
    return _webhook(await call.rooms.webhooks.get(call.tenant, call.path["webhook"]))


async def patch_webhook(call: Call) -> Reply:
    """Change a webhook by a JSON merge patch; enabled again, it goes on where it stopped."""
    webhook = await call.rooms.webhooks.get(call.tenant, call.path["webhook"])
    version = wanted_version(call, webhook.id)
    body = json.loads(WebhookBody.of(webhook).model_dump_json())
    current = {name: body[name] for name in WebhookRequest.model_fields}
    request = patched(WebhookRequest, current, call.body)
    _check_target(call, request)
    changed = await call.rooms.webhooks.replace(
        call.tenant,
        webhook.id,
        request.draft(),
        now=call.now,
        if_version=webhook.version if version is None else version,
    )
    return _webhook(changed)


async def delete_webhook(call: Call) -> Reply:
    """End a webhook; what it was still to be told, and its dead letters, are forgotten."""
    await call.rooms.webhooks.delete(call.tenant, call.path["webhook"])
    return Reply(204)


async def rotate_webhook_secret(call: Call) -> Reply:
    """Make a new secret; for a while deliveries bear the signatures of both, so that nothing is lost."""
    request: RotationRequest = call.body
    webhook_id = call.path["webhook"]
    what = f"POST /v1/webhooks/{webhook_id}/rotate-secret\n{request.model_dump_json()}"
    made = await call.rooms.webhooks.rotate_secret(
        call.tenant,
        webhook_id,
        now=call.now,
        overlap_seconds=request.overlap_seconds,
        once=once(call, what, _rotated),
    )
    return reply(made, _rotated)


def _rotated(made: tuple[Webhook, str]) -> Answer:
    webhook, secret = made
    headers = {**_NEVER_STORED, "ETag": _tag(webhook)}
    return Answer(200, headers, WebhookSecretBody.with_secret(webhook, secret).model_dump_json())


async def test_webhook(call: Call) -> Reply:
    """Send a `webhook.test` at once, enabled or not, and say how it ended; it is not tried again."""
    webhook_id = call.path["webhook"]
    signing = await call.rooms.webhooks.signing(call.tenant, webhook_id, now=call.now)
    message = WebhookTestBody(
        id=new_event_id(),
        occurred_at=moment(call.now),
        data={"webhook": webhook_id},
    )
    tested = await call.courier.test(webhook_id, signing, message.id, message.model_dump_json())
    if tested is None:
        raise Problem("busy", "too many tests at once", headers={"Retry-After": "2"})
    outcome, seconds = tested
    result = WebhookResultBody(
        delivered=outcome.code == "delivered",
        outcome=outcome.code,
        status=outcome.status,
        milliseconds=round(seconds * 1000),
        event=message.id,
    )
    return Reply(200, result)


async def redeliver(call: Call) -> Reply:
    """Tell events once more: all after a position in order, or single ones, dead letters or not."""
    request: RedeliveryRequest = call.body
    webhook_id, missed = call.path["webhook"], False
    if request.after is not None:
        whole = await call.rooms.webhooks.redeliver_after(
            call.tenant, webhook_id, request.after, now=call.now
        )
        missed = not whole
    elif request.events is not None:
        await call.rooms.webhooks.redeliver_events(call.tenant, webhook_id, request.events, now=call.now)
    return Reply(202, RedeliveryBody(missed=missed))


async def list_dead_letters(call: Call) -> Reply:
    """List the events that were given up after a day of failures; `redeliver` sends them again."""
    cursor = call.query.get("cursor")
    limit = read_limit(call.query.get("limit"))
    found = await call.rooms.webhooks.dead_letters(
        call.tenant,
        call.path["webhook"],
        after=0 if cursor is None else read_number_cursor(cursor),
        limit=limit + 1,
    )
    shown = found[:limit]
    following = write_cursor(shown[-1].event.position) if len(found) > limit else None
    page = DeadLetterPage(items=[DeadLetterBody.of(one) for one in shown], next=following)
    path = f"/v1/webhooks/{call.path['webhook']}/dead-letters"
    return Reply(200, page, next_page(path, call.query, following))


OPERATIONS = (
    Operation(
        "POST",
        "/v1/webhooks",
        create_webhook,
        "Make a webhook",
        "ops",
        body=WebhookRequest,
        answer=WebhookSecretBody,
        status=201,
        refusals=("full",),
        gives=("ETag", "Location"),
        makes={"webhook": "$response.body#/id"},
        idempotent_by_key=True,
    ),
    Operation("GET", "/v1/webhooks", list_webhooks, "List webhooks", "events:read", answer=WebhookListBody),
    Operation(
        "GET", _WEBHOOK, get_webhook, "Read a webhook", "events:read", answer=WebhookBody, gives=("ETag",)
    ),
    Operation(
        "PATCH",
        _WEBHOOK,
        patch_webhook,
        "Change a webhook",
        "ops",
        body=WebhookRequest,
        merge_patch=True,
        answer=WebhookBody,
        versioned=True,
        gives=("ETag",),
    ),
    Operation("DELETE", _WEBHOOK, delete_webhook, "Delete a webhook", "ops", status=204),
    Operation(
        "POST",
        f"{_WEBHOOK}/rotate-secret",
        rotate_webhook_secret,
        "Make a new secret for a webhook",
        "ops",
        body=RotationRequest,
        body_optional=True,
        answer=WebhookSecretBody,
        idempotent_by_key=True,
    ),
    Operation("POST", f"{_WEBHOOK}/test", test_webhook, "Test a webhook", "ops", answer=WebhookResultBody),
    Operation(
        "POST",
        f"{_WEBHOOK}/redeliver",
        redeliver,
        "Tell events once more",
        "ops",
        body=RedeliveryRequest,
        answer=RedeliveryBody,
        status=202,
        refusals=("invalid-transition",),
    ),
    Operation(
        "GET",
        f"{_WEBHOOK}/dead-letters",
        list_dead_letters,
        "List dead letters",
        "events:read",
        answer=DeadLetterPage,
        query=(
            Query("cursor", "Where the last page ended."),
            Query("limit", "Dead letters a page.", LIMIT),
        ),
        gives=("Link",),
    ),
)


def _webhook(webhook: Webhook) -> Reply:
    return Reply(200, WebhookBody.of(webhook), {"ETag": _tag(webhook)})


def _tag(webhook: Webhook) -> str:
    return tag(webhook.version, webhook.id)


def _check_target(call: Call, request: WebhookRequest) -> None:
    try:
        refusal = call.courier.targets.refusal(URL(request.url))
    except ValueError:
        refusal = "is not a URL"
    if refusal is not None:
        raise Problem("invalid-field", f"url: {refusal}", errors=(FieldError("/url", "invalid", refusal),))
