"""The running server: every part put together, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from colloque import hearing, logs, ports, tls, wiring
from colloque.admin import Admin
from colloque.clockwork import Clockwork
from colloque.deployment import deployment
from colloque.drain import Drain
from colloque.errors import StartError
from colloque.headers import add_security_headers, page_policy
from colloque.journal_metrics import JournalMetrics
from colloque.origins import Peers, own_origins
from colloque.page import BUILT, Page
from colloque.silence import Silence
from colloque.store_metrics import StoreMetrics
from colloque.version import running_version
from control_api import ControlApi, Courier, Sender, TwirpApi, twirp_routes
from control_api import middleware as api_middleware
from control_api import routes as api_routes
from rooms import LegJournal, Rooms, StoreUnavailable
from sfu import Sfu
from signalling.livekit import LiveKitServer
from signalling.probe import ProbeServer
from signalling.waiting import WaitingServer

if TYPE_CHECKING:
    import ssl

    from colloque.settings import Settings
    from signalling.probe import Seen
    from turn_config import Deployment

log = logging.getLogger("colloque.server")

# A join request in the query of `/rtc/v1` holds a whole session description, compressed and in base64.
REQUEST_LINE_MAX_BYTES = 32 * 1024
KEEPALIVE_SECONDS = 75.0
JOURNAL_WITHIN_SECONDS = 2.0  # what is not written by then is made up for at the next start
TLS_WITHIN_SECONDS = 10.0  # a handshake, and a goodbye
# The settings that are used again at once; the others are read when the server starts.
_TAKEN_UP = frozenset(
    {
        "server.tls_certificate",
        "server.tls_key",
        "server.trusted_proxies",
        "api_keys",
        "rooms",
        "logging",
        "webhooks",
        "hosts",
        "turn",
        "firewall",
        "limits.api_requests_per_minute_per_key",
        "limits.api_requests_per_minute_per_address",
        "limits.participants_per_room",
        "limits.links_per_room",
    }
)


class Server:
    """One node: rooms, REST, signalling, media, page and admin listener in one process."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is opened yet."""
        self.settings = settings
        self._started_with = settings
        self._stack = AsyncExitStack()
        self._peers = Peers(settings.server.trusted_proxies)
        self._page = Page(BUILT, policy=page_policy(own_origins(settings.server.public_url)))
        self._tls: ssl.SSLContext | None = None
        self._rooms: Rooms | None = None
        self._api: ControlApi | None = None
        self._courier: Courier | None = None
        self._admin: Admin | None = None

    @property
    def rooms(self) -> Rooms:
        """The rooms of the running server."""
        assert self._rooms is not None, "the server was not started"  # noqa: S101
        return self._rooms

    async def start(self) -> None:
        """Open everything; raise `StartError` that says what cannot be had, with nothing left open."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        log.info("server_started", extra={"version": running_version()})
        if not self._page.is_built:
            log.warning("page_not_built")

    def say_ready(self) -> None:
        """Answer `/readyz` with yes from now on."""
        if self._admin is not None:
            self._admin.state = "ready"

    async def close(self) -> None:
        """Stop taking requests, end the calls with a word to each client, then close the database."""
        if self._admin is not None:
            self._admin.state = "stopping"
        await self._stack.aclose()
        log.info("server_stopped")

    def reload(self, settings: Settings) -> None:
        """Use new settings and read the certificate again, without touching a call.

        What needs a restart stays as it is and is named in the log. Raises `StartError`, with nothing
        changed, if the certificate cannot be used.
        """
        new = settings.server
        if self._tls is not None and new.tls_certificate is not None and new.tls_key is not None:
            tls.load(self._tls, new.tls_certificate, new.tls_key)
        self._peers = Peers(new.trusted_proxies)
        self.rooms.reconfigure(keys=wiring.key_ring(settings), settings=wiring.rooms_settings(settings))
        if self._api is not None:
            self._api.reconfigure(wiring.api_settings(settings))
        if self._courier is not None:
            self._courier.reconfigure(wiring.webhook_targets(settings))
        logs.set_up(settings.logging.level, settings.logging.format)
        for name in needing_restart(self.settings, settings):
            log.warning("setting_needs_restart", extra={"setting": name})
        self.settings = settings
        log.info("settings_reloaded")

    async def _start(self) -> None:
        settings, registry = self.settings, CollectorRegistry()
        ProcessCollector(registry=registry)  # CPU time and memory, under the names that every exporter uses
        if settings.server.tls_certificate is not None and settings.server.tls_key is not None:
            self._tls = tls.server_context(settings.server.tls_certificate, settings.server.tls_key)
        admin_socket = self._claim("server.admin_listen", settings.server.admin_listen)
        public_socket = self._claim("server.listen", settings.server.listen)
        self._rooms = await self._open_rooms()
        self._run_clockwork(self._rooms)
        journal = await self._keep_journal(self._rooms, registry)
        sfu = await self._start_sfu(registry)
        relays = wiring.relays(lambda: self.settings, time.time)
        signalling = LiveKitServer(
            sfu,
            self._rooms,
            wiring.livekit_settings(settings, relays),
            legs=journal,
            address_of=self._address_of,
        )
        self._rooms.events.follow(signalling.event_written)
        registry.register(signalling.collector())
        waiting = WaitingServer(
            self._rooms,
            wiring.waiting_settings(settings),
            node=settings.server.node_name,
            address_of=self._address_of,
            in_call=signalling.management.present,
        )
        registry.register(waiting.collector())
        journal.call_changed = waiting.call_changed
        await waiting.start()
        probe = ProbeServer(
            sfu,
            self._rooms.connection_tests,
            wiring.probe_settings(settings),
            paths=wiring.probe_paths(lambda: self.settings, time.time, media_port=settings.media.udp_port),
            seen=self._seen,
        )
        registry.register(probe.collector())
        self._courier = self._run_courier(self._rooms)
        registry.register(self._courier.metrics)
        self._api = ControlApi(
            self._rooms,
            wiring.api_settings(settings),
            version=running_version(),
            courier=self._courier,
            live=signalling.management,
            ice_servers=relays,
        )
        registry.register(self._api.metrics)
        registry.register(StoreMetrics(self._rooms))
        self._admin = Admin(
            rooms=self._rooms,
            registry=registry,
            debug_state=lambda: _debug_state(sfu, signalling, waiting, probe),
            deployment=self._deployment,
            drain=Drain(
                self._rooms,
                (signalling, waiting, probe),
                registry,
                legs=lambda: signalling.people,
                wall=time.time,
            ),
        )
        await self._listen(admin_socket, self._admin.app())
        silence = Silence(registry, max_connections=settings.limits.http_connections)
        public = self._public_app(self._api, signalling, waiting, probe, silence)
        listener = await self._listen(public_socket, public, self._tls)
        silence.start(listener)
        self._stack.callback(silence.stop)

    def _claim(self, setting: str, listen: str) -> socket.socket:
        listening = ports.claim(setting, listen)
        self._stack.callback(listening.close)
        return listening

    async def _open_rooms(self) -> Rooms:
        try:
            rooms = await Rooms.open(
                self.settings.store.url,
                keys=wiring.key_ring(self.settings),
                settings=wiring.rooms_settings(self.settings),
            )
        except StoreUnavailable as error:
            raise StartError(f"store.url: {error}") from error
        self._stack.push_async_callback(rooms.close)
        return rooms

    def _run_clockwork(self, rooms: Rooms) -> None:
        for work in (Clockwork(rooms).run(), hearing.listen(rooms)):
            self._stack.push_async_callback(_cancelled, asyncio.create_task(work))

    async def _keep_journal(self, rooms: Rooms, registry: CollectorRegistry) -> LegJournal:
        journal = rooms.leg_journal(time.time, node=self.settings.server.node_name)
        try:
            await journal.close_left_open()
        except StoreUnavailable as error:
            raise StartError(f"store.url: {error}") from error
        running = asyncio.create_task(journal.run())
        self._stack.push_async_callback(_cancelled, running)
        # Before that: what signalling says of legs while it closes is still written.
        self._stack.push_async_callback(journal.settle, within_seconds=JOURNAL_WITHIN_SECONDS)
        registry.register(JournalMetrics(journal))
        return journal

    def _run_courier(self, rooms: Rooms) -> Courier:
        sender = Sender(wiring.webhook_targets(self.settings), version=running_version())
        sender.open()
        self._stack.push_async_callback(sender.close)
        courier = Courier(rooms, sender)
        self._stack.push_async_callback(_cancelled, asyncio.create_task(courier.run()))
        return courier

    async def _start_sfu(self, registry: CollectorRegistry) -> Sfu:
        sfu = Sfu(wiring.sfu_config(self.settings))
        try:
            await sfu.start()
        except OSError as error:
            raise StartError(ports.media_reason(error)) from error
        self._stack.push_async_callback(sfu.close)
        registry.register(sfu.metrics_collector())
        return sfu

    def _deployment(self) -> Deployment:
        # Ports and addresses on which the server listens stay those of the start.
        new = self.settings
        taken_up = {"hosts": new.hosts, "turn": new.turn, "firewall": new.firewall}
        return deployment(self._started_with.model_copy(update=taken_up))

    def _address_of(self, request: web.Request) -> str:
        return self._peers.address_of(request.remote, request.headers.getall("X-Forwarded-For", []))

    def _seen(self, request: web.Request) -> Seen:
        return self._peers.seen(request.remote, request.headers, secure=request.secure)

    def _public_app(
        self,
        api: ControlApi,
        signalling: LiveKitServer,
        waiting: WaitingServer,
        probe: ProbeServer,
        silence: Silence,
    ) -> web.Application:
        app = web.Application(middlewares=[silence.middleware(), api_middleware(api)])
        app.on_response_prepare.append(silence.answering)
        add_security_headers(app, over_tls=self.settings.server.public_url.startswith("https://"))
        app.add_routes(api_routes(api, address_of=self._address_of))
        twirp = TwirpApi(api, self.rooms, signalling.management)
        app.add_routes(twirp_routes(twirp, address_of=self._address_of))
        app.add_routes(signalling.routes())
        app.add_routes(waiting.routes())
        app.add_routes(probe.routes())
        # Before open connections are waited for: each client gets its last word and goes.
        app.on_shutdown.append(lambda _app: signalling.close())
        app.on_shutdown.append(lambda _app: waiting.close())
        app.on_shutdown.append(lambda _app: probe.close())
        app.add_routes(self._page.routes())
        return app

    async def _listen(
        self, listening: socket.socket, app: web.Application, context: ssl.SSLContext | None = None
    ) -> web.Server:
        runner = web.AppRunner(
            app,
            access_log=None,  # its lines hold addresses and, in the query, tokens
            handle_signals=False,
            keepalive_timeout=KEEPALIVE_SECONDS,
            max_line_size=REQUEST_LINE_MAX_BYTES,
            shutdown_timeout=self.settings.server.shutdown_seconds,
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        assert runner.server is not None, "a runner that was set up has a server"  # noqa: S101
        within = None if context is None else TLS_WITHIN_SECONDS
        server = await asyncio.get_running_loop().create_server(
            runner.server,
            sock=listening,
            backlog=ports.BACKLOG,
            ssl=context,
            ssl_handshake_timeout=within,
            ssl_shutdown_timeout=within,
        )
        self._stack.callback(server.close)
        return runner.server


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _debug_state(
    sfu: Sfu, signalling: LiveKitServer, waiting: WaitingServer, probe: ProbeServer
) -> dict[str, Any]:
    return {
        "sfu": await sfu.debug_state(),
        "signalling": signalling.debug_state(),
        "waiting": waiting.debug_state(),
        "probe": probe.debug_state(),
    }


def needing_restart(old: Settings, new: Settings) -> list[str]:
    """Name the settings that differ and are read only when the server starts."""
    found = []
    for section in type(old).model_fields:
        before, after = getattr(old, section), getattr(new, section)
        if section in _TAKEN_UP or before == after:
            continue
        names = [name for name in type(before).model_fields if getattr(before, name) != getattr(after, name)]
        found += [f"{section}.{name}" for name in names if f"{section}.{name}" not in _TAKEN_UP]
    return found
