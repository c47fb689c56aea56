"""How every state of the page looks: the pictures in tests/screenshots, which are there to be looked at."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Route, WebSocketRoute, expect

from tests.support.consultation import Consultation
from tests.support.gallery import PAIRS, shoot_call, shoot_page
from tests.support.management import Management
from tests.support.page_scripts import (
    NO_PEER_CONNECTIONS,
    NOT_SECURE,
    SOUND_ON_REQUEST,
    UNANSWERED_QUESTION,
)
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen, Visitor

pytestmark = pytest.mark.timeout(90)  # up to four browsers: 24 s in a quiet hour, twice that in a busy one


@dataclass(frozen=True, slots=True)
class Words:
    """What the controls are called in one language."""

    more: str
    shortcuts: str
    devices: str
    second: str
    close: str


WORDS = {
    "fr": Words(
        more="Plus de commandes",
        shortcuts="Raccourcis du clavier",
        devices="Caméra, micro, haut-parleur",
        second="Ajouter une deuxième caméra",
        close="Fermer",
    ),
    "en": Words(
        more="More controls",
        shortcuts="Keyboard shortcuts",
        devices="Camera, microphone, speaker",
        second="Add a second camera",
        close="Close",
    ),
}

LANGUAGES = pytest.mark.parametrize("language", ["fr-FR", "en-GB"], ids=["fr", "en"])


def answer(status: int, body: object) -> Callable[[Route], Awaitable[None]]:
    async def fulfil(route: Route) -> None:
        await route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(body))

    return fulfil


REFUSALS: dict[str, tuple[int, dict[str, object]]] = {
    "not-found": (404, {}),
    "too-early": (403, {"room": {"starts_at": 4_000_000_000, "opens_at": 3_999_999_000}}),
    "too-late": (403, {"room": {"closes_at": 1_700_000_000}}),
    "cancelled": (403, {"code": "too-late", "room": {"state": "cancelled"}}),
    "revoked": (403, {}),
    "not-admitted": (403, {}),
    "full": (409, {}),
    "rate-limited": (429, {}),
    "draining": (503, {}),
    "broken": (500, {}),
}


@pytest.mark.parametrize("code", REFUSALS)
async def test_a_refusal(server: Server, arrive: Arrive, code: str) -> None:
    visitor = await arrive(server.url)
    status, body = REFUSALS[code]
    await visitor.page.route("**/v1/join/preview", answer(status, {"code": code, **body}))
    await visitor.page.goto(f"{server.url}/r/{'x' * 24}")
    await expect(visitor.page.locator(".big-icon")).to_be_visible()
    await shoot_page(visitor, f"refused-{code}", PAIRS)


async def test_a_service_out_of_reach(server: Server, arrive: Arrive) -> None:
    visitor = await arrive(server.url)
    await visitor.page.route("**/v1/join/preview", lambda route: route.abort())
    await visitor.page.goto(f"{server.url}/r/{'x' * 24}")
    await visitor.stands_at("Le service ne répond pas")
    await shoot_page(visitor, "refused-unreachable", PAIRS)


@pytest.mark.parametrize(
    ("name", "script"),
    [("webrtc", NO_PEER_CONNECTIONS), ("insecure", NOT_SECURE)],
    ids=["webrtc", "insecure"],
)
async def test_a_browser_that_cannot_call(server: Server, arrive: Arrive, name: str, script: str) -> None:
    visitor = await arrive(f"{server.url}/r/{'x' * 24}", script=script)
    await expect(visitor.page.locator(".big-icon")).to_be_visible()
    await shoot_page(visitor, f"unsupported-{name}", PAIRS)


async def test_the_start_page(server: Server, arrive: Arrive) -> None:
    visitor = await arrive(server.url)
    await shoot_page(visitor, "start")


async def test_the_link_page(consultation: Consultation, arrive: Arrive) -> None:
    visitor = await arrive(consultation.guest_url)
    await expect(visitor.page.locator("video.mirror")).to_be_visible()
    await shoot_page(visitor, "link")


async def test_the_link_page_while_the_browser_asks(consultation: Consultation, arrive: Arrive) -> None:
    visitor = await arrive(consultation.guest_url, script=UNANSWERED_QUESTION)
    await visitor.page.clock.install()
    await visitor.page.reload()
    await visitor.reads("Votre navigateur demande")
    await visitor.page.clock.fast_forward(10_500)
    await visitor.reads("Vous ne voyez pas la question")
    await shoot_page(visitor, "link-asking")


async def test_the_link_page_without_a_camera(
    consultation: Consultation, arrive: Arrive, refusing_browser: Browser
) -> None:
    visitor = await arrive(consultation.guest_url, browser=refusing_browser)
    await visitor.reads("Le navigateur bloque la caméra et le micro")
    await shoot_page(visitor, "link-refused")


async def test_the_ends_of_a_call(room_api: Management, consultation: Consultation, arrive: Arrive) -> None:
    clinician = await arrive(consultation.clinician_url)
    await clinician.enter()
    await clinician.press("Quitter")
    await clinician.stands_at("L’appel est terminé")
    await shoot_page(clinician, "ended-left")
    await clinician.press("Revenir dans l’appel")
    await clinician.enter()
    again = await arrive(consultation.clinician_url)
    await again.enter()
    await clinician.stands_at("L’appel est ouvert ailleurs")
    await shoot_page(clinician, "ended-elsewhere", PAIRS)
    await room_api.remove(consultation.room, "clinician")
    await again.stands_at("Vous ne faites plus partie de l’appel")
    await shoot_page(again, "ended-removed", PAIRS)
    guest = await arrive(consultation.guest_url)
    await guest.enter("Paul")
    await guest.reads("Personne d’autre n’est là pour l’instant.")
    await room_api.ask("DELETE", f"/v1/rooms/{consultation.room}")
    await guest.reads("La personne qui anime a mis fin à l’appel.")
    await shoot_page(guest, "ended-closed", PAIRS)


@LANGUAGES
async def test_a_call_that_connects(consultation: Consultation, arrive: Arrive, language: str) -> None:
    async def say_nothing(_: WebSocketRoute) -> None: ...

    visitor = await arrive(consultation.clinician_url, Screen(language=language))
    await visitor.page.route_web_socket("**/rtc**", say_nothing)
    await visitor.enter()
    await shoot_call(visitor, "call-connecting")
    await visitor.assert_accessible()


@LANGUAGES
async def test_a_call_of_two(consultation: Consultation, arrive: Arrive, language: str) -> None:
    clinician = await arrive(consultation.clinician_url, Screen(language=language))
    await clinician.enter()
    await expect(clinician.page.locator(".alone video")).to_be_visible()
    await shoot_call(clinician, "call-alone")
    patient = await arrive(consultation.guest_url, Screen(language=language), script=SOUND_ON_REQUEST)
    await patient.enter("Mme Durand")
    await clinician.sees("Mme Durand")
    await shoot_call(clinician, "call-two")
    await patient.sees("Dr Martin")
    await shoot_call(patient, "call-sound-blocked")
    await patient.page.keyboard.press("c")
    field = patient.page.locator(".composer textarea")
    await field.fill("Bonjour docteur, voici : https://example.org/ordonnance")
    await field.press("Enter")
    await clinician.page.keyboard.press("c")
    await expect(clinician.page.locator(".message")).to_be_visible()
    await shoot_call(clinician, "call-chat")
    await clinician.page.keyboard.press("Escape")
    await clinician.page.locator(".quality-button").click()
    await shoot_call(clinician, "call-quality")


@LANGUAGES
async def test_the_menu_and_windows_of_a_call(
    consultation: Consultation, arrive: Arrive, language: str
) -> None:
    words = WORDS[language[:2]]
    clinician = await arrive(consultation.clinician_url, Screen(language=language))
    await clinician.enter()
    await expect(clinician.page.locator(".alone video")).to_be_visible()
    await clinician.press(words.more)
    await shoot_call(clinician, "call-menu")
    await clinician.assert_accessible()
    await clinician.page.keyboard.press("Escape")
    for name, entry in (
        ("call-shortcuts", words.shortcuts),
        ("call-devices", words.devices),
        ("call-second-camera", words.second),
    ):
        await clinician.press(words.more)
        await clinician.press(entry)
        await shoot_call(clinician, name)
        await clinician.assert_accessible()
        await clinician.page.get_by_role("button", name=words.close, exact=True).click()


async def test_a_call_of_four(consultation: Consultation, arrive: Arrive) -> None:
    clinician = await arrive(consultation.clinician_url)
    await clinician.enter()
    guests: list[Visitor] = []
    for name in ("Mme Durand", "Paul", "Zoé"):
        guest = await arrive(consultation.guest_url, Screen(360, 640))
        await guest.enter(name)
        guests.append(guest)
    await guests[0].press("Lever la main")
    await guests[1].press("Éteindre la caméra")
    await guests[2].press("Couper le micro")
    await clinician.sees("Mme Durand")
    await clinician.sees("Zoé")
    await expect(clinician.tile("Paul")).to_contain_text("caméra éteinte")
    await shoot_call(clinician, "call-grid")
    await clinician.press("Plus de commandes")
    await clinician.press("Une personne en grand")
    await shoot_call(clinician, "call-speaker")
    await clinician.assert_accessible()
    await guests[0].turn(Screen())
    await guests[0].page.keyboard.press("s")
    await clinician.sees("Écran de Mme Durand")
    await shoot_call(clinician, "call-screen")
    await clinician.turn(Screen())
    await clinician.press("Personnes")
    await expect(clinician.page.locator(".people")).to_be_visible()
    await shoot_call(clinician, "call-people")
