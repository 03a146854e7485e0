"""Who asks, and what each role may do. Default deny: an operation that no role is given is nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What the authority has let a person be here. The names are the Swedish ones that staff use."""

    LASARE = "läsare"
    HANDLAGGARE = "handläggare"
    JURIST = "jurist"
    FORVALTARE = "förvaltare"


class Operation(StrEnum):
    """What can be done, one name each in every channel."""

    READ_SOURCES = "read_sources"
    FIND_GROUNDS = "find_grounds"
    VERIFY_CITATION = "verify_citation"
    ASK = "ask"
    ASSESS = "assess"
    GIVE_FEEDBACK = "give_feedback"
    REVIEW = "review"
    MANAGE_REVIEW = "manage_review"
    EXPORT_CASE = "export_case"
    SET_RETENTION = "set_retention"
    READ_AUDIT = "read_audit"


_EVERYONE = frozenset(Role)
_STAFF = frozenset({Role.HANDLAGGARE, Role.JURIST, Role.FORVALTARE})
_MANAGERS = frozenset({Role.FORVALTARE})
MAY: dict[Operation, frozenset[Role]] = {
    Operation.READ_SOURCES: _EVERYONE,
    Operation.FIND_GROUNDS: _EVERYONE,
    Operation.VERIFY_CITATION: _EVERYONE,
    Operation.ASK: _STAFF,
    Operation.ASSESS: _STAFF,
    Operation.GIVE_FEEDBACK: _STAFF,
    Operation.REVIEW: frozenset({Role.JURIST, Role.FORVALTARE}),
    Operation.MANAGE_REVIEW: _MANAGERS,
    Operation.EXPORT_CASE: _MANAGERS,
    Operation.SET_RETENTION: _MANAGERS,
    Operation.READ_AUDIT: _MANAGERS,
}


class Forbidden(Exception):
    """The person's roles don't allow the operation; the message says in Swedish which role it takes."""


@dataclass(frozen=True)
class Person:
    """Who is at the other end. ``id`` is the sign-on's own stable name for the person; ``name`` is shown. No roles: nothing is allowed."""

    id: str
    name: str
    roles: frozenset[Role] = frozenset()


LOCAL = Person("lokal", "Lokal användare", frozenset(Role))  # the one person of an installation without sign-on


def may(who: Person, operation: Operation) -> bool:
    """Whether any of the person's roles is given the operation."""
    return bool(who.roles & MAY.get(operation, frozenset()))


def require(who: Person, operation: Operation) -> None:
    """Raises ``Forbidden`` unless the person may."""
    if not may(who, operation):
        wanted = sorted(role.value for role in MAY.get(operation, frozenset()))
        raise Forbidden(f"Det här kräver rollen {' eller '.join(wanted)}." if wanted else "Det här får ingen göra.")
