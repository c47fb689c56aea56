"""Announcements as clients get them: a data message in nobody's name, of a topic that no client may use.

It goes over the reliable data channel that every client has, to everybody in the call and in its groups. The
payload is JSON: `text`, `by` (identity, or null for the application), `name`, `at` (ISO 8601).
"""

import json
from datetime import UTC, datetime

from livekit.protocol import models
from livekit.protocol.models import DataPacket

from rooms import Announcement
from signalling.livekit.hands import OURS

TOPIC = f"{OURS}announcement"


def packet_of(announcement: Announcement) -> bytes:
    """Write the message."""
    at = datetime.fromtimestamp(round(announcement.at, 3), tz=UTC).isoformat()
    said = {"text": announcement.text, "by": announcement.by, "name": announcement.name, "at": at}
    payload = json.dumps(said, ensure_ascii=False).encode()
    user = models.UserPacket(payload=payload, topic=TOPIC)
    return DataPacket(kind=DataPacket.RELIABLE, user=user).SerializeToString()
