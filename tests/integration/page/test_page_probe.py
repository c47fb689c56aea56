"""The connection test as people do it: real media to the server and back, a verdict, and what to do."""

import json
import re
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
import pytest_asyncio
from playwright.async_api import Browser, WebSocketRoute, expect

from tests.support.browsers.firefox import Firefox
from tests.support.consultation import Consultation
from tests.support.eventually import eventually
from tests.support.gallery import PAIRS, shoot_page
from tests.support.management import Management
from tests.support.page_scripts import (
    NO_CAMERA,
    NO_PEER_CONNECTIONS,
    NO_WAY_FOR_MEDIA,
    REMEMBER_CAPTURES,
    SILENT_MICROPHONE,
    UNANSWERED_QUESTION,
)
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen, Visitor

pytestmark = pytest.mark.timeout(90)

TITLE = "Test de votre connexion"
GOOD = "Tout va bien pour un appel vidéo"
LONGEST_SECONDS = 45
"""What the page promises, without the time that a person takes for an answer."""


@dataclass
class ConnectionTest:
    """A test as the application that owns the appointment has it."""

    api: Management
    id: str
    url: str

    @classmethod
    async def make(cls, api: Management, **fields: object) -> Self:
        made = await api.ask("POST", "/v1/connection-tests", fields)
        return cls(api, made["id"], made["url"])

    async def read(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.api.ask("GET", f"/v1/connection-tests/{self.id}")
        return found

    async def finished(self) -> dict[str, Any]:
        async def state() -> dict[str, Any] | None:
            found = await self.read()
            return found if found["state"] == "finished" else None

        found = await eventually(state)
        assert found is not None
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def connection_test(room_api: Management) -> ConnectionTest:
    return await ConnectionTest.make(room_api)


@pytest_asyncio.fixture(loop_scope="session")
async def firefox() -> AsyncIterator[Firefox]:
    executable = shutil.which("firefox-esr") or shutil.which("firefox")
    assert executable, "firefox-esr is not installed: apt-get install firefox-esr"
    running = await Firefox.start(executable)
    yield running
    await running.close()


async def answer(visitor: Visitor, word: str = "Oui") -> None:
    """Say whether the notes were heard, once they were played."""
    button = visitor.page.get_by_role("button", name=word, exact=True)
    await expect(button).to_be_visible(timeout=LONGEST_SECONDS * 1000)
    await button.click()


async def pass_test(visitor: Visitor) -> None:
    await visitor.press("Commencer le test")
    await answer(visitor)


async def test_a_good_line_is_told_to_the_person_and_to_the_application(
    connection_test: ConnectionTest, arrive: Arrive
) -> None:
    visitor = await arrive(connection_test.url)
    await visitor.stands_at(TITLE)
    await visitor.assert_accessible()
    await shoot_page(visitor, "probe-start", PAIRS)
    since = time.monotonic()
    await pass_test(visitor)
    await visitor.stands_at(GOOD)
    assert time.monotonic() - since < LONGEST_SECONDS
    # A screen reader is where the verdict is.
    await expect(visitor.page.get_by_role("heading", level=1, name=GOOD)).to_be_focused()
    await visitor.assert_accessible()
    found = await connection_test.finished()
    assert (found["verdict"], found["reason"]) == ("video_good", "udp_open")
    result = found["result"]
    assert (result["browser"]["name"], result["browser"]["webrtc"]) == ("chrome", True)
    assert (result["signalling"]["wss"], result["signalling"]["proxied"]) == (True, False)
    assert [(path["name"], path["outcome"]) for path in result["paths"]] == [("udp", "ok")]
    assert result["media"]["first_frame_ms"] < 5000
    steps = result["media"]["steps"]
    assert [step["target_kbps"] for step in steps] == [150, 500, 1200, 2000]
    assert min(steps[-1]["kbps_up"], steps[-1]["kbps_down"]) > 1000
    assert max(step["loss_up"] + step["loss_down"] for step in steps) < 0.05
    assert result["devices"] == {"microphone": "ok", "camera": "ok", "speaker": "heard"}
    await shoot_page(visitor, "probe-good")


async def test_the_report_is_copied_kept_and_printed(
    connection_test: ConnectionTest, arrive: Arrive, server: Server
) -> None:
    visitor = await arrive(connection_test.url, Screen(scheme="dark"))
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write", "camera", "microphone"])
    await pass_test(visitor)
    await visitor.press("Copier le rapport")
    await visitor.reads("Rapport copié")
    text = await visitor.page.evaluate("navigator.clipboard.readText()")
    direct = f"Passage direct, port {server.ports.udp}/UDP"
    assert f"- {direct}\N{NO-BREAK SPACE}: OK" in text
    assert connection_test.id in text
    async with visitor.page.expect_download() as downloading:
        await visitor.press("Télécharger (CSV)")
    download = await downloading.value
    assert download.suggested_filename == f"{connection_test.id}.csv"
    table = (await download.path()).read_text(encoding="utf-8-sig")
    assert f'"{direct}",{server.ports.udp}/UDP,OK,' in table
    sheet = visitor.page.get_by_role("table")
    await expect(sheet).to_be_hidden()
    await visitor.press("Voir le rapport")
    await expect(sheet.get_by_role("rowheader", name=direct)).to_be_visible()
    await visitor.assert_accessible()
    await visitor.press("Voir le rapport")
    await visitor.page.emulate_media(media="print", color_scheme="dark")
    await expect(sheet).to_be_visible()
    await expect(visitor.button("Copier le rapport")).to_be_hidden()
    paper, ink = await visitor.page.evaluate(
        "[getComputedStyle(document.querySelector('.card')).backgroundColor,"
        " getComputedStyle(document.querySelector('td')).color]"
    )
    assert (paper, ink) == ("rgb(255, 255, 255)", "rgb(23, 33, 44)")


async def test_a_blocked_network_is_told_with_the_port_to_open(
    connection_test: ConnectionTest, arrive: Arrive, server: Server
) -> None:
    visitor = await arrive(connection_test.url, script=NO_WAY_FOR_MEDIA)
    await visitor.press("Commencer le test")
    await visitor.reads("Nous cherchons un passage")
    await answer(visitor)
    await visitor.stands_at(re.compile("un appel n’est pas possible d’ici"))
    await visitor.reads(f"Faites ouvrir {server.ports.udp}/UDP par le service informatique")
    await expect(visitor.page.locator(".probe-line").filter(has_text="Passage direct")).to_contain_text(
        "Blocage"
    )
    await visitor.assert_accessible()
    await visitor.press("Envoyer au service informatique")
    heading = visitor.page.get_by_role("heading", level=2, name="Envoyer au service informatique")
    await expect(heading).to_be_focused()
    assert await visitor.button("Copier le rapport").is_visible()
    await visitor.page.evaluate("scrollTo(0, 0)")
    found = await connection_test.finished()
    assert (found["verdict"], found["reason"]) == ("impossible", "no_path")
    assert {"code": "open_udp_media", "ports": [f"{server.ports.udp}/udp"]} in found["advice"]
    assert found["result"]["media"] is None
    await shoot_page(visitor, "probe-blocked")


async def test_without_a_camera_there_is_a_call_with_sound(
    connection_test: ConnectionTest, arrive: Arrive
) -> None:
    visitor = await arrive(connection_test.url, script=NO_CAMERA)
    await pass_test(visitor)
    await visitor.stands_at(re.compile("l’appel est possible avec le son seul"))
    await visitor.reads("Autorisez la caméra dans le navigateur")
    await visitor.assert_accessible()
    assert (await connection_test.finished())["verdict"] == "audio_only"
    await shoot_page(visitor, "probe-audio-only")


async def test_who_is_not_heard_may_speak_again(connection_test: ConnectionTest, arrive: Arrive) -> None:
    visitor = await arrive(connection_test.url, script=SILENT_MICROPHONE)
    await visitor.press("Commencer le test")
    again = visitor.button("Réessayer le micro")
    await expect(again).to_be_visible(timeout=30_000)
    await visitor.assert_accessible()
    await shoot_page(visitor, "probe-silent", PAIRS)
    await again.click()
    await expect(visitor.page.get_by_role("heading", level=1, name=TITLE)).to_be_focused()
    await visitor.reads("Dites quelques mots")
    await visitor.press("Continuer")
    await answer(visitor)
    await visitor.reads("Vérifiez que le micro n’est pas coupé")
    assert (await connection_test.finished())["reason"] == "microphone_silent"


async def test_a_network_without_websockets_is_told_from_one_that_blocks_media(
    connection_test: ConnectionTest, arrive: Arrive
) -> None:
    async def cut(socket: WebSocketRoute) -> None:
        await socket.close()

    visitor = await arrive(connection_test.url)
    await visitor.page.route_web_socket("**/probe", cut)
    await pass_test(visitor)
    await visitor.reads("Le réseau bloque la liaison avec le service.")
    await visitor.reads("Faites autoriser les liaisons WebSocket vers 127.0.0.1")
    assert (await connection_test.finished())["reason"] == "websocket_blocked"


async def test_a_browser_without_webrtc_is_told_and_reported(
    connection_test: ConnectionTest, arrive: Arrive
) -> None:
    visitor = await arrive(connection_test.url, script=NO_PEER_CONNECTIONS)
    await visitor.press("Commencer le test")
    await visitor.reads("Ce navigateur ne permet pas les appels vidéo.")
    await visitor.reads("Essayez avec une version récente")
    assert (await connection_test.finished())["reason"] == "no_webrtc"


async def test_a_test_under_way(connection_test: ConnectionTest, arrive: Arrive) -> None:
    relays = [("turn_udp", 3478), ("turn_udp", 19302), ("turn_tcp", 3478), ("turn_tcp", 19302)]
    paths = [
        {"name": name, "port": port, "policy": "relay", "ice_servers": []}
        for name, port in [("udp", 10000), *relays, ("turn_tls", 443)]
    ]
    ready = {"type": "ready", "seen": {"proxied": False}, "paths": paths}

    def say_little(socket: WebSocketRoute) -> None:
        def heard(message: str | bytes) -> None:
            said = json.loads(message)
            match said["type"]:
                case "hello":
                    socket.send(json.dumps(ready))
                case "ping":
                    socket.send(json.dumps({"type": "pong", "id": said["id"]}))
                case "offer" if said["leg"] == "p0":
                    socket.send(json.dumps({"type": "failed", "leg": "p0", "reason": "timeout"}))

        socket.on_message(heard)

    visitor = await arrive(connection_test.url)
    await visitor.page.route_web_socket("**/probe", say_little)
    await visitor.press("Commencer le test")
    await visitor.reads("Nous cherchons un passage")
    first = visitor.page.locator(".probe-line").filter(has_text="Passage direct, port 10000/UDP")
    await expect(first).to_contain_text("Blocage")
    await visitor.assert_accessible()
    await shoot_page(visitor, "probe-running")
    await visitor.reads("Nous cherchons un passage")


async def test_nobody_has_to_answer_the_browser(connection_test: ConnectionTest, arrive: Arrive) -> None:
    visitor = await arrive(connection_test.url, script=UNANSWERED_QUESTION)
    await visitor.press("Commencer le test")
    await expect(visitor.page.get_by_text("Répondez «").first).to_be_visible(timeout=30_000)
    await visitor.assert_accessible()
    await shoot_page(visitor, "probe-asking", PAIRS)
    await visitor.press("Continuer sans caméra ni micro")
    # The button is gone; the keyboard is not lost.
    await expect(visitor.page.get_by_role("heading", level=1, name=TITLE)).to_be_focused()
    await visitor.reads("Avez-vous entendu trois notes")
    await visitor.assert_accessible()
    await shoot_page(visitor, "probe-speaker", PAIRS)
    await answer(visitor)
    await visitor.stands_at(GOOD)
    devices = (await connection_test.finished())["result"]["devices"]
    assert devices == {"microphone": "skipped", "camera": "skipped", "speaker": "heard"}
    await visitor.press("Refaire le test")
    await visitor.stands_at(TITLE)
    await expect(visitor.page.get_by_role("heading", level=1, name=TITLE)).to_be_focused()


async def test_a_person_who_closes_the_page_has_left_a_result(
    connection_test: ConnectionTest, arrive: Arrive, server: Server
) -> None:
    visitor = await arrive(connection_test.url, script=UNANSWERED_QUESTION)
    await visitor.press("Commencer le test")
    await expect(visitor.button("Continuer sans caméra ni micro")).to_be_visible(timeout=30_000)
    await visitor.page.goto(f"{server.admin_url}/healthz")
    found = await connection_test.finished()
    assert [path["outcome"] for path in found["result"]["paths"]] == ["ok"]
    assert found["result"]["devices"] is None


async def test_a_link_to_no_test_says_so(server: Server, arrive: Arrive) -> None:
    visitor = await arrive(f"{server.url}/t/{'x' * 26}")
    await visitor.press("Commencer le test")
    await visitor.stands_at("Ce test n’est plus disponible")
    await visitor.assert_accessible()
    await shoot_page(visitor, "probe-gone", PAIRS)


async def test_a_full_server_is_not_a_bad_line(connection_test: ConnectionTest, arrive: Arrive) -> None:
    def refuse(socket: WebSocketRoute) -> None:
        socket.on_message(
            lambda _: socket.send(json.dumps({"type": "refused", "code": "busy", "retry_after": 5}))
        )

    visitor = await arrive(connection_test.url)
    await visitor.page.route_web_socket("**/probe", refuse)
    await visitor.press("Commencer le test")
    await visitor.stands_at("Le service est occupé")
    await visitor.assert_accessible()
    assert (await connection_test.read())["state"] == "open"
    await visitor.press("Réessayer")
    await visitor.stands_at(TITLE)


# --- from an appointment ---


async def test_an_early_patient_tests_and_comes_back(room_api: Management, arrive: Arrive) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    room = await room_api.room(name="Consultation du Dr Martin", starts_at=tomorrow)
    person = f"/v1/rooms/{room}/participants/patient"
    await room_api.ask("PUT", person, {"role": "patient", "name": "Mme Durand"})
    link = (await room_api.ask("POST", f"{person}/link", {}))["url"]
    visitor = await arrive(link, Screen(360, 640))
    await visitor.stands_at("Vous êtes en avance")
    await visitor.press("Tester ma connexion")
    await visitor.stands_at(TITLE)
    await pass_test(visitor)
    await visitor.stands_at(GOOD)
    found = (await room_api.ask("GET", f"/v1/connection-tests?room={room}&identity=patient"))["items"]
    assert [(test["state"], test["verdict"], test["url"]) for test in found] == [
        ("finished", "video_good", None)
    ]
    events = (await room_api.ask("GET", f"/v1/events?room={room}"))["items"]
    told = [event["data"] for event in events if event["type"] == "connection_test.finished"]
    assert [(one["identity"], one["verdict"]) for one in told] == [("patient", "video_good")]
    await visitor.press("Revenir à l’appel")
    await visitor.stands_at("Vous êtes en avance")


async def test_who_tests_from_the_link_page_keeps_their_name_and_camera(
    consultation: Consultation, arrive: Arrive
) -> None:
    visitor = await arrive(consultation.guest_url, script=REMEMBER_CAPTURES)
    await visitor.page.get_by_label("Votre nom").fill("Mme Durand")
    await expect(visitor.page.locator("video.mirror")).to_be_visible()
    await visitor.press("Tester ma connexion")
    await visitor.stands_at(TITLE)
    await pass_test(visitor)
    await visitor.stands_at(GOOD)
    await visitor.press("Revenir à l’appel")
    await visitor.stands_at("Consultation du Dr Martin")
    await expect(visitor.page.get_by_label("Votre nom")).to_have_value("Mme Durand")
    # Asked for once, and not let go.
    states = await visitor.page.evaluate("captures.map(({kind, readyState}) => `${kind} ${readyState}`)")
    assert sorted(states) == ["audio live", "video live"]
    await visitor.enter()


async def test_who_is_let_in_during_a_test_goes_in(
    room_api: Management, page_browser: Browser, arrive: Arrive
) -> None:
    room = await room_api.room(name="Consultation du Dr Martin", waiting_room=True)
    person = f"/v1/rooms/{room}/participants/patient"
    await room_api.ask("PUT", person, {"role": "patient", "name": "Mme Durand"})
    link = (await room_api.ask("POST", f"{person}/link", {}))["url"]
    visitor = await arrive(link)
    await visitor.press("Entrer")
    await visitor.stands_at("Vous êtes en salle d’attente")
    await visitor.press("Tester ma connexion")
    await visitor.press("Commencer le test")
    await visitor.reads("Nous envoyons du son et de l’image")
    await room_api.ask("POST", f"{person}/admit")
    await expect(visitor.page.get_by_role("toolbar")).to_be_visible(timeout=15_000)
    await visitor.reads("Personne d’autre n’est là pour l’instant.")


# --- other browsers ---


async def test_firefox_sends_and_gets_back_as_much(connection_test: ConnectionTest, firefox: Firefox) -> None:
    page = await firefox.open(connection_test.url)
    await page.press("Start the test")
    await page.press("Yes", within=LONGEST_SECONDS)
    found = await connection_test.finished()
    result = found["result"]
    assert (result["browser"]["name"], result["browser"]["webrtc"]) == ("firefox", True)
    assert [path["outcome"] for path in result["paths"]] == ["ok"]
    assert result["media"]["first_frame_ms"] < 5000
    assert max(min(step["kbps_up"], step["kbps_down"]) for step in result["media"]["steps"]) > 600
    assert result["devices"]["camera"] == "ok"
