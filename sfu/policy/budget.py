"""Which layers fit: how the bits that a leg may take are shared among its pictures.

Sound comes first and is never left out. Then every picture gets its cheapest layer, shared screens before
faces and large ones before small; then screens get all they want, and faces grow in turns. What a leg has it
keeps while it fits; what is more must fit with room to spare, so that a rate that sways does not make
pictures sway with it (adapted from the allocation of jitsi-videobridge, doc/allocation.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sfu.model import EncodingIntent
from sfu.policy.allocation import LayerPlan

Rates = tuple[int, int, int]
"""Kbps of an encoding on the wire, by temporal layer with those below it; zeros while unknown."""

UNKNOWN: Rates = (0, 0, 0)

VOICE_KBPS = 48
"""Opus at 24 to 32 kbit/s, with the headers of fifty packets a second."""
_VOICES_AT_ONCE = 3
"""More people than that do not speak at a time; the others send next to nothing."""
_HEADROOM = 0.9
"""Share of the budget that may be filled with what a leg does not have yet."""
_EXCESS = 1.2
"""Senders that were asked for less sway about the cap; beyond this share of it they do not follow."""
_LOWEST_KBPS = 150
_STEP_UP = 4
"""Each encoding of a browser has twice the width and height of the one below."""
_WORTH_A_STEP = 1.1


@dataclass(frozen=True, slots=True)
class Demand:
    """What one picture could have."""

    target: LayerPlan
    """By what its viewer wants; never one that sends nothing."""
    costs: Sequence[Rates]
    """Of each encoding, lowest first."""
    has: LayerPlan
    screen: bool = False
    pixels: int = 0


@dataclass(frozen=True, slots=True)
class _Step:
    plan: LayerPlan
    kbps: int


def for_pictures(cap_kbps: int, voices: int) -> int:
    """Return what a cap leaves for pictures beside so many voices."""
    return max(0, cap_kbps - VOICE_KBPS * min(voices, _VOICES_AT_ONCE))


def costs(
    measured: Sequence[Rates], encodings: Sequence[EncodingIntent], most: int | None = None
) -> list[Rates]:
    """Return what each encoding is taken to cost: as measured, as announced, or as browsers do it.

    What was not measured costs no more than the publisher is asked to send at `most`.
    """
    found: list[Rates] = []
    for index, encoding in enumerate(encodings):
        rates = measured[index] if index < len(measured) else UNKNOWN
        if rates == UNKNOWN:
            guess = encoding.max_kbps or (found[-1][-1] * _STEP_UP if found else _LOWEST_KBPS)
            guess = guess if most is None else min(guess, most)
            rates = (guess, guess, guess)
        found.append(rates)
    return found


def share(budget_kbps: int, demands: Sequence[Demand]) -> list[LayerPlan]:
    """Give each demand a layer, in their order; together they stay within the budget, or one alone about.

    A demand that gets nothing has a plan without encoding. To share again what was given changes nothing.
    """
    shares = [_Share(demand) for demand in demands]
    order = sorted(shares, key=lambda one: (not one.demand.screen, -one.demand.pixels))
    left = float(budget_kbps)
    reserve = budget_kbps * (1 - _HEADROOM)
    for one in order:
        # A sender at its own cap sways about it: alone it is let pass, if there is nothing cheaper of it.
        spare = 0.0 if left < budget_kbps else budget_kbps * (_EXCESS - 1)
        left -= one.climb(left + spare, 0)
    for one in order:
        while one.demand.screen and (cost := one.climb(left, reserve)):
            left -= cost
    climbing = [one for one in order if one.at is not None and not one.demand.screen]
    while climbing:
        still = []
        for one in climbing:
            if cost := one.climb(left, reserve):
                left -= cost
                still.append(one)
        climbing = still
    return [one.plan for one in shares]


def ceilings(budget_kbps: int, tracks: Sequence[Sequence[int]]) -> list[int | None]:
    """Say for each published picture the highest encoding to be passed on: -1 for none, None for all.

    `tracks` has what the encodings of each take. Senders are asked to stay within the budget; as long as they
    about do, nothing is withheld.
    """
    if sum(map(sum, tracks)) <= budget_kbps * _EXCESS:
        return [None] * len(tracks)
    demands = []
    for track in tracks:
        sums = [sum(track[: index + 1]) for index in range(len(track))]
        top = LayerPlan(len(track) - 1 if track else None)
        demands.append(Demand(top, [(kbps, kbps, kbps) for kbps in sums], has=top))
    return [-1 if plan.encoding is None else plan.encoding for plan in share(budget_kbps, demands)]


class _Share:
    """One demand on its way up its steps."""

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        self.at: int | None = None
        self._steps = _steps(demand)
        held = [number for number, step in enumerate(self._steps) if _within(step.plan, demand.has)]
        self._held = max(held, default=-1)

    @property
    def plan(self) -> LayerPlan:
        return LayerPlan(None) if self.at is None else self._steps[self.at].plan

    def climb(self, left: float, reserve: float) -> float:
        """Take the next step if what is left allows it; return what it costs more, 0 if it was not taken."""
        following = 0 if self.at is None else self.at + 1
        if following == len(self._steps):
            return 0
        more = self._steps[following].kbps - (0 if self.at is None else self._steps[self.at].kbps)
        if more > left - (reserve if following > max(self._held, 0) else 0):
            return 0
        self.at = following
        return more


def _steps(demand: Demand) -> list[_Step]:
    """Return what a picture can have, from the cheapest to what is wanted, each worth its price."""
    steps: list[_Step] = []
    for plan in _plans(demand.target):
        assert plan.encoding is not None  # noqa: S101 - of _plans
        kbps = max(1, demand.costs[plan.encoding][min(plan.temporal, 2)])
        if not steps:
            steps.append(_Step(plan, kbps))
        elif kbps < steps[-1].kbps * _WORTH_A_STEP:
            steps[-1] = _Step(plan, max(kbps, steps[-1].kbps))
        else:
            steps.append(_Step(plan, kbps))
    return steps


def _plans(target: LayerPlan) -> Iterator[LayerPlan]:
    """The lowest encoding by temporal layers, then the others with all that is wanted of them."""
    if target.encoding is None:
        return
    yield from (LayerPlan(0, layer) for layer in (0, 1) if layer < target.temporal)
    yield from (LayerPlan(encoding, target.temporal) for encoding in range(target.encoding + 1))


def _within(plan: LayerPlan, has: LayerPlan) -> bool:
    """Whether a plan is no more than what there is already."""
    if plan.encoding is None or has.encoding is None:
        return False
    return (plan.encoding, plan.temporal) <= (has.encoding, has.temporal)
