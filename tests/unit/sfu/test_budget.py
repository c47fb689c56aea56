"""How the bits of a leg are shared among its pictures: pure values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.model import EncodingIntent
from sfu.policy.allocation import ALL_TEMPORAL, LayerPlan
from sfu.policy.budget import UNKNOWN, Demand, Rates, ceilings, costs, for_pictures, share

NOTHING = LayerPlan(None)
TOP = LayerPlan(2)
CAMERA: list[Rates] = [(60, 90, 120), (200, 320, 400), (700, 1_000, 1_300)]


def camera(has: LayerPlan = NOTHING, *, pixels: int = 0, screen: bool = False, to: LayerPlan = TOP) -> Demand:
    return Demand(to, CAMERA, has, screen, pixels)


@pytest.mark.parametrize(
    ("budget", "plan"),
    [
        (1_500, TOP),
        (1_400, LayerPlan(1)),  # 1,300 fits, but not with room to spare
        (450, LayerPlan(1)),
        (430, LayerPlan(0)),
        (100, LayerPlan(0, 1)),
        (60, LayerPlan(0, 0)),
        (52, LayerPlan(0, 0)),  # about
        (49, NOTHING),
    ],
)
def test_one_picture_gets_the_best_layer_that_fits(budget: int, plan: LayerPlan) -> None:
    assert share(budget, [camera()]) == [plan]


def test_what_a_leg_has_it_keeps_while_it_fits() -> None:
    assert share(1_310, [camera(has=TOP)]) == [TOP]
    assert share(1_290, [camera(has=TOP)]) == [LayerPlan(1)]


def test_everybody_is_seen_before_anybody_is_seen_well() -> None:
    assert share(260, [camera()] * 4) == [LayerPlan(0, 0)] * 4
    assert share(230, [camera()] * 4) == [LayerPlan(0, 0)] * 3 + [NOTHING]


def test_a_shared_screen_is_sharp_before_faces_are() -> None:
    assert share(1_700, [camera(), camera(), camera(screen=True)]) == [LayerPlan(0), LayerPlan(0, 1), TOP]


def test_large_pictures_come_before_small_ones() -> None:
    small, large = camera(pixels=100), camera(pixels=900)
    assert share(800, [small, large]) == [LayerPlan(0), LayerPlan(1)]
    assert share(59, [small, large]) == [NOTHING, LayerPlan(0, 0)]


def test_no_more_than_wanted_is_given() -> None:
    wanted = LayerPlan(1, 0)
    assert share(9_000, [camera(to=wanted)]) == [wanted]
    assert share(9_000, [camera(to=LayerPlan(0, 0))]) == [LayerPlan(0, 0)]


def test_a_codec_without_temporal_layers_has_no_steps_between() -> None:
    plain = [(120, 120, 120), (400, 400, 400)]
    assert share(130, [Demand(LayerPlan(1), plain, NOTHING)]) == [LayerPlan(0)]


def test_what_was_not_measured_is_taken_as_announced_or_as_browsers_do_it() -> None:
    encodings = (EncodingIntent(max_kbps=100), EncodingIntent(), EncodingIntent(max_kbps=1_700))
    assert costs([], encodings) == [(100,) * 3, (400,) * 3, (1_700,) * 3]
    assert costs([(50, 60, 70), UNKNOWN], encodings[:2]) == [(50, 60, 70), (280,) * 3]
    assert costs([], (EncodingIntent(),)) == [(150,) * 3]
    assert costs([], encodings, most=300) == [(100,) * 3, (300,) * 3, (300,) * 3]


def test_sound_is_set_aside_for_as_many_as_speak_at_a_time() -> None:
    assert [for_pictures(500, voices) for voices in (0, 1, 3, 30)] == [500, 452, 356, 356]
    assert for_pictures(100, 30) == 0


@pytest.mark.parametrize(
    ("budget", "tracks", "highest"),
    [
        (600, [[100, 400]], [None]),
        (600, [[100, 400, 180]], [None]),  # senders sway about what they were asked for
        (600, [[100, 400, 1_500]], [1]),
        (600, [[100, 400, 1_500], [1_500]], [1, -1]),
        (600, [[1_500]], [-1]),
        (600, [[]], [None]),
    ],
)
def test_of_a_sender_that_does_not_follow_the_lower_encodings_are_passed_on(
    budget: int, tracks: list[list[int]], highest: list[int | None]
) -> None:
    assert ceilings(budget, tracks) == highest


PLANS = st.builds(LayerPlan, st.integers(0, 2), st.sampled_from([0, 1, ALL_TEMPORAL]))
RATES = st.lists(st.integers(1, 3_000), min_size=3, max_size=3).map(lambda kbps: tuple(sorted(kbps)))
DEMANDS = st.lists(
    st.builds(
        Demand,
        PLANS,
        st.lists(RATES, min_size=3, max_size=3),
        PLANS | st.just(NOTHING),
        st.booleans(),
        st.integers(0, 9),
    ),
    max_size=8,
)


def taken(demand: Demand, plan: LayerPlan) -> int:
    return 0 if plan.encoding is None else demand.costs[plan.encoding][min(plan.temporal, 2)]


@given(st.integers(0, 20_000), DEMANDS)
def test_what_is_given_fits_is_wanted_and_does_not_change_when_shared_again(
    budget: int, demands: list[Demand]
) -> None:
    plans = share(budget, demands)
    spent = sum(map(taken, demands, plans))
    given_some = sum(plan.encoding is not None for plan in plans)
    assert spent <= budget or (given_some == 1 and spent <= budget * 1.2 + 1)
    for demand, plan in zip(demands, plans, strict=True):
        assert plan.encoding is None or demand.target.encoding is not None
        assert plan.encoding is None or plan.encoding <= (demand.target.encoding or 0)
        assert plan.encoding is None or plan.temporal <= demand.target.temporal
    again = [
        Demand(demand.target, demand.costs, plan, demand.screen, demand.pixels)
        for demand, plan in zip(demands, plans, strict=True)
    ]
    assert share(budget, again) == plans


@given(DEMANDS)
def test_with_more_than_enough_everybody_gets_what_they_want(demands: list[Demand]) -> None:
    most = sum(max(map(max, demand.costs)) for demand in demands)
    plans = share(most * 2, demands)
    for demand, plan in zip(demands, plans, strict=True):
        assert plan.encoding == demand.target.encoding or taken(demand, demand.target) <= 1.1 * taken(
            demand, plan
        )
