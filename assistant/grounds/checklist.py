"""ground → steps; answers → the next step or the outcome. The steps are data (steps/*.yaml), the person decides.

Read state() first. The outcome is a function of the answers alone: no session, no clock, no model. An answer that rests on
others carries what they were (basis); when one of them changes it is asked again, and what was said is kept aside.
The engine never weighs: the person says how the interests weigh, and the answer leads to the conclusion that the test gives.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

from assistant.grounds import wording
from assistant.grounds.case import Ground
from assistant.grounds.load import REF, Law, LawError, Located, Rule, T, build, read, shipped
from corpus.lagrum import from_ref, named

STEPS = Path(__file__).parent / "steps"
VET_INTE = "vet_inte"
OUTCOMES = ("kan_lamnas", "ska_lamnas", "lamnas_inte", "behover_mer", "jurist")
GIVING = ("kan_lamnas", "ska_lamnas")
DIRECT = {"permission": ("far", "får"), "duty": ("ska", "ska")}
MAY_BE_EMPTY = ("stopp", "undantag", "oppna_fragor")  # a step that would show an empty list is left out
OWN_STEPS = ("massutlamnande", "skyddade-uppgifter")  # open questions that have a step of their own
CONCLUSION = "Slutsatsen"
NEVER_PROPOSED = ("Sekretessen", "Bedömningen", CONCLUSION)
PROPOSABLE = ("lub7-stycke",)  # in the assessment's part, but a question of fact


class ChecklistError(ValueError):
    """No such checklist, step or answer; the message says which, in Swedish."""


# --- values -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """One answer to a step and where it leads: a step or an outcome."""

    value: str
    text: str = "Vet inte"
    to: str = ""
    because: str = ""
    fetch: str = ""
    reason: bool = False
    proposed: Any = None


@dataclass(frozen=True)
class Step:
    """One question on one page."""

    id: str
    part: str
    question: str
    answers: tuple[Choice, ...]
    help: str = ""
    example: str = ""
    lagrum: tuple[str, ...] = ()
    reason: bool = False
    write: str = ""
    depends_on: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    shows: str = ""
    points_label: str = ""
    points: tuple[str, ...] = ()
    direction: str = ""
    strength: str = ""
    proposal: str = ""
    proposal_reason: str = ""
    detour: bool = False
    certain: bool = False
    where: str = field(default="", compare=False, repr=False)

    def choice(self, value: str) -> Choice | None:
        return next((answer for answer in self.answers if answer.value == value), None)

    def needs_reason(self, choice: Choice) -> bool:
        return self.reason or choice.reason


@dataclass(frozen=True)
class OutcomeText:
    """What is said and done at an outcome."""

    code: str
    title: str
    says: str
    do: tuple[str, ...]


@dataclass(frozen=True)
class Direction:
    """Which way a test points, and how strongly, in words."""

    test: str
    formula: str
    points: str
    strength: str


@dataclass(frozen=True)
class Checklist:
    """The steps for one ground on one day. ``version`` names their exact wording."""

    id: str
    on: date
    provision: str
    ref: str
    kind: str
    says: str
    rules: tuple[str, ...]
    weighs: bool
    directions: tuple[Direction, ...]
    steps: tuple[Step, ...]
    outcomes: tuple[OutcomeText, ...]
    emergency: tuple[str, ...]
    version: str = ""

    def step(self, step_id: str) -> Step:
        found = next((step for step in self.steps if step.id == step_id), None)
        if found is None:
            raise ChecklistError(f"checklistan {self.id} har inget steg «{step_id}»")
        return found

    def text(self, code: str) -> OutcomeText:
        return next(text for text in self.outcomes if text.code == code)

    def following(self, step: Step) -> tuple[Step, ...]:
        """The steps that an answer to ``step`` can lead to."""
        targets = dict.fromkeys(answer.to for answer in step.answers if answer.to not in OUTCOMES)
        return tuple(self.step(target) for target in targets)


@dataclass(frozen=True)
class Reply:
    """What the person answered, why, and what the answer rested on."""

    value: str
    reason: str = ""
    basis: str = ""


Answers = Mapping[str, Reply]


@dataclass(frozen=True)
class Answered:
    step: Step
    reply: Reply

    @property
    def choice(self) -> Choice:
        found = self.step.choice(self.reply.value)
        assert found  # walk() saw to it
        return found


@dataclass(frozen=True)
class Outcome:
    """How the assessment ends, why, and what to do next. ``fetch``: what must be found out first."""

    code: str
    title: str
    says: str
    because: tuple[str, ...]
    fetch: tuple[str, ...]
    do: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What the question or the case said, for the person to confirm. Never an answer."""

    value: str
    reason: str


@dataclass(frozen=True)
class State:
    """Where the person stands: the path so far, and either the next step or the outcome."""

    checklist: Checklist
    path: tuple[Answered, ...]
    next: Step | None
    outcome: Outcome | None
    aside: tuple[tuple[str, Reply], ...]
    left: int
    problem: str = ""
    proposals: tuple[tuple[str, Proposal], ...] = ()

    @property
    def progress(self) -> tuple[int, int]:
        """Steps answered, and the most there can be in all."""
        return len(self.path), len(self.path) + self.left

    @property
    def fetch(self) -> tuple[str, ...]:
        """What is still to be found out, said as soon as it is known."""
        return tuple(answered.choice.fetch for answered in self.path if answered.choice.fetch)

    def proposal(self, step_id: str) -> Proposal | None:
        return dict(self.proposals).get(step_id)


# --- answers → state --------------------------------------------------------------------------------------------------


def state(checklist: Checklist, answers: Answers) -> State:
    """The path that the answers make, and where it stands or ends."""
    path, step, problem = walk(checklist, answers)
    on_path = {answered.step.id for answered in path}
    aside = tuple((step_id, reply) for step_id, reply in answers.items() if step_id not in on_path)
    if step is None:
        return State(checklist, path, None, outcome(checklist, path), aside, 0)
    return State(checklist, path, step, None, aside, longest(checklist, step), problem)


def walk(checklist: Checklist, answers: Answers) -> tuple[tuple[Answered, ...], Step | None, str]:
    """Follow the answers from the first step to the first that lacks a valid one."""
    path: tuple[Answered, ...] = ()
    step = checklist.steps[0]
    while True:
        problem = objection(step, answers.get(step.id), path)
        if problem is not None:
            return path, step, problem
        path = (*path, Answered(step, answers[step.id]))
        target = path[-1].choice.to
        if target in OUTCOMES:
            return path, None, ""
        step = checklist.step(target)


def objection(step: Step, reply: Reply | None, path: tuple[Answered, ...]) -> str | None:
    """Why the reply doesn't hold: None when it does, an empty text when there is none yet."""
    if reply is None:
        return ""
    choice = step.choice(reply.value)
    if choice is None:
        return "Svaret finns inte längre i checklistan. Svara på nytt."
    if step.needs_reason(choice) and not reply.reason.strip():
        return "Skriv skälen till svaret."
    if reply.basis != basis(step, path):
        return "Ett svar som det här vilar på har ändrats. Ta ställning på nytt."
    return None


def basis(step: Step, path: Iterable[Answered]) -> str:
    """What the step rests on, as it was answered: «sekretess=omvant; behov=ja»."""
    return "; ".join(f"{one.step.id}={one.reply.value}" for one in path if one.step.id in step.depends_on)


def answer(checklist: Checklist, answers: Answers, step_id: str, value: str, reason: str = "") -> dict[str, Reply]:
    """The answers with one given or changed. Only a step that is answered or next can be answered."""
    step = checklist.step(step_id)
    now = state(checklist, answers)
    if step_id not in [*(answered.step.id for answered in now.path), now.next.id if now.next else ""]:
        raise ChecklistError(f"steget «{step_id}» är inte framme än")
    choice = step.choice(value)
    if choice is None:
        raise ChecklistError(f"«{value}» är inget svar på steget «{step_id}»")
    if step.needs_reason(choice) and not reason.strip():
        raise ChecklistError("skriv skälen till svaret")
    before = tuple(takewhile(lambda answered: answered.step.id != step_id, now.path))
    return {**answers, step_id: Reply(value, reason.strip(), basis(step, before))}


def outcome(checklist: Checklist, path: tuple[Answered, ...]) -> Outcome:
    """What the path ends in. A conclusion that rests on facts not yet known waits for them."""
    last = path[-1]
    fetch = tuple(answered.choice.fetch for answered in path if answered.choice.fetch)
    waits = bool(fetch) and last.step.part == CONCLUSION and last.choice.to != "jurist"
    text = checklist.text("behover_mer" if waits else last.choice.to)
    missing = (*fetch, last.choice.because) if text.code == "behover_mer" and not waits else fetch
    because = () if text.code == "behover_mer" else (last.choice.because,)
    return Outcome(text.code, text.title, text.says, because, missing, text.do)


def longest(checklist: Checklist, step: Step) -> int:
    """The most steps that can remain, this one included. Answers only lead forward, so one pass from the end is enough."""
    left: dict[str, int] = {}
    for one in reversed(checklist.steps):
        left[one.id] = 1 + max((left[target.id] for target in checklist.following(one)), default=0)
    return left[step.id]


# --- proposals --------------------------------------------------------------------------------------------------------


def with_proposals(now: State, prefill: Mapping[str, Any]) -> State:
    """The state with what the question said, for steps nobody has answered. A blank says nothing, an answer stands."""
    facts = prefill.get("facts")
    known = {name: value for name, value in {**(dict(facts) if facts else {}), **prefill}.items() if value not in (None, "", (), [], {})}
    answered = {*(one.step.id for one in now.path), *(step_id for step_id, _ in now.aside)}
    found = ((step.id, proposed(step, known)) for step in now.checklist.steps if step.id not in answered)
    return replace(now, proposals=tuple((step_id, proposal) for step_id, proposal in found if proposal))


def proposed(step: Step, known: Mapping[str, Any]) -> Proposal | None:
    told = known.get(step.proposal)
    choice = next((one for one in step.answers if told is not None and one.proposed is not None and one.proposed == told), None)
    names = {name: known.get(name, "") for name in ("sender_actor", "recipient_actor")}
    reason = step.proposal_reason.format(**names) if step.proposal_reason and all(names.values()) else ""
    return Proposal(choice.value if choice else "", reason) if choice or reason else None


# --- save and resume --------------------------------------------------------------------------------------------------


def save(checklist: Checklist, answers: Answers) -> str:
    """The answers as JSON, to go on from another day."""
    data = {"checklist": checklist.id, "on": checklist.on.isoformat(), "version": checklist.version}
    return json.dumps({**data, "answers": {step: asdict(reply) for step, reply in answers.items()}}, ensure_ascii=False, indent=1)


def resume(text: str) -> tuple[Checklist, dict[str, Reply], bool]:
    """The checklist, the answers, and whether its wording has changed since (then look the answers over)."""
    try:
        data = json.loads(text)
        answers = {str(step): Reply(**{name: str(value) for name, value in reply.items()}) for step, reply in data["answers"].items()}
        found = checklist(data["checklist"], date.fromisoformat(data["on"]))
        return found, answers, found.version != data["version"]
    except ChecklistError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ChecklistError("de sparade svaren går inte att läsa") from error


# --- which checklist --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Test:
    """A test of register/tests.yaml as the checklist asks it."""

    code: str
    flow: str
    points: str
    strength: str
    question: str
    write: str
    answers: tuple[Choice, ...]
    help: str = ""
    example: str = ""
    covers: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Flow:
    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class GroundSteps:
    id: str
    conditions: tuple[str, ...]
    assessments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Library:
    """The steps as they are written, and the law they are filled in from."""

    law: Law
    by_id: Mapping[str, tuple[Rule, ...]]
    steps: Mapping[str, Step]
    tests: Mapping[str, Test]
    flows: Mapping[str, Flow]
    grounds: Mapping[str, GroundSteps]
    outcomes: tuple[OutcomeText, ...]
    emergency: tuple[str, ...]
    parts: tuple[str, ...]
    topics: tuple[str, ...]
    weighed: tuple[str, ...]
    general: tuple[str, ...]
    factors_label: str
    factors: tuple[str, ...]
    where: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Every checklist there is, those with an interest assessment first."""
        return tuple(self.by_id)


def checklist_id(ref: str) -> str:
    """«SFS 2009:400 10 kap. 15 a §» → «osl-10-15a»."""
    address = from_ref(ref)
    if address is None:
        return ref
    name = named(address.sfs)
    short = name.short.lower() if name and name.short else address.sfs.replace(":", "-")
    return "-".join(part.replace(" ", "") for part in (short, address.kapitel or "", address.paragraf or "") if part)


def checklist(id: str, on: date, library: Library | None = None) -> Checklist:
    """The checklist of a ground as the law stands on a day. ChecklistError when there is none, or none on that day."""
    held = library or shipped_steps()
    rules = held.by_id.get(id, ())
    if not rules:
        raise ChecklistError(f"det finns ingen checklista «{id}»; den finns bara för grunder där något ska bedömas")
    valid = tuple(rule for rule in rules if rule.valid_from <= on < rule.valid_to)
    if valid:
        return assemble(held, id, valid, on)
    first = min(rules, key=lambda rule: rule.valid_from)
    if on >= first.valid_from:
        raise ChecklistError(f"{first.provision} hade upphört att gälla {on} i den lydelse som finns här")
    reason = "den äldre lydelsen finns inte här; fråga en jurist" if first.before == "okand" else "pröva en annan grund"
    raise ChecklistError(f"{first.provision} finns här i lydelsen från {first.valid_from}; {reason}")


def for_ground(ground: Ground, on: date, library: Library | None = None) -> Checklist | None:
    """The checklist of a ground the finder listed, or None where there is nothing to assess."""
    held = library or shipped_steps()
    return checklist(checklist_id(ground.ref), on, held) if ground.test in held.tests else None


def assemble(held: Library, id: str, rules: tuple[Rule, ...], on: date) -> Checklist:
    """The steps of the ground, filled in from its rule, every answer led to its place."""
    rule, own = rules[0], held.grounds.get(id)
    codes = tuple(dict.fromkeys(one.test for one in rules))
    assessments = own.assessments if own and own.assessments else tuple(provning(code) for code in codes)
    words = filled_words(rule, own is None)
    names = sequence(held, own, codes, assessments, words["slag"])
    chosen = [step for name in names if (step := filled(held, name, rules, on, words, assessments))]
    made = Checklist(
        id=id,
        on=on,
        provision=words["bestammelse"],
        ref=rule.ref,
        kind=rule.kind,
        says=rule.says,
        rules=tuple(one.id for one in rules),
        weighs=held.law.tests[rule.test].weighs,
        directions=tuple(direction(held, code, words) for code in codes),
        steps=tuple(led(step, chosen, words["slag"]) for step in chosen),
        outcomes=tuple(replace(text, says=text.says.format(**words)) for text in held.outcomes),
        emergency=held.emergency,
    )
    return replace(made, version=fingerprint(made))


def provning(code: str) -> str:
    return f"provning-{code}"


def filled_words(rule: Rule, general: bool) -> dict[str, str]:
    slag, far = DIRECT[rule.kind]
    note = f"Att tänka på: {rule.note}." if rule.note and general else ""
    provision = rule.provision.partition(" § ")[0] + " §" if " § " in rule.provision else rule.provision
    return {"bestammelse": provision, "regel": rule.says, "anmarkning": note, "ref": rule.ref, "far": far, "slag": slag}


def sequence(held: Library, own: GroundSteps | None, codes: tuple[str, ...], assessments: tuple[str, ...], slag: str) -> list[str]:
    test = held.tests[codes[0]]
    slots = {"villkor": own.conditions if own else held.general, "provning": assessments}
    names = [name for slot in held.flows[test.flow].steps for name in slots.get(slot, (slot.format(slag=slag),))]
    return [name for name in names if name not in test.instead_of]


def direction(held: Library, code: str, words: Mapping[str, str]) -> Direction:
    test = held.tests[code]
    return Direction(code, held.law.tests[code].formula, test.points.format(**words), test.strength.format(**words))


def filled(
    held: Library, name: str, rules: tuple[Rule, ...], on: date, words: Mapping[str, str], assessments: tuple[str, ...]
) -> Step | None:
    """The step in this ground's words, with the list of the law it shows; None when that list is empty."""
    found = held.steps.get(name)
    if found is None:
        raise LawError(f"{held.where}: okänt steg «{name}»")
    points = tuple(dict.fromkeys(point for rule in rules for point in shown(held, found.shows, rule, on, len(rules) > 1)))
    if not points and found.shows in MAY_BE_EMPTY:
        return None
    depends = tuple(n for item in found.depends_on for n in (assessments if item == "provning" else (item,)))
    answers = tuple(worded(choice, ("text", "because", "fetch"), words) for choice in found.answers)
    lagrum = tuple(dict.fromkeys(ref.format(**words) for ref in found.lagrum))
    label = held.factors_label if found.shows == "faktorer" else ""
    step = worded(found, ("question", "help", "example", "write", "direction", "strength"), words)
    return replace(step, answers=answers, lagrum=lagrum, depends_on=depends, points=points, points_label=label)


def worded(value: T, names: tuple[str, ...], words: Mapping[str, str]) -> T:
    """The value with the ground's words in its texts."""
    return replace(value, **{name: getattr(value, name).format(**words) for name in names})  # type: ignore[type-var]


def shown(held: Library, what: str, rule: Rule, on: date, several: bool) -> tuple[str, ...]:
    """A list of the law for one rule of the ground; with several rules each condition says whose it is."""
    law = held.law
    if what == "parter":
        return wording.parties(rule, law)
    if what == "villkor":
        return tuple(f"{rule.provision}: {one}" if several else one for one in wording.conditions(rule, law))
    if what == "stopp":
        return wording.stops(rule, law, on)
    if what == "undantag":
        return wording.exclusions(rule, law)
    if what == "oppna_fragor":
        return tuple(capital(q.reason) for q in wording.open_questions(rule, law) if q.id not in OWN_STEPS)
    return held.factors if what == "faktorer" else ()


def capital(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def led(step: Step, chosen: list[Step], slag: str) -> Step:
    """Every answer with its place: the one it names, else the next step that is no detour."""
    after = chosen[chosen.index(step) + 1 :]
    following = next((one.id for one in after if not one.detour), "")
    ends = {"lamna": f"slutsats-{slag}-lamna", "inte": f"slutsats-{slag}-inte", "inte-hemlig": f"inte-hemlig-{slag}", "": following}
    names = {one.id for one in chosen}
    answers = tuple(replace(a, to=ends.get(a.to, a.to)) for a in step.answers)
    for one in answers:
        if one.to not in names and one.to not in OUTCOMES:
            fail(step, f"svaret «{one.value}» på {step.id} leder till {one.to or 'ingenting'}, som inte finns i checklistan")
    return replace(step, answers=answers, depends_on=tuple(name for name in step.depends_on if name in names))


def fingerprint(made: Checklist) -> str:
    """A short name for the exact wording and order, whatever file or line it stands on and whatever the day."""
    return hashlib.sha256(repr(replace(made, on=date.min)).encode()).hexdigest()[:16]


# --- reading and checking ---------------------------------------------------------------------------------------------


@cache
def shipped_steps() -> Library:
    """The steps that ship with the product, read and checked once."""
    return load_steps(shipped())


def load_steps(law: Law, folder: Path = STEPS) -> Library:
    """The steps, every checklist built and checked. Raises LawError with file, line and reason."""
    order = read(folder / "checklistor.yaml")
    expect(order, {f.name for f in fields(Library)} - {"law", "by_id", "steps", "tests", "where"} | {"grounds", "flows", "outcomes"})
    tests = {test.code: test for test in (build_test(entry, law) for entry in read(folder / "provningar.yaml"))}
    written = [build_step(entry) for name in ("villkor.yaml", "gemensamma.yaml") for entry in read(folder / name)]
    written += [assessment_step(test, order["weighed"]) for test in tests.values()]
    steps: dict[str, Step] = {}
    for step in written:
        if step.id in steps:
            fail(step, f"steget {step.id} står två gånger")
        steps[step.id] = step
    for step in written:
        check_step(step, order, set(steps))
    flows = {flow.name: flow for flow in (build(Flow, entry) for entry in order["flows"])}
    grounds = {ground.id: ground for ground in (build(GroundSteps, entry) for entry in order["grounds"])}
    outcomes = tuple(build(OutcomeText, entry) for entry in order["outcomes"])
    plain = {name: tuple(order[name]) for name in ("emergency", "parts", "topics", "weighed", "general", "factors")}
    held = Library(
        law, by_id(law, tests), steps, tests, flows, grounds, outcomes, factors_label=order["factors_label"], where=order.where, **plain
    )
    check(held)
    return held


def by_id(law: Law, tests: Mapping[str, Test]) -> dict[str, tuple[Rule, ...]]:
    """The rules that ask for something to be assessed, by checklist; those that weigh interests first."""
    asking = [(checklist_id(rule.ref), rule) for rule in law.rules if rule.kind != "trap" and rule.test in tests]
    weighing = {name for name, rule in asking if law.tests[rule.test].weighs}
    names = sorted({name for name, _ in asking}, key=lambda name: (name not in weighing, name))
    return {name: tuple(rule for n, rule in asking if n == name) for name in names}


def expect(entry: Any, names: set[str]) -> None:
    if not isinstance(entry, Located) or set(entry) != names:
        raise LawError(f"checklistor.yaml:1: filen ska ha fälten {', '.join(sorted(names))}")


def build_choices(entry: Located) -> tuple[Choice, ...]:
    return tuple(build(Choice, item) for item in entry.get("answers", []))


def build_step(entry: Located) -> Step:
    return build(Step, entry, answers=build_choices(entry), where=entry.where)


def build_test(entry: Located, law: Law) -> Test:
    found = build(Test, entry, answers=build_choices(entry), where=entry.where)
    if found.code not in law.tests:
        raise LawError(f"{entry.where}: okänt prov «{found.code}»")
    return found


def assessment_step(test: Test, weighed: list[str]) -> Step:
    """The step that asks the test: always with reasons, resting on what was said before, factors beside it where the law weighs."""
    weighs = test.flow == "avvagning"
    return Step(
        id=provning(test.code),
        part="Bedömningen",
        question=test.question,
        answers=test.answers,
        help=test.help,
        example=test.example,
        lagrum=("{ref}",),
        reason=True,
        write=test.write,
        depends_on=tuple(weighed),
        covers=(*test.covers, "bedomning"),
        shows="faktorer" if weighs else "",
        direction=test.points,
        strength=test.strength,
        where=test.where,
    )


def check_step(step: Step, order: Mapping[str, Any], known: set[str]) -> None:
    values = [choice.value for choice in step.answers]
    if len(values) < 2 or len(values) != len(set(values)):
        fail(step, f"{step.id} ska ha minst två svar, alla olika")
    if step.certain == (VET_INTE in values):
        fail(step, f"{step.id} ska ha svaret vet_inte, eller vara märkt certain")
    if step.part not in order["parts"]:
        fail(step, f"okänd del «{step.part}»")
    for topic in step.covers:
        if topic not in order["topics"]:
            fail(step, f"okänt ämne «{topic}»")
    for name in step.depends_on:
        if name != "provning" and name not in known:
            fail(step, f"{step.id} vilar på «{name}», som inte finns")
    for ref in step.lagrum:
        if ref != "{ref}" and not REF.fullmatch(ref):
            fail(step, f"«{ref}» är inget lagrum")
    if step.proposal and step.part in NEVER_PROPOSED and step.id not in PROPOSABLE:
        fail(step, f"{step.id} får inte ha förslag: sekretess, bedömning och slutsats är personens")
    for choice in step.answers:
        if choice.to in OUTCOMES and not choice.because:
            fail(step, f"svaret «{choice.value}» på {step.id} slutar utan because")


def check(held: Library) -> None:
    """Every checklist on every day a rule of it begins."""
    if [text.code for text in held.outcomes] != list(OUTCOMES):
        raise LawError(f"{held.where}: outcomes ska vara {', '.join(OUTCOMES)}, i den ordningen")
    used: set[str] = set()
    for name in held.ids:
        for on in sorted({rule.valid_from for rule in held.by_id[name]}):
            made = checklist(name, on, held)
            check_one_test(held, made)
            check_graph(made)
            check_topics(made, held.topics)
            for code in (one.test for one in made.directions):
                check_direction(made, code, held.law.tests[code].direction)
            used |= {step.id for step in made.steps}
    for step in held.steps.values():
        if step.id not in used:
            fail(step, f"steget {step.id} används inte i någon checklista")
    for ground in held.grounds.values():
        if ground.id not in held.ids:
            raise LawError(f"{held.where}: grunden {ground.id} har ingen regel med ett prov")


def check_one_test(held: Library, made: Checklist) -> None:
    own = held.grounds.get(made.id)
    if len(made.directions) > 1 and not (own and own.assessments):
        raise LawError(f"{held.where}: {made.id} har flera prov och behöver assessments")


def check_graph(made: Checklist) -> None:
    """Answers lead forward, so there is no loop; every step is reached. With led() every path then ends in an outcome."""
    order = {step.id: place for place, step in enumerate(made.steps)}
    reached = {made.steps[0].id}
    for step in made.steps:
        if step.id not in reached:
            fail(step, f"inget svar leder till {step.id} i {made.id}")
        for name in (*(target.id for target in made.following(step)), *step.depends_on):
            if (order[name] > order[step.id]) == (name in step.depends_on):
                fail(step, f"{made.id} går runt: {step.id} → {name}")
        reached |= {target.id for target in made.following(step)}


def check_topics(made: Checklist, topics: tuple[str, ...]) -> None:
    """Nothing can be given unless every topic was asked about, whichever way the person came."""
    asked: dict[str, set[str]] = {}
    for step in made.steps:
        before = [asked[one.id] for one in made.steps if one.id in asked and step in made.following(one)]
        asked[step.id] = set(step.covers) | (set.intersection(*before) if before else set())
        missing = sorted(set(topics) - asked[step.id])
        for code in {answer.to for answer in step.answers if missing}.intersection(GIVING):
            fail(step, f"{made.id} kan sluta i {code} utan {', '.join(missing)}")


def check_direction(made: Checklist, code: str, points: str | None) -> None:
    """A test that points against closes on one answer only, one that points for opens on one only."""
    step = made.step(provning(code))
    to = [answer.to for answer in step.answers if answer.value != VET_INTE]
    opening, closing = sum(one.endswith("-lamna") for one in to), sum(one.endswith("-inte") for one in to)
    if (points != "for" and closing != 1) or (points != "mot" and opening != 1) or opening + closing != len(to):
        fail(step, f"svaren på {step.id} följer inte provets riktning ({points or 'villkor'})")


def fail(step: Step, reason: str) -> NoReturn:
    raise LawError(f"{step.where}: {reason}")
