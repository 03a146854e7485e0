"""What went wrong, said once for every channel: application/problem+json (RFC 9457) in REST, the same words in MCP."""

from __future__ import annotations

import logging
import math
import re
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.people import Forbidden
from assistant.service import texts
from assistant.service.signon import NotSignedIn
from assistant.storage.assessments import Conflict
from assistant.storage.conversations import NotFound
from assistant.storage.database import StorageError
from assistant.storage.gate import NotKept
from assistant.storage.keys import KeyReused

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:delningsstod:problem:"
_NAME = re.compile(r"[A-Za-z][A-Za-z_-]{0,40}")
_log = logging.getLogger(__name__)


class Refused(ValueError):
    """What was sent can't be used. ``field`` names where; the message is plain Swedish and holds no personal datum."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class PersonalData(Refused):
    """A text holds a personal datum: the field and the kind are told, never the value."""

    def __init__(self, field: str, kind: str) -> None:
        super().__init__(field, texts.PERSONAL_DATA.format(field=field, kind=kind))
        self.kind = kind


class Missing(LookupError):
    """What was asked for isn't there, or is somebody else's. ``what`` is a key of texts.NOT_FOUND."""

    def __init__(self, what: str) -> None:
        super().__init__(texts.NOT_FOUND[what])


class NotNow(RuntimeError):
    """It can be done, but not as things stand; the message says what comes first."""


class Busy(RuntimeError):
    """This process has as many unanswered questions as it takes."""


class TooMany(RuntimeError):
    """A person's allowance is spent."""

    def __init__(self, detail: str, limit: int, reset_s: float) -> None:
        super().__init__(detail)
        self.limit, self.reset_s = limit, reset_s


@dataclass(frozen=True)
class Problem:
    """One problem as RFC 9457 writes it. ``instance`` names the occasion: it is what the log says too."""

    status: int
    code: str
    detail: str
    field: str = ""
    kind: str = ""
    errors: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    instance: str = ""

    def to_json(self) -> dict[str, Any]:
        """The members that say something."""
        said: dict[str, Any] = {"type": TYPE + self.code, "title": texts.TITLES.get(self.status, texts.TITLES[500]), "status": self.status,
                                "detail": self.detail, "instance": self.instance or f"urn:uuid:{uuid.uuid4()}"}
        said |= {name: value for name, value in (("field", self.field), ("kind", self.kind)) if value}
        if self.errors:
            said["errors"] = [{"field": name, "detail": detail} for name, detail in self.errors]
        return said


def of(error: Exception) -> Problem | None:
    """The problem that an operation's own exception stands for; None for one that nobody foresaw."""
    for kind, status, code, detail in _KNOWN:
        if isinstance(error, kind):
            found = Problem(status, code, detail or str(error))
            break
    else:
        return None
    if isinstance(error, PersonalData | NotKept):
        return replace(found, field=getattr(error, "field", ""), kind=error.kind)
    if isinstance(error, Refused):
        return replace(found, field=error.field)
    if isinstance(error, StorageError):
        where(error)
    if isinstance(error, TooMany):
        return replace(found, headers=(("Retry-After", str(max(1, math.ceil(error.reset_s)))),))
    return replace(found, headers=(("Retry-After", "2"),)) if status == 503 else found


_KNOWN: tuple[tuple[type[Exception], int, str, str], ...] = (
    (PersonalData, 422, "personal-data", ""),
    (NotKept, 422, "personal-data", ""),
    (Refused, 422, "invalid", ""),
    (NotSignedIn, 401, "sign-on", texts.SIGN_ON),
    (Forbidden, 403, "forbidden", ""),
    (Missing, 404, "not-found", ""),
    (NotFound, 404, "not-found", texts.NOT_FOUND[""]),
    (NotNow, 409, "not-now", ""),
    (Conflict, 409, "changed-meanwhile", texts.CHANGED_MEANWHILE),
    (KeyReused, 409, "key-reused", texts.KEY_REUSED),
    (TooMany, 429, "too-many", ""),
    (Busy, 503, "busy", texts.BUSY),
    (StorageError, 503, "storage", texts.STORAGE),
)
KINDS = tuple(kind for kind, *_ in _KNOWN)


def unforeseen(error: BaseException) -> Problem:
    """The problem of last resort: a code that the log has too, no trace and no message."""
    code = uuid.uuid4().hex[:12]
    where(error, code)
    return Problem(500, "internal", texts.INTERNAL.format(code=code), instance=f"urn:delningsstod:code:{code}")


def where(error: BaseException, code: str = "") -> None:
    """Log where it broke, never the message: it may hold words of a question."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    _log.error("%s in %s %s", type(error).__name__, place, code)


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """What a schema didn't accept, field by field, without the values (a misspelt field's name could be anything, too)."""
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem(400, "unreadable", texts.UNREADABLE)
    told = dict.fromkeys((_field(error), texts.FIELD.get(error["type"], texts.FIELD[""])) for error in errors)
    name, detail = next(iter(told))
    return Problem(422, "invalid", detail if len(told) == 1 else texts.INVALID.format(count=len(told)), field=name, errors=tuple(told)[:20])


def _field(error: Mapping[str, Any]) -> str:
    path = list(error["loc"])[1:] if error["type"] != "extra_forbidden" else list(error["loc"])[1:-1]
    return ".".join(str(part) for part in path if isinstance(part, int) or _NAME.fullmatch(str(part))) or "body"
