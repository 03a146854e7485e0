"""What the review page can do, in one place: the queue, the runs it is filled from, files, golden cases, signatures, releases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from assistant import pipeline, record
from assistant import settings as assistants
from assistant.pages import released
from assistant.pipeline import Desk
from assistant.storage import database, feedback
from assistant.storage.database import Database
from assistant.types import Answer, Question, Turn
from corpus import lagrum
from evals import review, review_files, runs
from evals.review import Action, Enqueued, Expected, Item, Person, Refused, Role
from evals.review_store import Store, file_name, now

if TYPE_CHECKING:
    from assistant.pages import workbench

ROOT = Path(__file__).resolve().parents[1]
NOTES = ROOT / "corpus" / "notes"
LAW = ROOT / "assistant" / "grounds"
QUESTIONS = ROOT / "evals" / "golden" / "staff_questions.jsonl"
BATCH = 20  # answers put in the queue at a time: what two people get through in a sitting

Progress = Callable[[int, int], None]


class Settings(assistants.Settings):
    """The settings that only the review needs."""

    golden: Path = Field(ROOT / "evals" / "golden" / "cases" / "granskade.yaml", description="Where an adjudicated case is written.")
    notes: Path = Field(NOTES, description="The notes a lawyer signs.")
    rules: Path = Field(LAW / "rules", description="The rules a lawyer signs.")


class Workbench:
    """The review as the page sees it. Holds no state of its own: everything is in the database and the files that the settings name."""

    refused: type[Exception] = Refused
    carries, says, severities = review.CARRIES, review.SAYS, review.SEVERITY

    def __init__(self, settings: Settings, opened: Database) -> None:
        self.settings, self.database = settings, opened
        self.store = Store(opened)
        self.items, self.item, self.answer, self.history, self.log = (
            self.store.items, self.store.item, self.store.answer, self.store.history, self.store.log)

    # --- who, and what may be seen

    def person(self, name: str, role: str, sign_on: str = "") -> Person:
        """The person of that name and role. ``sign_on``: the sign-on's own name for the person, which the audit trail takes."""
        return Person(review.proper_name(name), Role(role), sign_on)

    def seen(self, item: Item, who: Person) -> tuple[review.Verdict, ...]:
        """The verdicts that a person may see."""
        return review.may_see(item.verdicts, who.name)

    def mine(self, item: Item, who: Person) -> bool:
        """Whether an answer waits for this person: to be reviewed, or for a proposal to be confirmed."""
        if not review.among(who.name, item.reviewers) or review.decided(item):
            return False
        if len(item.verdicts) < review.REVIEWERS:
            return not review.among(who.name, (one.who for one in item.verdicts))
        return item.settled is not None and not review.among(who.name, item.settled.by)

    def decided(self, item: Item) -> bool:
        """Whether a settlement stands."""
        return review.decided(item)

    def differing(self, item: Item) -> tuple[str, ...]:
        """The questions that the two answered differently."""
        return review.differing(*item.verdicts[:2])

    # --- the queue

    def fill(self, who: Person, desk: Desk, progress: Progress) -> tuple[str, Enqueued]:
        """Put the next answers in the queue: from the newest run, or, without one, answers given here and now."""
        held = self.runs()
        if held:
            rows = [row for row in review_files.rows(held[-1]) if not row.get("family")]
            name, versions = held[-1].name, dict(held[-1].versions)
            return name, self.store.enqueue(self._next(name, rows), name, who, versions, BATCH)
        name = f"personalfrågor {desk.index.manifest.version}"[:120]
        asked = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
        return name, self.store.enqueue(answered(self._next(name, asked)[:BATCH], desk, progress), name, who, self.versions(desk))

    def _next(self, origin: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The rows that are not in the queue: one of each topic, then another of each, so that every batch spans the law."""
        kept = {item.case for item in self.items() if item.origin == origin}
        topics: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            if str(row.get("id")) not in kept:
                topics.setdefault(str(row.get("topic")), []).append(row)
        return [row for row in chain.from_iterable(zip_longest(*topics.values())) if row is not None]

    def reported(self) -> tuple[int, int]:
        """(answers marked wrong in the chat that are not in the queue yet, those kept without their words)."""
        kept = {item.case for item in self.items() if item.origin == review.REPORTED}
        rows = self._reports()
        whole = {row["id"] for row in rows if "answer" in row}
        return len(whole - kept), len({row["id"] for row in rows} - whole)

    def take_reported(self, who: Person) -> Enqueued:
        """Put what staff marked wrong in the queue."""
        return self.store.enqueue((row for row in self._reports() if "answer" in row), review.REPORTED, who)

    def _reports(self) -> list[dict[str, Any]]:
        """What staff marked wrong: in the file that earlier versions wrote, and in the database. The same answer may be in both."""
        path = self.settings.data / "reported.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
        with self.database.reading() as db:
            held = [*(json.loads(line) for line in lines if line.strip()), *feedback.reported(db)]
        return [{**row, "id": str(row["answer_id"]), "report": row.get("reason") or "", "topic": review.REPORTED} for row in held]

    def assign(self, who: Person, number: int, reviewers: Sequence[str]) -> Item:
        """Say who reviews an answer."""
        return self.store.act(number, who, Action.ASSIGNED, _assignment(reviewers))

    def assign_all(self, who: Person, reviewers: Sequence[str]) -> int:
        """Give every answer that nobody has to two reviewers; how many there were."""
        return self.store.act_on_each(who, Action.ASSIGNED, _assignment(reviewers), lambda item: not item.reviewers)

    def judge(self, who: Person, number: int, verdict: Mapping[str, Any]) -> Item:
        """Keep a verdict: citations, answer, severity, comment, corrected."""
        return self.store.act(number, who, Action.JUDGED, _cleaned(verdict))

    def settle(self, who: Person, number: int, verdict: Mapping[str, Any], expected: Mapping[str, Any]) -> Item:
        """Adjudicate, or propose it when one of the two does it: then the other confirms."""
        cited = {name: [canonical_ref(one) for one in expected[name]] for name in ("must_cite", "may_cite")}
        whole = {**_cleaned(verdict), "expected": _cleaned({**asdict(Expected()), **expected, **cited})}
        item = self.item(number)
        then = review.after(item, review.Event(now(), who.name, who.role, item.origin, item.case, Action.SETTLED, whole))
        if then.settled:
            review_files.check_case(review.case_of(item, then.settled, "J001"))  # so that what is settled can become a case
        return self.store.act(number, who, Action.SETTLED, whole)

    def confirm(self, who: Person, number: int, settled: str) -> Item:
        """Stand behind the other reviewer's proposal, as it was read."""
        return self.store.act(number, who, Action.CONFIRMED, {"settled": settled})

    def make_case(self, who: Person, number: int) -> str:
        """Make an adjudicated answer a golden case; its id. The file is written first: then the queue can't promise what isn't there."""
        made = review_files.add_case(self.settings.golden, self.item(number))
        self.store.act(number, who, Action.MADE_CASE, {"case": made})
        return made

    # --- figures

    def agreement(self, items: Sequence[Item]) -> tuple[review.Agreement, ...]:
        """How well the two agree, per question and over all."""
        return review.agreement(items)

    def shares(self, items: Sequence[Item]) -> dict[str, tuple[review.Share, ...]]:
        """What the reviewers found right, per run, topic and source."""
        return {"run": review.per_origin(items), "topic": review.per_topic(items), "source": review.per_source(items, source_name)}

    def runs(self) -> tuple[review_files.Run, ...]:
        """The evaluation runs, oldest first."""
        return review_files.runs(self.settings.data / "evals")

    # --- files

    def export(self, who: Person, kind: str) -> bytes:
        """The whole queue with its history as a file."""
        made = review_files.export(kind, self.store.whole(), self.items())
        self.store.note(who, f"hämtade kön som {kind}", "exported", kind)
        return made

    def take_in(self, who: Person, name: str, data: bytes) -> tuple[int, int, tuple[tuple[int, str], ...]]:
        """Take in an exported file, all or nothing: (new, already there, (row, reason))."""
        good, wrong = review_files.read(name, data)
        if wrong:
            return 0, 0, tuple(wrong)
        done = self.store.take_in(good, who, name)
        self.store.note(who, f"läste in {file_name(name)}: {done[0]} nya, {done[1]} fanns, {len(done[2])} fel", "read_file")
        return done

    # --- signatures and releases

    def papers(self) -> tuple[review_files.Paper, ...]:
        """The rules and notes, with who has signed them."""
        return review_files.papers(self.settings.notes, self.settings.rules)

    def sign(self, who: Person, paper: review_files.Paper) -> str:
        """Sign a rule or a note, and give its id; a jurist's act."""
        if who.role is not Role.JURIST:
            raise Refused("det här gör en jurist")
        review_files.sign_paper(paper, who.name, date.today())
        self.store.note(who, f"signerade {paper.kind} {paper.id}", "signed", paper.id)
        return paper.id

    def releases(self) -> tuple[dict[str, Any], ...]:
        """The signed versions, the latest first."""
        return released.read(self.settings.releases)

    def approve(self, who: Person, version: str, limits: Sequence[str], desk: Desk) -> Path:
        """Write and sign the record of a version; a förvaltare's act."""
        if who.role is not Role.FORVALTARE:
            raise Refused("det här gör en förvaltare")
        known = [review.clean(one) for one in limits if review.clean(one)]
        if not known:
            raise Refused("skriv minst en känd begränsning; den som inte har några har inte letat")
        if kind := review.personal("\n".join([version, *known])):
            raise Refused(f"versionens namn eller begränsningarna innehåller {kind}")
        path = review_files.write_release(self.settings.releases, self.record(who, version, known, desk))
        self.store.note(who, f"godkände version {version}", "released", version)
        return path

    def record(self, who: Person, version: str, limits: Sequence[str], desk: Desk) -> dict[str, Any]:
        """All that a release record holds."""
        run = next(reversed(self.runs()), None)
        items = self.items()
        overall = next((one for one in self.agreement(items) if one.question == "samtliga"), None)
        return {
            "version": version, "approved_by": who.name, "approved_on": date.today().isoformat(), "versions": self.versions(desk),
            "run": run.name if run else "", "figures": dict(run.figures) if run else {},
            "review": {
                "granskade svar": sum(len(item.verdicts) >= review.REVIEWERS for item in items),
                "öppna oenigheter": sum(item.state is review.State.DISPUTED for item in items),
                "kappa, samtliga": round(overall.kappa, 3) if overall and overall.kappa is not None else "inte beräknad",
            },
            "limits": list(limits),
        }

    def versions(self, desk: Desk) -> dict[str, str]:
        """What an answer given now rests on: code, corpus and rules."""
        return {"commit": runs.commit(), "corpus": desk.index.manifest.version, "rules": runs.rules_version()}


def opened() -> workbench.Workbench:
    """The workbench of this machine's settings."""
    settings = Settings()
    return Workbench(settings, _database(settings.database, settings.data / "review.sqlite"))


@cache
def _database(url: str, before: Path) -> Database:
    """The database, opened once in a process. The file that held the queue in earlier versions is taken over first."""
    opened = database.opened(url)
    Store(opened).take_over(before)
    return opened


def answered(rows: Sequence[Mapping[str, Any]], desk: Desk, progress: Progress = lambda *_: None) -> list[dict[str, Any]]:
    """The rows with the answers the assistant gives today, as a run writes them; nothing goes into the record of questions."""
    out, quiet, today = [], replace(desk, record=None), date.today()
    for place, row in enumerate(rows, 1):
        history = tuple(Turn(turn["role"], turn["content"]) for turn in row.get("history") or ())
        answer: Answer = pipeline.answer(Question(row["question"], today, history), quiet)
        out.append({"id": row["id"], "topic": row.get("topic", ""), "question": row["question"], "as_of": today.isoformat(),
                    "history": list(row.get("history") or ()), "answer": record.plain(answer)})
        progress(place, len(rows))
    return out


def canonical_ref(written: str) -> str:
    """A lagrum or source as golden cases write it. Raises ``Refused`` for what can't be read."""
    text = review.clean(written)
    if lagrum.from_ref(text) or re.fullmatch(r"(?:seed|gov|doc|not):\S+", text):
        return text
    found = [one for mention in lagrum.find(text) for one in mention.lagrum if one.paragraf]
    if len(found) != 1:
        raise Refused(f"«{text[:60]}» är inget lagrum jag känner igen; skriv till exempel «10 kap. 15 a § OSL»")
    return found[0].ref


def source_name(ref: str) -> str:
    """The statute of a reference by its short name, or «Övriga källor»."""
    address = lagrum.from_ref(ref)
    if address is None:
        return "Övriga källor"
    name = lagrum.named(address.sfs)
    return name.short if name and name.short else f"SFS {address.sfs}"


def _assignment(reviewers: Sequence[str]) -> dict[str, Any]:
    return {"reviewers": list(dict.fromkeys(map(review.proper_name, reviewers)))}


def _cleaned(value: Any) -> Any:
    """Every text as it is kept."""
    if isinstance(value, str):
        return review.clean(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(one) for key, one in value.items()}
    return [_cleaned(one) for one in value] if isinstance(value, (list, tuple)) else value
