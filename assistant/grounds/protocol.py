"""One finished assessment as a record: the same object becomes JSON and a Word document, the same input the same bytes.

The record holds what was known, which grounds were tried, how the test points, every answer with its reason, and the outcome
the person reached. Nothing is read from the clock: who and when are passed in. Identity numbers in free text stop the record
until somebody has acknowledged the warning.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from assistant import texts
from assistant.grounds import paper, wording
from assistant.grounds.case import Case, Finding, Ground, described
from assistant.grounds.checklist import Answered, ChecklistError, Direction, Outcome, State, provning
from assistant.grounds.load import Law
from assistant.grounds.wording import Held, Quote
from assistant.guard import identity_number

SCHEMA = "delningsstod/protokoll/1"
KINDS = {"duty": "skyldighet", "permission": "möjlighet"}
FOUND = {
    "PUBLIC_NO_BREAK_NEEDED": "Uppgiften är offentlig; ingen sekretess behöver brytas.",
    "DUTY_NO_INTEREST_TEST": "En skyldighet utan intresseavvägning gäller.",
    "DUTY_WITH_INTEREST_TEST": "En skyldighet gäller, med en intresseavvägning.",
    "PERMITTED_NO_INTEREST_TEST": "En grund är öppen utan intresseavvägning.",
    "PERMITTED_AFTER_INTEREST_TEST": "En grund är öppen efter en intresseavvägning.",
    "ONLY_GENERAL_CLAUSE": "Bara generalklausulen är öppen.",
    "MIXED_LAYERS": "Flera sekretessbestämmelser gäller, och de lyfts på olika sätt.",
    "BLOCKED": "Ingen grund är öppen.",
    "NOT_AUTHORITY_RECIPIENT": "Mottagaren är inte en myndighet.",
    "NOT_AUTHORITY_SENDER": "Avsändaren omfattas inte av OSL.",
    "FOREIGN_8_3": "Mottagaren är utländsk; OSL 8 kap. 3 § gäller.",
    "LEGAL_REVIEW": "Frågan behöver en jurist eller fler uppgifter.",
}
T = TypeVar("T")


class PersonalData(ValueError):
    """Free text holds an identity number and nobody has acknowledged it. ``warnings`` name the fields, never the value."""

    def __init__(self, warnings: tuple[str, ...]) -> None:
        super().__init__(" ".join(warnings))
        self.warnings = warnings


@dataclass(frozen=True)
class Tried:
    """A ground that was tried: open or not, and why."""

    provision: str
    open: bool
    kind: str
    why: str
    citation: str


@dataclass(frozen=True)
class Given:
    """One step as it was asked and answered."""

    step: str
    part: str
    question: str
    lagrum: tuple[str, ...]
    points: tuple[str, ...]
    value: str
    answer: str
    reason: str


@dataclass(frozen=True)
class RuleVersion:
    id: str
    provision: str
    sfs: str
    valid_from: date
    reviewed_by: str | None


@dataclass(frozen=True)
class Assessment:
    """Everything the record says."""

    id: str
    case: Case
    case_in_words: tuple[tuple[str, str], ...]
    found: str
    tried: tuple[Tried, ...]
    warnings: tuple[str, ...]
    law_as_of: date
    checklist: str
    version: str
    on: date
    provision: str
    ref: str
    kind: str
    says: str
    directions: tuple[Direction, ...]
    answers: tuple[Given, ...]
    outcome: Outcome
    rules: tuple[RuleVersion, ...]
    quotes: tuple[Quote, ...]
    who: str
    when: datetime
    diarienummer: str = ""


# --- state → assessment -----------------------------------------------------------------------------------------------


def assessment(
    id: str,
    case: Case,
    finding: Finding | None,
    done: State,
    law: Law,
    *,
    who: str,
    when: datetime,
    diarienummer: str = "",
    index: Held | None = None,
) -> Assessment:
    """The record of a checklist that has come to an outcome. ``finding``: what the finder said of the case, if it was asked."""
    if done.outcome is None:
        raise ChecklistError("bedömningen är inte klar: svara på alla frågor först")
    held = done.checklist
    refs = dict.fromkeys((held.ref, *(wording.ref_of(item) for item in case.secrecy)))
    return Assessment(
        id=id,
        case=case,
        case_in_words=in_words(case, law),
        found=FOUND[finding.outcome] if finding else "",
        tried=tried(finding, law) if finding else (),
        warnings=finding.warnings if finding else (),
        law_as_of=law.as_of,
        checklist=held.id,
        version=held.version,
        on=held.on,
        provision=held.provision,
        ref=held.ref,
        kind=held.kind,
        says=held.says,
        directions=used(held.directions, done.path),
        answers=tuple(given(one) for one in done.path),
        outcome=done.outcome,
        rules=tuple(RuleVersion(r.id, r.provision, r.sfs, r.valid_from, r.reviewed_by) for r in law.rules if r.id in held.rules),
        quotes=tuple(quote for ref in refs if (quote := wording.official(index, ref, held.on))),
        who=who,
        when=when,
        diarienummer=diarienummer,
    )


def given(one: Answered) -> Given:
    step = one.step
    return Given(step.id, step.part, step.question, step.lagrum, step.points, one.reply.value, one.choice.text, one.reply.reason)


def used(directions: tuple[Direction, ...], path: tuple[Answered, ...]) -> tuple[Direction, ...]:
    """The test that was asked; all of the ground's tests when none was reached."""
    asked = {one.step.id for one in path}
    return tuple(one for one in directions if provning(one.test) in asked) or directions


def tried(finding: Finding, law: Law) -> tuple[Tried, ...]:
    """Every ground the finder tried: the open ones in order, then the closed."""
    opened = (Tried(one.provision, True, one.kind, opens(one, law), one.ref) for one in finding.available)
    return (*opened, *(Tried(one.provision, False, "", one.why, one.citation) for one in finding.blocked))


def opens(ground: Ground, law: Law) -> str:
    return " ".join(map(sentence, filter(None, (law.tests[ground.test].formula, ground.note))))


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def in_words(case: Case, law: Law) -> tuple[tuple[str, str], ...]:
    """The case as rows to read; what nobody has said is left out."""
    purpose = law.purposes[case.purpose_code].wording if case.purpose_code else ""
    rows = (
        ("Dag för beslutet", texts.day(case.date) if case.date else ""),
        ("Avsändare", side(case.sender, case.sender_actor)),
        ("Mottagare", side(case.recipient, case.recipient_actor)),
        ("Uppgift", case.datum),
        ("Offentlig uppgift", wording.YES_NO[case.datum_public] if case.datum_public is not None else ""),
        ("Uppgiften rör", case.datum_subject or ""),
        ("Sekretess", "\n".join(secrecy(item, law) for item in case.secrecy)),
        ("Ändamål", "\n".join(filter(None, (case.purpose, purpose)))),
        ("Sätt", wording.MODES.get(case.mode or "", "")),
        ("Andra uppgifter", "\n".join(fact(name, value, law) for name, value in case.facts)),
    )
    return tuple((label, value[:1].upper() + value[1:]) for label, value in rows if value)


def fact(name: str, value: Any, law: Law) -> str:
    question = law.facts[name].question if name in law.facts else f"{name}:"
    return f"{question} {sentence(wording.fact(value))}"


def secrecy(item: str, law: Law) -> str:
    held = described(item, law)
    return wording.secrecy(item, law) + (f" ({held.strength})" if held and held.strength == "absolut" else "")


def side(name: str, actor: str | None) -> str:
    return f"{name} ({actor})" if name and actor and name != actor else name or actor or ""


# --- free text --------------------------------------------------------------------------------------------------------


def free_texts(record: Assessment) -> Iterator[tuple[str, str]]:
    """What people have written, with a name for each field."""
    yield "Bedömningen gjord av", record.who
    yield "Diarienummer", record.diarienummer
    yield "Bedömningens id", record.id
    yield from record.case_in_words
    for one in record.answers:
        yield f"Skälen till «{one.question}»", one.reason


def identity_warnings(record: Assessment) -> tuple[str, ...]:
    """The free texts that hold an identity number, by field and kind. The number itself is never repeated."""
    today = record.when.date()
    found = ((label, identity_number(text, today)) for label, text in free_texts(record))
    return tuple(f"{label}: texten innehåller ett {kind}." for label, kind in found if kind)


def stop_personal_data(record: Assessment, acknowledged: bool) -> None:
    warnings = identity_warnings(record)
    if warnings and not acknowledged:
        raise PersonalData(warnings)


# --- JSON -------------------------------------------------------------------------------------------------------------


def to_json(record: Assessment, *, acknowledged: bool = False) -> str:
    """The record as JSON (protocol.schema.json). PersonalData unless identity numbers are absent or acknowledged."""
    stop_personal_data(record, acknowledged)
    data = as_data(record)
    return json.dumps({**data, "sha256": digest(data)}, ensure_ascii=False, indent=2) + "\n"


def as_data(record: Assessment) -> dict[str, Any]:
    data = plain(asdict(record))
    data["case"]["facts"] = {name: plain(value) for name, value in record.case.facts}
    return {"schema": SCHEMA, "notice": texts.DISCLAIMER, **data}


def plain(value: Any) -> Any:
    """JSON's own types: dates as text, tuples as lists, no characters that can't be written."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return paper.clean(value) if isinstance(value, str) else value


def digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def from_json(text: str) -> Assessment:
    """The record back. ValueError when it can't be read, or isn't what was written."""
    try:
        data = json.loads(text)
        told = data.pop("sha256")
        record = made(Assessment, {name: value for name, value in data.items() if name not in ("schema", "notice")})
        unchanged = told == digest(data) and data["schema"] == SCHEMA
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError("protokollet går inte att läsa") from error
    if not unchanged:
        raise ValueError("protokollet har ändrats sedan det skrevs")
    return record


PARTS: dict[str, Any] = {
    "case": Case,
    "tried": Tried,
    "directions": Direction,
    "answers": Given,
    "outcome": Outcome,
    "rules": RuleVersion,
    "quotes": Quote,
}
DAYS = ("law_as_of", "on", "valid_from", "date")


def made(kind: type[T], data: dict[str, Any]) -> T:
    """The dataclass from its JSON: parts by name, lists as tuples, days as dates."""
    return kind(**{name: value_of(name, value) for name, value in data.items()})


def value_of(name: str, value: Any) -> Any:
    if name in DAYS and value is not None:
        return date.fromisoformat(value)
    if name == "facts":
        return tuple((fact, value_of("", told)) for fact, told in value.items())
    if name == "when":
        return datetime.fromisoformat(value)
    if isinstance(value, dict):
        return made(PARTS[name], value)
    if isinstance(value, list):
        return tuple(made(PARTS[name], item) if isinstance(item, dict) else value_of("", item) for item in value)
    return value


# --- DOCX -------------------------------------------------------------------------------------------------------------


def to_docx(record: Assessment, *, acknowledged: bool = False) -> bytes:
    """The record as a Word document. PersonalData as for to_json."""
    stop_personal_data(record, acknowledged)
    number = record.diarienummer or "________________"
    document = paper.new(f"Protokoll {record.id}", "Protokoll över bedömning", f"Dnr {number}", texts.DISCLAIMER, record.when)
    opening(document, record)
    case_and_grounds(document, record)
    test(document, record)
    answers(document, record)
    quotes(document, record)
    signature(document, record)
    annex(document, record)
    return paper.to_bytes(document)


def opening(document: Any, record: Assessment) -> None:
    document.add_paragraph("Bedömning inför utlämnande av uppgift", style="Title")
    paper.paragraph(document, f"Prövad enligt {record.provision}, i lydelsen den {texts.day(record.on)}.", muted=True)
    outcome, last = record.outcome, record.answers[-1]
    concluded = (f"Slutsats: {last.reason}",) if last.reason else ()
    paper.box(document, outcome.title, (outcome.says, *outcome.because, *concluded))
    if outcome.fetch:
        paper.paragraph(document, "Att ta reda på först", bold=True)
        paper.bullets(document, outcome.fetch)
    paper.paragraph(document, "Att göra nu", bold=True)
    paper.bullets(document, outcome.do)


def case_and_grounds(document: Any, record: Assessment) -> None:
    document.add_heading("Ärendet", 1)
    if record.case_in_words:
        paper.table(document, (), record.case_in_words, (4.8, 11.7), bold=0)
    else:
        paper.paragraph(document, "Inga uppgifter om ärendet är ifyllda.")
    if not record.tried:
        return
    document.add_heading("Grunder som har prövats", 1)
    paper.paragraph(document, f"{record.found} Prövningen är gjord av assistenten efter fasta regler, med uppgifterna ovan.")
    rows = ((one.provision, state_of(one), why(one)) for one in record.tried)
    paper.table(document, ("Grund", "Utfall", "Varför"), rows, (5.0, 2.7, 8.8))
    if record.warnings:
        paper.paragraph(document, "Att tänka på", bold=True)
        paper.bullets(document, record.warnings)


def state_of(one: Tried) -> str:
    return f"Öppen\n\t{KINDS[one.kind]}" if one.open else "Stängd"


def why(one: Tried) -> str:
    cited = wording.label(one.citation)
    return sentence(one.why) + (f"\n\t{cited}" if cited and cited != one.provision else "")


def test(document: Any, record: Assessment) -> None:
    document.add_heading("Prövningen", 1)
    paper.paragraph(document, f"{record.provision} är en {KINDS[record.kind]}. {record.says}")
    for one in record.directions:
        paper.paragraph(document, f"{one.formula}.", bold=True)
        paper.paragraph(document, f"{one.points} {one.strength}")


def answers(document: Any, record: Assessment) -> None:
    document.add_heading("Frågor, svar och skäl", 1)
    rows: list[tuple[str, ...]] = []
    for number, one in enumerate(record.answers, 1):
        if number == 1 or one.part != record.answers[number - 2].part:
            rows.append((one.part,))
        rows.append((f"{number}. {one.question}{asides(one)}", "\n".join(filter(None, (one.answer, one.reason)))))
    paper.table(document, ("Fråga", "Svar och skäl"), rows, (7.6, 8.9), bold=1)


def asides(one: Given) -> str:
    """The lagrum under the question, small, and that it showed a list."""
    cited = "; ".join(wording.label(ref) for ref in one.lagrum)
    listed = "Listan som visades står i bilagan." if one.points else ""
    return "".join(f"\n\t{text}" for text in (cited, listed) if text)


def annex(document: Any, record: Assessment) -> None:
    """The lists that the questions showed: exclusions, stops, open questions, guidance."""
    shown = [(number, one) for number, one in enumerate(record.answers, 1) if one.points]
    if not shown:
        return
    document.add_heading("Bilaga: listor som visades", 1)
    rows = ((f"Fråga {number}", f"{one.question}\n\t" + "\n\t".join(one.points)) for number, one in shown)
    paper.table(document, (), rows, (2.3, 14.2), bold=0)


def quotes(document: Any, record: Assessment) -> None:
    if not record.quotes:
        return
    document.add_heading("Lagtext", 1)
    paper.paragraph(document, "Ordagrant ur den lagrade officiella texten.", muted=True)
    for one in record.quotes:
        document.add_heading(one.label, 2)
        for part in wording.flowing(one.text):
            paper.paragraph(document, part)
        since = f" Gäller från {texts.day(one.valid_from)}." if one.valid_from else ""
        paper.paragraph(document, f"Version {one.version}.{since} SHA-256 {one.sha256[:16]}.", muted=True, size=8.5)


def signature(document: Any, record: Assessment) -> None:
    document.add_heading("Underskrift", 1)
    when = f"{texts.day(record.when.date())} kl. {record.when:%H.%M}"
    rows = (("Bedömningen gjord av", record.who), ("Tidpunkt", when), ("Diarienummer", record.diarienummer or "Anges vid registrering"))
    paper.table(document, (), rows, (4.8, 11.7), bold=0, keep=True)
    paper.paragraph(document, texts.DISCLAIMER, bold=True).paragraph_format.keep_with_next = True
    paper.rule_off(document, ("Ort och datum", "Underskrift", "Namnförtydligande", "Beslutsfattare, om annan"))
    document.add_heading("Versioner", 1)
    rules = "\n".join(f"{r.provision}, SFS {r.sfs}, från {r.valid_from}. {reviewed(r)}" for r in record.rules)
    versions = (
        ("Protokoll", f"{record.id}\n\tSHA-256 {digest(as_data(record))}"),
        ("Checklista", f"{record.checklist}, version {record.version}"),
        ("Regler", rules),
        ("Rätten till och med", texts.day(record.law_as_of)),
    )
    paper.table(document, (), versions, (4.8, 11.7), bold=0)


def reviewed(rule: RuleVersion) -> str:
    return f"Granskad av {rule.reviewed_by}." if rule.reviewed_by else "Regeln är inte granskad av jurist."
