"""The page before the call: the link, the devices, and every reason not to come in."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from tests.support.management import Management
from tests.support.page_scripts import (
    NO_PEER_CONNECTIONS,
    NO_SOUND_GRAPHS,
    NOT_SECURE,
    OLD_LANGUAGE,
    UNANSWERED_QUESTION,
)
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen

SMALL = Screen(360, 640)
ENGLISH = Screen(language="en-GB", scheme="dark")
# A laptop zoomed in twice, and a phone on its side.
ZOOMED = Screen(640, 400)
LANDSCAPE = Screen(640, 360)

AGENTS = {
    "safari": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Safari/605.1.15",
    "chrome-ios": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
    "firefox-android": "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
}


async def guest_link(room_api: Management, room: str) -> str:
    return str((await room_api.ask("POST", f"/v1/rooms/{room}/links", {}))["url"])


async def link_of(room_api: Management, room: str, identity: str, **person: object) -> str:
    path = f"/v1/rooms/{room}/participants/{identity}"
    await room_api.ask("PUT", path, person)
    return str((await room_api.ask("POST", f"{path}/link", {}))["url"])


def at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize("screen", [SMALL, Screen(), ENGLISH], ids=["small", "wide", "english"])
async def test_a_guest_sees_who_invites_and_how_they_look_and_one_button(
    room_api: Management, arrive: Arrive, screen: Screen
) -> None:
    room = await room_api.room(name="Consultation du Dr Martin", starts_at=at(0.2), ends_at=at(1))
    visitor = await arrive(await guest_link(room_api, room), screen)
    await visitor.stands_at("Consultation du Dr Martin")
    french = screen.french
    await visitor.reads("Cet appel n’est jamais enregistré." if french else "This call is never recorded.")
    await expect(visitor.button("Entrer" if french else "Enter")).to_be_in_viewport(ratio=1)
    await expect(visitor.page.locator("video.mirror")).to_be_visible()
    await visitor.assert_accessible()
    await visitor.assert_fits()
    await visitor.shoot("link")


@pytest.mark.parametrize("screen", [ZOOMED, LANDSCAPE], ids=["zoomed", "landscape"])
async def test_the_link_page_fits_where_height_is_dear(
    room_api: Management, arrive: Arrive, screen: Screen
) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()), screen)
    await visitor.stands_at("A test")
    await visitor.assert_fits()
    await visitor.button("Entrer").scroll_into_view_if_needed()
    await expect(visitor.button("Entrer")).to_be_in_viewport(ratio=1)
    await visitor.assert_accessible()


async def test_nobody_enters_without_a_name(room_api: Management, arrive: Arrive) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()))
    await visitor.press("Entrer")
    await visitor.reads("Écrivez un nom pour entrer.")
    await expect(visitor.page.get_by_label("Votre nom")).to_be_focused()
    await visitor.assert_accessible()


async def test_a_person_whose_name_the_host_chose_is_not_asked_for_one(
    room_api: Management, arrive: Arrive
) -> None:
    room = await room_api.room()
    visitor = await arrive(await link_of(room_api, room, "p1", name="Mme Durand", role="patient"))
    await visitor.reads("Vous entrez sous le nom de Mme Durand.")
    await expect(visitor.page.get_by_label("Votre nom")).to_have_count(0)


async def test_the_camera_and_the_microphone_are_switched_before_the_call(
    room_api: Management, arrive: Arrive
) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()))
    await visitor.reads("Nous vous entendons bien.")
    await visitor.press("Éteindre la caméra")
    await visitor.reads("Caméra éteinte")
    await visitor.press("Couper le micro")
    await visitor.reads("Votre micro est coupé.")
    await visitor.press("Allumer la caméra")
    await expect(visitor.page.locator("video.mirror")).to_be_visible()
    await visitor.page.get_by_text("Choisir la caméra").click()
    await expect(visitor.page.get_by_label("Caméra", exact=True)).to_be_visible()
    await visitor.press("Essayer le haut-parleur")
    await visitor.reads("Rien entendu ?")
    await visitor.assert_accessible()


@pytest.mark.parametrize("screen", [SMALL, ENGLISH], ids=["small", "english"])
async def test_a_refused_camera_is_explained_and_does_not_keep_anyone_out(
    room_api: Management, arrive: Arrive, refusing_browser: Browser, screen: Screen
) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()), screen, refusing_browser)
    french = screen.french
    await visitor.reads(
        "Le navigateur bloque la caméra et le micro"
        if french
        else "The browser blocks the camera and the microphone"
    )
    await expect(visitor.button("Réessayer" if french else "Try again")).to_be_visible()
    await expect(visitor.button("Entrer" if french else "Enter")).to_be_enabled()
    await visitor.assert_accessible()
    await visitor.assert_fits()
    await visitor.shoot("refused-camera")


async def test_a_browser_s_question_that_nobody_sees_is_pointed_out_after_ten_seconds(
    room_api: Management, arrive: Arrive
) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()), script=UNANSWERED_QUESTION)
    await visitor.page.clock.install()
    await visitor.page.reload()
    await visitor.reads("Votre navigateur demande s’il peut utiliser la caméra et le micro.")
    await expect(visitor.page.get_by_text("Vous ne voyez pas la question")).to_have_count(0)
    await visitor.page.clock.fast_forward(10_500)
    await visitor.reads("Vous ne voyez pas la question")
    await visitor.assert_accessible()


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("safari", "Dans le menu Safari, ouvrez « Réglages pour ce site web »."),
        ("chrome-ios", "Ouvrez Réglages sur l’iPhone ou l’iPad"),
        ("firefox-android", "Sous « Caméra » et « Micro », touchez « Bloqué »"),
    ],
    ids=["safari", "chrome-ios", "firefox-android"],
)
async def test_the_way_out_of_a_refused_camera_is_that_of_the_browser(
    room_api: Management, arrive: Arrive, refusing_browser: Browser, family: str, words: str
) -> None:
    screen = Screen(agent=AGENTS[family])
    visitor = await arrive(await guest_link(room_api, await room_api.room()), screen, refusing_browser)
    await visitor.reads(words)
    await expect(visitor.page.locator(".blocked-picture")).to_be_visible()
    await visitor.shoot(f"link-refused-{family}")


async def test_a_browser_without_sound_graphs_does_not_keep_anyone_out(
    room_api: Management, arrive: Arrive
) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()), script=NO_SOUND_GRAPHS)
    await visitor.reads("Votre micro est allumé.")
    await visitor.enter("Mme Durand")


async def test_a_page_whose_script_does_not_run_says_what_to_do(
    server: Server, page_browser: Browser
) -> None:
    context = await page_browser.new_context()
    page = await context.new_page()
    await page.route("**/*.js", lambda route: route.abort())
    await page.goto(f"{server.url}/r/{'x' * 24}")
    await expect(page.get_by_text("rechargez la page ou ouvrez le lien")).to_be_visible()
    await expect(page.get_by_text("reload the page or open the link")).to_be_visible()
    await context.close()


@pytest.mark.parametrize(
    ("script", "title"),
    [
        (NO_PEER_CONNECTIONS, "Ce navigateur ne permet pas les appels vidéo"),
        (OLD_LANGUAGE, "Ce navigateur ne permet pas les appels vidéo"),
        (NOT_SECURE, "Cette page doit être ouverte en https"),
    ],
    ids=["no-webrtc", "old", "http"],
)
async def test_a_browser_that_cannot_call_is_told_so(
    server: Server, arrive: Arrive, script: str, title: str
) -> None:
    visitor = await arrive(f"{server.url}/r/{'x' * 24}", script=script)
    await visitor.stands_at(title)
    await visitor.assert_accessible()


async def test_someone_early_is_told_when_to_come_back(room_api: Management, arrive: Arrive) -> None:
    room = await room_api.room(starts_at=at(30), ends_at=at(31))
    visitor = await arrive(await guest_link(room_api, room), SMALL)
    await visitor.stands_at("Vous êtes en avance")
    await visitor.reads("L’appel ouvrira")
    await visitor.assert_accessible()
    await visitor.shoot("too-early")


async def test_the_page_of_someone_early_goes_on_by_itself_when_the_call_opens(
    room_api: Management, arrive: Arrive
) -> None:
    room = await room_api.room(starts_at=at(3), ends_at=at(4))
    visitor = await arrive(await guest_link(room_api, room))
    await visitor.page.clock.install()
    await visitor.page.reload()
    await visitor.stands_at("Vous êtes en avance")
    await room_api.ask("PATCH", f"/v1/rooms/{room}", {"starts_at": at(0.1)})
    await visitor.page.clock.fast_forward(90_000)
    await visitor.stands_at("A test")


async def test_someone_late_is_told_so(room_api: Management, arrive: Arrive) -> None:
    room = await room_api.room(starts_at=at(-5), ends_at=at(-4))
    visitor = await arrive(await guest_link(room_api, room), ENGLISH)
    await visitor.stands_at("This call is over")
    await visitor.assert_accessible()
    await visitor.shoot("too-late")


async def test_a_link_that_was_withdrawn_leads_nowhere_and_says_what_to_do(
    server: Server, arrive: Arrive
) -> None:
    visitor = await arrive(f"{server.url}/r/{'x' * 24}")
    await visitor.stands_at("Ce lien ne mène à aucun appel")
    await visitor.assert_accessible()
    await visitor.shoot("not-found")


async def test_a_removed_person_learns_that_they_may_not_come_back(
    room_api: Management, arrive: Arrive
) -> None:
    room = await room_api.room()
    link = await link_of(room_api, room, "p1", name="Mme Durand")
    await room_api.remove(room, "p1")
    visitor = await arrive(link)
    await visitor.stands_at("Vous ne pouvez plus entrer dans cet appel")
    await visitor.shoot("revoked")


async def test_the_start_page_takes_a_pasted_link(
    server: Server, room_api: Management, arrive: Arrive
) -> None:
    visitor = await arrive(server.url, SMALL)
    await visitor.stands_at("Rejoindre un appel vidéo")
    await visitor.assert_accessible()
    await visitor.assert_fits()
    await visitor.shoot("start")
    await visitor.press("Continuer")
    await visitor.reads("Collez d’abord le lien que vous avez reçu.")
    link = await guest_link(room_api, await room_api.room(name="Éducation thérapeutique"))
    await visitor.page.get_by_label("Ou collez votre lien ici").fill(f"Bonjour, voici : {link}")
    await visitor.press("Continuer")
    await visitor.stands_at("Éducation thérapeutique")


async def test_the_language_is_switched_and_kept(room_api: Management, arrive: Arrive) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()))
    await visitor.press("English")
    await expect(visitor.button("Enter")).to_be_visible()
    assert await visitor.page.evaluate("document.documentElement.lang") == "en"
    await visitor.page.reload()
    await expect(visitor.button("Enter")).to_be_visible()


async def test_nothing_comes_from_elsewhere_and_no_cookie_is_set(
    server: Server, room_api: Management, arrive: Arrive
) -> None:
    visitor = await arrive(await guest_link(room_api, await room_api.room()))
    await expect(visitor.button("Entrer")).to_be_visible()
    await visitor.page.wait_for_load_state("networkidle")
    assert visitor.foreign_requests(server.url) == []
    assert await visitor.context.cookies() == []
