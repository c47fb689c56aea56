"""A person in a call: an unmodified livekit-client in a real browser."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from tests.support.browsers.page import Page
from tests.support.eventually import eventually

CAMERA = "camera"
MICROPHONE = "microphone"
SCREEN = "screen_share"

Entry = dict[str, Any]


class Participant:
    """One page in a call. The verbs are those of tests/integration/browser/client/client.ts."""

    def __init__(self, identity: str, page: Page) -> None:
        """Drive this page on behalf of this identity."""
        self.identity = identity
        self.page = page

    def __repr__(self) -> str:
        """Name the person in assertion messages."""
        return f"<{self.identity}>"

    async def join(self, url: str, token: str, **options: Any) -> float:
        """Connect; milliseconds until the client calls itself connected."""
        return float(await self.page.call("join", url, token, options))

    async def leave(self) -> None:
        """Leave with a goodbye."""
        await self.page.call("leave")

    async def do(self, verb: str, *args: object) -> Any:
        """Call any other verb."""
        return await self.page.call(verb, *args)

    async def publish(self, *sources: str, **camera: object) -> None:
        """Switch camera, microphone or both on."""
        for source in sources:
            await self.do(source, True, *([camera] if source == CAMERA else []))

    async def state(self) -> Any:
        """Give what the client knows of itself and of the others."""
        return await self.do("state")

    async def others(self) -> dict[str, Any]:
        """Give the roster by identity."""
        return {other["identity"]: other for other in (await self.state())["others"]}

    async def track(self, identity: str, source: str) -> Any:
        """Give what the roster says of another one's track, or None."""
        other = (await self.others()).get(identity, {"tracks": []})
        return next((track for track in other["tracks"] if track["source"] == source), None)

    async def mark(self) -> int:
        """Give the present end of the journal, to look only at what comes after."""
        return len(await self.do("journal"))

    async def journal(self, event: str, since: int = 0) -> list[Entry]:
        """Give every entry of one kind."""
        entries: Sequence[Entry] = await self.do("journal")
        return [entry for entry in entries[since:] if entry["event"] == event]

    async def happened(self, event: str, *, since: int = 0, within: float = 5.0, **fields: object) -> Entry:
        """Wait for an entry with these fields."""
        entry: Entry = await self.do("happened", event, fields, since, within * 1000)
        return entry

    async def sees(
        self, identity: str, source: str = CAMERA, *, frames: int = 5, within: float = 8.0
    ) -> Entry:
        """Wait until this many more pictures of someone were decoded, and give the stream's statistics."""
        return await self._receives_more("framesDecoded", frames, identity, source, within)

    async def hears(self, identity: str, source: str = MICROPHONE, *, within: float = 8.0) -> Entry:
        """Wait until sound of someone was decoded that is not silence, and give the stream's statistics."""
        return await self._receives_more("totalAudioEnergy", 1e-5, identity, source, within)

    async def stops_receiving(
        self, identity: str, source: str, *, quiet: float = 0.5, within: float = 5.0
    ) -> None:
        """Wait until nothing of a track arrived for a while."""

        async def still() -> bool:
            before = await self._packets(identity, source)
            await asyncio.sleep(quiet)
            return await self._packets(identity, source) == before

        await eventually(still, within=within, what=f"{self} receives nothing of {identity}'s {source}")

    async def receiving(self, identity: str, source: str) -> Entry | None:
        """Give the statistics of a received stream, or None when there is none."""
        entry: Entry | None = await self.do("receiving", identity, source)
        return entry

    async def width(
        self, identity: str, source: str, width: int, *, since: int = 0, within: float = 8.0
    ) -> Entry:
        """Wait for the first picture that is this wide."""
        return await self.happened(
            "frameWidth", since=since, within=within, identity=identity, source=source, width=width
        )

    async def longest_gap(self, identity: str, source: str, since: float) -> float:
        """Give the longest time, in milliseconds, between two pictures shown after this wall time."""
        frames = [frame["at"] for frame in await self.do("frames", identity, source) if frame["at"] >= since]
        assert len(frames) > 1, f"{self} saw {len(frames)} pictures of {identity}"
        return float(max(later - earlier for earlier, later in itertools.pairwise(frames)))

    async def now(self) -> float:
        """Give the page's wall time in milliseconds, as used in the journal and for frames."""
        return float(await self.do("now"))

    async def _packets(self, identity: str, source: str) -> int:
        stream = await self.receiving(identity, source)
        return int(stream["packetsReceived"]) if stream else 0

    async def _receives_more(
        self, counter: str, more: float, identity: str, source: str, within: float
    ) -> Entry:
        start: float | None = None

        async def enough() -> Entry | None:
            nonlocal start
            try:
                stream = await self.receiving(identity, source)
            except Exception as error:
                if "publishes nothing" not in str(error):
                    raise
                return None
            if stream is None or counter not in stream:
                return None
            if start is None:
                start = stream[counter]
            return stream if stream[counter] >= start + more else None

        what = f"{self} receives {identity}'s {source} ({counter} up by {more})"
        found = await eventually(enough, within=within, what=what)
        assert found is not None
        return found
