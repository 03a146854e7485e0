"""What every answer carries and every request must be: security headers, the right host, a known origin, errors without traces.

Stands outermost. Nothing inside it can leave a header out, and what breaks inside is said plainly here.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import logging
import re
import traceback
from collections.abc import Mapping
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.settings import Settings

_log = logging.getLogger(__name__)
PAGES = Path(__file__).resolve().parents[1] / "pages"
API = ("/api", "/mcp")  # what programs call
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
HEADERS_BYTES = 32 * 1024  # all headers and the question of an address; a sign-on cookie and a token are a few thousand
TITLES = {400: "Begäran är felaktig", 401: "Du är inte inloggad", 403: "Det här får du inte", 431: "Begäran är för stor",
          500: "Något gick fel", 503: "Tjänsten kan inte nås"}
CODES = {400: "unreadable", 401: "sign-on", 403: "forbidden", 431: "too-large", 500: "internal", 503: "unavailable"}
FIXED = {  # the same on everything that is sent
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
                          "magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
STYLE = "body{font:1.1rem/1.5 sans-serif;color:#1b2733;max-width:40rem;margin:15vh auto;padding:0 1rem}h1{font-size:1.5rem}a{color:#12517f}"


# --- hosts and origins ---------------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine itself and nothing else."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def origin_of(url: str) -> str:
    """«https://host:port» of an address, as a browser writes it; nothing where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    name = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9.\-]+|[0-9a-f:.]+", name) or "@" in parts.netloc:
        return ""  # what is let through here is written into headers: no wildcard, no quote, no space
    host = f"[{name}]" if ":" in name else name
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


def is_api(path: str) -> bool:
    """Whether a path is for programs: its errors are problem+json, its answers are never shown as a page."""
    return any(path == one or path.startswith(f"{one}/") for one in API)


def host_is_ours(scope: Scope, settings: Settings) -> bool:
    """Whether the Host header names this service. A name of somebody else's that leads here is how a page reads a local service."""
    hosts = Headers(scope=scope).getlist("host")
    if len(hosts) != 1 or not re.fullmatch(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?", hosts[0]):
        return False
    ours = origin_of(settings.public_url)
    if ours and origin_of(f"{urlsplit(ours).scheme}://{hosts[0]}") == ours:
        return True
    return is_loopback(re.sub(r":\d+$", "", hosts[0]))


def own_origin(scope: Scope, settings: Settings) -> str:
    """The origin of the service's own pages."""
    return origin_of(settings.public_url) or origin_of(f"http://{Headers(scope=scope).get('host', '')}")


def origin_is_known(scope: Scope, settings: Settings, cookie: str) -> bool:
    """Whether a request may come from where it says. ``cookie``: the sign-on cookie's name; what rests on it must come from our own pages.

    A browser always says where a websocket and a change come from. For a websocket, and for a change that a cookie lets in, silence is
    therefore a no; Streamlit would have let the websocket in. A program with a token of its own has no origin to tell.
    """
    headers = Headers(scope=scope)
    origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
    own = own_origin(scope, settings)
    by_cookie = "authorization" not in headers and f"{cookie}=" in headers.get("cookie", "")
    if len(origins) > 1:
        return False
    changes = scope["type"] == "websocket" or scope["method"] not in SAFE
    if origins == [own]:
        return True
    if scope["type"] == "websocket":
        return False
    if origins and is_api(scope["path"]):
        return origins[0] in settings.origins and not (changes and by_cookie)
    if not changes:
        return True
    return not origins and (site == "same-origin" if site or by_cookie else True)


# --- what is sent ----------------------------------------------------------------------------------------------------------


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _policy(rules: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in rules.items())


NOTHING = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def window_policy(settings: Settings) -> dict[str, str]:
    """What the web window may load: files of ours, and what stands inline in them when every letter of it is known.

    Streamlit needs two inline styles of its own (below) and writes the rest into empty style elements, which is why nothing is let in
    too. ``style-src`` is for browsers older than 2022 that don't know the two finer rules.
    """
    socket = origin_of(settings.public_url).replace("http", "ws", 1)
    return {
        "default-src": "'none'", "script-src": " ".join(["'self'", *map(_hash, inline_scripts())]),
        "style-src": "'self' 'unsafe-inline'", "style-src-elem": " ".join(["'self'", *map(_hash, inline_styles()), *STREAMLIT_STYLES]),
        "style-src-attr": "'none'", "img-src": "'self' data: blob:", "font-src": "'self' data:", "connect-src": f"'self' {socket}".strip(),
        "worker-src": "'self' blob:", "manifest-src": "'self'", "object-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


STREAMLIT_STYLES = (  # texts in the pinned Streamlit's own scripts; the tests in a real browser go red when an upgrade changes one
    "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='",  # react-aria: how a pressed button takes touches
    "'sha256-gXnHDepVZ6KF6fKGOD+GVc9BynM50JQqht95p3HpemI='",  # the question field's recorder of sound, which isn't shown
)


def inline_styles() -> tuple[str, ...]:
    """The inline styles of the web window: ours, and the empty ones that are filled by script."""
    return ("", (PAGES / "window.css").read_text(encoding="utf-8"))


def inline_scripts() -> tuple[str, ...]:
    """The inline scripts of the web window: the one in Streamlit's own page, and ours."""
    import importlib.util

    found = importlib.util.find_spec("streamlit")
    index = Path(found.origin).parent / "static" / "index.html" if found and found.origin else None
    page = index.read_text(encoding="utf-8") if index and index.is_file() else ""
    return (*re.findall(r"<script>(.*?)</script>", page, re.DOTALL), (PAGES / "window.js").read_text(encoding="utf-8"))


class Hardening:
    """The outermost middleware. ``window``: whether the web window is behind it, and not the API alone."""

    def __init__(self, app: ASGIApp, settings: Settings, cookie: str, *, window: bool) -> None:
        self.app, self.settings, self.cookie = app, settings, cookie
        self.around = " ".join(["'self'", *settings.origins]) if settings.origins else "'none'"
        frames = {"frame-ancestors": self.around}
        self.nothing = _policy({**NOTHING, "frame-ancestors": "'none'"})
        self.plain = _policy({**NOTHING, "style-src": _hash(STYLE), **frames})
        self.window = _policy({**window_policy(settings), **frames}) if window else self.plain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        started: list[str] = []

        async def hardened(message: Message) -> None:
            if message["type"] == "websocket.close" and not started and "websocket.http.response" in scope.get("extensions", {}):
                await refuse(scope, hardened, 403, "Anslutningen avvisades.")  # a bare close would be an answer without headers
                return
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message.setdefault("headers", [])
                self._headers(scope["path"], message["status"], MutableHeaders(scope=message))
            started.append(message["type"])
            await send(message)

        try:
            if sum(len(name) + len(value) for name, value in scope["headers"]) + len(scope.get("query_string", b"")) > HEADERS_BYTES:
                await refuse(scope, hardened, 431, "Begärans huvud är för stort.")
            elif not host_is_ours(scope, self.settings):
                await refuse(scope, hardened, 400, "Adressen är inte tjänstens.")
            elif not origin_is_known(scope, self.settings, self.cookie):
                await refuse(scope, hardened, 403, "Begäran kommer från en sida som inte är godkänd.")
            else:
                await self.app(scope, receive, hardened)
        except Exception as error:
            tell(error)
            if not started:
                await refuse(scope, hardened, 500, "Något gick fel. Försök igen; kvarstår felet, kontakta förvaltaren.")

    def _headers(self, path: str, status: int, headers: MutableHeaders) -> None:
        for name, value in FIXED.items():
            headers[name] = value
        widget = path.startswith("/widget/")
        page = "text/html" in headers.get("content-type", "")
        if widget:
            policy = headers.get("content-security-policy", self.nothing)  # the widget's frame knows what it loads
        else:
            policy = self.nothing if is_api(path) else self.plain if path.startswith("/signon/") else self.window
        headers["Content-Security-Policy"] = policy
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if widget else "same-origin"
        del headers["X-Frame-Options"]
        if not self.settings.origins or is_api(path):
            headers["X-Frame-Options"] = "DENY"  # for browsers that don't know frame-ancestors
        if self.settings.public_url.startswith("https://"):
            headers["Strict-Transport-Security"] = "max-age=31536000"
        kept = status < 400 and (widget or path.startswith("/static/") and not page)
        if not kept or "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        del headers["Server"]


def tell(error: Exception) -> None:
    """Note where something broke; never the message, which may hold words of a question."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    _log.error("%s in %s", type(error).__name__, where)


def embedded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """``app`` where pages of the listed origins may call the API. Never with cookies: a page brings its own token."""
    cors = CORSMiddleware(app, allow_origins=settings.origins, allow_methods=["GET", "POST", "PUT", "DELETE"], max_age=600,
                          allow_headers=["Accept", "Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
                          expose_headers=["Content-Disposition", "Location", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining",
                                          "RateLimit-Reset"])

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        called = scope["type"] == "http" and (is_api(scope["path"]) or scope["path"].startswith("/widget/"))
        inner = cors if called and settings.origins else app
        await inner(scope, receive, send)

    return either


# --- plain answers -----------------------------------------------------------------------------------------------------------


async def refuse(scope: Scope, send: Send, status: int, said: str, *, headers: Mapping[str, str] | None = None,
                 link: tuple[str, str] | None = None) -> None:
    """Answer with an error: problem+json for programs, a page for people, a closed door for a websocket."""
    if is_api(scope["path"]):
        from assistant.service import problems  # brings the database along, which a window without the API has no use for

        kind, body = problems.MEDIA_TYPE, json.dumps(problems.Problem(status, CODES[status], said).to_json(), ensure_ascii=False)
    else:
        kind, body = "text/html; charset=utf-8", page(TITLES[status], said, link)
    await _answer(scope, send, status, body, {"Content-Type": kind, **(headers or {})})


async def redirect(scope: Scope, send: Send, where: str) -> None:
    """Lead on to an address of ours."""
    await _answer(scope, send, 303, "", {"Location": where})


def page(title: str, said: str, link: tuple[str, str] | None = None) -> str:
    """A whole small page in Swedish, without anything to load."""
    on = f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else ""
    return (f'<!DOCTYPE html><html lang="sv"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1><p>{escape(said)}</p>{on}"
            "</main></body></html>")


async def _answer(scope: Scope, send: Send, status: int, body: str, headers: Mapping[str, str]) -> None:
    form = "http.response" if scope["type"] == "http" else "websocket.http.response"
    if scope["type"] == "websocket" and form not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    data = body.encode()
    raw: list[tuple[bytes, bytes]] = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(data)).encode()))
    await send({"type": f"{form}.start", "status": status, "headers": raw})
    await send({"type": f"{form}.body", "body": b"" if scope.get("method") == "HEAD" else data})
