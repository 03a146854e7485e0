"""The law's data in plain Swedish: who, when, which secrecy. Used by the checklist, the protocol and the booklet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from assistant.grounds.case import described
from assistant.grounds.load import Condition, Law, OpenQuestion, Rule, Selector, Stop, covers, provision
from corpus.lagrum import from_ref, ordinal
from corpus.passage import Passage

YES_NO = {True: "ja", False: "nej", None: "okänt"}
MODES = {"request": "på begäran", "own": "på eget initiativ"}
STATUTES = {"OSL": "2009:400", "PSL": "2010:659", "SkolL": "2010:800", "SoL": "2025:400", "LSS": "1993:387"}


def key(item: str) -> str:
    """«26:1a st1» → «26 kap. 1 a § första stycket»; «25:1-8» → «25 kap. 1–8 §§»; «15-20» → «15–20 kap.»."""
    plain, _, stycke = item.partition(" st")
    where = f" {ordinal(int(stycke))} stycket" if stycke else ""
    statute, _, address = plain.rpartition(" ")
    kap, colon, paragraf = address.partition(":")
    if not colon:
        written = f"{kap} §" if statute else f"{kap.replace('-', '–')} kap."
    else:
        sign = "§§" if "-" in paragraf else "§"
        written = f"{kap} kap. {re.sub(r'(?<=[0-9])(?=[a-z])', ' ', paragraf).replace('-', '–')} {sign}"
    return f"{statute} {written}{where}".strip()


def secrecy(item: str, law: Law) -> str:
    """A secrecy provision, or a range of them, with what it protects, where the register says."""
    held = described(item, law)
    if held:
        return f"{key(item)}: {held.protects}" if held.protects else key(item)
    ranged = [one.protects for name, one in law.secrecy.items()
              if one.protects and ":" in item and "-" in item and " st" not in name and covers(item, name)]
    return f"{key(item)}: {'; '.join(ranged)}" if ranged else key(item)


def exclusions(rule: Rule, law: Law) -> tuple[str, ...]:
    """What the rule leaves alone, provision by provision."""
    return tuple(secrecy(item, law) for item in law.exclusions[rule.excludes].secrecy) if rule.excludes else ()


def stops(rule: Rule, law: Law, on: date) -> tuple[str, ...]:
    """The provisions that may close the rule's door on the day."""
    found = ((name, item.protects, item.stop) for name, item in law.secrecy.items() if item.stop)
    met = ((name, protects, stop) for name, protects, stop in found if rule.gate in stop.blocks and stop.valid_from <= on)
    return tuple(f"{key(name)}: {protects}{agreement(stop)}" for name, protects, stop in met)


def agreement(stop: Stop) -> str:
    return " (bara i strid med avtalet)" if stop.agreement else ""


def open_questions(rule: Rule, law: Law) -> tuple[OpenQuestion, ...]:
    """The legal questions that the texts leave open and that can touch the rule."""
    weighs = law.tests[rule.test].weighs
    return tuple(q for q in law.questions if (rule.id in q.rules if q.rules else weighs or not q.weighing))


def who(selector: Selector, law: Law) -> str:
    """«Arbetsförmedlingen, Bolagsverket …», «alla myndigheter utom …»."""
    if selector.any:
        return " eller ".join(who(each, law) for each in selector.any)
    actors = {actor.name: actor for actor in law.actors.values()}
    listed = {actor.name for actor in actors.values() if actor.lists & selector.lists}
    flags = (("alla myndigheter", selector.authority), ("enskilda", selector.private), ("utländska myndigheter", selector.foreign))
    names = [name for name, on in flags if on] + sorted(listed | selector.actors | {f"{kind} (alla)" for kind in selector.kinds})
    text = ", ".join(names) or "var och en"
    if selector.activity:
        text += f", i verksamheten {' eller '.join(sorted(selector.activity))}"
    if selector.not_activity:
        text += f", inte i verksamheten {' eller '.join(sorted(selector.not_activity))}"
    left_out = sorted(selector.excepted | {actor.name for actor in actors.values() if actor.lists & selector.not_lists})
    return text + (f", utom {', '.join(left_out)}" if left_out else "")


def parties(rule: Rule, law: Law) -> tuple[str, ...]:
    return f"Lämnar: {who(rule.giver, law)}.", f"Tar emot: {who(rule.recipient, law)}."


def purposes(rule: Rule, law: Law) -> str:
    if rule.purposes >= set(law.purposes):
        return "alla syften"
    return "; ".join(f"{purpose.name} ({purpose.code})" for purpose in law.purposes.values() if purpose.code in rule.purposes)


def condition(one: Condition, law: Law) -> str:
    """«Riktar sig risken mot en närstående? Svaret ska vara ja.»"""
    if one.any:
        return " Eller: ".join(condition(each, law) for each in one.any)
    return f"{law.facts[one.fact].question} {needed(one)}"


def needed(one: Condition) -> str:
    if one.op == "is":
        return f"Svaret ska vara {YES_NO.get(one.value, one.value)}."
    if one.op == "in":
        return f"Svaret ska vara något av: {', '.join(map(str, one.value))}."
    return f"Svaret ska vara {'under' if one.op == 'below' else 'minst'} {one.value}."


def conditions(rule: Rule, law: Law) -> tuple[str, ...]:
    unless = tuple(f"Gäller inte om: {condition(one, law)}" for one in rule.unless)
    return (*(condition(one, law) for one in rule.when), *unless)


def fact(value: Any) -> str:
    """A value of the case as it is read."""
    if isinstance(value, bool):
        return YES_NO[value]
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


# --- the official words -----------------------------------------------------------------------------------------------


class Held(Protocol):
    """What is asked of an index: corpus.index.Index, or a test's small world."""

    def at(self, ref: str) -> tuple[int, ...]: ...
    def get(self, positions: Iterable[int]) -> tuple[Passage, ...]: ...


@dataclass(frozen=True)
class Quote:
    """A provision's official words as they are stored, with the version they were taken from."""

    ref: str
    label: str
    text: str
    version: str
    valid_from: date | None
    url: str
    sha256: str


def official(index: Held | None, ref: str, on: date) -> Quote | None:
    """The statute's own words in force on the day, or None where they are not indexed."""
    passages = index.get(index.at(ref)) if index else ()
    found = next((one for one in passages if one.kind in ("lag", "förordning") and one.status == "gällande" and one.applies(on)), None)
    return Quote(ref, label(ref), found.text, found.version, found.valid_from, found.url, found.sha256) if found else None


def flowing(text: str) -> list[str]:
    """A stored text as paragraphs: the line breaks of the source's own layout are spaces."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def label(ref: str) -> str:
    """«SFS 2009:400 10 kap. 15 a §» → «10 kap. 15 a § OSL»."""
    address = from_ref(ref)
    return address.short() if address else ref


def ref_of(item: str) -> str:
    """A secrecy key as a canonical reference, to the paragraf: «26:1a st1» → «SFS 2009:400 26 kap. 1 a §»."""
    found = provision(item)
    kap = f"{found.kap} kap. " if found.kap else ""
    return f"SFS {STATUTES[found.statute]} {kap}{' '.join(filter(None, (str(found.paragraf[0]), found.paragraf[1])))} §"
