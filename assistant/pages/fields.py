"""The fields of a case: who, which secrecy, what for, how, when, and the facts the finder asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import streamlit as st

from assistant import texts
from assistant.grounds import wording
from assistant.grounds.case import Case, Missing
from assistant.grounds.load import Law

EARLIEST, LATEST = date(1990, 1, 1), date(2040, 12, 31)
PARTIES = ("sender_osl", "recipient_kind")  # asked for like facts, though the case has fields of its own for them
ACTIVITIES = ("verksamhet", "mottagarens_verksamhet")
SHOWN_NAMES = 4  # other names beside the official one, to search by


def actor(label: str, key: str, law: Law) -> str | None:
    """One body of the register, found by its name or what staff call it."""
    names = actors(law)
    chosen: str | None = st.selectbox(label, list(names), index=None, format_func=names.__getitem__, placeholder=texts.ACTOR_CHOOSE,
                                      key=key, filter_mode="contains", persist_state="session")
    return chosen


def actors(law: Law) -> dict[str, str]:
    """Every body with its other names: «Försäkringskassan (FK, Kassan)»."""
    held = {one.name: one for one in law.actors.values()}
    return {name: f"{capital(name)} ({', '.join(held[name].aliases[:SHOWN_NAMES])})" if held[name].aliases else capital(name)
            for name in sorted(held, key=str.casefold)}


def secrecy(label: str, key: str, law: Law) -> list[str]:
    """Secrecy provisions, found by words or number; several may apply."""
    names = {item: wording.secrecy(item, law) + words(held.words) for item, held in law.secrecy.items()}
    return list(st.multiselect(label, list(names), format_func=names.__getitem__, placeholder=texts.SECRECY_CHOOSE, key=key,
                               filter_mode="contains", select_all=False, persist_state="session"))


def words(said: tuple[str, ...]) -> str:
    return f" ({', '.join(said[:SHOWN_NAMES])})" if said else ""


def purpose(label: str, key: str, law: Law, placeholder: str = texts.PURPOSE_CHOOSE) -> str | None:
    """What the datum is for: the five purposes of 15 a § and the others, in plain words."""
    chosen: str | None = st.selectbox(label, list(law.purposes), index=None, format_func=lambda code: law.purposes[code].wording,
                                      placeholder=placeholder, key=key, filter_mode="contains", persist_state="session")
    return chosen


def mode(label: str, key: str, names: Mapping[str, str]) -> str | None:
    """On request or on one's own initiative."""
    chosen: str | None = st.radio(label, list(names), index=None, format_func=names.__getitem__, key=key, horizontal=True,
                                  persist_state="session")
    return chosen


def day(key: str) -> date:
    """The day of the decision, today unless another is chosen."""
    chosen = st.date_input(texts.DECISION_DAY, key=key, format="YYYY-MM-DD", min_value=EARLIEST, max_value=LATEST, width=220,
                           persist_state="session")
    return chosen if isinstance(chosen, date) else date.today()


# --- what the finder asks for -----------------------------------------------------------------------------------------


def asked(missing: Iterable[Missing], law: Law) -> tuple[Missing, ...]:
    """The questions that are answered beside the form; the others are fields of the form itself."""
    return tuple(one for one in missing if one.field in law.facts or one.field in (*PARTIES, "stycke"))


def fact(one: Missing, given: Mapping[str, Any], law: Law, key: str) -> Any:
    """An input for what is asked; None when nobody knows."""
    value = given.get(one.field)
    if one.field in ACTIVITIES:
        return choose(one.question, activities(law), value, key)
    if one.field == "recipient_kind":
        return pick(one.question, texts.RECIPIENT_KINDS, value, key)
    known = law.facts.get(one.field)
    if known is None or known.type == "bool":
        answer = pick(one.question, {"ja": texts.YES, "nej": texts.NO}, None if value is None else "ja" if value else "nej", key)
        return None if answer is None else answer == "ja"
    if known.type == "int":
        return whole(st.text_input(one.question, value="" if value is None else str(value), key=key, max_chars=4, width=160))
    if known.type == "list":
        return st.multiselect(one.question, list(law.purposes), default=value or [], format_func=lambda code: law.purposes[code].wording,
                              placeholder=texts.PURPOSE_CHOOSE, key=key, select_all=False) or None
    return pick(one.question, {name: capital(name) for name in known.values}, value, key)


def pick(question: str, names: Mapping[str, str], value: Any, key: str) -> str | None:
    """One of a few, or that nobody knows."""
    options = [*names, ""]
    chosen = st.radio(question, options, index=options.index(value) if value in names else len(names), key=key, horizontal=True,
                      format_func=lambda name: names.get(name, texts.DO_NOT_KNOW))
    return chosen or None


def choose(question: str, options: list[str], value: Any, key: str) -> str | None:
    chosen: str | None = st.selectbox(question, options, index=options.index(value) if value in options else None, format_func=capital,
                                      placeholder=texts.CHOOSE, key=key)
    return chosen


def whole(written: str | None) -> int | None:
    """The number written, or None; anything else is said to be no number."""
    text = (written or "").strip()
    if text and not (text.isascii() and text.isdigit()):
        st.html(f'<p class="ds-notice" role="alert">{texts.NUMBER_ONLY}</p>')
        return None
    return int(text) if text else None


def activities(law: Law) -> list[str]:
    held = {word for one in law.actors.values() for word in one.activity} | {word for one in law.secrecy.values() for word in one.activity}
    return sorted(held)


def stycken(case: Case, law: Law) -> list[str]:
    """The provisions of the case whose stycke some rule turns on."""
    split = {item.partition(" st")[0] for one in law.exclusions.values() for item in one.secrecy if " st" in item}
    split |= {item.partition(" st")[0] for item in law.secrecy if " st" in item}
    split |= {item.partition(" st")[0] for rule in law.rules for item in rule.lifts if " st" in item}
    return [item for item in case.secrecy if item in split]


def stycke(item: str, value: Any, key: str) -> str | None:
    """The provision narrowed to a stycke, as a secrecy key."""
    names = {f"{item} st{number}": said for number, said in enumerate(texts.STYCKEN, 1)}
    return pick(texts.STYCKE.format(label=wording.key(item)), names, value, key)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
