"""The authority's sign-on: OpenID Connect's code flow for people, bearer tokens for programs and the widget.

Authlib does the protocol. What is ours: how tokens may be signed, how long keys are believed, and the session that comes of it.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client._compat import httpx2 as httpx  # httpx2 where it is installed, else httpx: what Authlib itself takes
from authlib.integrations.starlette_client import OAuth
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from assistant.service import hardening, signon
from assistant.service.signon import NotSignedIn, Refused, Session
from assistant.settings import Settings

SECONDS = 5.0  # a sign-on that is slower is down
KEYS_S = 600.0  # a key the sign-on has taken back is believed no longer than this
AGAIN_S = 10.0  # and an unknown key asks for the list no oftener than this
LEEWAY_S = 30  # what two machines' clocks may differ
DOWN = "Inloggningstjänsten svarar inte. Försök igen om en stund."
FAILED = "Inloggningen gick inte att slutföra. Försök igen."
KINDS = (None, "JWT", "at+jwt", "application/at+jwt")  # other kinds of tokens of the same issuer are for other things


class Provider:
    """The sign-on, as it describes itself. Read when first needed, so that the service starts while the sign-on is down."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = OAuth().register(
            "signon", server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
            client_id=settings.oidc_client_id, client_secret=settings.oidc_client_secret.get_secret_value(),
            client_kwargs={"scope": settings.oidc_scopes, "code_challenge_method": "S256", "timeout": SECONDS, "trust_env": False,
                           "verify": ssl.create_default_context()})  # the machine's own certificate authorities
        self.read_at = -KEYS_S
        self.reading = asyncio.Lock()

    async def ready(self) -> dict[str, object]:
        """The sign-on's description, with our own list of algorithms in place of its. Raises ``Refused`` when it can't be had."""
        try:
            held: dict[str, object] = await self.client.load_server_metadata()
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(503, DOWN) from error
        if held.get("issuer") != self.settings.oidc_issuer:
            self.client.server_metadata.clear()
            raise Refused(503, "Inloggningstjänsten har ett annat namn än det inställda. Säg till förvaltaren.")
        held["id_token_signing_alg_values_supported"] = list(self.settings.oidc_algorithms)
        return held

    async def keys(self, *, unknown: bool = False) -> KeySet:
        """The sign-on's keys. ``unknown``: a token names a key that isn't among them, so they may have been changed."""
        async with self.reading:
            await self.ready()
            age = time.monotonic() - self.read_at
            try:
                held = await self.client.fetch_jwk_set(force=age > KEYS_S or (unknown and age > AGAIN_S))
                keys = KeySet.import_key_set({"keys": [one for one in held["keys"] if one.get("kty") != "oct" and one.get("use") != "enc"]})
            except (httpx.HTTPError, ValueError, KeyError, TypeError, RuntimeError, JoseError) as error:
                raise Refused(503, DOWN) from error
            if age > KEYS_S or (unknown and age > AGAIN_S):
                self.read_at = time.monotonic()
            return keys

    async def token(self, value: str) -> Session:
        """The session of a bearer token: signed by the sign-on, by it, for us, now. Raises ``NotSignedIn``."""
        if not self.settings.oidc_audience:
            raise NotSignedIn("Tjänsten tar inte emot den sortens inloggning.")
        try:
            try:
                read = self._read(value, await self.keys())
            except InvalidKeyIdError:
                read = self._read(value, await self.keys(unknown=True))
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_S, iss={"essential": True, "value": self.settings.oidc_issuer},
                aud={"essential": True, "value": self.settings.oidc_audience}, exp={"essential": True}, sub={"essential": True},
            ).validate(read.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotSignedIn("Inloggningen gäller inte. Hämta en ny.") from error
        if read.header.get("typ") not in KINDS:
            raise NotSignedIn("Inloggningen gäller inte. Hämta en ny.")
        return signon.claims(read.claims, self.settings)

    def _read(self, value: str, keys: KeySet) -> jwt.Token:
        return jwt.decode(value, keys, algorithms=list(self.settings.oidc_algorithms))


class Door:
    """The addresses a person signs in and out by. ``key``: what signs the cookie."""

    def __init__(self, provider: Provider, settings: Settings, key: str) -> None:
        self.provider, self.settings, self.key = provider, settings, key
        self.home = hardening.origin_of(settings.public_url)
        self.name = signon.cookie_name(settings)

    def app(self) -> ASGIApp:
        """The addresses as an app. What a sign-on under way must remember lives in a signed cookie of its own for ten minutes."""
        routes = [Route("/signon/login", self.login), Route("/signon/callback", self.callback), Route("/signon/logout", self.logout),
                  Route("/signon/out", self.out)]
        return SessionMiddleware(Router(routes), secret_key=self.key, session_cookie="delningsstod-signon", max_age=600, path="/signon",
                                 same_site="lax", https_only=self.home.startswith("https://"))

    async def login(self, request: Request) -> Response:
        """Lead the browser to the sign-on, with PKCE, a state and a nonce."""
        request.session["next"] = local_path(request.query_params.get("next", "/"))
        try:
            await self.provider.ready()
            made: Response = await self.provider.client.authorize_redirect(request, f"{self.home}/signon/callback")
        except (Refused, httpx.HTTPError, RuntimeError, ValueError):
            return _said(503, DOWN)
        return made

    async def callback(self, request: Request) -> Response:
        """What the sign-on sent the browser back with: exchanged, checked, and made a session."""
        try:
            await self.provider.keys()
            got = await self.provider.client.authorize_access_token(request, leeway=LEEWAY_S)
            found = got.get("userinfo")
            if not found:
                return _said(403, FAILED)
            held = signon.claims(found, self.settings, secrets.token_urlsafe(18))
        except Refused as error:
            return _said(error.status, str(error))
        except httpx.HTTPError:
            return _said(503, DOWN)
        except (OAuthError, JoseError, ValueError, TypeError, KeyError, RuntimeError):
            return _said(403, FAILED)
        response = RedirectResponse(local_path(request.session.pop("next", "/")), 303)
        response.set_cookie(self.name, signon.sealed(held, self.key, "cookie"), max_age=int(self.settings.session_hours * 3600), path="/",
                            secure=self.home.startswith("https://"), httponly=True, samesite="lax")
        return response

    async def logout(self, request: Request) -> Response:
        """End the session here, and then at the sign-on where it has a way to. Another site can't sign anybody out."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _said(403, "Begäran kommer från en sida som inte är godkänd.")
        held = signon.unsealed(request.cookies.get(self.name, ""), self.key, "cookie", self.settings)
        if held:
            signon.end(held, self.settings)
        response: Response = RedirectResponse("/signon/out", 303)
        try:
            if (await self.provider.ready()).get("end_session_endpoint"):
                response = await self.provider.client.logout_redirect(
                    request, f"{self.home}/signon/out", client_id=self.settings.oidc_client_id)
        except (Refused, httpx.HTTPError, RuntimeError, ValueError):
            pass  # signed out here all the same
        response.delete_cookie(self.name, path="/", secure=self.home.startswith("https://"), httponly=True, samesite="lax")
        return response

    async def out(self, _: Request) -> Response:
        """Where one ends up when signed out."""
        return _said(200, "Du är utloggad.")


def local_path(path: str) -> str:
    """A path of ours to go on to, never another site's address."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\", "/signon/")) and not parts.netloc and not parts.scheme
    return path if plain and path.isprintable() and len(path) < 1000 else "/"


def _said(status: int, said: str) -> Response:
    link = ("/", "Logga in") if status != 403 or said == FAILED else None
    title = "Utloggad" if status == 200 else hardening.TITLES[status]
    return HTMLResponse(hardening.page(title, said, link), status)
