"""The faces: who speaks, who stands large, how many fit, and the ways to look at them."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.consultation import Consultation
from tests.support.page_scripts import TALKING
from tests.support.visitor import Arrive, Screen, Visitor

pytestmark = pytest.mark.timeout(90)  # up to four browsers: 24 s in a quiet hour, twice that in a busy one

# Of those whose own page is not looked at: what a browser draws costs time.
SMALL = Screen(360, 640)


@pytest_asyncio.fixture(loop_scope="session")
async def three(consultation: Consultation, arrive: Arrive) -> tuple[Visitor, Visitor, Visitor]:
    """Give the clinician and two guests who never stop talking."""
    clinician = await arrive(consultation.clinician_url)
    await clinician.enter()
    durand, paul = [await arrive(consultation.guest_url, SMALL, script=TALKING) for _ in range(2)]
    await durand.enter("Mme Durand")
    await paul.enter("Paul")
    await clinician.sees("Mme Durand")
    await clinician.sees("Paul")
    return clinician, durand, paul


async def test_who_speaks_is_said_beside_the_name_and_stands_large_where_one_does(
    three: tuple[Visitor, Visitor, Visitor],
) -> None:
    clinician, durand, paul = three
    await expect(clinician.tile("Mme Durand")).to_contain_text("parle")
    await expect(clinician.tile("Mme Durand")).to_have_class(re.compile("speaking"))
    await durand.press("Couper le micro")
    await expect(clinician.tile("Mme Durand")).to_contain_text("micro coupé")
    await expect(clinician.tile("Mme Durand")).not_to_contain_text("parle")
    await expect(clinician.tile("Paul")).to_contain_text("parle")
    large = clinician.page.locator(".stage-large li.tile")
    await clinician.press("Plus de commandes")
    await clinician.press("Une personne en grand")
    await expect(large).to_contain_text("Paul")
    await paul.press("Couper le micro")
    await durand.press("Allumer le micro")
    await expect(large).to_contain_text("Mme Durand")
    await clinician.press("Plus de commandes")
    await clinician.press("Tout le monde en mosaïque")
    await expect(large).to_have_count(0)


async def test_many_faces_stand_in_a_grid_with_one_s_own_are_enlarged_and_turn_over_in_pages(
    three: tuple[Visitor, Visitor, Visitor], consultation: Consultation, arrive: Arrive
) -> None:
    clinician, _, _ = three
    await (await arrive(consultation.guest_url, SMALL)).enter("Zoé")
    await clinician.sees("Zoé")
    await expect(clinician.page.locator(".grid li.tile")).to_have_count(4)
    await expect(clinician.tile("Vous")).to_be_visible()
    await clinician.assert_accessible()
    large = clinician.page.locator(".stage-large li.tile")
    await clinician.press("Afficher Paul en grand")
    await expect(large).to_contain_text("Paul")
    await clinician.press("Afficher Paul en grand")
    await expect(large).to_have_count(0)
    await clinician.press("Afficher Mme Durand en grand")
    await expect(large).to_contain_text("Mme Durand")
    await clinician.page.keyboard.press("Escape")
    await expect(large).to_have_count(0)
    await clinician.page.set_viewport_size({"width": 360, "height": 322})
    following, previous = clinician.button("Personnes suivantes"), clinician.button("Personnes précédentes")
    await following.focus()
    while await following.get_attribute("aria-disabled") == "false":
        await following.press("Enter")
    await expect(following).to_be_focused()
    await expect(clinician.page.get_by_text(re.compile(r"^Page (\d) sur \1$"))).to_be_visible()
    await expect(clinician.tile("Vous")).to_be_visible()
    while await previous.get_attribute("aria-disabled") == "false":
        await previous.press("Enter")
    await expect(previous).to_be_focused()
    await clinician.reads("Page 1 sur")


async def test_the_call_fills_the_screen_and_gives_it_back(
    consultation: Consultation, arrive: Arrive
) -> None:
    clinician = await arrive(consultation.clinician_url)
    await clinician.enter()
    await clinician.press("Plus de commandes")
    await clinician.press("Plein écran")
    await clinician.page.wait_for_function("document.fullscreenElement !== null")
    await clinician.press("Plus de commandes")
    await clinician.press("Quitter le plein écran")
    await clinician.page.wait_for_function("document.fullscreenElement === null")


async def test_the_letters_share_raise_the_hand_and_open_messages(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    keyboard = clinician.page.keyboard
    await keyboard.press("h")
    await expect(patient.tile("Dr Martin")).to_contain_text("main levée")
    await keyboard.press("s")
    await patient.sees("Écran de Dr Martin")
    await keyboard.press("s")
    await expect(patient.tile("Écran de Dr Martin")).to_have_count(0)
    await keyboard.press("c")
    field = clinician.page.get_by_label("Votre message")
    await expect(field).to_be_focused()
    await keyboard.type("hm")
    await expect(field).to_have_value("hm")
    await expect(clinician.button("Couper le micro")).to_be_visible()


async def test_who_mutes_before_the_call_is_muted_in_it(consultation: Consultation, arrive: Arrive) -> None:
    clinician = await arrive(consultation.clinician_url)
    await clinician.enter()
    paul = await arrive(consultation.guest_url)
    await paul.reads("Nous vous entendons bien.")
    await paul.press("Couper le micro")
    await paul.enter("Paul")
    await expect(clinician.tile("Paul")).to_contain_text("micro coupé")
    await paul.press("Allumer le micro")
    await expect(clinician.tile("Paul")).not_to_contain_text("micro coupé")


async def test_the_call_fits_a_screen_zoomed_twice_and_a_phone_on_its_side(
    two: tuple[Visitor, Visitor],
) -> None:
    clinician, _ = two
    for screen in (Screen(640, 400), Screen(640, 360), Screen(360, 640), Screen(3840, 2160)):
        await clinician.turn(screen)
        await clinician.assert_fits()
        await expect(clinician.button("Quitter")).to_be_in_viewport(ratio=1)
        await expect(clinician.tile("Mme Durand").locator("video")).to_be_in_viewport(ratio=1)
