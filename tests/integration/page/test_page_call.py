"""The page in the call: two people, everything they can press, and how it reaches the other one."""

import re

from playwright.async_api import Browser, Locator, expect

from tests.support.consultation import Consultation
from tests.support.management import Management
from tests.support.page_scripts import REMEMBER_CAPTURES
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen, Visitor


async def test_two_people_meet_through_the_two_printed_links(server: Server, arrive: Arrive) -> None:
    links = re.findall(rf"{re.escape(server.url)}/r/\S+", server.read_log())[:2]
    clinician = await arrive(links[0])
    await clinician.enter()
    await clinician.reads("Personne d’autre n’est là pour l’instant.")
    await clinician.assert_accessible()
    await clinician.shoot("call-alone")
    patient = await arrive(links[1], Screen(360, 640))
    await patient.enter("Mme Durand")
    await clinician.sees("Mme Durand")
    await patient.sees("Clinician")
    for visitor in (clinician, patient):
        await visitor.assert_accessible()
        await visitor.assert_fits()
        await visitor.shoot("call-two")


async def test_everyone_is_heard(two: tuple[Visitor, Visitor]) -> None:
    for visitor in two:
        await visitor.hears()


async def test_messages_reach_the_other_side_and_are_counted_until_read(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await patient.press(re.compile("^Messages"))
    await patient.page.get_by_label("Votre message").fill("Bonjour docteur https://example.org/a.")
    await patient.page.keyboard.press("Enter")
    await expect(patient.page.locator(".message.own")).to_contain_text("Bonjour docteur")
    await expect(clinician.button("Messages (1 non lu)")).to_be_visible()
    await clinician.press("Messages (1 non lu)")
    message = clinician.page.locator(".message")
    await expect(message).to_contain_text("Mme Durand")
    await expect(message.get_by_role("link")).to_have_attribute("href", "https://example.org/a")
    await clinician.assert_accessible()
    await clinician.shoot("call-chat")
    await clinician.page.keyboard.press("Escape")
    await expect(clinician.button("Messages").first).to_be_focused()


async def test_a_raised_hand_is_seen_and_listed_first(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await patient.press("Lever la main")
    await expect(clinician.tile("Mme Durand")).to_contain_text("main levée")
    await clinician.press("Personnes")
    await expect(clinician.page.locator(".people li").first).to_contain_text("Mme Durand")
    await clinician.assert_accessible()
    await clinician.shoot("call-people")
    await patient.press("Baisser la main")
    await expect(clinician.tile("Mme Durand")).not_to_contain_text("main levée")


async def test_muting_and_the_camera_are_seen_by_the_other(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await patient.page.keyboard.press("m")
    await expect(clinician.tile("Mme Durand")).to_contain_text("micro coupé")
    await patient.press("Allumer le micro")
    await expect(clinician.tile("Mme Durand")).not_to_contain_text("micro coupé")
    await patient.press("Éteindre la caméra")
    await expect(clinician.tile("Mme Durand")).to_contain_text("caméra éteinte")
    await patient.page.keyboard.press("v")
    await clinician.sees("Mme Durand")


async def test_a_shared_screen_stands_large_until_it_is_stopped(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await clinician.press("Partager l’écran")
    await clinician.reads("Vous partagez votre écran")
    await patient.sees("Écran de Dr Martin")
    await expect(patient.page.locator(".stage-large li.tile")).to_contain_text("Écran de Dr Martin")
    await patient.assert_accessible()
    await patient.shoot("call-screen")
    await clinician.button("Arrêter le partage").first.click()
    await expect(patient.tile("Écran de Dr Martin")).to_have_count(0)
    await patient.sees("Dr Martin")


async def test_a_second_camera_is_shown_beside_the_face(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await clinician.press("Plus de commandes")
    await clinician.press("Ajouter une deuxième caméra")
    await clinician.assert_accessible()
    await clinician.page.get_by_label("Caméra", exact=True).select_option(label="fake_device_2")
    await clinician.press("Montrer cette caméra")
    await patient.sees("Dr Martin, deuxième caméra")
    await clinician.sees("Votre deuxième caméra")
    await expect(clinician.tile("Votre deuxième caméra").locator("video")).not_to_have_class(
        re.compile("mirrored")
    )
    await patient.shoot("call-second-camera")
    await clinician.press("Plus de commandes")
    await clinician.press("Arrêter la deuxième caméra")
    await expect(patient.tile("Dr Martin, deuxième caméra")).to_have_count(0)
    await patient.sees("Dr Martin")


async def test_a_microphone_is_changed_during_the_call(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await clinician.page.evaluate(REMEMBER_CAPTURES)
    await open_devices(clinician)
    microphones = clinician.page.get_by_label("Micro", exact=True)
    other = await other_option(microphones)
    await microphones.select_option(other)
    await clinician.page.wait_for_function(
        "id => captures.some(one => one.kind === 'audio' && one.getSettings().deviceId === id)", arg=other
    )
    await expect(microphones).to_have_value(other)
    await clinician.reads("Nous vous entendons bien.")
    await clinician.assert_accessible()
    await clinician.press(re.compile("^Fermer$"))
    await expect(patient.tile("Dr Martin")).not_to_contain_text("micro coupé")
    await patient.hears()


async def test_a_microphone_chosen_while_muted_stays_chosen_and_muted(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await clinician.page.evaluate(REMEMBER_CAPTURES)
    await clinician.press("Couper le micro")
    await open_devices(clinician)
    microphones = clinician.page.get_by_label("Micro", exact=True)
    other = await other_option(microphones)
    await microphones.select_option(other)
    await clinician.press("Essayer le haut-parleur")
    await clinician.reads("Vous devez entendre trois notes")
    await expect(microphones).to_have_value(other)
    await clinician.press(re.compile("^Fermer$"))
    await expect(patient.tile("Dr Martin")).to_contain_text("micro coupé")
    assert await clinician.page.evaluate("captures.length") == 0
    await clinician.press("Allumer le micro")
    await clinician.page.wait_for_function("id => captures[0]?.getSettings().deviceId === id", arg=other)


async def open_devices(visitor: Visitor) -> None:
    await visitor.press("Plus de commandes")
    await visitor.press("Caméra, micro, haut-parleur")


async def other_option(choice: Locator) -> str:
    """Give the last device of a list that is not the one in use."""
    used = await choice.input_value()
    options: list[str] = await choice.locator("option").evaluate_all("all => all.map(one => one.value)")
    return [option for option in options if option not in {used, "", "default"}][-1]


async def test_one_s_own_picture_is_moved_and_hidden(two: tuple[Visitor, Visitor]) -> None:
    clinician, _ = two
    own = clinician.button("Déplacer votre image")
    await own.focus()
    await clinician.page.keyboard.press("ArrowUp")
    await expect(clinician.page.locator(".self")).to_have_class(re.compile("top-right"))
    await clinician.press("Plus de commandes")
    await clinician.press("Masquer mon image")
    await expect(own).to_have_count(0)


async def test_the_quality_of_the_line_is_a_word_with_a_reason(two: tuple[Visitor, Visitor]) -> None:
    clinician, _ = two
    # What a browser reports of a line that loses every fifth packet.
    await clinician.page.evaluate(
        """RTCRtpSender.prototype.getStats = async () =>
             new Map([['1', {id: '1', type: 'remote-inbound-rtp', fractionLost: 0.2}]])"""
    )
    await clinician.press(re.compile("^Connexion faible"))
    await clinician.reads("Votre connexion est faible")
    await clinician.reads("Une partie de ce que vous envoyez se perd. Rapprochez-vous de la borne Wi-Fi.")
    await clinician.assert_accessible()


async def test_whoever_leaves_may_come_back(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await patient.press("Quitter")
    await patient.stands_at("L’appel est terminé")
    await patient.assert_accessible()
    await patient.shoot("ended")
    await clinician.reads("Mme Durand a quitté l’appel.")
    await clinician.reads("Personne d’autre n’est là pour l’instant.")
    await patient.press("Revenir dans l’appel")
    await expect(patient.page.get_by_label("Votre nom")).to_have_value("Mme Durand")
    await patient.enter()
    await clinician.sees("Mme Durand")


async def test_a_reloaded_page_is_the_same_person_again(two: tuple[Visitor, Visitor]) -> None:
    clinician, patient = two
    await patient.page.reload()
    await patient.enter()
    await clinician.sees("Mme Durand")
    await expect(clinician.page.locator("li.tile")).to_have_count(1)


async def test_the_same_link_opened_elsewhere_takes_over(
    two: tuple[Visitor, Visitor], consultation: Consultation, arrive: Arrive
) -> None:
    clinician, patient = two
    again = await arrive(consultation.clinician_url)
    await again.enter()
    await clinician.stands_at("L’appel est ouvert ailleurs")
    await again.sees("Mme Durand")
    await patient.sees("Dr Martin")
    await clinician.assert_accessible()


async def test_a_removed_person_is_told_so_and_stays_out(
    two: tuple[Visitor, Visitor], room_api: Management, consultation: Consultation
) -> None:
    clinician, patient = two
    await room_api.remove(consultation.room, "clinician")
    await clinician.stands_at("Vous ne faites plus partie de l’appel")
    await patient.reads("Personne d’autre n’est là pour l’instant.")
    await clinician.page.reload()
    await clinician.stands_at("Vous ne pouvez plus entrer dans cet appel")


async def test_someone_without_any_device_sees_and_hears(
    two: tuple[Visitor, Visitor], consultation: Consultation, arrive: Arrive, refusing_browser: Browser
) -> None:
    clinician, _ = two
    mute = await arrive(consultation.guest_url, browser=refusing_browser)
    await mute.enter("Paul")
    await mute.sees("Dr Martin")
    await expect(clinician.tile("Paul")).to_contain_text("micro coupé")
    await mute.press("Allumer la caméra")
    await mute.reads("Le navigateur bloque la caméra.")
    await mute.assert_accessible()


async def test_nothing_comes_from_elsewhere_during_a_call(
    two: tuple[Visitor, Visitor], server: Server
) -> None:
    for visitor in two:
        assert visitor.foreign_requests(server.url) == []
