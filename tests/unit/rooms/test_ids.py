"""Ids that are made here."""

import re
from collections import Counter

from rooms.ids import new_event_id, new_link_secret


def test_made_ids_are_easy_to_copy_and_none_is_like_another() -> None:
    made = [new_event_id() for _ in range(1_000)]
    assert all(re.fullmatch(r"evt_[a-z2-7]{26}", one) for one in made)
    assert len(set(made)) == len(made)


def test_every_letter_of_a_secret_is_as_likely_as_any_other() -> None:
    letters = Counter("".join(new_link_secret() for _ in range(2_000)))
    assert len(letters) == 32
    # 52,000 letters: 1,625 of each, whose standard deviation is 40.
    assert all(1_325 < count < 1_925 for count in letters.values())
