"""Sub-groups, messages to everybody, and a role that changes during the call, as the page shows them."""

import asyncio
import re

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.support.gallery import SIZES
from tests.support.management import Management
from tests.support.visitor import Arrive, Screen, Visitor
from tests.support.ward import HOST, Ward, guest, hosting, open_ward, panel

PEOPLE = ("Mme Durand", "M. Petit")


@pytest_asyncio.fixture(loop_scope="session")
async def ward(room_api: Management) -> Ward:
    """Give a room that is open and has no waiting room."""
    return await open_ward(room_api)


def where(clinician: Visitor, name: str) -> Locator:
    """Give the choice of the place of somebody."""
    return panel(clinician).get_by_label(re.compile(f"^{re.escape(name)}.*groupe$"))


async def place(clinician: Visitor, name: str, group: str) -> None:
    await where(clinician, name).select_option(label=group)
    await expect(where(clinician, name).locator("option:checked")).to_have_text(group, timeout=15_000)


async def alone_with(visitor: Visitor, *names: str) -> None:
    """Wait until a person sees and hears these people and nobody else."""
    await expect(visitor.page.locator("li.tile")).to_have_count(len(names), timeout=20_000)
    for name in names:
        await visitor.sees(name)
    await visitor.page.wait_for_function(
        """(count) => [...document.querySelectorAll('audio')].filter((one) =>
             one.srcObject?.getAudioTracks().some((track) => track.readyState === 'live' && !track.muted)
           ).length === count""",
        arg=len(names),
    )


@pytest.mark.timeout(90)  # three browsers that are moved to and fro
async def test_people_meet_in_groups_hear_what_is_said_to_all_and_return(ward: Ward, arrive: Arrive) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    durand, petit = [await guest(arrive, ward, name) for name in PEOPLE]
    await alone_with(clinician, *PEOPLE)
    groups = panel(clinician)
    await groups.get_by_label("Répartir tout le monde dès l’ouverture").click()
    await clinician.press("Ouvrir les groupes")
    await expect(groups.get_by_text("Personne pour l’instant.")).to_have_count(2)
    for name in PEOPLE:
        await place(clinician, name, "Groupe 1")
    await durand.reads(re.compile(r"^Vous êtes maintenant dans «\sGroupe 1\s»\.$"))
    await alone_with(durand, "M. Petit")
    await alone_with(petit, "Mme Durand")
    await expect(clinician.page.locator("li.tile")).to_have_count(0)

    await place(clinician, "M. Petit", "Groupe 2")
    await expect(durand.page.locator("li.tile")).to_have_count(0)
    field = groups.get_by_label("Message à tout le monde, dans tous les groupes")
    await field.fill("Nous nous retrouvons dans cinq minutes.")
    await field.press("Enter")
    await clinician.reads("Message envoyé à tout le monde.")
    await expect(field).to_have_value("")
    for visitor in (durand, petit):
        await visitor.reads("Message de Dr Martin à tout le monde")
        await visitor.reads("Nous nous retrouvons dans cinq minutes.")
    await expect(clinician.page.locator(".announced")).to_have_count(0)
    await durand.press("C’est lu")
    await expect(durand.page.locator(".announced")).to_have_count(0)

    await place(clinician, "M. Petit", "Avec tous")
    await petit.reads("Vous êtes de retour avec tout le monde.")
    await alone_with(clinician, "M. Petit")
    await clinician.press("Réunir tout le monde")
    await durand.reads("Vous êtes de retour avec tout le monde.")
    await alone_with(durand, "Dr Martin", "M. Petit")
    await expect(clinician.button("Ouvrir les groupes")).to_be_visible()
    for visitor in (durand, petit):
        joins = [one for one in visitor.requests if one.endswith("/v1/join")]
        assert len(joins) == 1, "nobody joined afresh"


async def test_groups_and_what_is_said_to_all_fit_every_screen(ward: Ward, arrive: Arrive) -> None:
    clinician = await hosting(arrive, ward.clinician_url)
    patient = await guest(arrive, ward, "Mme Durand-Villeneuve de la Rochefoucauld")
    await clinician.sees("Mme Durand")
    for width, height in SIZES:
        await clinician.turn(Screen(width, height, "dark"))
        await panel(clinician).get_by_role("heading", name="Petits groupes").scroll_into_view_if_needed()
        await clinician.assert_fits()
        await clinician.shoot("host-groups-form")
    await panel(clinician).get_by_label("Durée").select_option(label="30 minutes")
    await clinician.press("Ouvrir les groupes")
    await patient.reads(re.compile(r"^Vous êtes maintenant dans «\sGroupe 1\s», jusqu’à \d+\sh\s\d\d\.$"))
    await expect(patient.page.locator(".top-place")).to_contain_text("Groupe 1, jusqu’à")
    field = panel(clinician).get_by_label("Message à tout le monde, dans tous les groupes")
    await field.fill(
        "Nous nous retrouvons dans cinq minutes dans la salle commune. Gardez une question pour la fin."
    )
    await field.press("Enter")
    await patient.reads("Gardez une question pour la fin.")
    for width, height in SIZES:
        for visitor, name in ((clinician, "host-groups"), (patient, "call-group")):
            await visitor.turn(Screen(width, height, "dark"))
            await visitor.page.locator(".host-groups h3, .announced").first.scroll_into_view_if_needed()
            await visitor.assert_fits()
            await visitor.shoot(name)
    body = clinician.page.locator(".host-body")
    assert await body.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "nothing is cut off beside"
    await clinician.assert_accessible()
    await patient.assert_accessible()


@pytest.mark.timeout(90)
async def test_groups_are_run_by_keyboard_alone_and_named_and_shared_out(ward: Ward, arrive: Arrive) -> None:
    clinician = await hosting(arrive, ward.clinician_url, Screen(360, 640, "dark"))
    visitors = [await guest(arrive, ward, name) for name in PEOPLE]
    await expect(clinician.page.locator("li.tile")).to_have_count(2)
    page, groups = clinician.page, panel(clinician)
    await groups.locator("summary").focus()
    await page.keyboard.press("Enter")
    for name in ("Sucré", "Salé"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(name)
    await clinician.shoot("host-groups-form")
    await clinician.assert_fits()
    await clinician.assert_accessible()
    await page.keyboard.press("Enter")
    await expect(groups.get_by_role("heading", name="Petits groupes")).to_be_focused()
    for name in ("Sucré", "Salé"):
        await expect(groups.get_by_text(name, exact=True).first).to_be_visible()
    await asyncio.gather(*(one.reads(re.compile("^Vous êtes maintenant dans")) for one in visitors))
    await expect(where(clinician, "Dr Martin").locator("option:checked")).to_have_text("Avec tous")
    chosen = [await where(clinician, name).input_value() for name in PEOPLE]
    assert len(set(chosen)) == 2, "each group has one"
    assert "" not in chosen
    await where(clinician, "Mme Durand").focus()
    await page.keyboard.press("Home")
    await expect(where(clinician, "Mme Durand").locator("option:checked")).to_have_text("Avec tous")
    await expect(where(clinician, "Mme Durand")).to_be_focused()
    await clinician.button("Répartir également").focus()
    await page.keyboard.press("Enter")
    await expect(where(clinician, "Mme Durand").locator("option:checked")).not_to_have_text("Avec tous")
    await expect(clinician.button("Répartir également")).to_be_focused()
    await clinician.shoot("host-groups-named")
    await clinician.button("Fermer : Sucré").focus()
    await page.keyboard.press("Enter")
    await expect(clinician.button("Fermer : Sucré")).to_have_count(0)
    await expect(groups.get_by_role("heading", name="Petits groupes")).to_be_focused()
    await clinician.button("Réunir tout le monde").focus()
    await page.keyboard.press("Enter")
    await expect(clinician.button("Ouvrir les groupes")).to_be_visible()
    await expect(groups.get_by_role("heading", name="Petits groupes")).to_be_focused()


async def test_english_hosts_and_guests_read_english(ward: Ward, arrive: Arrive) -> None:
    english = Screen(360, 640, "dark", "en-GB")
    clinician = await arrive(ward.clinician_url, english)
    await clinician.enter()
    patient = await arrive(ward.guest_url, english)
    await patient.enter("Mrs Moss")
    await clinician.press(re.compile("^Host"))
    await expect(clinician.page.get_by_label("Message to everybody, in all groups")).to_be_attached()
    await clinician.page.get_by_label("Duration").select_option(label="10 minutes")
    await clinician.press("Open the groups")
    await patient.reads(re.compile(r"^You are now in “Group 1”, until \d+:\d\d .m\.$"))
    await clinician.assert_fits()
    await clinician.shoot("host-groups")
    await patient.shoot("call-group")


async def test_who_is_made_a_host_during_the_call_runs_it_and_who_is_one_no_more_does_not(
    room_api: Management, arrive: Arrive
) -> None:
    ward = await open_ward(room_api)
    path = f"/v1/rooms/{ward.room}/participants/nurse"
    await room_api.ask("PUT", path, {"name": "Mme Roux", "role": "guest"})
    link = await room_api.ask("POST", f"{path}/link", {})
    nurse = await arrive(link["url"])
    await nurse.enter()
    patient = await guest(arrive, ward, "Mme Durand")
    await nurse.sees("Mme Durand")
    await expect(nurse.button(HOST)).to_have_count(0)
    await room_api.ask("PUT", path, {"name": "Mme Roux", "role": "delegate"})
    await nurse.reads(re.compile("^Vous animez maintenant l’appel"))
    await nurse.press(HOST)
    await nurse.press("Couper le micro de Mme Durand")
    await patient.reads("Votre micro a été coupé par la personne qui anime.")
    await nurse.button("Terminer pour tous").focus()
    await room_api.ask("PUT", path, {"name": "Mme Roux", "role": "guest"})
    await nurse.reads("Vous n’animez plus l’appel.")
    await expect(nurse.button(HOST)).to_have_count(0)
    await expect(panel(nurse)).to_have_count(0)
    await expect(nurse.page.get_by_role("heading", level=1)).to_be_focused()
    await nurse.sees("Mme Durand")
    await nurse.assert_accessible()
