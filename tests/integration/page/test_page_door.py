"""The page before the call: the link, the devices, and every reason not to come in."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from tests.support.management import Management
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen

SMALL = Screen(360, 640)
ENGLISH = Screen(language="en-GB", scheme="dark")


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
    french = screen.language.startswith("fr")
    await visitor.reads("Cet appel n’est jamais enregistré." if french else "This call is never recorded.")
    await expect(visitor.button("Entrer" if french else "Enter")).to_be_in_viewport(ratio=1)
    await expect(visitor.page.locator("video.mirror")).to_be_visible()
    await visitor.assert_accessible()
    await visitor.assert_fits()
    await visitor.shoot("link")


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
    french = screen.language.startswith("fr")
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
    await visitor.stands_at("Vous êtes en avance")
    await room_api.ask("PATCH", f"/v1/rooms/{room}", {"starts_at": at(0.1)})
    await visitor.press("Essayer maintenant")
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
