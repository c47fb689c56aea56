"""A peer in a large call: what it is asked for stays within what is read of it."""

import asyncio
from dataclasses import replace
from pathlib import Path

from sfu import MAX_SDP_BYTES, CallKey, Leg, LegKey, MediaKind, PublishIntent, TrackKey, TrackSource
from tests.support.listening import Heard
from tests.unit.sfu.conftest import Live

OFFERS = Path(__file__).parents[2] / "data/offers"
HEAD, *SECTIONS = (OFFERS / "chromium-join.sdp").read_bytes().decode().split("\r\nm=")
AUDIO, VIDEO = SECTIONS[0], SECTIONS[3]
SIMULCAST = (OFFERS / "chromium-simulcast.sdp").read_bytes().decode()
MICROPHONE = PublishIntent(
    TrackKey(""), MediaKind.AUDIO, TrackSource.MICROPHONE, ("b4148b94-c2f2-4f8c-a8a0-0b532bf3c731",), "s"
)
CAMERA = PublishIntent(
    TrackKey(""), MediaKind.VIDEO, TrackSource.CAMERA, ("401f996c-e572-49d6-865a-382bd6ea2af9",), "s"
)


class Chromium:
    """A peer that adds the sections it is asked for, each as large as Chromium writes it."""

    def __init__(self, leg: Leg, heard: Heard) -> None:
        self.leg = leg
        self.heard = heard
        self.sections = [*SECTIONS[:6]]
        self.answered = 0

    def offer(self) -> str:
        mids = " ".join(str(number) for number in range(len(self.sections)))
        text = HEAD.replace("a=group:BUNDLE 0 1 2 3 4 5 6", f"a=group:BUNDLE {mids}")
        numbered = (
            "\r\n".join(f"a=mid:{mid}" if line.startswith("a=mid:") else line for line in part.split("\r\n"))
            for mid, part in enumerate(self.sections)
        )
        return "\r\nm=".join([text, *numbered]) + "\r\n"

    def add(self, audio: int, video: int) -> None:
        self.sections += [AUDIO.rstrip()] * audio + [VIDEO.rstrip()] * video

    async def settle(self) -> None:
        """Answer every question until there is none."""
        while True:
            for _ in range(3):
                await asyncio.sleep(0)
            asked = self.heard.of("sections_needed")[self.answered :]
            if not asked:
                return
            self.answered += len(asked)
            for audio, video in asked:
                self.add(audio, video)
            self.leg.negotiate(self.offer())


async def test_every_offer_that_was_asked_for_is_read_in_a_call_of_a_hundred(live: Live) -> None:
    call = live.sfu.call(CallKey("call"))
    heard = Heard()
    viewer = Chromium(call.add_leg(LegKey("viewer"), heard), heard)
    viewer.leg.negotiate(viewer.offer())
    for number in range(100):
        leg = call.add_leg(LegKey(f"P{number}"), Heard())
        leg.publish(replace(MICROPHONE, key=TrackKey(f"A{number}")))
        leg.publish(replace(CAMERA, key=TrackKey(f"V{number}")))
        leg.negotiate(SIMULCAST)
        viewer.leg.subscribe(TrackKey(f"A{number}"))
        viewer.leg.subscribe(TrackKey(f"V{number}"))
        if number % 10 == 9:
            await viewer.settle()
    got = [track for track, _ in heard.of("subscribed")]
    failed = dict(heard.of("subscription_failed"))
    assert set(failed.values()) == {"subscription-limit"}
    assert set(got) | set(failed) == {f"{kind}{number}" for kind in "AV" for number in range(100)}
    assert sum(track.startswith("V") for track in got) >= 35
    assert sum(track.startswith("A") for track in got) >= 65
    # Its camera, its microphone and its screen with sound still have room.
    viewer.add(2, 2)
    assert len(viewer.offer()) < MAX_SDP_BYTES
    viewer.leg.negotiate(viewer.offer())
