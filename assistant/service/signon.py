"""Who asks: nobody but this machine's own person (off), the authority's sign-on (oidc), or a listed proxy's headers (proxy).

Stands outside everything else as ASGI middleware. What a request says of itself is never believed: the person is put in
``scope["state"]`` here and nowhere else.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection

from assistant.people import Person


class NotSignedIn(Exception):
    """Nobody is signed in; the message says in Swedish what to do."""


def person(connection: HTTPConnection) -> Person:
    """Who asks, as the middleware found it. Raises ``NotSignedIn``: also when the middleware is missing."""
    found = connection.scope.get("state", {}).get("person")
    if not isinstance(found, Person):
        raise NotSignedIn("Du är inte inloggad.")
    return found
