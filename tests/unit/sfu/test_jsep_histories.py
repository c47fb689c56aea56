"""Any history of offers, announcements and subscriptions keeps the rules of the table."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sfu.model import SfuLimits, TrackKey
from sfu.negotiation import effects
from sfu.negotiation.asking import Asking
from sfu.negotiation.needs import needed
from sfu.negotiation.offer import Direction, OfferedSection
from sfu.negotiation.table import Table
from tests.support.descriptions import Peer, intent, section, wish

KINDS = st.sampled_from(["audio", "video"])
NAMES = st.sampled_from([f"track{number}" for number in range(8)])
DIRECTIONS = st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"])


class History(RuleBasedStateMachine):
    """A peer and its server, and what the core would hold by the effects alone."""

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer()
        self.sections: list[OfferedSection] = []
        self.up: set[TrackKey] = set()
        self.down: dict[TrackKey, int] = {}
        self.published = 0
        self.ssrc = 0
        self.used: set[int] = set()

    @rule(kind=KINDS, direction=DIRECTIONS)
    def add_section(self, kind: str, direction: str) -> None:
        if len(self.sections) < 12:
            self.sections.append(section(str(len(self.sections)), kind, direction))

    @rule(at=st.integers(0, 11), direction=DIRECTIONS)
    def turn_section(self, at: int, direction: str) -> None:
        if at < len(self.sections):
            self.sections[at] = replace(self.sections[at], direction=Direction(direction))

    @rule(at=st.integers(0, 11), name=NAMES)
    def name_section(self, at: int, name: str) -> None:
        if at < len(self.sections):
            self.sections[at] = replace(self.sections[at], track_ids=(name,))

    @rule(at=st.integers(0, 11))
    def close_section(self, at: int) -> None:
        if at < len(self.sections):
            self.sections[at] = replace(self.sections[at], closed=True)

    @rule(name=NAMES, kind=KINDS)
    def publish(self, name: str, kind: str) -> None:
        if all(name not in announced.client_ids for announced in self.peer.announced.values()):
            # A key names one track for ever, while a client may give the same id to one after another.
            self.published += 1
            self.peer.publish(intent(f"{name}-{self.published}", kind, name))

    @rule(name=NAMES)
    def unpublish(self, name: str) -> None:
        for key in [key for key, announced in self.peer.announced.items() if name in announced.client_ids]:
            del self.peer.announced[key]
            self.up.discard(key)

    @rule(name=NAMES, kind=KINDS)
    def subscribe(self, name: str, kind: str) -> None:
        if TrackKey(name) not in self.peer.wanted:
            self.peer.subscribe(wish(name, kind, self.next_ssrc()))

    @rule(name=NAMES)
    def unsubscribe(self, name: str) -> None:
        self.peer.wanted.pop(TrackKey(name), None)
        self.down.pop(TrackKey(name), None)

    @rule()
    def offer(self) -> None:
        if not self.sections:
            return
        before = self.peer.table
        outcome = self.peer.offer(*self.sections)
        self.check_rest(before, outcome.table)
        for effect in outcome.effects:
            self.follow(effect)
        assert self.up == set(outcome.table.ups)
        assert {track: down.ssrc for track, (_, down) in outcome.table.downs.items()} == self.down
        for track in outcome.refused:
            self.peer.wanted.pop(track)

    def follow(self, effect: effects.Effect) -> None:
        match effect:
            case effects.TrackAdded():
                assert effect.track not in self.up
                self.up.add(effect.track)
            case effects.TrackEnded():
                self.up.discard(effect.track)
                self.peer.announced.pop(effect.track, None)
            case effects.Delivered():
                assert effect.track not in self.down
                assert effect.ssrc not in self.used
                self.used.add(effect.ssrc)
                self.down[effect.track] = effect.ssrc
            case effects.Undelivered():
                if self.down.get(effect.track) == effect.ssrc:
                    del self.down[effect.track]
                lost = self.peer.wanted.get(effect.track)
                if lost is not None and lost.ssrc == effect.ssrc:
                    ssrc = self.next_ssrc()
                    self.peer.subscribe(replace(lost, ssrc=ssrc, rtx_ssrc=ssrc + 1))

    def check_rest(self, before: Table, after: Table) -> None:
        """No section goes from one delivery to another without an answer in between."""
        for old, new in zip(before.slots, after.slots, strict=False):
            if old.down is not None and new.down is not None:
                assert (old.down.track, old.down.ssrc) == (new.down.track, new.down.ssrc)

    def next_ssrc(self) -> int:
        self.ssrc += 2
        return self.ssrc

    @invariant()
    def sections_keep_their_places(self) -> None:
        slots = self.peer.table.slots
        assert [slot.mid for slot in slots] == [each.mid for each in self.sections[: len(slots)]]

    @invariant()
    def no_track_is_in_two_sections(self) -> None:
        slots = self.peer.table.slots
        ups = [slot.up.track for slot in slots if slot.up]
        downs = [slot.down.track for slot in slots if slot.down]
        assert len(ups) == len(set(ups))
        assert len(downs) == len(set(downs))

    @invariant()
    def what_is_asked_for_is_enough(self) -> None:
        """A peer that does what it is asked has everything delivered two offers later."""
        need = needed(self.peer.table, self.peer.announced, self.peer.wanted, SfuLimits())
        asking, question = Asking().ask(need)
        assert asking.offer == (question is not None) == need.offer
        if self.peer.table.slots and question is None:
            waiting = set(self.peer.wanted) - set(self.peer.table.downs) - set(need.refused)
            assert not waiting


History.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_history_keeps_the_rules = History.TestCase
