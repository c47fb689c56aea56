"""The firewall sheet on the admin listener, made of the running settings at each request."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from turn_config.firewall import LANGUAGES, Form, Language, firewall_sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from turn_config import Deployment

_TYPES = {Form.HTML: "text/html", Form.JSON: "application/json", Form.CSV: "text/csv"}


class FirewallPage:
    """Answers with the sheet in the language that is asked for, else in French."""

    def __init__(self, deployment: Callable[[], Deployment]) -> None:
        """Ask for the deployment each time, since a signal may have changed it."""
        self._deployment = deployment

    def routes(self) -> list[web.RouteDef]:
        """Give one address for each form that a site gets."""
        return [
            web.get("/firewall.html", self._html),
            web.get("/firewall.json", self._json),
            web.get("/firewall.csv", self._csv),
        ]

    async def _html(self, request: web.Request) -> web.Response:
        return self._answer(request, Form.HTML)

    async def _json(self, request: web.Request) -> web.Response:
        return self._answer(request, Form.JSON)

    async def _csv(self, request: web.Request) -> web.Response:
        return self._answer(request, Form.CSV)

    def _answer(self, request: web.Request, form: Form) -> web.Response:
        asked = request.query.get("lang")
        known = {str(one): one for one in LANGUAGES}
        if asked is not None and asked not in known:
            return web.Response(status=400, text=f"lang: must be one of {', '.join(known)}\n")
        language = known[asked] if asked else preferred(request.headers.get("Accept-Language", ""))
        today = datetime.now().astimezone().date()
        return web.Response(
            text=firewall_sheet(self._deployment(), form, language, today=today),
            content_type=_TYPES[form],
            charset="utf-8",
            headers={
                "Content-Language": language,
                "Vary": "Accept-Language",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )


def preferred(accepted: str) -> Language:
    """Choose a language by an Accept-Language header (RFC 9110, 12.5.4); French where it names none."""
    weights: dict[Language, float] = {}
    for part in accepted.split(","):
        tag, _, parameters = part.partition(";")
        prefix = tag.strip().lower().partition("-")[0]
        for language in LANGUAGES:
            if prefix == language:
                weights[language] = max(weights.get(language, 0.0), _weight(parameters))
    best = max(weights, key=lambda one: weights[one], default=LANGUAGES[0])
    return best if weights.get(best) else LANGUAGES[0]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
