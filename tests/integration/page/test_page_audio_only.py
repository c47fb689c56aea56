"""A room for sound alone on the page: cameras go off, and their button says why."""

import re

from playwright.async_api import expect

from tests.support.consultation import Consultation
from tests.support.gallery import PAIRS, shoot_page
from tests.support.management import Management
from tests.support.page_scripts import REMEMBER_CAPTURES
from tests.support.visitor import Arrive, Screen, Visitor

WHY = "Caméra éteinte\N{NO-BREAK SPACE}: cet appel est uniquement audio"


async def switched(room_api: Management, consultation: Consultation, *, on: bool) -> None:
    body = {"bandwidth": {"audio_only": on}}
    await room_api.ask("PATCH", f"/v1/rooms/{consultation.room}", body)


async def test_a_camera_goes_off_with_its_reason_and_comes_back_when_it_is_pressed(
    room_api: Management, consultation: Consultation, two: tuple[Visitor, Visitor]
) -> None:
    clinician, patient = two
    await switched(room_api, consultation, on=True)
    for visitor, other in ((clinician, "Mme Durand"), (patient, "Dr Martin")):
        await visitor.reads(re.compile("Cet appel est uniquement audio"))
        await expect(visitor.button(WHY)).to_have_attribute("aria-disabled", "true")
        await expect(visitor.tile(other)).to_contain_text("caméra éteinte")
        assert await visitor.page.get_by_text("La personne qui anime a éteint votre caméra").count() == 0
        await visitor.hears()
    await patient.assert_accessible()
    await patient.assert_fits()
    await patient.page.keyboard.press("v")
    await expect(clinician.tile("Mme Durand")).to_contain_text("caméra éteinte")
    await switched(room_api, consultation, on=False)
    await expect(patient.button("Allumer la caméra")).to_be_visible()
    await expect(clinician.tile("Mme Durand")).to_contain_text("caméra éteinte")
    await patient.press("Allumer la caméra")
    await clinician.sees("Mme Durand")


async def test_who_comes_into_a_room_for_sound_alone_is_told_and_heard(
    room_api: Management, consultation: Consultation, arrive: Arrive
) -> None:
    await switched(room_api, consultation, on=True)
    clinician = await arrive(consultation.clinician_url)
    await clinician.enter()
    guest = await arrive(consultation.guest_url, Screen(360, 640, "dark", "en-GB"))
    await guest.enter("Mrs Martin")
    await guest.reads("This call is for sound only")
    why = "Camera off: this call is for sound only"
    await expect(guest.button(why)).to_have_attribute("aria-disabled", "true")
    await guest.assert_accessible()
    await clinician.hears()
    await expect(clinician.tile("Mrs Martin")).to_contain_text("caméra éteinte")


async def test_the_link_page_of_a_room_for_sound_alone_asks_for_the_microphone_only(
    room_api: Management, consultation: Consultation, arrive: Arrive
) -> None:
    await switched(room_api, consultation, on=True)
    guest = await arrive(consultation.guest_url, script=REMEMBER_CAPTURES)
    await guest.reads("le micro suffit, la caméra reste éteinte")
    await expect(guest.button(re.compile("Couper le micro"))).to_be_visible()
    assert await guest.button(re.compile("[Cc]améra")).count() == 0
    await guest.page.get_by_text("Choisir le micro et le haut-parleur").click()
    assert await guest.page.get_by_label("Caméra").count() == 0
    await shoot_page(guest, "link-audio-only", PAIRS)
    await guest.enter("Paul")
    assert await guest.page.evaluate("captures.map((track) => track.kind)") == ["audio"]
