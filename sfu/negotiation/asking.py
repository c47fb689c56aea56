"""What has been asked of the peer and has not come yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfu.negotiation.needs import Need
from sfu.negotiation.table import Table

_KINDS = ("audio", "video")
# The first offer after a question may have been on its way already; the second is the answer, such as it is.
_OFFERS_UNTIL_FORGOTTEN = 2


@dataclass(frozen=True, slots=True)
class Asking:
    """Questions that wait for an offer. A peer adds sections at each question, so none is asked twice."""

    offer: bool = False
    audio: int = 0
    video: int = 0
    offers_since: int = 0

    def ask(self, need: Need) -> "tuple[Asking, tuple[int, int] | None]":
        """Return what is asked now, as further audio and video sections; None when nothing is to be said."""
        audio, video = max(0, need.audio - self.audio), max(0, need.video - self.video)
        if not need.offer or (self.offer and audio == video == 0):
            return self, None
        return Asking(True, self.audio + audio, self.video + video), (audio, video)

    def offer_came(self, before: Table, after: Table) -> "Asking":
        """Take what an offer has brought off what is asked."""
        came = {kind: _receiving(after)[kind] - _receiving(before)[kind] for kind in _KINDS}
        left = Asking(
            audio=max(0, self.audio - max(0, came["audio"])),
            video=max(0, self.video - max(0, came["video"])),
            offers_since=self.offers_since + 1,
        )
        if left.audio == left.video == 0 or left.offers_since == _OFFERS_UNTIL_FORGOTTEN:
            return Asking()
        return Asking(True, left.audio, left.video, left.offers_since)


def _receiving(table: Table) -> Mapping[str, int]:
    return {kind: sum(slot.receives and slot.kind == kind for slot in table.slots) for kind in _KINDS}
