"""A host runs the call from the page, and what those concerned see of it."""

import asyncio
import re

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.support.gallery import SIZES
from tests.support.management import Management
from tests.support.visitor import Arrive, Screen, Visitor
from tests.support.ward import HOST, Ward, guest, hosting, open_ward, panel

pytestmark = pytest.mark.timeout(90)  # up to four browsers: 24 s in a quiet hour, twice that in a busy one


@pytest_asyncio.fixture(loop_scope="session")
async def ward(room_api: Management) -> Ward:
    """Give a room that is open and has no waiting room."""
    return await open_ward(room_api)


def right(clinician: Visitor, name: str, within: str = "Ce que chacun peut faire") -> Locator:
    return panel(clinician).get_by_role("group", name=within).get_by_label(name)


async def more(clinician: Visitor, name: str) -> None:
    await clinician.press(f"Plus d’actions pour {name}")


async def knock(arrive: Arrive, ward: Ward, name: str) -> Visitor:
    patient = await arrive(ward.guest_url)
    await patient.page.get_by_label("Votre nom").fill(name)
    await patient.press("Entrer")
    await patient.stands_at("Vous êtes en salle d’attente")
    return patient


async def test_who_waits_is_heard_seen_told_and_let_in(room_api: Management, arrive: Arrive) -> None:
    ward = await open_ward(room_api, waiting_room=True)
    clinician = await hosting(arrive, ward.clinician_url)
    await clinician.reads("Personne n’attend.")
    before = await clinician.page.evaluate("window.chimes")
    patient = await knock(arrive, ward, "Mme Durand")
    await clinician.reads("Mme Durand est en salle d’attente.")
    assert await clinician.page.evaluate("window.chimes") == before + 1
    await expect(clinician.button("Animer (1 personne attend)")).to_be_visible()
    await clinician.press("J’ai 10 minutes de retard")
    await patient.reads("Environ 10 minutes de retard")
    await clinician.page.get_by_label("Message aux personnes qui attendent").fill("Je finis une visite.")
    await clinician.page.keyboard.press("Enter")
    await patient.reads("Je finis une visite.")
    await clinician.assert_accessible()
    await clinician.shoot("host-waiting")
    panel = clinician.page.locator(".host-body")
    assert await panel.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "nothing is cut off beside"
    await clinician.press("Faire entrer Mme Durand")
    await expect(patient.page.get_by_role("toolbar")).to_be_visible()
    await clinician.sees("Mme Durand")
    await clinician.reads("Personne n’attend.")


async def test_a_silenced_chime_stays_silent_and_somebody_may_be_turned_away(
    room_api: Management, arrive: Arrive
) -> None:
    ward = await open_ward(room_api, waiting_room=True)
    clinician = await hosting(arrive, ward.clinician_url)
    await panel(clinician).get_by_label("Signal sonore quand quelqu’un arrive").click()
    before = await clinician.page.evaluate("window.chimes")
    patients = [await knock(arrive, ward, name) for name in ("Mme Durand", "M. Petit", "M. Grand")]
    await clinician.reads("M. Grand est en salle d’attente.")
    assert await clinician.page.evaluate("window.chimes") == before
    await clinician.press("Refuser Mme Durand")
    await expect(patients[0].page.get_by_role("heading", level=1)).not_to_have_text(
        "Vous êtes en salle d’attente"
    )
    await clinician.press("Faire entrer les 2 personnes")
    for patient in patients[1:]:
        await expect(patient.page.get_by_role("toolbar")).to_be_visible()


async def test_the_panel_never_covers_a_face_and_fits_every_screen(ward: Ward, arrive: Arrive) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    await guest(arrive, ward, "Mme Durand")
    await clinician.sees("Mme Durand")
    await more(clinician, "Mme Durand")
    for width, height in SIZES:
        await clinician.turn(Screen(width, height, "dark"))
        await clinician.assert_fits()
        faces = await clinician.page.locator(".call-faces").bounding_box()
        beside = await panel(clinician).bounding_box()
        bar = await clinician.page.get_by_role("toolbar").bounding_box()
        assert faces is not None
        assert beside is not None
        assert bar is not None
        apart = faces["x"] + faces["width"] <= beside["x"] or faces["y"] + faces["height"] <= beside["y"]
        assert apart, (width, faces, beside)
        assert beside["y"] + beside["height"] <= bar["y"] + 1
        assert faces["height"] >= 90
        await clinician.shoot("host-call")
        await clinician.assert_accessible()


async def test_english_hosts_read_english(ward: Ward, arrive: Arrive) -> None:
    clinician = await arrive(ward.clinician_url, Screen(360, 640, "dark", "en-GB"))
    await clinician.enter()
    await clinician.press(re.compile("^Host"))
    await clinician.reads("Turn all cameras off")
    await clinician.assert_fits()
    await clinician.shoot("host-call")


async def test_who_is_muted_is_told_and_may_speak_again_unless_that_is_taken_away(
    ward: Ward, arrive: Arrive
) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    patient = await guest(arrive, ward, "Mme Durand")
    await clinician.press("Couper le micro de Mme Durand")
    await patient.reads("Votre micro a été coupé par la personne qui anime.")
    await expect(clinician.tile("Mme Durand")).to_contain_text("micro coupé")
    await patient.press("Allumer le micro")
    await expect(clinician.tile("Mme Durand")).not_to_contain_text("micro coupé")
    await clinician.press("Couper tous les micros")
    await right(clinician, "Rallumer son micro soi-même").click()
    await expect(right(clinician, "Rallumer son micro soi-même")).not_to_be_checked()
    await expect(clinician.tile("Mme Durand")).to_contain_text("micro coupé")
    await patient.press("Allumer le micro")
    await patient.reads("La personne qui anime vous redonnera la parole.")
    await expect(clinician.tile("Mme Durand")).to_contain_text("micro coupé")
    await right(clinician, "Rallumer son micro soi-même").click()
    await patient.reads("Vous pouvez de nouveau rallumer votre micro.")
    await patient.press("Allumer le micro")
    await expect(clinician.tile("Mme Durand")).not_to_contain_text("micro coupé")


async def test_cameras_are_cut_and_forbidden_and_given_back(ward: Ward, arrive: Arrive) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    patient = await guest(arrive, ward, "Mme Durand")
    await clinician.sees("Mme Durand")
    await clinician.press("Éteindre toutes les caméras")
    await patient.reads("Votre caméra a été éteinte par la personne qui anime.")
    await expect(clinician.tile("Mme Durand")).to_contain_text("caméra éteinte")
    await patient.press("Allumer la caméra")
    await clinician.sees("Mme Durand")
    await more(clinician, "Mme Durand")
    camera = right(clinician, "Montrer sa caméra", "Ce que Mme Durand peut faire")
    await camera.click()
    await expect(camera).not_to_be_checked()
    await patient.reads("La personne qui anime a éteint votre caméra pour l’instant.")
    await expect(patient.button(re.compile("la caméra$"))).to_have_count(0)
    await expect(clinician.tile("Mme Durand")).to_contain_text("caméra éteinte")
    await camera.click()
    await patient.reads("Vous pouvez de nouveau allumer votre caméra.")
    await patient.press("Allumer la caméra")
    await clinician.sees("Mme Durand")


async def test_hands_are_numbered_in_their_order_and_lowered(ward: Ward, arrive: Arrive) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    people = [await guest(arrive, ward, name) for name in ("Mme Durand", "M. Petit")]
    for person in reversed(people):
        await person.press("Lever la main")
        await expect(person.button("Baisser la main")).to_be_visible()
    rows = panel(clinician).locator("section", has=clinician.page.get_by_text("Dans l’appel")).locator("li")
    await expect(rows.nth(0)).to_contain_text("M. Petit")
    await expect(rows.nth(0).locator(".host-place")).to_contain_text("1")
    await expect(rows.nth(1)).to_contain_text("Mme Durand")
    await clinician.assert_accessible()
    await clinician.shoot("host-hands")
    await clinician.press("Baisser la main de M. Petit")
    await expect(people[1].button("Lever la main")).to_be_visible()
    await expect(rows.nth(0)).to_contain_text("Mme Durand")


async def test_a_locked_call_tells_newcomers_and_lets_them_in_when_it_is_open_again(
    ward: Ward, arrive: Arrive
) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    locked = panel(clinician).get_by_label(re.compile("^Appel verrouillé"))
    await locked.click()
    await expect(locked).to_be_checked()
    newcomer = await arrive(ward.guest_url)
    await newcomer.page.get_by_label("Votre nom").fill("M. Tard")
    await newcomer.press("Entrer")
    await newcomer.reads("L’appel est fermé aux nouveaux venus")
    await newcomer.assert_accessible()
    await locked.click()
    await expect(newcomer.page.get_by_role("toolbar")).to_be_visible(timeout=20_000)


async def test_somebody_is_removed_only_after_a_second_thought(ward: Ward, arrive: Arrive) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    patient = await guest(arrive, ward, "Mme Durand")
    await clinician.sees("Mme Durand")
    await more(clinician, "Mme Durand")
    await clinician.press(re.compile("^Retirer de l’appel.*Mme Durand"))
    await clinician.reads("Retirer Mme Durand de l’appel ?")
    await clinician.assert_accessible()
    await clinician.shoot("host-remove")
    await clinician.page.keyboard.press("Escape")
    await expect(clinician.tile("Mme Durand")).to_be_visible()
    await clinician.press(re.compile("^Retirer de l’appel.*Mme Durand"))
    await clinician.press("Oui, retirer")
    await patient.stands_at("Vous ne faites plus partie de l’appel")
    await expect(clinician.tile("Mme Durand")).to_have_count(0)


async def test_the_call_is_ended_for_all_by_keyboard_alone(ward: Ward, arrive: Arrive) -> None:
    clinician = await arrive(ward.clinician_url)
    await clinician.enter()
    patient = await guest(arrive, ward, "Mme Durand")
    await clinician.sees("Mme Durand")
    await clinician.button(HOST).focus()
    await clinician.page.keyboard.press("Enter")
    await expect(clinician.button("Fermer ce volet")).to_be_focused()
    await clinician.button("Terminer pour tous").focus()
    await clinician.page.keyboard.press("Enter")
    await clinician.reads("Terminer l’appel pour tous ?")
    await clinician.button("Oui, terminer").focus()
    await clinician.page.keyboard.press("Enter")
    for visitor in (clinician, patient):
        await visitor.stands_at("L’appel est terminé")


async def test_a_delegate_may_not_remove_the_host_and_guests_have_no_panel(
    ward: Ward, arrive: Arrive
) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    delegate = await hosting(arrive, ward.delegate_url)
    patient = await guest(arrive, ward, "Mme Durand")
    await expect(patient.button(HOST)).to_have_count(0)
    await more(delegate, "Dr Martin")
    await delegate.press(re.compile("^Retirer de l’appel.*Dr Martin"))
    await delegate.press("Oui, retirer")
    await delegate.reads("Vous n’avez pas le droit de faire cela.")
    await expect(clinician.page.get_by_role("toolbar")).to_be_visible()


async def test_one_presents_at_a_time_and_the_host_takes_over(room_api: Management, arrive: Arrive) -> None:
    ward = await open_ward(room_api, features={"one_presenter": True})
    clinician = await hosting(arrive, ward.clinician_url)
    first, second = [await guest(arrive, ward, name) for name in ("Mme Durand", "M. Petit")]
    await first.press("Partager l’écran")
    await second.sees("Écran de Mme Durand")
    await second.press("Partager l’écran")
    await second.reads("Quelqu’un partage déjà son écran.")
    await clinician.press("Partager l’écran")
    # A notice does not stay, and on a busy machine a screen takes as long to be seen.
    await asyncio.gather(
        first.reads("Le partage de votre écran est terminé."), second.sees("Écran de Dr Martin")
    )
    await expect(second.tile("Écran de Mme Durand")).to_have_count(0)
    await expect(first.button("Partager l’écran")).to_be_visible()
