"""One process on one address: the API alone, or the web window and the API. `delningsstod serve` starts it."""

from __future__ import annotations

import errno
import logging
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import h11
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from assistant import desk, guard
from assistant.pipeline import Desk
from assistant.service import hardening, signon
from assistant.service.hardening import Hardening, is_api
from assistant.service.operations import Service
from assistant.settings import Settings
from assistant.storage import database

SCRIPT = Path(__file__).resolve().parents[2] / "app.py"
HEADERS_S = 15  # for a request's headers to arrive
IDLE_S = 15  # a kept connection waits this long for its next request
STOP_S = 10  # what is under way gets this long to end when the service is stopped
MESSAGE_BYTES = 2 * 1024 * 1024  # one message of a browser's to the window; files come another way
Living = Callable[[Any], AbstractAsyncContextManager[Any]]


# --- the app -------------------------------------------------------------------------------------------------------------


class Joined:
    """What the process serves: programs are led to the API, the sign-on's addresses to it, the rest to the window where there is one."""

    def __init__(self, api: Any, window: Any | None, door: ASGIApp | None) -> None:
        self.api, self.window, self.door = api, window, door
        self.lives: list[Living] = [api.router.lifespan_context, *([window.lifespan()] if window else [])]
        self.router = Router(lifespan=self._living)

    @asynccontextmanager
    async def _living(self, _: Any) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for living, app in zip(self.lives, (self.api, self.window), strict=False):
                await stack.enter_async_context(living(app))
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        if scope["type"] == "lifespan":
            await self.router.lifespan(scope, receive, send)
        elif self.door and scope["path"].startswith("/signon/"):
            await self.door(scope, receive, send)
        elif self.window is None or is_api(scope["path"]) or scope["path"].startswith("/widget/"):
            await self.api(scope, receive, send)
        else:
            await self.window(_at_home(scope), receive, send)


def _at_home(scope: Scope) -> Scope:
    """Streamlit compares a websocket's origin with the host, which a proxy may have rewritten, and asks the internet for its own address
    when they differ. The origin is checked before it comes here; so Streamlit is told the host of that origin."""
    if scope["type"] != "websocket":
        return scope
    inside = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=inside)
    headers["host"] = urlsplit(headers.get("origin", "")).netloc
    return inside


def app(service: Service, *, api_only: bool = False) -> ASGIApp:
    """Everything that is served, hardened and signed on. Read it from the inside out."""
    from assistant.service.api import api

    settings = service.settings
    key = signon.secret(settings)
    token, door = None, None
    if settings.identity == "oidc":
        from assistant.service.oidc import Door, Provider

        provider = Provider(settings)
        token, door = provider.token, Door(provider, settings, key).app()
    inside: ASGIApp = Joined(api(service), None if api_only else _window(service.desk, key), door)
    known: ASGIApp = signon.SignOn(inside, settings, key, token)
    return Hardening(hardening.embedded(known, settings), settings, signon.cookie_name(settings), window=not api_only)


def _window(held: Desk, key: str) -> Any:
    if not SCRIPT.is_file():
        raise desk.NotReady(f"Webbfönstret {SCRIPT} saknas. Starta från projektets mapp, eller med --api-only.")
    from assistant.pages.window import window

    return window(SCRIPT, key, held)


# --- the process ---------------------------------------------------------------------------------------------------------


def bound(host: str, port: int) -> socket.socket:
    """The address, taken before anything long is begun. Raises ``desk.NotReady`` with why it can't be had."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(where)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise desk.NotReady(f"Porten {port} är upptagen. Välj en annan med --port.") from error
        if error.errno == errno.EACCES:
            raise desk.NotReady(f"Porten {port} får bara systemet använda. Välj en över 1023 med --port.") from error
        raise desk.NotReady(f"Adressen {host} finns inte på den här datorn.") from error
    return taken


def run(settings: Settings, held: Desk, taken: socket.socket, *, api_only: bool, ready: Callable[[], None]) -> None:
    """Serve until told to stop. ``ready`` is called when the first request can be answered."""
    whole = app(Service(held, database.opened(settings.database), settings), api_only=api_only)
    _logging()  # after Streamlit, which sets up logs of its own
    config = uvicorn.Config(
        whole, http=Impatient, ws="websockets-sansio", ws_max_size=MESSAGE_BYTES, log_config=None, lifespan="on",
        server_header=False, proxy_headers=False,  # what a proxy says is signon's to believe
        timeout_keep_alive=IDLE_S, timeout_graceful_shutdown=STOP_S, h11_max_incomplete_event_size=2 * hardening.HEADERS_BYTES)
    Announced(config, ready).run(sockets=[taken])


class Announced(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, and then the word."""
        await super().startup(sockets)
        if self.started:
            self.ready()


class Impatient(H11Protocol):
    """HTTP/1.1 that doesn't wait for ever for a request's headers, and whose «bad request» has the headers of every other answer."""

    def connection_made(self, transport: Any) -> None:
        """Give the first headers their time."""
        super().connection_made(transport)
        self._slow = self.loop.call_later(HEADERS_S, self._hang_up)

    def data_received(self, data: bytes) -> None:
        """Time is up for headers only: a body, or an answer, takes the time it takes."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._slow.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._slow.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next request's headers get their time too."""
        super().on_response_complete()
        self._slow.cancel()
        if not self.transport.is_closing():
            self._slow = self.loop.call_later(HEADERS_S + IDLE_S, self._hang_up)

    def _hang_up(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words are in English
        """What can't be read as a request at all."""
        headers = {**hardening.FIXED, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", "Connection": "close",
                   "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
        body = hardening.TITLES[400].encode()
        event = h11.Response(status_code=400, headers=[*headers.items(), ("Content-Length", str(len(body)))], reason=b"Bad Request")
        for one in (event, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(one) or b"")
        self.transport.close()


# --- what is logged --------------------------------------------------------------------------------------------------------


class Discreet(logging.Filter):
    """An access line says which address was asked for; never what stood after the question mark, nor an identity number."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shortens the line; every line is kept."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            peer, method, path, version, status = record.args
            record.args = (peer, method, discreet(str(path)), version, status)
        return True


def discreet(path: str) -> str:
    """A path as it may be logged."""
    plain = re.split(r"[?#]", path, maxsplit=1)[0]
    return "(dold)" if guard.identity_number(plain.replace("/", " ")) else plain[:200]


def _logging() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("uvicorn.access", "uvicorn.error", "assistant"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(logging.INFO if name == "uvicorn.access" else logging.WARNING)
    logging.getLogger("uvicorn.access").addFilter(Discreet())


__all__ = ["app", "bound", "discreet", "run"]
