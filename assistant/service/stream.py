"""An answer as it comes about, as server-sent events: status, the verified citations, the whole answer, done.

Nothing is sent as a quote before it is verified, and nothing as text before all of it is. Each event has a number, so that a reader who
lost the line goes on from the last one it saw.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi.sse import ServerSentEvent

from assistant.service import texts
from assistant.storage.conversations import PENDING, Asked, NotFound

STATUS, SOURCES, ANSWER, DONE = 1, 2, 3, 4
HEARTBEAT_S = 10.0  # under the half minute after which a proxy gives up on a silent line
PATIENCE_S = 120.0  # then the reader comes back by itself, from where it was
RETRY_MS = 2_000


async def events(asked: Asked, again: Callable[[], Awaitable[Asked]], wait: Callable[[float], Awaitable[None]], after: int = 0
                 ) -> AsyncIterator[ServerSentEvent]:
    """Every event numbered above ``after``. ``again`` reads the question anew; ``wait`` returns when something may have happened."""
    if asked.state == PENDING and after < STATUS:
        yield _event(STATUS, "status", {"state": PENDING, "text": texts.ANSWERING})
    began = beat = time.monotonic()
    while asked.state == PENDING:
        await wait(HEARTBEAT_S)
        try:
            asked = await again()
        except NotFound:
            yield _event(DONE, "done", {"state": "gone", "text": texts.GONE})
            return
        now = time.monotonic()
        if now - began > PATIENCE_S:
            return
        if now - beat >= HEARTBEAT_S:
            beat = now
            yield ServerSentEvent(comment=texts.ANSWERING)
    for number, name, data in _whole(asked):
        if number > after:
            yield _event(number, name, data)


def _whole(asked: Asked) -> tuple[tuple[int, str, Any], ...]:
    answer = asked.answer or {}
    verified = [one for one in answer.get("citations", ()) if one.get("verified")]
    return ((STATUS, "status", {"state": "done", "text": texts.DONE}), (SOURCES, "sources", {"citations": verified}),
            (ANSWER, "answer", answer), (DONE, "done", {"state": "done", "text": texts.DONE}))


def _event(number: int, name: str, data: Any) -> ServerSentEvent:
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return ServerSentEvent(raw_data=written, event=name, id=str(number), retry=RETRY_MS if number == STATUS else None)


def number(last_event_id: str | None) -> int:
    """What a reader saw last; 0 where it says nothing we know."""
    return int(last_event_id) if last_event_id and last_event_id in ("1", "2", "3", "4") else 0
