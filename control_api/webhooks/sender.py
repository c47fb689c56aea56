"""The HTTP client of webhooks: to checked addresses only, no redirects, no proxy, bounded time and size."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from rooms import Outcome, OutcomeCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_api.webhooks.targets import Targets

ATTEMPT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
ANSWER_MAX_BYTES = 16 * 1024  # nobody reads it: what fits lets the connection be used again
ANSWER_SECONDS = 1.0
NAMES_AT_ONCE = 16
"""Threads that wait for a name server. Of their own, so that a slow one holds up nothing else here."""


class AddressRefused(OSError):
    """None of the addresses of a host may be called."""


class Sender:
    """Makes attempts; each ends with an `Outcome`, whatever the other side does."""

    def __init__(self, targets: Targets, *, version: str, attempt_seconds: float = ATTEMPT_SECONDS) -> None:
        """Nothing is opened yet."""
        self._attempt_seconds = attempt_seconds
        self.targets = targets
        self._agent = f"Colloque/{version}"
        self._session: aiohttp.ClientSession | None = None
        self._resolver = _CheckedResolver(self._allows)

    def open(self) -> None:
        """Make ready; needs the running loop."""
        self._session = aiohttp.ClientSession(
            # Looked up anew for every connection: what was checked is what is connected to.
            connector=aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False, limit=0),
            timeout=aiohttp.ClientTimeout(total=self._attempt_seconds, sock_connect=CONNECT_SECONDS),
            headers={"User-Agent": self._agent},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def send(self, address: str, headers: Mapping[str, str], body: str, *, now: float) -> Outcome:
        """Post a message once; never raises but when cancelled."""
        assert self._session is not None, "the sender was not opened"  # noqa: S101
        try:
            url = URL(address)
        except ValueError:
            return Outcome("not_allowed")
        if self.targets.refusal(url) is not None or not self._may_be_literal(url):
            return Outcome("not_allowed")
        try:
            async with self._session.post(
                url, data=body.encode(), headers=headers, allow_redirects=False
            ) as response:
                asked = _retry_after(response.headers.get("Retry-After"), now=now)
                await _drain(response)
                return Outcome(_code(response.status), response.status, asked)
        except TimeoutError:
            return Outcome("timed_out")
        except aiohttp.ClientConnectorError as error:  # not every kind of it has an `os_error`
            refused = isinstance(getattr(error, "os_error", None), AddressRefused)
            return Outcome("not_allowed" if refused else "unreachable")
        except (aiohttp.ClientError, OSError, ValueError):
            return Outcome("unreachable")

    def _may_be_literal(self, url: URL) -> bool:
        # The resolver is not asked for a host that is an address already.
        try:
            socket.inet_pton(socket.AF_INET6 if ":" in (url.host or "") else socket.AF_INET, url.host or "")
        except OSError:
            return True
        return self._allows(url.host or "")

    def _allows(self, address: str) -> bool:
        return self.targets.allows_address(address)


class _CheckedResolver(AbstractResolver):
    """Gives only those addresses of a host that may be connected to."""

    def __init__(self, allows: Callable[[str], bool]) -> None:
        self._allows = allows
        self._threads = ThreadPoolExecutor(NAMES_AT_ONCE, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        allowed = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
            if self._allows(str(address[0]))
        ]
        if not allowed:
            raise AddressRefused("no address that may be called")
        return allowed

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _code(status: int) -> OutcomeCode:
    if 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    if 300 <= status < 400:
        return "redirected"
    return "refused" if 400 <= status < 500 else "failed"


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read a short answer to its end; close the connection of a long or slow one."""
    left = ANSWER_MAX_BYTES
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            async for chunk in response.content.iter_any():
                left -= len(chunk)
                if left < 0:
                    response.close()
                    return
    except (TimeoutError, aiohttp.ClientError, OSError):
        response.close()


def _retry_after(text: str | None, *, now: float) -> float | None:
    """Read a number of seconds or a date (RFC 9110, 10.2.3); what is neither was not said."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
