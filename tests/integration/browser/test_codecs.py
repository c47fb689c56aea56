"""Every codec that a browser can send reaches another one."""

import pytest

from tests.support.meeting import Meeting
from tests.support.participant import CAMERA


@pytest.mark.parametrize("codec", ["vp8", "h264", "vp9", "av1"])
async def test_a_picture_in_this_codec_is_decoded(meeting: Meeting, codec: str) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(CAMERA, codec=codec, width=640)
    stream = await bob.sees("alice")
    assert stream["mimeType"].lower() == f"video/{codec}"
