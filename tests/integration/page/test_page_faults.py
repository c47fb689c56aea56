"""The page when the line or the service fails: it says so, keeps trying and comes back by itself."""

import re

from playwright.async_api import expect

from tests.support.management import Management
from tests.support.page_scripts import REMEMBER_CAPTURES
from tests.support.server import Server
from tests.support.visitor import Arrive


async def test_a_call_comes_back_after_the_service_was_killed(own_server: Server, arrive: Arrive) -> None:
    async with Management(own_server) as room_api:
        room = await room_api.room(name="Consultation")
        link = (await room_api.ask("POST", f"/v1/rooms/{room}/links", {}))["url"]
    ann, bob = await arrive(link), await arrive(link)
    await ann.enter("Anne")
    await bob.enter("Bruno")
    await ann.sees("Bruno")
    own_server.kill()
    await ann.reads(re.compile("Liaison avec le service interrompue|Connexion perdue"))
    await ann.assert_accessible()
    await ann.shoot("call-reconnecting")
    own_server.start()
    await expect(ann.page.locator(".state-notices [role=alert]").first).to_be_empty(timeout=15_000)
    await ann.sees("Bruno")
    await bob.sees("Anne")


async def test_a_shared_screen_comes_back_with_the_call_and_ends_with_it(
    own_server: Server, arrive: Arrive
) -> None:
    async with Management(own_server) as room_api:
        room = await room_api.room(name="Consultation")
        link = (await room_api.ask("POST", f"/v1/rooms/{room}/links", {}))["url"]
    ann, bob = await arrive(link, script=REMEMBER_CAPTURES), await arrive(link)
    await ann.enter("Anne")
    await bob.enter("Bruno")
    await ann.press("Partager l’écran")
    await bob.sees("Écran de Anne")
    own_server.stop()
    await ann.reads("Connexion perdue")
    # The library gives up after a minute, which need not be waited for; the page then connects afresh.
    await ann.page.evaluate("const now = Date.now; Date.now = () => now() + 120_000; void 0")
    await ann.reads("Vous partagez votre écran")
    own_server.start()
    await bob.sees("Écran de Anne")
    await ann.press("Quitter")
    await ann.stands_at("L’appel est terminé")
    assert await ann.page.evaluate("captures.filter(one => one.readyState === 'live').length") == 0


async def test_a_door_that_does_not_answer_opens_by_itself_when_the_service_is_back(
    own_server: Server, arrive: Arrive
) -> None:
    async with Management(own_server) as room_api:
        room = await room_api.room(name="Consultation")
        link = (await room_api.ask("POST", f"/v1/rooms/{room}/links", {}))["url"]
    visitor = await arrive(link)
    await expect(visitor.button("Entrer")).to_be_visible()
    own_server.kill()
    await visitor.page.get_by_label("Votre nom").fill("Anne")
    await visitor.press("Entrer")
    await visitor.reads("Le service ne répond pas")
    await visitor.assert_accessible()
    own_server.start()
    await visitor.reads("Personne d’autre n’est là pour l’instant.")
