"""Pictures of one state of the page on every kind of screen; each must fit its screen and be accessible."""

from tests.support.visitor import Scheme, Screen, Visitor

SIZES = ((360, 640), (1280, 800))
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")


async def shoot_page(visitor: Visitor, name: str) -> None:
    """Take a state outside the call, which starts in French, in both sizes, schemes and languages."""
    for language in ("fr-FR", "en-GB"):
        for width, height in SIZES:
            for scheme in _SCHEMES:
                await visitor.turn(Screen(width, height, scheme, language))
                await visitor.shoot(name)
            await visitor.assert_fits()
        await visitor.assert_accessible()
        # The switch stands in the head of every page, and leads back after the second time.
        await visitor.page.locator(".page-head button").click()
    await visitor.turn(Screen())


async def shoot_call(visitor: Visitor, name: str) -> None:
    """Take a state of the call, which is always dark, in both sizes and in the visitor's own language."""
    for width, height in SIZES:
        await visitor.turn(Screen(width, height, "dark", visitor.screen.language))
        await visitor.assert_fits()
        await visitor.shoot(name)
    await visitor.assert_accessible()
