"""Many people at once against the running service: nothing lost, nothing mixed, and what an answer costs beside one person alone.

    python -m bench.load --index DIR [--people 50] [--turns 5] [--pause 10] [--window] [--processes 1] [--out docs/load.json]

Starts the service (`delningsstod serve`) on loopback with everybody signed on by a proxy's headers, and asks over HTTP as the widget does
(server-sent events) or, with --window, over the web window's own websocket. Three rounds, each with the same conversations:

    alone      one person has all the conversations, one after another: the reference, and the single user's time
    chatting   everybody has their own conversation at the same time, and reads for a while between the questions
    at once    the same without reading: every question as soon as the answer before it has come

An answer is mixed when it isn't, letter by letter, the one that the same conversation got alone, or when somebody else can fetch it.
Times on a shared machine drift, so an answer's time is also given in the server's CPU-seconds: what the process spends from one event
(a question sent, an answer come) to the next is shared equally between the answers under way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench import window

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ROOT / "evals" / "golden" / "staff_questions.jsonl"
SECRET = "bara-for-den-har-matningen-pa-loopback"
AS_OF = "2026-11-22"
PATIENCE_S = 300


@dataclass
class Service:
    """The processes that are measured."""

    urls: list[str]
    processes: list[subprocess.Popen]

    def cpu_s(self) -> float:
        """CPU-seconds all of them have spent so far, to the nanosecond: Linux lets a clock be read for another process."""
        return sum(time.clock_gettime((~one.pid << 3) | 2) for one in self.processes)

    def memory_mib(self) -> float:
        """What they hold in memory together."""
        pages = sum(int(Path(f"/proc/{one.pid}/statm").read_text().split()[1]) for one in self.processes)
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass
class Round:
    """One round: each answer's seconds on the wall and in the server's CPU, and what went wrong."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    answers: dict[tuple[str, int], Any] = field(default_factory=dict)
    seconds: float = 0.0
    spent_s: float = 0.0


class Meter:
    """Shares the server's CPU time between the answers under way."""

    def __init__(self, service: Service) -> None:
        self.service, self.last = service, service.cpu_s()
        self.under_way: dict[tuple[str, int], float] = {}

    def begin(self, key: tuple[str, int]) -> None:
        """A question is about to be sent."""
        self._share()
        self.under_way[key] = 0.0

    def end(self, key: tuple[str, int]) -> float:
        """Its answer has come: its share."""
        self._share()
        return self.under_way.pop(key)

    def _share(self) -> None:
        now = self.service.cpu_s()
        for key in self.under_way:
            self.under_way[key] += (now - self.last) / len(self.under_way)
        self.last = now


# --- the service ------------------------------------------------------------------------------------------------------


@contextmanager
def service(args: argparse.Namespace, folder: Path) -> Iterator[Service]:
    """The service as it is run, with only the limits per person raised."""
    ports = [_free_port() for _ in range(args.processes)]
    mine = {name: value for name, value in os.environ.items() if not name.startswith("DELNINGSSTOD_")}
    environment = {
        **mine, "DELNINGSSTOD_DATA": str(folder), "DELNINGSSTOD_INDEX": str(args.index.resolve()), "DELNINGSSTOD_IDENTITY": "proxy",
        "DELNINGSSTOD_PUBLIC_URL": f"http://127.0.0.1:{ports[0]}", "DELNINGSSTOD_PROXY_ADDRESSES": '["127.0.0.1"]',
        "DELNINGSSTOD_PROXY_SECRET": SECRET, "DELNINGSSTOD_ROLE_GROUPS": '{"alla": "handläggare"}',
        "DELNINGSSTOD_QUESTIONS_PER_MINUTE": "1000000", "DELNINGSSTOD_READS_PER_MINUTE": "1000000"}
    command = [str(Path(sys.executable).with_name("delningsstod")), "serve", *([] if args.window else ["--api-only"]), "--port"]
    with (folder / "log").open("w") as log:
        started = [subprocess.Popen([*command, str(port)], cwd=ROOT, env=environment, stdout=log, stderr=log) for port in ports]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        for url, process in zip(urls, started, strict=True):
            _wait(f"{url}/api/v1/ready", process, folder / "log")
        yield Service(urls, started)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


def _wait(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(1200):
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    sys.exit(f"the service didn't start: {log.read_text(encoding='utf-8')[-1000:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def headers(who: str) -> dict[str, str]:
    """What the proxy says of somebody."""
    return {"X-Delningsstod-Proxy-Secret": SECRET, "X-Forwarded-User": who, "X-Forwarded-Groups": "alla"}


# --- one person, over HTTP --------------------------------------------------------------------------------------------


class OverHttp:
    """A conversation as the widget has it."""

    def __init__(self, urls: list[str], who: str) -> None:
        self.at = httpx.AsyncClient(base_url=f"{random.choice(urls)}/api/v1", headers=headers(who), timeout=PATIENCE_S, trust_env=False)
        self.talk, self.places = "", list[str]()

    async def open(self) -> None:
        """Begin the conversation."""
        self.talk = (await self._sent("/conversations", {}))["id"]

    async def ask(self, text: str) -> Any:
        """The answer, waited for over server-sent events."""
        made = await self._sent(f"/conversations/{self.talk}/answers", {"text": text, "as_of": AS_OF})
        self.places.append(made["id"])
        async with self.at.stream("GET", f"/answers/{made['id']}/stream") as stream:
            answer = [data async for event, data in _events(stream) if event == "answer"]
        if len(answer) != 1 or answer[0]["answer_id"] != made["id"]:
            raise RuntimeError("the stream gave no answer, or another question's")
        return {name: value for name, value in answer[0].items() if name != "answer_id"}

    async def check(self, texts: list[str], somebody: str) -> list[str]:
        """What is wrong with the conversation afterwards: its questions, and who can read it."""
        turns = (await self.at.get(f"/conversations/{self.talk}")).json()["turns"]
        wrong = [] if [turn["text"] for turn in turns] == texts else ["the conversation holds other questions"]
        for place in self.places:
            reply = await self.at.get(f"/answers/{place}", headers=headers(somebody))
            wrong += [] if reply.status_code == 404 else [f"somebody else got {reply.status_code} for an answer"]
        return wrong

    async def close(self) -> None:
        """Hang up."""
        await self.at.aclose()

    async def _sent(self, path: str, body: dict[str, Any]) -> Any:
        reply = await self.at.post(path, json=body)
        if reply.status_code not in (201, 202):
            raise RuntimeError(f"{path}: {reply.status_code} {reply.text[:200]}")
        return reply.json()


async def _events(stream: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    event = ""
    async for line in stream.aiter_lines():
        if line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:"):
            yield event, json.loads(line[5:])


# --- the rounds -------------------------------------------------------------------------------------------------------


async def one_after_another(made: Service, person: Callable[[str], Any], talks: dict[str, list[str]]) -> Round:
    """One person has everybody's conversations."""
    result, meter = Round(), Meter(made)
    began, spent = time.perf_counter(), made.cpu_s()
    for name, texts in talks.items():
        talking = person("ensam")
        await _talk(talking, name, texts, meter, result, pause=0.0)
        await talking.close()
    return _timed(result, began, spent, made)


async def everybody(made: Service, person: Callable[[str], Any], talks: dict[str, list[str]], pause: float) -> Round:
    """Everybody has their own, at the same time."""
    result, meter = Round(), Meter(made)
    async with AsyncExitStack() as stack:
        talking = {name: person(name) for name in talks}
        for one in talking.values():
            stack.push_async_callback(one.close)
        began, spent = time.perf_counter(), made.cpu_s()
        await asyncio.gather(*(_talk(talking[name], name, texts, meter, result, pause) for name, texts in talks.items()))
        _timed(result, began, spent, made)
        for name, texts in talks.items():
            result.errors += [f"{name}: {wrong}" for wrong in await talking[name].check(texts, "person-utanfor")]
    return result


def _timed(result: Round, began: float, spent: float, made: Service) -> Round:
    result.seconds, result.spent_s = time.perf_counter() - began, made.cpu_s() - spent
    return result


async def _talk(talking: Any, name: str, texts: list[str], meter: Meter, result: Round, pause: float) -> None:
    await asyncio.sleep(random.uniform(0, pause))  # nobody begins in the same second
    try:
        await asyncio.wait_for(talking.open(), PATIENCE_S)
    except Exception as error:
        result.errors.append(f"{name}: {error.__class__.__name__} {error}")
        return
    for turn, text in enumerate(texts):
        key, began = (name, turn), time.perf_counter()
        meter.begin(key)
        try:
            result.answers[key] = await asyncio.wait_for(talking.ask(text), PATIENCE_S)
            result.wall_s.append(time.perf_counter() - began)
        except Exception as error:  # counted, and told at the end
            result.errors.append(f"{name}, question {turn + 1}: {error.__class__.__name__} {error}")
        result.cpu_s.append(meter.end(key))
        if turn + 1 < len(texts):
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause)


# --- what is told -----------------------------------------------------------------------------------------------------


def at_share(values: list[float], share: float) -> float:
    """The value that ``share`` of the others don't exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def told(result: Round, alone: Round) -> dict[str, Any]:
    """A round in figures."""
    mixed = [f"{name}, question {turn + 1}: {_difference(answer, alone.answers.get((name, turn)))}"
             for (name, turn), answer in result.answers.items() if answer != alone.answers.get((name, turn))]
    return {
        "answers": len(result.answers), "errors": len(result.errors), "mixed": len(mixed), "seconds": round(result.seconds, 1),
        "answers_per_second": round(len(result.answers) / result.seconds, 2),
        "wall_s": {"p50": round(at_share(result.wall_s, 0.5), 3), "p95": round(at_share(result.wall_s, 0.95), 3)},
        "cpu_s": {"p50": round(at_share(result.cpu_s, 0.5), 4), "p95": round(at_share(result.cpu_s, 0.95), 4),
                  "per_answer": round(result.spent_s / max(1, len(result.answers)), 4)},
        "first_errors": result.errors[:5], "first_mixed": mixed[:5]}


def _difference(one: Any, other: Any) -> str:
    """Where two answers part, a few words from each."""
    first, second = (json.dumps(answer, ensure_ascii=False) for answer in (one, other))
    at = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
    return f"«{first[max(0, at - 40):at + 80]}» instead of «{second[max(0, at - 40):at + 80]}»"


def conversations(people: int, turns: int) -> dict[str, list[str]]:
    """Everybody's questions, no two the same."""
    texts = [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    if people * turns > len(texts):
        sys.exit(f"there are {len(texts)} questions, fewer than {people} people's {turns}")
    return {f"person{n:02}": texts[n * turns:(n + 1) * turns] for n in range(people)}


async def measure(args: argparse.Namespace, made: Service) -> dict[str, Any]:
    """All rounds."""
    talks = conversations(args.people, args.turns)

    def person(who: str) -> Any:
        return window.OverWebsocket(made.urls, headers(who)) if args.window else OverHttp(made.urls, who)

    warm = {f"varm{n}": texts for n, texts in enumerate(list(talks.values())[:3])}
    await one_after_another(made, person, warm)
    before = made.memory_mib()
    alone = await one_after_another(made, person, talks)
    chatting = await everybody(made, person, talks, args.pause)
    at_once = await everybody(made, person, talks, 0.0)
    rounds = {"alone": told(alone, alone), "chatting": told(chatting, alone), "at_once": told(at_once, alone)}
    one = rounds["alone"]["cpu_s"]
    ratios = {name: {"p95_to_alone_p95": round(rounds[name]["cpu_s"]["p95"] / one["p95"], 2),
                     "p95_to_alone_p50": round(rounds[name]["cpu_s"]["p95"] / one["p50"], 2)} for name in ("chatting", "at_once")}
    return {"people": args.people, "turns": args.turns, "pause_s": args.pause, "processes": args.processes,
            "over": "the web window's websocket" if args.window else "REST and server-sent events",
            "rounds": rounds, "cpu_ratio": ratios, "memory_mib": {"before": round(before), "after": round(made.memory_mib())}}


def as_table(result: dict[str, Any]) -> str:
    """The figures as the docs show them."""
    lines = ["| round | answers | errors | mixed | wall p50 / p95 | CPU-s p50 / p95 | answers a second |", "|---|---|---|---|---|---|---|"]
    for name, one in result["rounds"].items():
        wall, cpu = one["wall_s"], one["cpu_s"]
        lines.append(f"| {name.replace('_', ' ')} | {one['answers']} | {one['errors']} | {one['mixed']} | {wall['p50']:.2f} / "
                     f"{wall['p95']:.2f} s | {cpu['p50']:.3f} / {cpu['p95']:.3f} | {one['answers_per_second']} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--pause", type=float, default=10.0, help="seconds that somebody reads, on average")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--window", action="store_true", help="over the web window's websocket instead of REST")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    random.seed(6)
    with tempfile.TemporaryDirectory() as folder, service(args, Path(folder)) as made:
        result = asyncio.run(measure(args, made))
    print(as_table(result))
    print(f"CPU-seconds, p95 against alone: {json.dumps(result['cpu_ratio'])}; memory {json.dumps(result['memory_mib'])} MiB")
    if args.out:
        args.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    bad = [one for name in result["rounds"] for one in (*result["rounds"][name]["first_errors"], *result["rounds"][name]["first_mixed"])]
    for line in bad:
        print(line, file=sys.stderr)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
