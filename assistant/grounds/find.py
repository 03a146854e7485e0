"""case → finding: which grounds are open, in order, and why each other one is closed. Pure; the law itself is in the YAML files.

Read find() first: what is missing, every rule tried on its own, the results combined. A rule that is missing belongs in
rules/*.yaml, never here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from assistant.grounds.case import QUESTIONS, Blocked, Case, Finding, Ground, Missing, Statuses, TraceLine, described
from assistant.grounds.load import TIERS, Actor, Condition, Law, OpenQuestion, Rule, Secrecy, Selector, Stop, When, provision, reaches

OPEN, CONDITIONAL, OFFERED, LEGAL, CLOSED = "open", "conditional", "offered", "legal", "closed"
FEMTON_A, GENERALKLAUSUL, LUFFA_2, LUFFA_4 = "osl-10-15a", "osl-10-27", "luffa-2", "luffa-4"
BROAD = ("kommun", "region", "oklar")  # bodies that do many things: their name does not say which activity holds the datum
PUBLIC_INTEREST = range(15, 21)


@dataclass(frozen=True)
class Party:
    """A giver or a recipient as the rules see it."""

    name: str
    actor: Actor
    authority: bool
    private: bool
    foreign: bool
    activity: frozenset[str]
    activity_known: bool


@dataclass(frozen=True)
class Facts:
    """The case with what follows from it: the parties, the layers that must be lifted, the day."""

    case: Case
    law: Law
    day: date
    giver: Party
    recipient: Party
    layers: tuple[str, ...]
    stops: tuple[tuple[str, Stop], ...]
    known: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """What one check says: nothing to object, or why not (or not yet)."""

    state: str = OPEN
    code: str = ""
    reason: str = ""
    citation: str = ""
    input: str = ""
    missing: tuple[str, ...] = ()
    note: str = ""
    raised: bool = True  # False: nobody has raised the special situation that the rule is about


@dataclass(frozen=True)
class Result:
    """One rule tried on the case."""

    rule: Rule
    state: str
    steps: tuple[Step, ...]
    lifted: frozenset[str]
    warnings: tuple[str, ...] = ()
    review: str = ""

    @property
    def decisive(self) -> Step:
        """The step that decided: the first objection of the state that came out."""
        return next((step for step in self.steps if step.state == self.state), Step())

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for step in self.steps for name in step.missing)

    @property
    def note(self) -> str:
        return "; ".join(dict.fromkeys(filter(None, (self.rule.note, *(step.note for step in self.steps)))))


def find(case: Case, law: Law) -> Finding:
    """The finding for a case. The same case and law give the same bytes."""
    gaps = basics_missing(case)
    if gaps:
        return incomplete(gaps, law)
    facts = facts_of(case, law)
    results = tuple(tried(rule, facts) for rule in law.rules)
    return combine(facts, results)


# --- what must be known first -----------------------------------------------------------------------------------------


def basics_missing(case: Case) -> tuple[str, ...]:
    fields = ("date", "sender_actor", "recipient_actor", "sender_osl", "recipient_kind", "datum_public", "purpose_code", "mode")
    gaps = [field for field in fields if getattr(case, field) is None]
    if case.sender_osl and case.datum_public is False and not case.secrecy:
        gaps.append("secrecy")
    return tuple(gaps)


def incomplete(gaps: tuple[str, ...], law: Law) -> Finding:
    """Nothing is decided; the questions say what to answer first."""
    status = f"conditional:{gaps[0]}"
    questions = tuple(Missing(field, QUESTIONS[field]) for field in gaps)
    trace = tuple(TraceLine("uppgifter", "saknas", field, QUESTIONS[field], "", law.as_of.isoformat()) for field in gaps)
    return Finding(
        outcome="LEGAL_REVIEW",
        primary="Uppgifter saknas: " + ", ".join(gaps),
        available=(),
        assessment_required=None,
        assessment_kind=None,
        per_layer=(),
        statuses=Statuses(*[status] * 5),
        blocked=(),
        handoff_to_checklist=False,
        handoff_to_lawyer=False,
        citations=(),
        missing=questions,
        also_consider=(),
        warnings=(),
        trace=trace,
        law_as_of=law.as_of,
    )


def facts_of(case: Case, law: Law) -> Facts:
    assert case.date
    assert case.sender_actor
    assert case.recipient_actor  # basics_missing saw to it
    giver, recipient = law.actors[case.sender_actor], law.actors[case.recipient_actor]
    layers = () if case.datum_public else effective_layers(case, law)
    stops = tuple((key, stop) for key in layers for stop in stops_of(key, law) if in_force(stop, case))
    sides = giver_party(case, giver, law), recipient_party(case, recipient, law)
    return Facts(case, law, case.date, *sides, layers, stops, dict(case.facts))


def effective_layers(case: Case, law: Law) -> tuple[str, ...]:
    """Every secrecy provision that must be lifted. One that follows the others (21:1 by 21:2) is lifted with them."""
    leading = tuple(key for key in case.secrecy if not entry(key, law).follows)
    return leading or case.secrecy


def entry(key: str, law: Law) -> Secrecy:
    found = described(key, law)
    assert found, key  # Case.from_json saw to it
    return found


def stops_of(key: str, law: Law) -> list[Stop]:
    """The stops of a key. A key without stycke meets those of its stycken, a key with one those of the paragraf."""
    near = [item for name, item in law.secrecy.items() if name in (key, key.partition(" st")[0]) or name.startswith(f"{key} st")]
    return [item.stop for item in near if item.stop]


def in_force(stop: Stop, case: Case) -> bool:
    return bool(case.date and case.date >= stop.valid_from) and case.recipient_actor not in stop.except_recipients


def giver_party(case: Case, actor: Actor, law: Law) -> Party:
    activity = set(actor.activity)
    if not activity and actor.kind in (*BROAD, "enskild"):  # the secrecy tells which part of the body holds the datum
        activity |= {word for key in case.secrecy for word in entry(key, law).activity}
    if case.fact("school"):
        activity.add("skola")
    if case.fact("verksamhet"):
        activity.add(case.fact("verksamhet"))
    authority, foreign = bool(case.sender_osl), actor.kind == "utländsk"
    return Party(actor.name, actor, authority, not authority and not foreign, foreign, frozenset(activity), True)


def recipient_party(case: Case, actor: Actor, law: Law) -> Party:
    purpose = law.purposes[case.purpose_code or ""]
    activity = set(actor.activity)
    if case.fact("mottagarens_verksamhet"):
        activity.add(case.fact("mottagarens_verksamhet"))
    if actor.kind == "kommun" and not activity and purpose.recipient_activity:
        activity.add(purpose.recipient_activity)
    kind = case.recipient_kind
    known = bool(activity) or actor.kind not in BROAD
    return Party(actor.name, actor, kind == "myndighet", kind == "enskild", kind == "utländsk", frozenset(activity), known)


# --- one rule on its own ----------------------------------------------------------------------------------------------


def tried(rule: Rule, facts: Facts) -> Result:
    sides = check_giver(rule, facts), check_recipient(rule, facts)
    if CLOSED in (sides[0].state, sides[1].state):
        return Result(rule, CLOSED, sides, frozenset())
    steps = (*sides, *(check(rule, facts) for check in CHECKS))
    if any(step.code == "date" and step.state == LEGAL for step in steps):  # the older wording may ask for other facts
        steps = tuple(Step() if step.code == "fact" and step.raised else step for step in steps)
    lifted = frozenset(lifted_layers(rule, facts))
    states = {step.state for step in steps}
    state = next((s for s in (CLOSED, LEGAL, OFFERED, CONDITIONAL) if s in states), OPEN)
    found = Result(rule, state, steps, lifted)
    return found if state == CLOSED else questioned(found, facts)


def check_giver(rule: Rule, facts: Facts) -> Step:
    if rule.public != bool(facts.case.datum_public) and rule.kind != "duty" or rule.public and not facts.case.datum_public:
        return Step(CLOSED, "public", "gäller offentliga uppgifter" if rule.public else "uppgiften är offentlig", input="datum_public")
    if matches(rule.giver, facts.giver):
        return joined(rule, facts, facts.giver)
    if rule.giver == Selector(authority=True):
        return Step(CLOSED, "sender", "avsändaren är inte en myndighet och omfattas inte av OSL", "OSL 2 kap. 1–5 §§", "sender_actor")
    return Step(CLOSED, "scope", f"{facts.giver.name} hör inte till dem som ska eller får lämna", input="sender_actor")


def check_recipient(rule: Rule, facts: Facts) -> Step:
    answer = matches(rule.recipient, facts.recipient)
    if rule.another_actor and one_authority(facts):
        return Step(CLOSED, "scope", "gäller till en annan aktör, inte inom samma myndighet", input="recipient_actor")
    if answer is None:
        question = "det beror på vilken verksamhet hos mottagaren som ska ha uppgiften"
        return Step(CONDITIONAL, "verksamhet", question, input="recipient_actor", missing=("mottagarens_verksamhet",), note=question)
    if answer:
        return joined(rule, facts, facts.recipient)
    if rule.recipient == Selector(authority=True):
        foreign = "gäller mellan svenska myndigheter; utländska styrs av 8 kap. 3 §", "OSL 8 kap. 3 §"
        private = "mottagaren är inte en myndighet", "OSL 2 kap. 3–5 §§"
        return Step(CLOSED, "recipient", *(foreign if facts.recipient.foreign else private), input="recipient_kind")
    return Step(CLOSED, "scope", f"{facts.recipient.name} hör inte till dem som ska eller får ta emot", input="recipient_actor")


def joined(rule: Rule, facts: Facts, party: Party) -> Step:
    """An actor that came into a list later than the rule."""
    late = next((item for item in rule.joined if item.actor == party.name), None)
    if not late:
        return Step()
    if facts.day < late.since:
        return Step(CLOSED, "scope", f"{party.name} kom in {late.since}", input="date")
    return Step(note=late.note)


def matches(selector: Selector, party: Party) -> bool | None:
    """None: it turns on which part of the body it is."""
    if selector.any:
        answers = {matches(each, party) for each in selector.any}
        return True if True in answers else None if None in answers else False
    if party.name in selector.excepted or party.actor.lists & selector.not_lists or party.activity & selector.not_activity:
        return False
    flags = selector.authority and party.authority or selector.private and party.private or selector.foreign and party.foreign
    named = party.name in selector.actors or party.actor.kind in selector.kinds or bool(party.actor.lists & selector.lists)
    if selector.names_bodies() and not (flags or named):
        return False
    if not selector.activity or party.activity & selector.activity:
        return True
    return False if party.activity_known else None


def check_date(rule: Rule, facts: Facts) -> Step:
    if facts.day >= rule.valid_to:
        return Step(CLOSED, "date", f"upphörde att gälla i den lydelsen {rule.valid_to}", f"SFS {rule.sfs}", "date")
    if facts.day >= rule.valid_from:
        return Step()
    if rule.before == "okand":
        reason = f"lydelsen före {rule.valid_from} finns inte i underlaget"
        return Step(LEGAL, "date", reason, f"SFS {rule.sfs}", "date")
    return Step(CLOSED, "date", f"trädde i kraft {rule.valid_from}", f"SFS {rule.sfs}", "date")


def check_stop(rule: Rule, facts: Facts) -> Step:
    """Hard stops block rules, not outcomes: the doors of OSL 10 kap. that the statute names and no others."""
    stops = [(key, stop) for key, stop in facts.stops if rule.gate in stop.blocks]
    hard = next(((key, stop) for key, stop in stops if not stop.agreement), None)
    if hard:
        return Step(CLOSED, "hard_stop", f"får inte tillämpas på uppgifter under {hard[0]}", hard[1].citation, "secrecy")
    if not stops or facts.known.get("avtal_tillater"):
        return Step()
    citation = stops[0][1].citation
    if facts.known.get("avtal_tillater") is False:
        return Step(CLOSED, "agreement", "strider mot det internationella avtalet", citation, "avtal_tillater")
    reason = "får inte tillämpas i strid med avtalet; läs avtalet först"
    return Step(LEGAL, "agreement", reason, citation, "secrecy", ("avtal_tillater",))


def check_purpose(rule: Rule, facts: Facts) -> Step:
    code = facts.case.purpose_code
    if code in rule.purposes or rule.purpose_fact and facts.known.get(rule.purpose_fact):
        return Step()
    overlap = next((p for p in facts.known.get("purpose_overlap") or () if p in rule.purposes), None)
    if overlap:
        note = f"om syftet också är {facts.law.purposes[overlap].name} ({overlap})"
        return Step(CONDITIONAL, f"overlap_{overlap}", note, input="purpose_overlap", note=note)
    reason = rule.closed_purpose or f"syftet «{facts.law.purposes[code or ''].name}» omfattas inte"
    return Step(CLOSED, "purpose", reason, rule.citation or rule.provision, "purpose_code")


def check_mode(rule: Rule, facts: Facts) -> Step:
    if facts.case.mode in rule.modes:
        return Step()
    if facts.case.mode == "own":
        return Step(CLOSED, "mode", "gäller bara på begäran", rule.provision, "mode")
    if rule.only_without_request:
        return Step(CLOSED, "mode", "gäller bara utan föregående begäran", rule.provision, "mode")
    return Step(note="gäller även utan begäran")


def check_subject(rule: Rule, facts: Facts) -> Step:
    if rule.subject and facts.case.datum_subject and rule.subject not in facts.case.datum_subject:
        return Step(CLOSED, "subject", f"gäller bara uppgifter om {rule.subject}", rule.provision, "datum_subject")
    return Step()


def check_layers(rule: Rule, facts: Facts) -> Step:
    """Does the rule lift any layer? A duty that does not apply to excluded data falls whole; other rules layer by layer."""
    excluded = {key: excludes(rule, key, facts) for key in facts.layers}
    citation = facts.law.exclusions[rule.excludes].ref if rule.excludes else rule.provision
    whole, some = rule.exclusion_scope == "uppgift", bool(lifted_layers(rule, facts))
    if True in excluded.values() and (whole or not some):
        names = ", ".join(key for key, answer in excluded.items() if answer)
        return Step(CLOSED, "excluded", f"{names} är undantaget", citation, "secrecy")
    unclear = [key for key in facts.layers if excluded[key] is None or lifts(rule, key) is None]
    if unclear and (whole or not some):
        return Step(CONDITIONAL, "stycke", f"beror på vilket stycke i {', '.join(unclear)} som gäller", citation, "secrecy", ("stycke",))
    if some or not facts.layers:
        return Step()
    if all(public_interest(key) for key in facts.layers):
        reason = "sekretess till skydd för allmänna intressen bryts inte"
        return Step(CLOSED, "public_interest", reason, rule.citation or rule.provision, "secrecy")
    return Step(CLOSED, "other_secrecy", f"bryter inte sekretess enligt {', '.join(facts.layers)}", rule.provision, "secrecy")


def excludes(rule: Rule, key: str, facts: Facts) -> bool | None:
    return reaches(facts.law.exclusions[rule.excludes].secrecy, key) if rule.excludes else False


def lifts(rule: Rule, key: str) -> bool | None:
    return reaches(rule.lifts, key) if rule.lifts else True


def lifted_layers(rule: Rule, facts: Facts) -> list[str]:
    return [key for key in facts.layers if lifts(rule, key) and excludes(rule, key, facts) is False]


# --- facts ------------------------------------------------------------------------------------------------------------


def check_facts(rule: Rule, facts: Facts) -> Step:
    for condition in rule.unless:
        if holds(condition, facts) is True:
            return Step(CLOSED, "fact", condition.closed, rule.provision, condition.fact)
    answers = [(condition, holds(condition, facts)) for condition in rule.when if applies(condition.only_if, facts)]
    failed = next((condition for condition, answer in answers if answer is False), None)
    if failed:
        return not_met(failed, rule, facts)
    unknown = [condition for condition, answer in answers if answer is None]
    return unanswered(rule, unknown, facts) if unknown else Step()


def not_met(failed: Condition, rule: Rule, facts: Facts) -> Step:
    names = ", ".join(c.fact for c in leaves(failed))
    asked = tuple(c.fact for c in leaves(failed) if c.hint and facts.known.get(c.fact) is None)
    raised = any(facts.known.get(c.fact) is not None for c in leaves(failed))
    reason = failed.closed or (f"villkoret är inte uppfyllt: {names}" if raised else f"inget i ärendet talar för det: {names}")
    return Step(CLOSED, "fact", reason, rule.provision, names, asked, raised=raised)


def unanswered(rule: Rule, unknown: list[Condition], facts: Facts) -> Step:
    missing = tuple(c.fact for condition in unknown for c in leaves(condition) if facts.known.get(c.fact) is None and not c.trigger)
    questions = " ".join(facts.law.facts[name].question for name in missing)
    if any(condition.legal for condition in unknown):
        return Step(LEGAL, "fact", rule.open_question, rule.provision, missing[0], missing)
    if rule.fallback and not worth_listing(rule, facts):
        return Step(OFFERED, "fact", questions, rule.provision, missing[0], missing)
    return Step(CONDITIONAL, "fact", questions, rule.provision, missing[0], missing, note="" if rule.note else questions)


def holds(condition: Condition, facts: Facts) -> bool | None:
    """True, False, or None where the fact is not known and is worth asking for."""
    if condition.any:
        answers = {holds(each, facts) for each in condition.any}
        return True if True in answers else None if None in answers else False
    value = facts.known.get(condition.fact)
    if value is None:
        aside = condition.trigger or condition.ask_if is not None and not applies(condition.ask_if, facts)
        return False if aside else None
    return OPERATIONS[condition.op](value, condition.value)


OPERATIONS: dict[str, Callable[[object, object], bool]] = {
    "is": lambda value, wanted: value == wanted,
    "below": lambda value, limit: value < limit,  # type: ignore[operator]
    "at_least": lambda value, limit: value >= limit,  # type: ignore[operator]
    "in": lambda value, wanted: value in wanted,  # type: ignore[operator]
}


def applies(scope: When | None, facts: Facts) -> bool:
    if scope is None:
        return True
    giver = scope.giver is None or bool(matches(scope.giver, facts.giver))
    recipient = scope.recipient is None or bool(matches(scope.recipient, facts.recipient))
    return giver and recipient and (not scope.purposes or facts.case.purpose_code in scope.purposes)


def leaves(condition: Condition) -> tuple[Condition, ...]:
    return condition.any or (condition,)


def worth_listing(rule: Rule, facts: Facts) -> bool:
    fallback = rule.fallback
    assert fallback
    reasons = (
        fallback.private and facts.recipient.private,
        fallback.public_interest and bool(facts.layers) and all(public_interest(key) for key in facts.layers),
        fallback.hard_stop and hard_stopped(facts),
        facts.case.purpose_code in fallback.purposes,
    )
    return any(reasons)


def public_interest(key: str) -> bool:
    """15–20 kap. protect public interests; 21–40 kap. individuals."""
    return provision(key).kap in PUBLIC_INTEREST


def hard_stopped(facts: Facts) -> bool:
    return any(not stop.agreement for _, stop in facts.stops)


CHECKS = (check_date, check_stop, check_purpose, check_mode, check_subject, check_facts, check_layers)


# --- open legal questions ---------------------------------------------------------------------------------------------


def questioned(result: Result, facts: Facts) -> Result:
    """A rule whose text says yes, but which the open questions hand to a lawyer; unverified texts never open."""
    rule = result.rule
    if rule.unverified:
        step = Step(LEGAL, "unverified", rule.note, rule.provision, rule.id, raised=False)
        return replace(result, state=LEGAL, steps=(*result.steps, step))
    for question in facts.law.questions:
        if met(question, rule, facts):
            if question.effect == "closes":
                step = Step(LEGAL, question.code, question.reason, question.citation, "secrecy")
                result = replace(result, state=LEGAL, steps=(step, *result.steps))
            elif question.effect == "review":
                result = replace(result, review=question.reason, warnings=(*result.warnings, question.reason))
            else:
                result = replace(result, warnings=(*result.warnings, question.reason))
    return result


def met(question: OpenQuestion, rule: Rule, facts: Facts) -> bool:
    secrecy = question.secrecy or (facts.law.exclusions[question.exclusion_list].secrecy if question.exclusion_list else ())
    return (
        (not question.rules or rule.id in question.rules)
        and (not question.weighing or facts.law.tests[rule.test].weighs)
        and (not question.purposes or facts.case.purpose_code in question.purposes)
        and (not question.same_actor or one_authority(facts))
        and (not question.fact or facts.known.get(question.fact) is True)
        and (not secrecy or any(reaches(secrecy, key) is not False for key in facts.layers))
    )


# --- the results together ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sorted:
    """The results by what they mean, each in the order the grounds are tried."""

    whole: tuple[Result, ...]  # open and lifts every layer
    partial: tuple[Result, ...]  # open and lifts some layers
    conditional: tuple[Result, ...]  # hangs on an unknown fact
    offered: tuple[Result, ...]  # always stands beside the others, its fact unknown
    legal: tuple[Result, ...]  # a lawyer must say
    closed: tuple[Result, ...]
    traps: tuple[Result, ...]  # what looks like a ground and is none
    general: Result | None  # 10 kap. 27 §, where it is open


def combine(facts: Facts, results: tuple[Result, ...]) -> Finding:
    found = sort(facts, results)
    outcome, deciding = decide(facts, found)
    listed = available(facts, found, outcome)
    weighing = weighing_of(facts, outcome, deciding, listed)
    blocked = () if inside_one_branch(facts) else blocked_of(facts, found, listed)
    missing = missing_of(facts, found, outcome, deciding)
    warnings = tuple(dict.fromkeys((*(w for r in listed for w in r.warnings), *case_warnings(facts))))
    return Finding(
        outcome=outcome,
        primary=primary_of(facts, outcome, deciding),
        available=tuple(ground(r, facts) for r in listed),
        assessment_required=None if outcome == "LEGAL_REVIEW" and not any(r.state == OPEN for r in listed) else weighing is not None,
        assessment_kind=weighing.rule.test if weighing else None,
        per_layer=per_layer(facts, listed) if outcome == "MIXED_LAYERS" else (),
        statuses=statuses(facts, results),
        blocked=blocked,
        handoff_to_checklist=weighing is not None,
        handoff_to_lawyer=needs_lawyer(facts, outcome, deciding, warnings),
        citations=citations(listed, blocked),
        missing=missing,
        also_consider=tuple(ground(r, facts) for r in beside(found, listed)),
        warnings=warnings,
        trace=(*(trace_line(r) for r in results), conclusion(outcome, deciding, facts)),
        law_as_of=facts.law.as_of,
    )


def sort(facts: Facts, results: tuple[Result, ...]) -> Sorted:
    ordered = sorted((r for r in results if r.rule.kind != "trap"), key=lambda r: rank(r, facts))
    every = frozenset(facts.layers)
    usual = [r for r in ordered if r.rule.id != GENERALKLAUSUL]
    general = next((r for r in ordered if r.rule.id == GENERALKLAUSUL and r.state == OPEN), None)
    opened = [r for r in usual if r.state == OPEN]
    return Sorted(
        whole=tuple(r for r in opened if r.lifted == every),
        partial=tuple(r for r in opened if r.lifted != every),
        conditional=tuple(r for r in usual if r.state == CONDITIONAL),
        offered=tuple(r for r in usual if r.state == OFFERED),
        legal=tuple(r for r in ordered if r.state == LEGAL),
        closed=tuple(r for r in results if r.state == CLOSED and r.rule.kind != "trap"),
        traps=tuple(r for r in results if r.state != CLOSED and r.rule.kind == "trap"),
        general=general,
    )


def rank(result: Result, facts: Facts) -> tuple[int, int, int]:
    """Duty before permission; a duty without a balance first; the specific ground before 15 a §, 15 a § before 27 §."""
    rule, test = result.rule, facts.law.tests[result.rule.test]
    if rule.kind == "duty":
        return (0, int(test.weighs), test.scale if test.weighs else 0)
    return (1, TIERS.index(rule.tier), 0)


def decide(facts: Facts, found: Sorted) -> tuple[str, Result | None]:
    """The outcome and the result that decides it."""
    case = facts.case
    if case.datum_public and case.sender_osl:
        return "PUBLIC_NO_BREAK_NEEDED", None
    if inside_one_branch(facts):
        return "PUBLIC_NO_BREAK_NEEDED", None
    if facts.recipient.foreign:
        return "FOREIGN_8_3", None
    if found.whole:
        return outcome_of(facts, found, found.whole[0])
    if not case.sender_osl:
        return "NOT_AUTHORITY_SENDER", None
    if facts.recipient.private:
        return "NOT_AUTHORITY_RECIPIENT", None
    return without_whole(facts, found)


def outcome_of(facts: Facts, found: Sorted, first: Result) -> tuple[str, Result]:
    doubt = next((r for r in found.legal if counts(r, facts) and rank(r, facts)[:2] < rank(first, facts)[:2]), None)
    if doubt or first.review:
        return "LEGAL_REVIEW", doubt or first
    weighs = facts.law.tests[first.rule.test].weighs
    if first.rule.kind == "duty":
        return ("DUTY_WITH_INTEREST_TEST" if weighs else "DUTY_NO_INTEREST_TEST"), first
    return ("PERMITTED_AFTER_INTEREST_TEST" if weighs else "PERMITTED_NO_INTEREST_TEST"), first


def without_whole(facts: Facts, found: Sorted) -> tuple[str, Result | None]:
    """No one ground lifts every layer: several together, the general clause, a lawyer, or nothing."""
    doubt = next((r for r in found.legal if counts(r, facts)), None)
    if found.partial and together(found) >= set(facts.layers):
        return "MIXED_LAYERS", found.partial[0]
    if found.general and found.general.lifted == set(facts.layers):
        return ("LEGAL_REVIEW", doubt) if doubt else ("ONLY_GENERAL_CLAUSE", found.general)
    if doubt:
        return "LEGAL_REVIEW", doubt
    hopeful = useful((r for r in found.conditional if hard_stopped(facts) or not r.rule.fallback), found, facts)
    return ("LEGAL_REVIEW", hopeful[0]) if hopeful else ("BLOCKED", None)


def counts(result: Result, facts: Facts) -> bool:
    """A doubt that could change the answer: raised by the case, and lifting every layer."""
    return not result.rule.unverified and result.decisive.raised and (result.lifted == set(facts.layers) or not facts.layers)


def together(found: Sorted, more: Iterable[Result] = ()) -> set[str]:
    general = [found.general] if found.general else []
    return {key for result in (*found.partial, *more, *general) for key in result.lifted}


def useful(results: Iterable[Result], found: Sorted, facts: Facts) -> tuple[Result, ...]:
    """Those that, answered yes, would together with the others lift every layer (or whose stycke is the question)."""
    kept = tuple(results)
    if together(found, kept) >= set(facts.layers):
        return kept
    return tuple(r for r in kept if r.decisive.code == "stycke")


def one_authority(facts: Facts) -> bool:
    """Giver and recipient are the same state authority. Two of a kind (kommun and kommun) need not be."""
    return facts.giver.name == facts.recipient.name and facts.giver.actor.kind not in BROAD


def inside_one_branch(facts: Facts) -> bool:
    """OSL 8 kap. 2 §: between branches that are not independent there is no secrecy to break."""
    return one_authority(facts) and facts.known.get("sjalvstandiga_verksamhetsgrenar") is False


def available(facts: Facts, found: Sorted, outcome: str) -> tuple[Result, ...]:
    """Every ground that is open, in order. 27 § is subsidiary: listed only where no other ground lifts every layer."""
    if outcome == "PUBLIC_NO_BREAK_NEEDED":
        return tuple(r for r in found.whole if r.rule.kind == "duty") if facts.case.datum_public else ()
    if outcome == "BLOCKED":
        return ()
    conditional = found.conditional if found.whole else useful(found.conditional, found, facts)
    partial = found.partial if found.whole or together(found, conditional) >= set(facts.layers) else ()
    general = (found.general,) if found.general and not found.whole and together(found, conditional) >= set(facts.layers) else ()
    return tuple(sorted((*found.whole, *partial, *conditional, *general), key=lambda r: rank(r, facts)))


def beside(found: Sorted, listed: tuple[Result, ...]) -> tuple[Result, ...]:
    """Consent, the sender's own need, the party's insight: ways that always stand beside the grounds."""
    return tuple(r for r in (*found.conditional, *found.offered) if r.rule.fallback and r not in listed)


def weighing_of(facts: Facts, outcome: str, deciding: Result | None, listed: tuple[Result, ...]) -> Result | None:
    """The ground whose balance the person must make, if the first thing to try has one."""
    if outcome in ("PUBLIC_NO_BREAK_NEEDED", "BLOCKED", "NOT_AUTHORITY_SENDER", "NOT_AUTHORITY_RECIPIENT", "FOREIGN_8_3"):
        return None
    if outcome == "LEGAL_REVIEW":
        first = next((r for r in listed if r.state == OPEN), None)
        return first if first and facts.law.tests[first.rule.test].weighs else None
    return deciding if deciding and facts.law.tests[deciding.rule.test].weighs else None


def per_layer(facts: Facts, listed: tuple[Result, ...]) -> tuple[tuple[str, str], ...]:
    first = ((key, next((r.rule.test for r in listed if key in r.lifted), "")) for key in facts.layers)
    return tuple(first)


def primary_of(facts: Facts, outcome: str, deciding: Result | None) -> str | None:
    if outcome == "PUBLIC_NO_BREAK_NEEDED":
        return "OSL 8 kap. 2 §: samma verksamhetsgren" if inside_one_branch(facts) else "OSL 6 kap. 5 §: uppgiften är offentlig"
    if outcome == "FOREIGN_8_3":
        return "OSL 8 kap. 3 §"
    if outcome == "NOT_AUTHORITY_SENDER":
        return "Bedöm avsändarens egen tystnadsplikt och särskild uppgiftsskyldighet"
    if outcome == "NOT_AUTHORITY_RECIPIENT":
        return "OSL 12 kap. 1–3 §§ (samtycke), 10 kap. 3 § (part) eller 10 kap. 14 § (förbehåll)"
    if outcome == "LEGAL_REVIEW" and deciding and deciding.decisive.code == "agreement":
        return f"Kontrollera avtalet: {deciding.decisive.citation}"
    if outcome == "LEGAL_REVIEW" and deciding:
        return f"{deciding.rule.provision}: {deciding.review or deciding.decisive.reason}"
    if outcome == "MIXED_LAYERS" and deciding:
        left = ", ".join(key for key in facts.layers if key not in deciding.lifted)
        return f"{label(deciding, facts)} för {', '.join(sorted(deciding.lifted))}; {left} måste lyftas särskilt"
    return label(deciding, facts) if deciding else None


def needs_lawyer(facts: Facts, outcome: str, deciding: Result | None, warnings: tuple[str, ...]) -> bool:
    if outcome == "LEGAL_REVIEW":
        return deciding is None or deciding.state != CONDITIONAL
    if outcome in ("MIXED_LAYERS", "NOT_AUTHORITY_SENDER", "NOT_AUTHORITY_RECIPIENT", "FOREIGN_8_3"):
        return True
    return bool(warnings) or outcome == "ONLY_GENERAL_CLAUSE" and any(public_interest(key) for key in facts.layers)


def case_warnings(facts: Facts) -> tuple[str, ...]:
    """What the secrecy provisions themselves give reason to doubt."""
    doubts = []
    for key in facts.layers:
        item = entry(key, facts.law)
        if not item.valid_from <= facts.day < item.valid_to:
            doubts.append(f"sekretessbestämmelsen {key} gällde inte {facts.day}")
    return tuple(doubts)


# --- what is shown ----------------------------------------------------------------------------------------------------


def label(result: Result, facts: Facts) -> str:
    """The provision, with the point of 15 a § that the purpose meets."""
    if not result.rule.point:
        return result.rule.provision
    codes = [facts.case.purpose_code, *(facts.known.get("purpose_overlap") or ())]
    point = next((facts.law.purposes[code].point for code in codes if code in result.rule.purposes), None)
    return f"{result.rule.provision} första stycket {point}"


def ground(result: Result, facts: Facts) -> Ground:
    rule, left = result.rule, [key for key in facts.layers if key not in result.lifted]
    only = f"lyfter bara {', '.join(sorted(result.lifted))}" if left and result.lifted else ""
    note = "; ".join(filter(None, (result.note, only, result.review)))
    nothing_to_weigh = facts.case.datum_public and facts.law.tests[rule.test].weighs
    test = "none" if nothing_to_weigh else rule.test
    return Ground(
        provision=label(result, facts),
        kind=rule.kind,
        assessment=facts.law.tests[test].contract or test,
        test=test,
        modes=rule.modes,
        note=note,
        ref=rule.ref,
        rule=rule.id,
        lifts=tuple(sorted(result.lifted)),
        sfs=rule.sfs,
        inferred=rule.inferred,
        reviewed=rule.reviewed_by is not None,
    )


def blocked_of(facts: Facts, found: Sorted, listed: tuple[Result, ...]) -> tuple[Blocked, ...]:
    """Grounds that were tried and failed: those that concern these two and this purpose, and the ones everyone asks about."""
    shown = {r.rule.provision for r in listed}
    listed_ids = {r.rule.id for r in listed}
    failed = [r for r in (*found.legal, *found.closed) if near(r, facts)] + list(found.traps)
    failed += [r for r in (*found.partial, *found.conditional) if r.rule.id not in listed_ids and not r.rule.fallback]
    kept: dict[str, Blocked] = {}
    for result in failed:
        name = result.rule.provision
        if name not in shown and name not in kept:
            kept[name] = Blocked(name, why(result, facts), result.decisive.citation or result.rule.provision, result.rule.id)
    return tuple(kept.values())


def near(result: Result, facts: Facts) -> bool:
    if result.state == LEGAL:
        return True
    step = result.decisive
    if result.rule.id in (FEMTON_A, GENERALKLAUSUL):
        return step.code != "public"
    if result.rule.id == LUFFA_2 and facts.case.purpose_code in ("P3", "P4"):
        return True
    closed = [s.code for s in result.steps if s.state == CLOSED]
    if len(result.steps) == 2 or {"purpose", "subject", "other_secrecy"} & set(closed):  # two: the giver or the recipient is another
        return False
    return all(s.raised for s in result.steps if s.code == "fact")


def why(result: Result, facts: Facts) -> str:
    if result.rule.trap:
        return result.rule.trap
    if result.state == OPEN:
        left = ", ".join(key for key in facts.layers if key not in result.lifted)
        return f"lyfter inte {left}, som ingen annan grund lyfter"
    doubt = result.state == LEGAL and result.decisive.code not in ("agreement", "unverified", "date")
    return ("öppen rättsfråga: " if doubt else "") + result.decisive.reason


def missing_of(facts: Facts, found: Sorted, outcome: str, deciding: Result | None) -> tuple[Missing, ...]:
    """Only what could change the answer: facts of grounds that would come before the one that decides."""
    if outcome in ("PUBLIC_NO_BREAK_NEEDED", "FOREIGN_8_3", "NOT_AUTHORITY_SENDER"):
        return ()
    decided = deciding is not None and deciding.state == OPEN
    better = [r for r in (*found.legal, *found.conditional) if not decided or rank(r, facts)[:2] < rank(deciding, facts)[:2]]  # type: ignore[arg-type]
    if outcome in ("BLOCKED", "LEGAL_REVIEW", "ONLY_GENERAL_CLAUSE"):
        hinted = [name for r in found.closed if near_but_for_facts(r) for name in r.decisive.missing]
    else:
        hinted = []
    names = list(dict.fromkeys([*(name for r in better for name in r.missing), *hinted]))
    if one_authority(facts) and facts.known.get("sjalvstandiga_verksamhetsgrenar") is None:
        names.append("sjalvstandiga_verksamhetsgrenar")
    return tuple(Missing(name, QUESTIONS[name] if name in QUESTIONS else facts.law.facts[name].question) for name in names)


def near_but_for_facts(result: Result) -> bool:
    return all(step.code == "fact" for step in result.steps if step.state == CLOSED)


def citations(listed: tuple[Result, ...], blocked: tuple[Blocked, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(r.rule.ref for r in listed), *(b.citation for b in blocked))))


def trace_line(result: Result) -> TraceLine:
    answers = {OPEN: "ja", CONDITIONAL: "beror på", OFFERED: "beror på", LEGAL: "jurist", CLOSED: "nej"}
    step, rule = result.decisive, result.rule
    reason = step.reason or ("lyfter " + ", ".join(sorted(result.lifted)) if result.lifted else "villkoren är uppfyllda")
    answer, decided_by = answers[result.state], step.input or "alla villkor"
    if rule.kind == "trap":
        answer, reason = "nej", rule.trap if result.state == OPEN else reason
    return TraceLine(rule.id, answer, decided_by, reason, step.citation or rule.provision, f"SFS {rule.sfs}, från {rule.valid_from}")


def conclusion(outcome: str, deciding: Result | None, facts: Facts) -> TraceLine:
    rule = deciding.rule if deciding else None
    layers = ", ".join(facts.layers) or "ingen sekretess"
    version = f"SFS {rule.sfs}, från {rule.valid_from}" if rule else f"rätten till och med {facts.law.as_of}"
    return TraceLine("utfall", outcome, layers, "varje sekretess ska lyftas (OSL 7 kap. 3 §)", rule.provision if rule else "", version)


# --- the five statuses ------------------------------------------------------------------------------------------------


def statuses(facts: Facts, results: tuple[Result, ...]) -> Statuses:
    by_id = {r.rule.id: r for r in results}
    public = bool(facts.case.datum_public) or inside_one_branch(facts)
    return Statuses(
        osl_10_15a="not_needed" if public else permission_status(by_id[FEMTON_A], facts, "full"),
        osl_10_27="not_needed" if public else permission_status(by_id[GENERALKLAUSUL], facts, "possible"),
        luffa2=duty_status(by_id[LUFFA_2]),
        luffa4=duty_status(by_id[LUFFA_4]),
        lub=lub_status(results),
    )


def permission_status(result: Result, facts: Facts, whole: str) -> str:
    code = result.decisive.code
    if result.state == OPEN:
        return whole if result.lifted == set(facts.layers) else "partial"
    if result.state == CONDITIONAL:
        return f"possible:{code}" if code.startswith("overlap") else f"conditional:{code}"
    if result.state == LEGAL:
        return f"conditional:{code}" if code == "agreement" else f"legal:{code}"
    return f"no:{first_of(result, ('sender', 'recipient', 'date', 'hard_stop'))}"


def duty_status(result: Result) -> str:
    code = result.decisive.code
    if result.state == OPEN:
        return "duty"
    if result.state == LEGAL:
        return f"conditional:{code}"
    if result.state == CONDITIONAL:
        return f"conditional:{result.decisive.missing[0] if code == 'fact' else code}"
    outside = [s for s in result.steps if s.state == CLOSED and s.code not in ("date", "excluded", "hard_stop", "agreement")]
    return "no:scope" if outside else f"no:{first_of(result, ('date', 'hard_stop', 'excluded'))}"


def first_of(result: Result, order: tuple[str, ...]) -> str:
    closed = [step.code for step in result.steps if step.state == CLOSED]
    code = next((code for code in order if code in closed), closed[0])
    return "scope" if code == "other_secrecy" else code


def lub_status(results: tuple[Result, ...]) -> str:
    lub = [r for r in results if r.rule.lub]
    opened = "+".join(r.rule.lub for r in lub if r.state == OPEN)
    doubtful = next((r for r in lub if r.state in (LEGAL, CONDITIONAL)), None)
    return opened or (doubtful_status(doubtful) if doubtful else "no")


def doubtful_status(result: Result) -> str:
    code = result.decisive.code
    return f"legal:{code}" if result.state == LEGAL and code != "agreement" else f"conditional:{code}"
