"""A small OpenID provider of our own, real but without a login page: discovery, keys, authorization code with PKCE, tokens, sign-out.

Whoever ``who`` says is the one that signs in. The tests make it misbehave by handing it other keys, claims or algorithms.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from joserfc import jws
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.service_world import served

CLIENT, SECRET, AUDIENCE = "delningsstod", "klientens-hemlighet-i-testet", "delningsstod-api"


def key(name: str) -> RSAKey:
    """A new key pair."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


class Provider:
    """The provider's state. ``people``: claims of those who can sign in; ``claims``: laid over the next id tokens."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys = [key("k1")]
        self.people: dict[str, dict[str, Any]] = {
            "anna": {"name": "Anna Ek", "groups": ["DS-handläggare"]}, "bo": {"name": "Bo Alm", "groups": ["DS-jurister", "Alla"]},
            "frida": {"name": "Frida Falk", "groups": ["DS-jurister", "DS-förvaltare"]},
            "lena": {"name": "Lena Läs", "groups": ["DS-läsare"]}, "ny": {"name": "Ny Anställd", "groups": ["Alla"]}}
        self.who = "anna"
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []

    def app(self) -> Starlette:
        """The provider's addresses."""
        return Starlette(routes=[
            Route("/.well-known/openid-configuration", self.discovery), Route("/keys", self.jwks), Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]), Route("/out", self.out)])

    async def discovery(self, _: Request) -> Response:
        at = self.issuer
        return JSONResponse({
            "issuer": at, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token", "jwks_uri": f"{at}/keys",
            "end_session_endpoint": f"{at}/out", "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]})  # it offers more than we may take

    async def jwks(self, request: Request) -> Response:
        self.seen.append(("keys", {}))
        return JSONResponse({"keys": [one.as_dict(private=False) for one in self.keys]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.seen.append(("authorize", asked))
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "who": self.who}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        """One code, once, to the client it was made for, against the verifier that its challenge was made of."""
        async with request.form() as form:
            sent = {name: str(value) for name, value in form.items()}
        shown = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        asked = self.codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        self.seen.append(("token", sent))
        if shown != f"{CLIENT}:{SECRET}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if asked is None or asked.get("code_challenge_method") != "S256" or asked.get("code_challenge") != challenge \
                or asked["redirect_uri"] != sent.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        who = asked["who"]
        id_token = self.signed({"sub": who, "aud": CLIENT, "nonce": asked["nonce"], **self.people[who], **self.claims})
        return JSONResponse({"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300, "id_token": id_token})

    async def out(self, request: Request) -> Response:
        self.seen.append(("out", dict(request.query_params)))
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)

    # --- tokens as the tests want them

    def signed(self, claims: dict[str, Any], *, by: RSAKey | None = None, header: dict[str, Any] | None = None) -> str:
        """A token with the usual claims under ``claims``; None takes a claim away."""
        now = int(time.time())
        whole = {"iss": self.issuer, "iat": now, "exp": now + 300, **claims}
        used = by or self.keys[-1]
        return str(jws.serialize_compact({"alg": "RS256", "kid": used.kid, **(header or {})},
                                         json.dumps({name: value for name, value in whole.items() if value is not None}).encode(), used,
                                         algorithms=["RS256"]))

    def access(self, who: str, **claims: Any) -> str:
        """An access token for the API, for one of the people."""
        return self.signed({"sub": who, "aud": AUDIENCE, **self.people[who], **claims})

    def unsigned(self, who: str, alg: str, **claims: Any) -> str:
        """A token that says it needs no signature."""
        now = int(time.time())
        head = {"alg": alg, "kid": self.keys[-1].kid}
        body = {"iss": self.issuer, "iat": now, "exp": now + 300, "sub": who, "aud": AUDIENCE, **self.people[who], **claims}
        return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (head, body)) + "."

    def confused(self, who: str, form: str) -> str:
        """A token signed with HS256, with the provider's public key, which everybody has, as the shared secret."""
        public = self.keys[-1].as_pem(private=False) if form == "pem" else json.dumps(self.keys[-1].as_dict(private=False)).encode()
        head, body, _ = self.unsigned(who, "HS256").split(".")
        mark = base64.urlsafe_b64encode(hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
        return f"{head}.{body}.{mark}"


@contextlib.contextmanager
def running() -> Iterator[Provider]:
    """A provider on loopback."""
    made = Provider()
    with served(made.app()) as address:
        made.issuer = address
        yield made


