"""What a question says of a sharing, as a case for the ground finder: proposals for a person to confirm, never facts.

The secrecy of the datum is proposed only to look grounds up with; it is not handed to the checklist as confirmed, because
which secrecy applies, and whether it bites, is the person's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant import words
from assistant.grounds.case import Case, Finding
from assistant.grounds.find import find, matches, recipient_party
from assistant.grounds.load import Actor, Law, Rule, reaches
from assistant.understand import Intent, Understood
from corpus import analysis
from corpus.lagrum import OSL, Lagrum, named

_AGE = re.compile(r"\b(\d{1,2})[- ]?(?:åring\w*|år gammal|år\b)", re.I)


# What a recipient most often wants a datum for: tried one by one when the question names no purpose, to find candidates only.
_USUAL = (("LUB_2", ("P2", "P1")), ("LUFFA_2", ("P3",)))
_KINDS_OF_BODY = frozenset({"kommun", "region", "statlig myndighet", "myndighet"})


@dataclass(frozen=True)
class LookUp:
    """What the rules say of a question.

    ``finding``: when enough was said to try the grounds. ``guess``: when only the purpose was left out and every usual purpose of
    that recipient gives the same first ground; it may steer what is read and where the person is sent, never what is said to
    be open. ``refs``: provisions worth reading, best first. ``secret``: the secrecy the question seems to be about. ``likely``:
    the ground that the named purpose points to when too little else was said to try any. ``closed``: (reference, why) of the
    general grounds that the secrecy in question shuts. ``unfit``: references of rules that are certainly not for this
    recipient (15 a § toward a bank); they neither lead nor support an answer, and nobody is handed over to them. ``shutting``:
    references of rules that leave out the secrecy that the question itself writes; nobody is handed over to them either.
    """

    finding: Finding | None
    refs: tuple[str, ...]
    guess: Finding | None = None
    secret: tuple[str, ...] = ()
    likely: str = ""
    ahead: str = ""
    closed: tuple[tuple[str, str], ...] = ()
    unfit: frozenset[str] = frozenset()
    shutting: frozenset[str] = frozenset()

    @property
    def sure(self) -> str:
        """The ground put first, or an empty text: what its note answers with «Ja» or «Nej» answers the question too."""
        return first(self.guess) if self.guess else ""

    @property
    def lead(self) -> str:
        """The reference that leads the answer, or an empty text."""
        return self.ahead or self.sure

    @property
    def lean(self) -> tuple[str, ...]:
        """The references that belong in the answer if they were found at all: the ground put first, and the secrecy."""
        return tuple(filter(None, (self.sure, self.likely, *self.secret)))

    @property
    def shut(self) -> bool:
        """Whether there is nothing to weigh: the general grounds leave the secrecy out, or the recipient is no Swedish authority."""
        return (bool(self.closed) and not (self.finding and self.finding.available)) or bool(self.unfit)


def look_up(understood: Understood, law: Law) -> LookUp:
    """The finder's view of a question about a sharing; of other questions only the secrecy it seems to be about."""
    case = _toward_usual(as_case(understood, law), law)
    looked = _looked(understood, case, law)
    main_rule = _main_rule(case, looked, understood)
    if main_rule:
        looked = replace(looked, ahead=main_rule, refs=(main_rule, *looked.refs))
    elif understood.purpose == "oro_barn" and words.pattern("asks_duty").search(understood.text):
        report = next((rule for rule in law.rules if rule.id.startswith("sol-19-1") and case.date
                       and rule.valid_from <= case.date < rule.valid_to), None)
        looked = replace(looked, ahead=report.ref, refs=(report.ref, *looked.refs)) if report else looked
    if understood.intent is not Intent.SHARING:
        return looked
    unfit = _unfit(case, law) - {one.ref for one in understood.lagrum} - set(looked.secret)
    return replace(looked, shutting=_shutting(understood, case, law), unfit=unfit)


def _main_rule(case: Case, looked: LookUp, understood: Understood) -> str:
    """What stands first toward somebody who is no other authority: secrecy toward a foreign body (OSL 8 kap. 3 §), between branches of
    one authority (8 kap. 2 §), or toward private parties where no ground is open (8 kap. 1 §).
    """
    if understood.within and understood.intent is Intent.SHARING and not looked.lead:
        return _BRANCHES
    if case.recipient_kind == "utländsk":
        return "SFS 2009:400 8 kap. 3 §"
    return "SFS 2009:400 8 kap. 1 §" if case.recipient_kind == "enskild" and not looked.lead else ""


def _shutting(understood: Understood, case: Case, law: Law) -> frozenset[str]:
    """References of the rules in force that leave out a secrecy provision the question writes."""
    written = _written(understood, law)
    return frozenset(rule.ref for rule in _in_force(case, law) if _leaves_out(rule, written, law))


def _written(understood: Understood, law: Law) -> tuple[str, ...]:
    """The register's keys of the secrecy provisions the question writes, each with its stycke where one is written."""
    keys = [(_key(one), one) for one in understood.lagrum]
    inside = [key if one.stycke is None else f"{key} st{one.stycke}" for key, one in keys if key]
    outside = [f"{name.short} {one.kapitel}:{one.paragraf}" for key, one in keys
               if not key and one.kapitel and one.paragraf and (name := named(one.sfs)) and name.short]
    return (*inside, *(key for key in outside if key in law.secrecy))


def _in_force(case: Case, law: Law) -> tuple[Rule, ...]:
    return tuple(rule for rule in law.rules if case.date and rule.valid_from <= case.date < rule.valid_to)


def _leaves_out(rule: Rule, keys: Sequence[str], law: Law) -> bool:
    """Whether a rule's exclusions reach any of the secrecy keys."""
    return bool(rule.excludes) and any(reaches(law.exclusions[rule.excludes or ""].secrecy, key) for key in keys)


def _unfit(case: Case, law: Law) -> frozenset[str]:
    """References all of whose rules leave out a private or foreign recipient (10 kap. 15 a § toward a bank).

    Only for these: that somebody is no authority is told by the word, while who gives and who gets is read with less certainty.
    """
    recipient = _actor(case.recipient_actor, law)
    if recipient is None or case.recipient_kind not in ("enskild", "utländsk"):
        return frozenset()
    party = recipient_party(replace(case, purpose_code=case.purpose_code or "OUT"), recipient, law)
    out = {rule.ref for rule in law.rules if matches(rule.recipient, party) is False}
    return frozenset(out - {rule.ref for rule in law.rules if matches(rule.recipient, party) is not False})


def _looked(understood: Understood, case: Case, law: Law) -> LookUp:
    secret = tuple(f"SFS 2009:400 {key.split(':')[0]} kap. {_spaced(key.split(':')[1])} §" for key in case.secrecy[:1])
    if understood.intent is not Intent.SHARING:
        about_secrecy = words.pattern("asks_secrecy").search(understood.text)
        return LookUp(None, secret, None, secret) if about_secrecy else LookUp(None, ())
    written = any(one.sfs == "2009:400" and one.kapitel and int(one.kapitel.split()[0]) >= 15 for one in understood.lagrum)
    finding = find(case, law)
    if not _undecided(finding):
        return LookUp(finding, tuple(dict.fromkeys([*_refs(finding), *secret])), finding, secret, closed=_closed(case, law, written))
    tried = [find(replace(case, purpose_code=purpose, mode=case.mode or "request", recipient_kind=case.recipient_kind or "myndighet"), law)
             for purpose in _purposes(case, law)]
    refs = [ref for guess in tried for ref in _refs(guess)]
    agreed = tried[0] if tried and not _undecided(tried[0]) and len({first(one) for one in tried}) == 1 else None
    closed = _closed(case, law, written) or _named_and_closed(understood, case, law)
    likely = "" if agreed or closed else _by_purpose(case, law) or _residual(case, refs, law)
    general = () if agreed or refs else _general(case)
    return LookUp(None, tuple(dict.fromkeys(filter(None, [*refs, likely, *(ref for ref, _ in closed), *secret, *general]))), agreed, secret,
                  likely, closed=closed)


# The general grounds people ask for by name or purpose; which secrecy each leaves out is the rules' to say.
_GENERAL = ("SFS 2009:400 10 kap. 15 a §", "SFS 2009:400 10 kap. 27 §")


def _closed(case: Case, law: Law, written: bool) -> tuple[tuple[str, str], ...]:
    """The general grounds that leave out the secrecy most likely met, where the question is about purposes 1–5.

    A guess from words alone shuts nothing: the secrecy must be written in the question, or be that of a named giver.
    """
    purpose = law.purposes.get(case.purpose_code or "")
    if purpose is None or purpose.point is None or not case.secrecy or case.sender_actor is None and not written:
        return ()
    key = case.secrecy[0]
    shut = {rule.ref for rule in _in_force(case, law) if rule.ref in _GENERAL and _leaves_out(rule, [key], law)}
    return tuple((ref, key) for ref in _GENERAL if ref in shut) if _GENERAL[0] in shut else ()


_BRANCHES = "SFS 2009:400 8 kap. 2 §"  # secrecy between independent branches of one authority


def _general(case: Case) -> tuple[str, ...]:
    """The general grounds, worth reading when nothing more can be tried of a sharing between authorities."""
    between = case.sender_actor and case.recipient_actor and case.recipient_kind in ("myndighet", None)
    return _GENERAL if between and case.purpose_code not in ("oro_barn", "vard_stod") else ()


def _named_and_closed(understood: Understood, case: Case, law: Law) -> tuple[tuple[str, str], ...]:
    """As ``_closed``, for a general ground that the question itself names, whatever the purpose."""
    named_here = [one.ref for one in understood.lagrum if one.ref in _GENERAL]
    keys = _written(understood, law) or case.secrecy[:1]
    return tuple((rule.ref, key) for rule in _in_force(case, law) if rule.ref in named_here
                 for key in keys[:1] if _leaves_out(rule, [key], law))


def _residual(case: Case, refs: Sequence[str], law: Law) -> str:
    """The general clause (10 kap. 27 § OSL) between two authorities, where nothing points to another ground and it isn't shut."""
    purpose = law.purposes.get(case.purpose_code or "")
    if refs or not _general(case) or (purpose and (purpose.point is None or _by_purpose(case, law))):
        return ""
    return next((rule.ref for rule in _in_force(case, law) if rule.ref == _GENERAL[1] and not _leaves_out(rule, case.secrecy, law)), "")


def _by_purpose(case: Case, law: Law) -> str:
    """The general ground for purposes 1–5, where the recipient may be an authority and it was in force (10 kap. 15 a § OSL)."""
    purpose = law.purposes.get(case.purpose_code or "")
    if purpose is None or purpose.point is None or case.recipient_kind in ("enskild", "utländsk"):
        return ""
    return next((rule.ref for rule in _in_force(case, law) if rule.ref == _GENERAL[0]), "")


def first(finding: Finding) -> str:
    """The reference of the ground a finding puts first, or an empty text."""
    return next((g.ref for g in finding.available if g.provision == finding.primary), finding.available[0].ref if finding.available else "")


def _toward_usual(case: Case, law: Law) -> Case:
    """A case with no recipient, where the purpose has only one (concern for a child goes to the socialnämnd)."""
    purpose = law.purposes.get(case.purpose_code or "")
    if case.recipient_actor or purpose is None or purpose.recipient_activity is None:
        return case
    activity = purpose.recipient_activity
    usual = next((one for one in law.actors.values() if activity in one.activity and one.kind == "kommun"), None)
    return replace(case, recipient_actor=usual.name, recipient_kind=usual.recipient_kind, mode=case.mode or "own") if usual else case


def _undecided(finding: Finding) -> bool:
    """Whether the finder stopped at the first missing basics, so that nothing was tried."""
    return bool(finding.missing) and not finding.available and not finding.blocked


def _refs(finding: Finding) -> list[str]:
    return list(dict.fromkeys(ground.ref for ground in finding.available))[:5]


def _purposes(case: Case, law: Law) -> tuple[str, ...]:
    if case.purpose_code:
        return (case.purpose_code,)
    recipient = law.actor(case.recipient_actor) if case.recipient_actor else None
    if recipient is None or case.sender_actor is None:
        return ()
    if recipient.recipient_kind in ("enskild", "utländsk"):
        return ("OUT",)  # toward a private or foreign recipient the purpose opens nothing; the other routes stand whatever it is
    if recipient.kind in ("kommun", "region"):
        return ()  # they do too many things for one purpose to be the usual one
    return next((codes for name, codes in _USUAL if name in recipient.lists), ())


def _spaced(paragraf: str) -> str:
    return re.sub(r"(\d)([a-z])", r"\1 \2", paragraf)


def as_case(understood: Understood, law: Law) -> Case:
    """The case that the question describes, as far as its words go; what it doesn't say is None."""
    sender, recipient = _actor(understood.sender, law), _actor(understood.recipient, law)
    facts = proposed_facts(understood.text)
    return Case(
        date=understood.as_of, sender=understood.sender or "", recipient=understood.recipient or "",
        sender_actor=sender.name if sender else None, recipient_actor=recipient.name if recipient else None,
        sender_osl=sender.osl if sender and sender.osl is not None else True if sender and sender.kind == "oklar" else None,
        recipient_kind=recipient.recipient_kind if recipient else None,
        datum_public=False, secrecy=secrecy(understood, law), purpose_code=_as_crime(understood, recipient),
        mode=understood.mode or _mode(understood),
        facts=tuple(sorted(facts.items())),
    )


def _as_crime(understood: Understood, recipient: Actor | None) -> str | None:
    """The purpose; wrong payments and cheating told to those who only fight crime are told as crime."""
    only_crime = recipient is not None and "LUB_2" in recipient.lists and "LUFFA_2" not in recipient.lists
    if only_crime and understood.purpose in ("P3", "P4", "P5"):
        return "P2" if understood.mode == "request" else "P1"
    return understood.purpose


def proposed_facts(text: str) -> dict[str, Any]:
    """What the words propose of the fact register (alder, contact_data, school …)."""
    facts: dict[str, Any] = {name: True for name, pattern in words.table("facts") if pattern.search(text)}
    if match := _AGE.search(text):
        facts["alder"] = int(match[1])
    return facts


def _key(one: Lagrum) -> str:
    """The register's key of a secrecy provision in OSL («26:1a»), or an empty text for any other lagrum."""
    inside = one.sfs == OSL and one.kapitel and one.paragraf and 15 <= int(one.kapitel.split()[0]) <= 43
    return f"{one.kapitel}:{(one.paragraf or '').replace(' ', '')}" if inside else ""


def secrecy(understood: Understood, law: Law, limit: int = 1) -> tuple[str, ...]:
    """The secrecy provisions most likely met: those the question writes, else those of the giver's activity and its words."""
    written = tuple(filter(None, map(_key, understood.lagrum)))
    known = tuple(key for key in written if key in law.secrecy)
    if known:
        return known
    others = [name for name in understood.actors if name != understood.recipient]
    actor = _actor(understood.sender, law) or next(filter(None, (_actor(name, law) for name in others)), None)
    text = understood.text.lower()
    said = analysis.tokens(text)
    meant = frozenset(said) | frozenset(analysis.expand(said))
    scored: list[tuple[float, int, str]] = []
    for order, row in enumerate(law.secrecy.values()):
        chapter = row.key.split(":")[0]
        if row.reviewed is False or " st" in row.key or row.stop or not chapter.isdigit() or int(chapter) < 21:
            continue
        value = 0.0
        if actor and actor.name not in _KINDS_OF_BODY:
            # «vårdgivare med biobank» is only some of them: the holder must be the body itself.
            held = re.search(rf"(?<![\wåäö]){re.escape(actor.name.lower())}\w{{0,3}}(?=,|;|$| och )", row.holders.lower())
            value += 2.0 if row.activity & actor.activity else 0.0
            value += (2.5 if held.start() == 0 else 2.0) if held else 0.0
        value += sum(1.5 for word in (*row.words, *row.activity)
                     if len(word) > 3 and word.lower() in text and re.search(rf"(?<![a-zåäö]){re.escape(word.lower())}", text))
        value += 1.5 if actor is None and any(meant.issuperset(analysis.tokens(name)) for name in row.activity) else 0.0
        if value >= 1.5:
            scored.append((-value, order, row.key))
    return tuple(key for _, _, key in sorted(scored)[:limit])


def _actor(name: str | None, law: Law) -> Actor | None:
    return law.actor(name) if name else None


def _mode(understood: Understood) -> str | None:
    """«Får vi …?» with no word of a request is somebody's own initiative."""
    return "own" if understood.sender and understood.recipient else None
