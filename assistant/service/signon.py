"""Who asks: nobody but this machine's own person (off), the authority's sign-on (oidc), or a listed proxy's headers (proxy).

Stands outside everything else as ASGI middleware. What a request says of itself is never believed: the person is put in
``scope["state"]`` here and nowhere else, and in a sealed header that the pages of the web window read.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import stat
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant import desk, guard
from assistant.people import LOCAL, Person, Role
from assistant.service import hardening
from assistant.settings import Settings

HEADER = "x-delningsstod-person"  # what the pages read; a client's own is always taken away
PUBLIC = frozenset({"/api/v1/health", "/api/v1/ready", "/_stcore/health"})  # say that the service lives, and nothing of anybody
PUBLIC_FOLDERS = ("/widget/", "/signon/")  # the widget's own files, which a foreign page fetches before anybody has signed in
LONGEST = 200  # characters of a name or of a group
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


class NotSignedIn(Exception):
    """Nobody is signed in; the message says in Swedish what to do."""


class Refused(Exception):
    """A request that can't be honest, or a sign-on that can't be used; ``status`` is the answer's."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


def person(connection: HTTPConnection) -> Person:
    """Who asks, as the middleware found it. Raises ``NotSignedIn``: also when the middleware is missing."""
    found = connection.scope.get("state", {}).get("person")
    if not isinstance(found, Person):
        raise NotSignedIn("Du är inte inloggad.")
    return found


@dataclass(frozen=True)
class Session:
    """A signed-in person: the groups they came with that give a role here, and until when. ``key`` is empty where nothing was signed in."""

    id: str
    name: str
    groups: tuple[str, ...]
    until: float
    key: str = ""

    def person(self, settings: Settings) -> Person:
        """The person with the roles that the settings give the groups now: a group taken out of the settings gives nothing from then on."""
        return Person(self.id, self.name, roles(self.groups, settings))


def roles(groups: Iterable[str], settings: Settings) -> frozenset[Role]:
    """What the groups give. No group, no role; a group that isn't listed gives nothing."""
    return frozenset(settings.role_groups[group] for group in groups if group in settings.role_groups)


def session(id_: object, name: object, groups: object, settings: Settings, key: str = "") -> Session:
    """A session of what a sign-on said. Raises ``Refused`` for what can't be kept as a name: it goes into the audit trail."""
    shown = name if isinstance(name, str) and name.strip() else id_
    for said in (id_, shown):
        if not isinstance(said, str) or not said.strip() or len(said) > LONGEST or not said.isprintable():
            raise Refused(403, "Inloggningen lämnade inget användbart namn. Säg till förvaltaren.")
        if guard.identity_number(said):
            raise Refused(403, "Inloggningen lämnade ett identitetsnummer som namn, och det får inte sparas. Säg till förvaltaren.")
    held = groups if isinstance(groups, (list, tuple)) else [groups]
    known = tuple(sorted({group for group in held if isinstance(group, str) and group in settings.role_groups}))
    return Session(str(id_).strip(), str(shown).strip(), known, time.time() + settings.session_hours * 3600, key)


# --- what is signed: the cookie, and the header that the pages read ---------------------------------------------------


def secret(settings: Settings) -> str:
    """What signs: the setting, or one made once in data/cookie-secret that nobody else may read."""
    if given := settings.cookie_secret.get_secret_value():
        return given
    path = settings.data / "cookie-secret"
    with suppress(FileExistsError):
        settings.data.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(made, path)  # whole or not at all, and the first of several processes wins
        finally:
            made.unlink()
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise desk.NotReady(f"{path} kan läsas av andra. Kör «chmod 600 {path}» och starta igen.")
    kept = path.read_text(encoding="utf-8").strip()
    if len(kept) < 32:
        raise desk.NotReady(f"{path} är skadad. Ta bort den och starta igen; alla får logga in på nytt.")
    return kept


def sealed(held: Session, key: str, use: str) -> str:
    """A session as signed text. ``use`` keeps a cookie from passing for a header."""
    return str(_seal(key, use).dumps([held.id, held.name, list(held.groups), held.until, held.key]))


def unsealed(text: str, key: str, use: str, settings: Settings) -> Session | None:
    """The session of a signed text, or None when it is forged, over, or signed out."""
    try:
        id_, name, groups, until, number = _seal(key, use).loads(text, max_age=int(settings.session_hours * 3600) + 60)
        held = Session(id_, name, tuple(groups), until, number)
    except (BadSignature, ValueError, TypeError):
        return None
    return None if held.until <= time.time() or _ended(settings, held.key) else held


def _seal(key: str, use: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt=f"delningsstod {use}")


def end(held: Session, settings: Settings) -> None:
    """Sign out for good: a copy of the cookie is worth nothing afterwards, and an open window stops at its next step."""
    folder = settings.data / "signed-out"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / held.key).touch(mode=0o600)
    oldest = time.time() - 25 * 3600  # no session lives longer than a day
    for mark in folder.iterdir():
        with suppress(OSError):
            if mark.stat().st_mtime < oldest:
                mark.unlink()


def _ended(settings: Settings, key: str) -> bool:
    return bool(key) and (settings.data / "signed-out" / Path(key).name).exists()


def cookie_name(settings: Settings) -> str:
    """The sign-on cookie's name. With https the browser itself sees to it that no neighbouring host can set it."""
    return "__Host-delningsstod" if settings.public_url.startswith("https://") else "delningsstod"


# --- the settings: what contradicts itself is refused at start ----------------------------------------------------------


def check(settings: Settings, host: str) -> None:
    """Raises ``desk.NotReady`` with one plain line for settings that can't be served safely from ``host``."""
    wrong = next((said for is_wrong, said in _contradictions(settings, host) if is_wrong), "")
    if wrong:
        raise desk.NotReady(wrong)


def _contradictions(settings: Settings, host: str) -> Iterable[tuple[bool, str]]:
    yield bool(0 < len(settings.cookie_secret.get_secret_value()) < 32), "DELNINGSSTOD_COOKIE_SECRET är för kort; minst 32 tecken."
    for origin in settings.origins:
        yield hardening.origin_of(origin) != origin, f"DELNINGSSTOD_ORIGINS: «{origin}» ska skrivas som https://intranat.myndighet.se."
    if settings.identity == "off":
        yield (not hardening.is_loopback(host),
               f"Utan inloggning visas tjänsten bara på den egna datorn, inte på {host}. Sätt DELNINGSSTOD_IDENTITY till oidc eller proxy.")
        return
    public = hardening.origin_of(settings.public_url)
    yield public != settings.public_url.rstrip("/") or not public, (
        "DELNINGSSTOD_PUBLIC_URL ska vara adressen som personalen använder, till exempel https://delning.myndighet.se.")
    yield (not public.startswith("https://") and not hardening.is_loopback(urlsplit(public).hostname or ""),
           "DELNINGSSTOD_PUBLIC_URL ska börja med https://; annars går inloggningen att läsa av på vägen.")
    yield not settings.role_groups, "DELNINGSSTOD_ROLE_GROUPS är tom, och då får ingen göra något. Ange vilken grupp som ger vilken roll."
    yield from _oidc_contradictions(settings) if settings.identity == "oidc" else _proxy_contradictions(settings)


def _oidc_contradictions(settings: Settings) -> Iterable[tuple[bool, str]]:
    issuer = urlsplit(settings.oidc_issuer)
    yield not settings.oidc_issuer, "DELNINGSSTOD_OIDC_ISSUER saknas: inloggningstjänstens adress."
    yield (not (issuer.scheme == "https" or issuer.scheme == "http" and hardening.is_loopback(issuer.hostname or "")),
           "DELNINGSSTOD_OIDC_ISSUER ska börja med https://.")
    yield not settings.oidc_client_id, "DELNINGSSTOD_OIDC_CLIENT_ID saknas: tjänstens namn hos inloggningstjänsten."
    yield not settings.oidc_client_secret.get_secret_value(), "DELNINGSSTOD_OIDC_CLIENT_SECRET saknas."
    yield "openid" not in settings.oidc_scopes.split(), "DELNINGSSTOD_OIDC_SCOPES ska innehålla openid."
    yield (bool(settings.proxy_secret.get_secret_value() or settings.proxy_addresses),
           "Både oidc och proxy är inställda. Ta bort DELNINGSSTOD_PROXY_…, eller sätt DELNINGSSTOD_IDENTITY till proxy.")


def _proxy_contradictions(settings: Settings) -> Iterable[tuple[bool, str]]:
    yield not settings.proxy_addresses, "DELNINGSSTOD_PROXY_ADDRESSES saknas: vilken proxy som får tala om vem som frågar."
    for address in settings.proxy_addresses:
        try:
            whole = ipaddress.ip_network(address).prefixlen == 0
        except ValueError:
            yield True, f"DELNINGSSTOD_PROXY_ADDRESSES: «{address}» är varken en adress eller ett nät."
            return
        yield whole, f"DELNINGSSTOD_PROXY_ADDRESSES: «{address}» är hela världen."
    yield not settings.proxy_secret.get_secret_value(), "DELNINGSSTOD_PROXY_SECRET saknas: hemligheten som proxyn visar."
    yield len(settings.proxy_secret.get_secret_value()) < 32, "DELNINGSSTOD_PROXY_SECRET är för kort; minst 32 tecken."
    yield not settings.proxy_secret.get_secret_value().isascii(), "DELNINGSSTOD_PROXY_SECRET får inte ha å, ä, ö eller andra sådana tecken."
    names = [name.lower() for name in trusted(settings)]
    yield len(set(names)) != len(names), "DELNINGSSTOD_PROXY_…_HEADER: två av namnen är samma."
    yield (bool(settings.oidc_issuer or settings.oidc_client_id),
           "Både oidc och proxy är inställda. Ta bort DELNINGSSTOD_OIDC_…, eller sätt DELNINGSSTOD_IDENTITY till oidc.")


# --- the three ways -----------------------------------------------------------------------------------------------------


def trusted(settings: Settings) -> tuple[str, ...]:
    """The headers that a proxy says things in."""
    return (settings.proxy_secret_header, settings.proxy_user_header, settings.proxy_name_header, settings.proxy_email_header,
            settings.proxy_groups_header)


def local(scope: Scope) -> None:
    """Raises ``Refused`` unless the request comes from this machine itself: a proxy in front would let anybody in as its one person."""
    peer = scope.get("client")
    if peer is None or not hardening.is_loopback(peer[0]) or any(name in Headers(scope=scope) for name in FORWARDED):
        raise Refused(403, "Utan inloggning visas tjänsten bara på den egna datorn.")


def forwarded(scope: Scope, settings: Settings) -> Session:
    """Who a listed proxy says it is. Raises ``NotSignedIn`` for anybody else's word, ``Refused`` where forged headers came through it."""
    headers = Headers(scope=scope)
    shown = headers.getlist(settings.proxy_secret_header)
    known = settings.proxy_secret.get_secret_value().encode()
    if not _listed(scope.get("client"), settings) or len(shown) != 1 or not hmac.compare_digest(shown[0].encode("latin-1"), known):
        raise NotSignedIn("Du är inte inloggad. Gå in genom myndighetens vanliga adress.")
    names = [name.lower() for name in trusted(settings)]
    for raw, _ in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name not in names and name.replace("_", "-") in names:
            raise Refused(400, "Begäran är felaktig.")  # a_b beside a-b: somebody tries to get a header past the proxy
    said = {name: _one(headers, name) for name in names[1:]}
    user, name, email, groups = said.values()
    if not user:
        raise NotSignedIn("Du är inte inloggad. Gå in genom myndighetens vanliga adress.")
    listed = [_read(group.strip()) for group in groups.split(",") if group.strip()]
    return session(user, _read(name) or email or user, listed, settings)


def _listed(peer: tuple[str, int] | None, settings: Settings) -> bool:
    try:
        address = ipaddress.ip_address(peer[0]) if peer else None
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address is not None and any(address in ipaddress.ip_network(one) for one in settings.proxy_addresses)


def _one(headers: Headers, name: str) -> str:
    """A header's one value. Twice is somebody's forgery; other than plain letters is somebody's trick."""
    values = headers.getlist(name)
    if len(values) > 1 or any(not value.isascii() or not value.isprintable() or len(value) > 8_000 for value in values):
        raise Refused(400, "Begäran är felaktig.")
    return values[0].strip() if values else ""


def _read(value: str) -> str:
    """A value as written: å, ä and ö come percent-encoded. What doesn't decode, or hides a line break, is refused."""
    try:
        read = unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(400, "Begäran är felaktig.") from error
    if not read.isprintable():
        raise Refused(400, "Begäran är felaktig.")
    return read


# --- the middleware ----------------------------------------------------------------------------------------------------

Token = Callable[[str], Awaitable[Session]]


class SignOn:
    """Finds who asks and lets in those with a role. ``token``: how a bearer token is read, where that is on."""

    def __init__(self, app: ASGIApp, settings: Settings, key: str, token: Token | None = None) -> None:
        self.app, self.settings, self.key, self.token = app, settings, key, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        public = scope["path"] in PUBLIC or scope["path"].startswith(PUBLIC_FOLDERS)
        try:
            held = await self._found(scope)
        except NotSignedIn as error:
            held = None
            if not public:
                await self._unknown(scope, send, str(error))
                return
        except Refused as error:
            await hardening.refuse(scope, send, error.status, str(error))
            return
        who = None if held is None else LOCAL if self.settings.identity == "off" else held.person(self.settings)
        if who is not None and not who.roles and not public:
            said = f"Du är inloggad som {who.name} men har ingen roll i tjänsten. Be förvaltaren om en, och logga sedan in på nytt."
            await hardening.refuse(scope, send, 403, said, link=self._out())
            return
        await self.app(self._told(scope, held, who), receive, send)

    async def _found(self, scope: Scope) -> Session:
        if self.settings.identity == "off":
            local(scope)
            return Session(LOCAL.id, LOCAL.name, (), time.time() + self.settings.session_hours * 3600)
        if self.settings.identity == "proxy":
            return forwarded(scope, self.settings)
        shown = Headers(scope=scope).getlist("authorization")
        if shown:  # a token that is no good is not made up for by a cookie
            kind, _, value = shown[0].partition(" ")
            if len(shown) > 1 or kind.lower() != "bearer" or self.token is None:
                raise NotSignedIn("Inloggningen gäller inte. Hämta en ny.")
            return await self.token(value.strip())
        if held := self.cookie(scope):
            return held
        raise NotSignedIn("Du är inte inloggad.")

    def cookie(self, scope: Scope) -> Session | None:
        """The session of the cookie, if it holds."""
        text = HTTPConnection(scope).cookies.get(cookie_name(self.settings), "")
        return unsealed(text, self.key, "cookie", self.settings) if text else None

    def _told(self, scope: Scope, held: Session | None, who: Person | None) -> Scope:
        """The scope as those inside see it: with the person, and without anything the client says of who it is."""
        mine = {HEADER, *(name.lower() for name in trusted(self.settings)), "authorization"}
        kept = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower().replace("_", "-") not in mine]
        inside = {**scope, "headers": kept, "state": {**scope.get("state", {}), "person": who}}
        if held is not None and self.settings.identity != "off":
            MutableHeaders(scope=inside)[HEADER] = sealed(held, self.key, "window")
        return inside

    async def _unknown(self, scope: Scope, send: Send, said: str) -> None:
        if self.settings.identity == "oidc" and _is_page(scope):
            path = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else "")
            await hardening.redirect(scope, send, f"/signon/login?next={quote(path, safe='')}")
            return
        extra: Mapping[str, str] = {"WWW-Authenticate": "Bearer"} if self.settings.identity == "oidc" else {}
        await hardening.refuse(scope, send, 401, said, headers=extra)

    def _out(self) -> tuple[str, str] | None:
        return ("/signon/logout", "Logga ut") if self.settings.identity == "oidc" else None


def _is_page(scope: Scope) -> bool:
    """Whether a person's browser asks for a page to show, rather than a program for data."""
    if scope["type"] != "http" or scope["method"] != "GET" or hardening.is_api(scope["path"]):
        return False
    headers = Headers(scope=scope)
    return headers.get("sec-fetch-mode", "navigate") == "navigate" and "text/html" in headers.get("accept", "")


def claims(held: Mapping[str, Any], settings: Settings, key: str = "") -> Session:
    """A session of a token's checked claims."""
    return session(held.get("sub"), held.get("name") or held.get("preferred_username"), held.get(settings.oidc_groups_claim), settings, key)
