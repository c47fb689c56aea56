"""The page by keyboard: whatever is pressed, the focus is somewhere from where one can go on."""

import re

from playwright.async_api import Browser, Locator, Route, expect

from tests.support.consultation import Consultation
from tests.support.page_scripts import SOUND_ON_REQUEST
from tests.support.visitor import Arrive, Visitor


async def press_by_key(control: Locator) -> None:
    await control.focus()
    await control.press("Enter")


async def test_whoever_presses_enter_stays_on_the_button_and_asks_once(
    consultation: Consultation, arrive: Arrive
) -> None:
    asked: list[Route] = []

    async def hold(route: Route) -> None:
        asked.append(route)

    visitor = await arrive(consultation.guest_url)
    await visitor.page.route("**/v1/join", hold)
    await visitor.page.get_by_label("Votre nom").fill("Mme Durand")
    await press_by_key(visitor.button("Entrer"))
    entering = visitor.button("Nous vous faisons entrer…")
    await expect(entering).to_be_focused()
    await expect(entering).to_be_disabled()
    await entering.press("Enter")
    await visitor.page.get_by_label("Votre nom").press("Enter")
    assert len(asked) == 1
    await asked[0].continue_()
    await expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    await expect(visitor.page.get_by_role("toolbar")).to_be_visible()


async def test_the_speaker_test_keeps_the_focus(consultation: Consultation, arrive: Arrive) -> None:
    visitor = await arrive(consultation.guest_url)
    test = visitor.button("Essayer le haut-parleur")
    await press_by_key(test)
    await visitor.reads("Vous devez entendre trois notes")
    await expect(test).to_be_focused()
    await visitor.reads("Rien entendu ?")
    await expect(test).to_be_focused()


async def test_trying_a_device_again_leads_to_the_heading(
    consultation: Consultation, arrive: Arrive, refusing_browser: Browser
) -> None:
    visitor = await arrive(consultation.guest_url, browser=refusing_browser)
    await press_by_key(visitor.button("Réessayer"))
    await expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    await visitor.reads("Le navigateur bloque la caméra et le micro")


async def test_what_opens_from_the_menu_gives_the_focus_back_to_it(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    more, window = clinician.button("Plus de commandes"), clinician.page.locator("dialog[open]")
    await press_by_key(more)
    await press_by_key(clinician.button("Raccourcis du clavier"))
    await press_by_key(clinician.button(re.compile("^Fermer$")))
    await expect(window).to_have_count(0)
    await expect(more).to_be_focused()
    await press_by_key(more)
    await press_by_key(clinician.button("Ajouter une deuxième caméra"))
    await expect(window).to_be_visible()
    await clinician.page.keyboard.press("Escape")
    await expect(window).to_have_count(0)
    await expect(more).to_be_focused()
    await press_by_key(more)
    await press_by_key(clinician.button("Ajouter une deuxième caméra"))
    await clinician.page.get_by_label("Caméra", exact=True).select_option(label="fake_device_2")
    await press_by_key(clinician.button("Montrer cette caméra"))
    await expect(window).to_have_count(0)
    await expect(more).to_be_focused()
    await patient.sees("Dr Martin, deuxième caméra")
    await press_by_key(more)
    await press_by_key(clinician.button("Masquer mon image"))
    await expect(clinician.page.locator(".more-menu")).to_have_count(0)
    await expect(more).to_be_focused()


async def test_words_and_notices_that_go_away_lead_to_the_heading(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    heading = clinician.page.get_by_role("heading", level=1)
    await patient.press("Lever la main")
    await clinician.reads("Mme Durand lève la main.")
    await press_by_key(clinician.button("Fermer ce message").last)
    await expect(heading).to_be_focused()
    await clinician.page.keyboard.press("s")
    await press_by_key(
        clinician.page.locator(".state-notices").get_by_role("button", name="Arrêter le partage")
    )
    await expect(heading).to_be_focused()


async def test_turning_the_sound_on_leads_to_the_heading(consultation: Consultation, arrive: Arrive) -> None:
    await (await arrive(consultation.clinician_url)).enter()
    visitor = await arrive(consultation.guest_url, script=SOUND_ON_REQUEST)
    await visitor.enter("Paul")
    await visitor.reads("Le navigateur a coupé le son")
    await visitor.assert_accessible()
    await visitor.page.evaluate("window.silenced = false")
    await press_by_key(visitor.button("Activer le son"))
    await expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    await visitor.hears()
