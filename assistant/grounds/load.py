"""The law as data, read and checked: register/*.yaml and rules/*.yaml → Law. A wrong file stops here, with file, line and reason."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from corpus import ours

HERE = Path(__file__).parent
T = TypeVar("T")

KINDS = ("duty", "permission", "trap")
GATES = ("10kap", "12kap", "5c", "15-27", "28st1", "kapitel", "utanfor")
TIERS = ("kapitel", "tiokapitel", "femton_a", "samtycke", "partsinsyn", "forbehall", "nodvandig", "generalklausul", "utland")
BEFORE = ("ny", "okand", "annan_regel")  # what held before valid_from: nothing; a wording we do not hold; another rule here
MODES = ("request", "own")
EFFECTS = ("closes", "review", "warn")
REF = re.compile(r"SFS \d{4}:\d+ (\d+( [a-z])? kap\. )?\d+( [a-z])? §")
SFS = re.compile(r"\d{4}:\d+")
KEY = re.compile(r"(?P<statute>PSL |SkolL |SoL |LSS )?(?:(?P<kap>\d{1,2}):)?(?P<number>\d{1,2})(?P<letter>[a-z]?)(?: st(?P<stycke>[1-9]))?")


class LawError(ValueError):
    """A rule or register file that does not hold together."""


class Located(dict[str, Any]):
    """A YAML mapping that remembers where it stands."""

    where: str = ""


# --- values -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Actor:
    name: str
    kind: str
    osl: bool | None
    recipient_kind: str | None
    aliases: tuple[str, ...]
    lists: frozenset[str]
    activity: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stop:
    blocks: frozenset[str]
    citation: str
    agreement: bool = False
    valid_from: date = date.min
    except_recipients: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Secrecy:
    key: str
    protects: str
    strength: str
    holders: str
    activity: frozenset[str]
    words: tuple[str, ...]
    follows: bool = False
    stop: Stop | None = None
    valid_from: date = date.min
    valid_to: date = date.max
    reviewed: bool | None = None


@dataclass(frozen=True)
class Purpose:
    code: str
    point: int | None
    name: str
    wording: str
    words: tuple[str, ...]
    recipient_activity: str | None = None


@dataclass(frozen=True)
class Fact:
    name: str
    type: str
    question: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Test:
    code: str
    weighs: bool
    scale: int
    direction: str | None
    formula: str
    contract: str = ""  # the name the finding's contract has for it, where that is wider


@dataclass(frozen=True)
class Exclusion:
    name: str
    ref: str
    secrecy: tuple[str, ...]


@dataclass(frozen=True)
class Selector:
    """Who a rule speaks of: any of the bodies named, and of those only the ones with the activity."""

    authority: bool = False
    private: bool = False
    foreign: bool = False
    actors: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    activity: frozenset[str] = frozenset()
    not_activity: frozenset[str] = frozenset()
    not_lists: frozenset[str] = frozenset()
    excepted: frozenset[str] = frozenset()
    any: tuple["Selector", ...] = ()

    def names_bodies(self) -> bool:
        return bool(self.authority or self.private or self.foreign or self.actors or self.kinds or self.lists)


@dataclass(frozen=True)
class When:
    """Where a condition applies, or where its fact is asked for."""

    giver: Selector | None = None
    recipient: Selector | None = None
    purposes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Condition:
    """One question of fact. trigger: a fact nobody has raised leaves the rule aside; hint: it is still worth asking."""

    fact: str = ""
    op: str = ""
    value: Any = None
    trigger: bool = False
    hint: bool = False
    legal: bool = False
    closed: str = ""
    ask_if: When | None = None
    only_if: When | None = None
    any: tuple["Condition", ...] = ()


@dataclass(frozen=True)
class Fallback:
    """When a ground that always stands beside the others is worth listing although its fact is unknown."""

    private: bool = False
    public_interest: bool = False
    hard_stop: bool = False
    purposes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Joined:
    actor: str
    since: date
    note: str


@dataclass(frozen=True)
class Rule:
    id: str
    provision: str
    ref: str
    says: str
    kind: str
    gate: str
    purposes: frozenset[str]
    test: str
    valid_from: date
    before: str
    sfs: str
    reviewed_by: str | None
    reviewed_on: date | None
    giver: Selector = Selector(authority=True)
    recipient: Selector = Selector(authority=True)
    valid_to: date = date.max
    tier: str = ""
    wording_of: str = ""
    purpose_fact: str = ""
    modes: tuple[str, ...] = MODES
    only_without_request: bool = False
    another_actor: bool = False
    subject: str = ""
    public: bool = False
    point: bool = False
    lifts: tuple[str, ...] = ()
    excludes: str = ""
    exclusion_scope: str = "sekretess"
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    fallback: Fallback | None = None
    joined: tuple[Joined, ...] = ()
    lub: str = ""
    note: str = ""
    trap: str = ""
    open_question: str = ""
    closed_purpose: str = ""
    citation: str = ""
    inferred: bool = False
    unverified: bool = False
    date_inferred: bool = False


@dataclass(frozen=True)
class OpenQuestion:
    id: str
    effect: str
    code: str
    reason: str
    citation: str
    rules: frozenset[str] = frozenset()
    weighing: bool = False
    purposes: frozenset[str] = frozenset()
    secrecy: tuple[str, ...] = ()
    exclusion_list: str = ""
    fact: str = ""
    same_actor: bool = False


@dataclass(frozen=True)
class Law:
    actors: Mapping[str, Actor]
    secrecy: Mapping[str, Secrecy]
    purposes: Mapping[str, Purpose]
    facts: Mapping[str, Fact]
    tests: Mapping[str, Test]
    exclusions: Mapping[str, Exclusion]
    questions: tuple[OpenQuestion, ...]
    rules: tuple[Rule, ...]
    as_of: date

    def actor(self, name: str) -> Actor | None:
        """By name or alias, whatever the case of the letters."""
        return self.actors.get(name) or self.actors.get(name.casefold())


# --- secrecy keys -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Provision:
    """A secrecy key taken apart: «26:1a st2», «25:1-5», «15-20», «PSL 6:12»."""

    statute: str
    kap: int
    paragraf: tuple[int, str]
    stycke: int | None


@cache
def provision(key: str) -> Provision:
    found = KEY.fullmatch(key)
    if not found or not (found["kap"] or found["statute"]):
        raise LawError(f"«{key}» är ingen sekretessbestämmelse (skriv kap:paragraf, till exempel 26:1 eller 27:5 st2)")
    stycke = int(found["stycke"]) if found["stycke"] else None
    return Provision((found["statute"] or "OSL").strip(), int(found["kap"] or 0), (int(found["number"]), found["letter"]), stycke)


@cache
def covers(item: str, key: str) -> bool | None:
    """Does an item of a list reach the key? None: it depends on which stycke, and the key does not say."""
    wanted = provision(key)
    chapters = re.fullmatch(r"(\d+)-(\d+)", item)
    if chapters:
        return wanted.statute == "OSL" and int(chapters[1]) <= wanted.kap <= int(chapters[2])
    first, _, last = item.partition("-")
    start = provision(first)
    if (start.statute, start.kap) != (wanted.statute, wanted.kap):
        return False
    if last:
        end = provision(f"{start.kap}:{last}")
        return start.paragraf <= wanted.paragraf <= end.paragraf
    if start.paragraf != wanted.paragraf:
        return False
    if start.stycke is None or start.stycke == wanted.stycke:
        return True
    return None if wanted.stycke is None else False


@cache
def reaches(items: tuple[str, ...], key: str) -> bool | None:
    answers = {covers(item, key) for item in items}
    return True if True in answers else None if None in answers else False


# --- reading ----------------------------------------------------------------------------------------------------------


def load(folder: Path = HERE) -> Law:
    """The whole law, checked. Raises LawError with file, line and reason."""
    register = folder / "register"
    state = read(register / "state.yaml")
    names = Names(register)
    rules = tuple(rule for path in sorted((folder / "rules").glob("*.yaml")) for rule in rules_in(path, names))
    check_wordings(rules, folder)
    known = {rule.id for rule in rules}
    questions = tuple(open_question(entry, names, known) for entry in read(register / "open_questions.yaml"))
    by_name = {**{alias.casefold(): a for a in names.actors.values() for alias in (a.name, *a.aliases)}, **names.actors}
    return Law(by_name, names.secrecy, names.purposes, names.facts, names.tests, names.exclusions, questions, rules, state["as_of"])


@cache
def shipped() -> Law:
    """The law that ships with the product, read once."""
    return load()


class Names:
    """The registers: every word a rule may use."""

    def __init__(self, register: Path) -> None:
        self.actors = {a.name: a for a in (build(Actor, e) for e in read(register / "actors.yaml"))}
        self.secrecy = keyed((secrecy(e) for e in read(register / "secrecy.yaml")), "key", register / "secrecy.yaml")
        self.purposes = keyed((build(Purpose, e) for e in read(register / "purposes.yaml")), "code", register / "purposes.yaml")
        self.facts = keyed((build(Fact, e) for e in read(register / "facts.yaml")), "name", register / "facts.yaml")
        self.tests = keyed((build(Test, e) for e in read(register / "tests.yaml")), "code", register / "tests.yaml")
        self.exclusions = keyed((exclusion(e) for e in read(register / "exclusions.yaml")), "name", register / "exclusions.yaml")
        self.kinds = {a.kind for a in self.actors.values()}
        self.lists = {name for a in self.actors.values() for name in a.lists}
        own = {word for a in self.actors.values() for word in a.activity}
        self.activity = own | {word for s in self.secrecy.values() for word in s.activity}
        self.check_aliases(register / "actors.yaml")

    def check_aliases(self, path: Path) -> None:
        seen: dict[str, str] = {}
        for actor in self.actors.values():
            for alias in (actor.name, *actor.aliases):
                if seen.setdefault(alias.casefold(), actor.name) != actor.name:
                    raise LawError(f"{path.name}: «{alias}» pekar på både {seen[alias.casefold()]} och {actor.name}")


def read(path: Path) -> Any:
    """A YAML file whose mappings know their line; mappings are Located, everything else plain."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=ours.LOADER)
    except yaml.YAMLError as error:
        raise LawError(f"{path.name}: {str(error).splitlines()[0]} (går inte att läsa som YAML: {error})") from error
    return plain(node, path.name)


def plain(node: Any, name: str) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [plain(item, name) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return yaml.constructor.SafeConstructor().construct_object(node) if node is not None else None
    found = Located()
    found.where = f"{name}:{node.start_mark.line + 1}"
    for key, value in node.value:
        if key.value in found:
            raise LawError(f"{found.where}: fältet «{key.value}» står två gånger")
        found[key.value] = plain(value, name)
    return found


def build(kind: type[T], entry: Any, **made: Any) -> T:
    """A dataclass from a mapping: unknown and missing fields are errors; lists become tuples or frozensets."""
    if not isinstance(entry, Located):
        raise LawError(f"väntade fält för {kind.__name__}, fick «{entry}»")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name in entry:
        if name not in known:
            raise LawError(f"{entry.where}: okänt fält «{name}» i {kind.__name__}")
    for name, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and name not in entry and name not in made:
            raise LawError(f"{entry.where}: fältet «{name}» saknas i {kind.__name__}")
    values = {name: frozen(value, str(known[name].type), entry.where) for name, value in entry.items() if name not in made}
    return kind(**values, **made)


SHAPES = {"str": str, "bool": bool, "int": int, "date": date}


def frozen(value: Any, shape: str, where: str) -> Any:
    if isinstance(value, list):
        return frozenset(value) if "frozenset" in shape else tuple(value)
    alone = shape.removeprefix("<class '").removesuffix("'>").removeprefix("datetime.")
    if alone in SHAPES and not isinstance(value, SHAPES[alone]):
        raise LawError(f"{where}: «{value}» ska vara {alone}")
    return value


def keyed(entries: Iterator[Any], key: str, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        name = getattr(entry, key)
        if name in found:
            raise LawError(f"{path.name}: «{name}» står två gånger")
        found[name] = entry
    return found


def secrecy(entry: Located) -> Secrecy:
    at(entry, entry.get("key", ""))
    stop = build(Stop, entry["stop"]) if "stop" in entry else None
    for gate in stop.blocks if stop else ():
        one_of(entry, "stop", gate, GATES)
    one_of(entry, "strength", entry.get("strength"), ("rakt", "omvant", "absolut", "överförd"))
    return build(Secrecy, entry, stop=stop)


def exclusion(entry: Located) -> Exclusion:
    check_items(entry, entry.get("secrecy", []))
    return build(Exclusion, entry)


# --- rules ------------------------------------------------------------------------------------------------------------


def rules_in(path: Path, names: Names) -> Iterator[Rule]:
    document = read(path)
    if not isinstance(document, Located) or set(document) != {"statute", "rules"}:
        raise LawError(f"{path.name}:1: filen ska ha fälten statute och rules")
    if set(document["statute"]) != {"name", "short", "sfs"}:
        raise LawError(f"{document['statute'].where}: statute ska ha name, short och sfs")
    for entry in document["rules"]:
        yield rule(entry, names)


def rule(entry: Located, names: Names) -> Rule:
    made: dict[str, Any] = {}
    for side in ("giver", "recipient"):
        if side in entry:
            made[side] = selector(entry[side], names)
    for field in ("when", "unless"):
        made[field] = tuple(condition(item, names) for item in entry.get(field, []))
    made["purposes"] = purposes(entry, names)
    if "fallback" in entry:
        made["fallback"] = build(Fallback, entry["fallback"])
    made["joined"] = tuple(build(Joined, item) for item in entry.get("joined", []))
    found = build(Rule, entry, **made)
    check_rule(entry, found, names)
    return found


def check_rule(entry: Located, found: Rule, names: Names) -> None:
    one_of(entry, "kind", found.kind, KINDS)
    one_of(entry, "gate", found.gate, GATES)
    one_of(entry, "before", found.before, BEFORE)
    one_of(entry, "test", found.test, names.tests)
    one_of(entry, "exclusion_scope", found.exclusion_scope, ("sekretess", "uppgift"))
    if found.kind == "permission":
        one_of(entry, "tier", found.tier, TIERS)
    for mode in found.modes:
        one_of(entry, "modes", mode, MODES)
    for joined in found.joined:
        one_of(entry, "joined", joined.actor, names.actors)
    if found.excludes:
        one_of(entry, "excludes", found.excludes, names.exclusions)
    if found.purpose_fact:
        one_of(entry, "purpose_fact", found.purpose_fact, names.facts)
    check_items(entry, found.lifts)
    if not REF.fullmatch(found.ref):
        raise LawError(f"{entry.where}: felaktigt lagrum «{found.ref}» i ref")
    if not SFS.fullmatch(found.sfs):
        raise LawError(f"{entry.where}: felaktigt SFS-nummer «{found.sfs}»")
    if found.valid_from >= found.valid_to:
        raise LawError(f"{entry.where}: valid_from {found.valid_from} är inte före valid_to {found.valid_to}")


def purposes(entry: Located, names: Names) -> frozenset[str]:
    if entry.get("purposes") == "all":
        return frozenset(names.purposes)
    for code in entry.get("purposes", []):
        one_of(entry, "purposes", code, names.purposes)
    return frozenset(entry.get("purposes", []))


def selector(entry: Located, names: Names) -> Selector:
    made: dict[str, Any] = {"any": tuple(selector(item, names) for item in entry.get("any", []))}
    if "except" in entry:
        made["excepted"] = frozenset(entry["except"])
    vocabulary = {"actors": names.actors, "except": names.actors, "kinds": names.kinds, "lists": names.lists, "not_lists": names.lists}
    vocabulary |= {"activity": names.activity, "not_activity": names.activity}
    for field, words in vocabulary.items():
        for word in entry.get(field, []):
            one_of(entry, field, word, words)
    left = Located({field: value for field, value in entry.items() if field not in ("any", "except")})
    left.where = entry.where
    return build(Selector, left, **made)


OPERATORS = ("is", "below", "at_least", "in")


def condition(entry: Located, names: Names) -> Condition:
    if "any" in entry:
        return Condition(any=tuple(condition(item, names) for item in entry["any"]), closed=entry.get("closed", ""))
    ops = [op for op in OPERATORS if op in entry]
    if len(ops) != 1:
        raise LawError(f"{entry.where}: ett villkor ska ha ett av {', '.join(OPERATORS)}")
    one_of(entry, "fact", entry.get("fact"), names.facts)
    made: dict[str, Any] = {"op": ops[0], "value": entry[ops[0]]}
    for field in ("ask_if", "only_if"):
        if field in entry:
            made[field] = scope(entry[field], names)
    left = Located({field: value for field, value in entry.items() if field not in OPERATORS})
    left.where = entry.where
    return build(Condition, left, **made)


def scope(entry: Located, names: Names) -> When:
    sides = {side: selector(entry[side], names) for side in ("giver", "recipient") if side in entry}
    return build(When, entry, **sides, purposes=purposes(entry, names))


def open_question(entry: Located, names: Names, rules: set[str]) -> OpenQuestion:
    one_of(entry, "effect", entry.get("effect"), EFFECTS)
    for name in entry.get("rules", []):
        one_of(entry, "rules", name, rules)
    if "fact" in entry:
        one_of(entry, "fact", entry["fact"], names.facts)
    if "exclusion_list" in entry:
        one_of(entry, "exclusion_list", entry["exclusion_list"], names.exclusions)
    check_items(entry, entry.get("secrecy", []))
    return build(OpenQuestion, entry, purposes=purposes(entry, names))


# --- checks -----------------------------------------------------------------------------------------------------------


def at(entry: Located, item: str) -> None:
    """A secrecy key or range that does not parse, with its line."""
    try:
        covers(item, "15:1")
    except LawError as error:
        raise LawError(f"{entry.where}: {error}") from error


def one_of(entry: Located, field: str, value: Any, words: Any) -> None:
    if value not in words:
        raise LawError(f"{entry.where}: okänt värde «{value}» i {field}")


def check_items(entry: Located, items: Any) -> None:
    for item in items:
        if not isinstance(item, str):
            raise LawError(f"{entry.where}: «{item}» ska vara text")
        at(entry, item)


def check_wordings(rules: tuple[Rule, ...], folder: Path) -> None:
    """No id twice, and of one provision's wordings only one is in force on a day."""
    seen: dict[str, Rule] = {}
    by_wording: dict[str, list[Rule]] = {}
    for found in rules:
        if found.id in seen:
            raise LawError(f"{line_of(folder, found.id)}: id «{found.id}» står två gånger")
        seen[found.id] = found
        if found.wording_of:
            by_wording.setdefault(found.wording_of, []).append(found)
    for wordings in by_wording.values():
        wordings.sort(key=lambda r: r.valid_from)
        for older, newer in zip(wordings, wordings[1:], strict=False):
            if newer.valid_from < older.valid_to:
                raise LawError(f"{line_of(folder, newer.id)}: {newer.id} överlappar {older.id} i tiden")


def line_of(folder: Path, rule_id: str) -> str:
    """Where the rule is written, the last time if it is written twice."""
    found = ""
    for path in sorted((folder / "rules").glob("*.yaml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() == f"- id: {rule_id}":
                found = f"{path.name}:{number}"
    return found
