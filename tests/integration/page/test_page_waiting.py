"""The waiting room as patients live it: from the link to the call, with everything that may come between."""

import asyncio
import re
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, WebSocket, expect

from tests.support.eventually import eventually
from tests.support.gallery import PAIRS, shoot_page
from tests.support.management import Management
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen, Visitor
from tests.support.waiting_client import WaitingClient

TITLE = "Vous êtes en salle d’attente"
_MEDIA = re.compile(r"v=0|candidate|ice-ufrag|fingerprint|sdp", re.IGNORECASE)


@dataclass
class Wire:
    """What went over the WebSockets of a page."""

    addresses: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)

    def watch(self, visitor: Visitor) -> None:
        """Write down everything from now on."""

        def opened(socket: WebSocket) -> None:
            self.addresses.append(socket.url)
            socket.on("framereceived", lambda payload: self.received.append(str(payload)))

        visitor.page.on("websocket", opened)


@dataclass
class Practice:
    """A room with a waiting room, a patient's link and the doctor's token."""

    api: Management
    room: str
    link: str
    host: str

    @classmethod
    async def open(cls, api: Management) -> "Practice":
        room = await api.room(name="Consultation du Dr Martin", waiting_room=True)
        person = f"/v1/rooms/{room}/participants/patient"
        await api.ask("PUT", person, {"role": "patient", "name": "Mme Durand"})
        link = str((await api.ask("POST", f"{person}/link", {}))["url"])
        return cls(api, room, link, await api.token(room, "doctor", role="host"))

    async def act(self, act: str) -> None:
        await self.api.ask("POST", f"/v1/rooms/{self.room}/participants/patient/{act}")

    async def state(self) -> tuple[str, str | None]:
        found = await self.api.ask("GET", f"/v1/rooms/{self.room}/participants/patient")
        return str(found["state"]), found.get("waiting_since")


async def waits(visitor: Visitor) -> None:
    await visitor.press("Entrer" if visitor.screen.french else "Enter")
    await visitor.stands_at(TITLE if visitor.screen.french else "You are in the waiting room")


async def test_a_patient_waits_sees_what_the_host_says_and_is_let_into_the_call(
    room_api: Management, arrive: Arrive
) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    wire = Wire()
    wire.watch(visitor)
    await waits(visitor)
    await visitor.reads(re.compile("Dès que la personne"))
    await visitor.reads(re.compile(r"Vous attendez depuis \d+\sh\s\d\d"))
    await expect(visitor.page.locator("video.mirror")).to_be_visible()
    async with WaitingClient(room_api.server, practice.host) as host:
        await visitor.reads(re.compile("voit que vous êtes là"))
        await host.ask("late_notice", minutes=10)
        await visitor.reads("Environ 10 minutes de retard")
        await host.ask("message", text="Je termine et je vous prends.", identity="patient")
        news = visitor.page.get_by_role("status").filter(has_text="Je termine et je vous prends.")
        await expect(news).to_be_visible()
        await visitor.assert_accessible()
        assert [address.rpartition("/")[2] for address in wire.addresses] == ["waiting"]
        assert [frame for frame in wire.received if _MEDIA.search(frame)] == []
        assert not any("access_token" in url for url in visitor.requests)
        await host.ask("admit", identity="patient")
        await expect(visitor.page.get_by_role("toolbar")).to_be_visible()
    await visitor.reads("Personne d’autre n’est là pour l’instant.")
    await expect(visitor.button(re.compile("Éteindre la caméra"))).to_be_visible()


async def test_an_admission_by_rest_leads_two_people_together(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    person = f"/v1/rooms/{practice.room}/participants/doctor"
    doctor = await arrive(str((await room_api.ask("POST", f"{person}/link", {}))["url"]))
    await doctor.enter()
    patient = await arrive(practice.link)
    await waits(patient)
    await practice.act("admit")
    await doctor.sees("Mme Durand")
    await patient.sees("Doctor")


async def test_a_reload_brings_back_to_the_same_place(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    await waits(visitor)
    await expect(visitor.page.get_by_text("Vous attendez depuis")).to_be_visible()
    before = await practice.state()
    await visitor.page.reload()
    await visitor.stands_at(TITLE)
    await visitor.reads(re.compile("Vous attendez depuis"))
    assert await practice.state() == before
    assert before[0] == "waiting"
    await practice.act("admit")
    await expect(visitor.page.get_by_role("toolbar")).to_be_visible()


async def test_a_restart_of_the_server_is_waited_for(page_browser: Browser, own_server: Server) -> None:
    async with Management(own_server) as api:
        practice = await Practice.open(api)
        visitor = await Visitor.arrive(page_browser, practice.link)
        await waits(visitor)
        await visitor.reads(re.compile("Vous attendez depuis"))
        before = await practice.state()
        own_server.kill()
        await visitor.reads("La connexion est coupée")
        await visitor.assert_accessible()
        await asyncio.to_thread(own_server.start)
        await visitor.reads(re.compile("Dès que la personne"))
        assert await practice.state() == before
        await practice.act("admit")
        await expect(visitor.page.get_by_role("toolbar")).to_be_visible()
        await visitor.leave_page()


async def test_who_is_let_in_while_the_line_is_lost_goes_in(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    await waits(visitor)
    await visitor.reads(re.compile("Vous attendez depuis"))
    await visitor.page.reload(wait_until="commit")
    await practice.act("admit")
    await expect(visitor.page.get_by_role("toolbar")).to_be_visible()


async def test_leaving_gives_the_place_up_and_one_can_wait_again(
    room_api: Management, arrive: Arrive
) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    await waits(visitor)
    await visitor.reads(re.compile("Vous attendez depuis"))
    await visitor.press("Quitter la salle d’attente")
    await visitor.stands_at("Vous avez quitté la salle d’attente")

    async def gone() -> bool:
        return (await practice.state())[0] == "left"

    await eventually(gone)
    await visitor.press("Attendre de nouveau")
    await waits(visitor)


@pytest.mark.parametrize(
    ("act", "title"),
    [
        ("deny", "On ne peut pas vous recevoir maintenant"),
        ("remove", "Vous ne pouvez plus entrer dans cet appel"),
        ("cancel", "Cet appel est annulé"),
        ("finish", "Cet appel est terminé"),
    ],
)
async def test_the_end_of_the_wait_is_said_in_words(
    room_api: Management, arrive: Arrive, act: str, title: str
) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    await waits(visitor)
    await visitor.reads(re.compile("Vous attendez depuis"))
    if act in {"cancel", "finish"}:
        await room_api.ask("POST", f"/v1/rooms/{practice.room}/{act}")
    else:
        await practice.act(act)
    await visitor.stands_at(title)
    await visitor.assert_accessible()


async def test_the_keyboard_alone_is_enough(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    await visitor.button("Entrer").focus()
    await visitor.page.keyboard.press("Enter")
    await visitor.stands_at(TITLE)
    await expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    await visitor.page.keyboard.press("Tab")
    await expect(visitor.button("Quitter la salle d’attente")).to_be_focused()
    await visitor.page.keyboard.press("Enter")
    await visitor.stands_at("Vous avez quitté la salle d’attente")


async def test_a_call_is_rated_with_a_few_touches(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    await practice.act("admit")
    visitor = await arrive(practice.link, Screen(360, 640))
    await visitor.page.route("**/v1/join/rating", lambda route: route.abort(), times=1)
    await visitor.enter()
    await visitor.press("Quitter")
    if await visitor.page.get_by_role("dialog").is_visible():
        await visitor.page.get_by_role("dialog").get_by_role("button", name="Quitter").click()
    await visitor.stands_at("L’appel est terminé")
    await visitor.page.get_by_label("Mal", exact=False).nth(1).check(force=True)
    await visitor.page.get_by_label("Son haché").check(force=True)
    await visitor.assert_accessible()
    await visitor.press("Envoyer mon avis")
    await visitor.reads(re.compile("n’a pas pu être envoyé"))
    await visitor.press("Envoyer mon avis")
    await visitor.reads("Merci pour votre avis.")
    (rating,) = (await room_api.ask("GET", f"/v1/rooms/{practice.room}/ratings"))["items"]
    assert (rating["identity"], rating["score"], rating["reasons"]) == ("patient", 2, ["audio_choppy"])


# --- how it looks ---


async def test_pictures_of_the_waiting_room(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    await waits(visitor)
    await visitor.reads(re.compile("Dès que la personne"))
    await expect(visitor.page.locator("video.mirror")).to_be_visible()
    await shoot_page(visitor, "waiting-alone", PAIRS)
    async with WaitingClient(room_api.server, practice.host) as host:
        await host.ask("late_notice", minutes=10)
        await host.ask("message", text="Je termine une urgence et je vous prends juste après.")
        await visitor.reads(re.compile("juste après"))
        await shoot_page(visitor, "waiting")


async def test_pictures_of_ends(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    visitor = await arrive(practice.link)
    await waits(visitor)
    await visitor.reads(re.compile("Vous attendez depuis"))
    await visitor.press("Quitter la salle d’attente")
    await visitor.stands_at("Vous avez quitté la salle d’attente")
    await shoot_page(visitor, "ended-gave-up", PAIRS)
    await visitor.press("Attendre de nouveau")
    await waits(visitor)
    await visitor.reads(re.compile("Vous attendez depuis"))
    await practice.act("deny")
    await visitor.stands_at("On ne peut pas vous recevoir maintenant")
    await shoot_page(visitor, "refused-denied", PAIRS)


async def test_pictures_of_a_rating(room_api: Management, arrive: Arrive) -> None:
    practice = await Practice.open(room_api)
    await practice.act("admit")
    visitor = await arrive(practice.link)
    await visitor.enter()
    await visitor.press("Quitter")
    await visitor.stands_at("L’appel est terminé")
    await visitor.page.get_by_label("Moyen").check(force=True)
    await visitor.page.get_by_label("Image figée").check(force=True)
    await shoot_page(visitor, "ended-rating")
