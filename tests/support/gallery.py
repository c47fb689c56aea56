"""Pictures of one state of the page on every kind of screen; each must fit its screen."""

from tests.support.visitor import Screen, Visitor

SIZES = ((360, 640), (1280, 800))

EVERY = (
    (
        Screen(360, 640, "light"),
        Screen(360, 640, "dark"),
        Screen(1280, 800, "light"),
        Screen(1280, 800, "dark"),
    ),
) * 2
"""Both sizes in both schemes, in each language."""

PAIRS = (
    (Screen(360, 640, "light"), Screen(1280, 800, "dark")),
    (Screen(360, 640, "dark"), Screen(1280, 800, "light")),
)
"""Each size and scheme once in each language: enough for states that differ in their words only."""


async def shoot_page(
    visitor: Visitor, name: str, screens: tuple[tuple[Screen, ...], tuple[Screen, ...]] = EVERY
) -> None:
    """Take a state outside the call, which starts in French, on the screens for French and for English.

    It must be accessible in the dark; the tests of each state judge it in the light.
    """
    for language, looks in zip(("fr-FR", "en-GB"), screens, strict=True):
        for look in looks:
            await visitor.turn(Screen(look.width, look.height, look.scheme, language))
            await visitor.assert_fits()
            await visitor.shoot(name)
        # The switch stands in the head of every page, and leads back after the second time.
        await visitor.page.locator(".page-head button").click()
    await visitor.turn(Screen(scheme="dark"))
    await visitor.assert_accessible()
    await visitor.turn(Screen())


async def shoot_call(visitor: Visitor, name: str) -> None:
    """Take a state of the call, which is always dark, in both sizes and in the visitor's own language."""
    for width, height in SIZES:
        await visitor.turn(Screen(width, height, "dark", visitor.screen.language))
        await visitor.assert_fits()
        await visitor.shoot(name)
