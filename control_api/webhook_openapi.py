"""The `webhooks` section of the OpenAPI file: what receivers are sent, by type, with an example each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_api.event_data import DATA_MODELS
from control_api.event_schemas import EventBody
from control_api.webhook_schemas import WebhookTestBody
from rooms import EVENT_TYPES

if TYPE_CHECKING:
    from pydantic import BaseModel

TOLD_MODELS: tuple[type[BaseModel], ...] = (
    EventBody,
    *dict.fromkeys(DATA_MODELS.values()),
    WebhookTestBody,
)
_REFERENCE = "#/components/schemas/{}"
_AT = "2031-05-06T09:00:00Z"
_ID = "evt_c4qzl5bq2mxk7rtv3n6ygdh2wa"
_EXAMPLES: dict[str, dict[str, Any]] = {
    "RoomMovedData": {"before": "waiting", "state": "in_progress", "cause": "media"},
    "RoomDeletedData": {"before": "finished", "cause": "api"},
    "ConnectionOpenedData": {"connection": "PA_x", "identity": "patient-7", "role": "patient"},
    "ConnectionMediaData": {
        "connection": "PA_x",
        "identity": "patient-7",
        "path": "udp",
        "family": "ipv4",
    },
    "ConnectionDegradedData": {
        "connection": "PA_x",
        "identity": "patient-7",
        "reason": "loss",
        "score": 2.1,
    },
    "ConnectionRecoveredData": {"connection": "PA_x", "identity": "patient-7", "seconds": 42.5},
    "ConnectionPathData": {
        "connection": "PA_x",
        "identity": "patient-7",
        "path": "udp",
        "family": "ipv4",
    },
    "ConnectionClosedData": {
        "connection": "PA_x",
        "identity": "patient-7",
        "role": "patient",
        "reason": "left",
        "had_media": True,
        "seconds": 912.4,
    },
    "NodeDrainingData": {"node": "node"},
    "RoomUpdatedData": {"cause": "api"},
    "PersonUpdatedData": {"identity": "patient-1", "role": "patient", "cause": "api"},
    "AudioOnlyData": {"cause": "api"},
    "GroupData": {"group": "GR_x", "cause": "host", "by": "dr-martin"},
    "AnnouncedData": {"cause": "api", "by": None},
    "RatingData": {"identity": "patient-7", "score": 4, "reasons": ["video_frozen"]},
    "ConnectionTestData": {
        "id": "test_x",
        "identity": "patient-7",
        "verdict": "video_good",
        "reason": "relay_only",
    },
    "PersonDecidedData": {"identity": "patient-7", "role": "patient", "cause": "host"},
    "PersonMovedData": {
        "identity": "patient-7",
        "from_group": None,
        "to_group": "GR_x",
        "to_room": None,
        "cause": "host",
        "by": "dr-martin",
    },
}
_STATES = {"room.reopened": "planned"}


def describe_webhooks() -> dict[str, Any]:
    """Write the section as a JSON value."""
    described: dict[str, Any] = {
        type_: _told(type_, _event_schema(type_), _example(type_)) for type_ in EVENT_TYPES
    }
    test = {"id": _ID, "type": "webhook.test", "occurred_at": _AT, "data": {"webhook": "wh_x"}}
    reference = {"$ref": _REFERENCE.format(WebhookTestBody.__name__)}
    return {**described, "webhook.test": _told("webhook.test", reference, test)}


def _told(type_: str, schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {
        "post": {
            "operationId": "on_" + type_.replace(".", "_"),
            "summary": type_,
            "description": "Signed as Standard Webhooks says. Answer within ten seconds, work afterwards.",
            "security": [],
            "parameters": [
                _header("webhook-id", "The `id` of the event: the same at every attempt."),
                _header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
                _header("webhook-signature", "`v1,` and a signature; two, with a space, during a rotation."),
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema, "example": example}},
            },
            "responses": {
                "2XX": {"description": "Taken; the next event of the room may come."},
                "410": {"description": "Not wanted any more: the webhook is disabled."},
                "default": {"description": "Try again later; `Retry-After` is honoured up to an hour."},
            },
        }
    }


def _header(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def _event_schema(type_: str) -> dict[str, Any]:
    own: dict[str, Any] = {"type": {"const": type_}}
    if type_ in DATA_MODELS:
        own["data"] = {"$ref": _REFERENCE.format(DATA_MODELS[type_].__name__)}
    reference = {"$ref": _REFERENCE.format(EventBody.__name__)}
    return {"allOf": [reference, {"type": "object", "properties": own}]}


def _example(type_: str) -> dict[str, Any]:
    model = DATA_MODELS.get(type_)
    data = dict(_EXAMPLES[model.__name__]) if model is not None else {}
    if "state" in data:
        data["state"] = _STATES.get(type_, type_.removeprefix("room."))
    return {
        "id": _ID,
        "type": type_,
        "room": "rdv-2031",
        "sid": "RM_4ydw2vxw5lqk2jmn7rqz3tbaoe",
        "seq": 3,
        "position": 1207,
        "occurred_at": "2031-05-06T09:00:00Z",
        "data": data,
    }
