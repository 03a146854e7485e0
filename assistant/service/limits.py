"""How much one person may ask for, and how many questions one process answers at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field

from assistant.people import Person
from assistant.service import problems, texts
from assistant.storage import keys
from assistant.storage.database import Database

WINDOW_S = 60
MANY_PEOPLE = 10_000  # remembered at once; an authority has fewer, and an attacker must not fill the memory
POLL_S = 0.25


@dataclass(frozen=True)
class Allowance:
    """What is left of a person's allowance: the RateLimit-* headers of an answer."""

    limit: int
    left: int
    reset_s: float

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF draft's three fields."""
        reset = max(0, round(self.reset_s))
        return {"RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(self.left), "RateLimit-Reset": str(reset)}


def question(database: Database, who: Person, limit: int) -> Allowance:
    """Spend one question, counted in the database: the same for every process. TooMany when there is none left."""
    with database.writing() as db:
        spent = keys.spend(db, who.id, "questions", limit, WINDOW_S)
    if not spent.allowed:
        raise problems.TooMany(texts.TOO_MANY_QUESTIONS.format(limit=limit, seconds=max(1, round(spent.reset_s))), limit, spent.reset_s)
    return Allowance(limit, spent.left, spent.reset_s)


@dataclass
class Reads:
    """Everything but questions, counted in this process's memory: cheap, and a restart forgives."""

    limit: int
    _spent: dict[str, tuple[float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, who: Person, now: float | None = None) -> Allowance:
        """Spend one. TooMany when there is none left."""
        now = time.monotonic() if now is None else now
        with self._lock:
            began, count = self._spent.get(who.id, (now, 0))
            if now - began >= WINDOW_S:
                began, count = now, 0
            self._spent[who.id] = (began, count + 1)
            if len(self._spent) > MANY_PEOPLE:
                self._spent = {name: held for name, held in self._spent.items() if now - held[0] < WINDOW_S}
        reset = WINDOW_S - (now - began)
        if count >= self.limit:
            raise problems.TooMany(texts.TOO_MANY.format(seconds=max(1, round(reset))), self.limit, reset)
        return Allowance(self.limit, self.limit - count - 1, reset)


class Answering:
    """The questions this process is answering: ``workers`` at a time, at most ``room`` taken. ``complete`` is told whose and which."""

    def __init__(self, complete: Callable[[str, str], None], workers: int, room: int) -> None:
        self._complete = complete
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="answering")
        self._room = threading.BoundedSemaphore(room)
        self._running: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def place(self) -> Iterator[Callable[[str, str], None]]:
        """A place kept before the question is stored; the value given starts the answering. Busy when there is none."""
        if not self._room.acquire(blocking=False):
            raise problems.Busy(texts.BUSY)
        taken = False

        def start(owner: str, answer_id: str) -> None:
            nonlocal taken
            taken = self._start(owner, answer_id)

        try:
            yield start
        finally:
            if not taken:
                self._room.release()

    def resume(self, owner: str, answer_id: str) -> None:
        """Answer what another process, or this one before a restart, left; another time when there is no room."""
        try:
            with self.place() as start:
                start(owner, answer_id)
        except problems.Busy:
            return

    def running(self, answer_id: str) -> bool:
        """Whether this process is answering it."""
        return answer_id in self._running

    def _start(self, owner: str, answer_id: str) -> bool:
        with self._lock:
            if answer_id in self._running:
                return False
            self._running[answer_id] = future = self._pool.submit(self._run, owner, answer_id)
        future.add_done_callback(lambda _: self._ended(answer_id))
        return True

    def _run(self, owner: str, answer_id: str) -> None:
        try:
            self._complete(owner, answer_id)
        except Exception as error:  # it stays pending, and is taken up again
            problems.where(error)

    def _ended(self, answer_id: str) -> None:
        with self._lock:
            self._running.pop(answer_id, None)
        self._room.release()

    async def wait(self, answer_id: str, seconds: float) -> None:
        """Until it is answered here, or for a moment where another process answers it."""
        future = self._running.get(answer_id)
        if future is None:
            await asyncio.sleep(min(seconds, POLL_S))
        else:
            await asyncio.wait([asyncio.wrap_future(future)], timeout=seconds)

    def wait_here(self, answer_id: str, seconds: float) -> None:
        """As ``wait``, on a thread."""
        future = self._running.get(answer_id)
        if future is None:
            time.sleep(min(seconds, POLL_S))
            return
        wait([future], seconds)

    def close(self) -> None:
        """Finish what has begun; what hasn't is left for another process."""
        self._pool.shutdown(wait=True, cancel_futures=True)
