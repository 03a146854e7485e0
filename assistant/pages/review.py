"""The review workbench: who you are, the queue, one answer at a time, the figures, the files, the signatures.

The page is given its workbench (`app.py`): it knows nothing of how reviews are kept. Who one is comes from the sign-on; only where
there is none, on one person's own machine, does one write a name and choose a role. Without a name and a role nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import streamlit as st

from assistant import people, texts
from assistant.pages import markup, parts, review_answer, review_office
from assistant.pages.workbench import Item, Person, Workbench, reviewers, said, tell, tried

STEP = 25  # answers shown at a time
LONG = 140  # characters of a question in the list


def page(open_bench: Callable[[], Workbench], signed: people.Person) -> None:
    """The page, from top to bottom. ``signed``: who the sign-on says it is."""
    bench = open_bench()
    who = _here(bench) if signed == people.LOCAL else _signed(bench, signed)
    if who is None:
        return
    number: int | None = st.session_state.get("review_item")
    if number is not None:
        review_answer.show(bench, who, number)
        return
    st.html(f'<h1>{texts.PAGES["review"]}</h1>')
    _who(who, changes=signed == people.LOCAL or {"jurist", "förvaltare"} <= signed.roles)
    said()
    names = ["queue", "figures", "papers", *(["files", "release"] if who.role == "förvaltare" else [])]
    part = st.segmented_control(texts.REVIEW_PARTS_LABEL, names, format_func=texts.REVIEW_PARTS.__getitem__, default="queue", required=True,
                                key="review_part", label_visibility="collapsed", persist_state="session")
    if part in (None, "queue"):
        _queue(bench, who)
    else:
        review_office.SHOWN[part](bench, who)


# --- who -----------------------------------------------------------------------------------------------------------


def _signed(bench: Workbench, signed: people.Person) -> Person:
    """The signed-in person. The name kept holds the sign-on's own name too: two may be called the same, and shown names can be changed.
    One who is both jurist and förvaltare says as which; None until then."""
    roles = [role for role in texts.REVIEW_ROLES if role in signed.roles]
    name = signed.name if signed.name == signed.id else f"{signed.name} ({signed.id})"
    chosen = st.session_state.get("review_as") if len(roles) > 1 else next(iter(roles), None)
    if chosen in roles:
        return tried(bench, lambda: bench.person(name, str(chosen), signed.id))
    st.html(f'<h1>{texts.PAGES["review"]}</h1>')
    with st.form("review_enter", border=True):
        role = st.radio(texts.REVIEW_ROLE, roles, index=None, format_func=texts.REVIEW_ROLES.__getitem__, key="review_role")
        sent = st.form_submit_button(texts.REVIEW_ENTER, type="primary")
    if sent and role is None:
        st.html(markup.alert(texts.REVIEW_ROLE_FIRST))
    elif sent:
        st.session_state["review_as"] = role
        st.rerun()
    return None


def _here(bench: Workbench) -> Person:
    """The person of a machine without sign-on: as they said, or None until they have."""
    kept: tuple[str, str] | None = st.session_state.get("review_who")
    return _entered(bench) if kept is None else bench.person(*kept)


def _entered(bench: Workbench) -> Person:
    """The person, once they have said who they are; None until then."""
    st.html(f'<h1>{texts.PAGES["review"]}</h1><h2>{texts.REVIEW_WHO}</h2>{markup.paragraphs(texts.REVIEW_WHO_WHY)}')
    with st.container(key="ds-enter"), st.form("review_enter", border=True):
        name = st.text_input(texts.REVIEW_NAME, key="review_name", max_chars=80)
        role = st.radio(texts.REVIEW_ROLE, list(texts.REVIEW_ROLES), index=None, format_func=texts.REVIEW_ROLES.__getitem__,
                        key="review_role")
        sent = st.form_submit_button(texts.REVIEW_ENTER, type="primary")
    if not sent:
        return None
    if role is None:
        st.html(markup.alert(texts.REVIEW_ROLE_FIRST))
        return None
    who = tried(bench, lambda: bench.person(name or "", role))
    if who is not None:
        st.session_state["review_who"] = (who.name, str(who.role))
        st.rerun()
    return None


def _who(who: Person, *, changes: bool) -> None:
    with st.container(key="ds-who", horizontal=True, vertical_alignment="center"):
        st.html(f'<p class="ds-muted">{escape(texts.REVIEW_IS.format(name=who.name, role=who.role))}</p>', width="content")
        if changes:
            st.button(texts.REVIEW_CHANGE, key="review_change", type="tertiary", on_click=_leave)


def _leave() -> None:
    for name in [name for name in st.session_state if str(name).startswith("review_")]:
        del st.session_state[name]


# --- the queue -----------------------------------------------------------------------------------------------------


def listed(bench: Workbench, who: Person, items: Sequence[Item]) -> dict[str, list[Item]]:
    """The answers under each filter."""
    return {"mine": [one for one in items if bench.mine(one, who)], "unassigned": [one for one in items if one.state == "otilldelad"],
            "disputed": [one for one in items if one.state == "oeniga"], "all": list(items)}


def _queue(bench: Workbench, who: Person) -> None:
    if who.role == "förvaltare":
        _steward(bench, who)
    review_answer.guidelines(keys=False)
    groups = listed(bench, who, bench.items())
    with st.container(key="ds-filters"):
        names = list(groups) if who.role == "jurist" else ["all", "unassigned", "disputed"]
        chosen = st.segmented_control(texts.REVIEW_FILTER, names, default=names[0], required=True, key="review_filter",
                                      format_func=lambda name: f"{texts.REVIEW_FILTERS[name]} ({len(groups[name])})",
                                      label_visibility="collapsed", persist_state="session") or names[0]
    held = groups[chosen]
    if not held:
        st.html(markup.notice(texts.REVIEW_EMPTY[chosen]))
        return
    amount = st.session_state.setdefault("review_amounts", {}).get(chosen, STEP)
    with st.container(key="ds-rows"):
        for one in held[:amount]:
            _row(one, [other.number for other in held])
    if amount < len(held):
        st.button(texts.MORE, key="review_more", on_click=_more, args=(chosen, amount + STEP))


def _more(chosen: str, amount: int) -> None:
    st.session_state["review_amounts"][chosen] = amount


def _row(item: Item, numbers: list[int]) -> None:
    words, tone = texts.REVIEW_STATES[str(item.state)]
    asked = item.question if len(item.question) <= LONG else item.question[:LONG].rsplit(" ", 1)[0] + " …"
    details = [f"{label} {value}" for label, value in (
        (texts.REVIEW_META["topic"], texts.topic(item.topic)), (texts.REVIEW_META["reviewers"], ", ".join(item.reviewers))) if value]
    with st.container(key=f"ds-row-{item.number}"):
        st.button(plain(asked), key=f"open-{item.number}", type="tertiary", on_click=review_answer.go, args=(item.number, numbers))
        made = markup.badge(item.golden, "ok") if item.golden else ""
        st.html(f'<p class="ds-meta">{markup.badge(words, tone)}{made}<span>{escape(" · ".join(details))}</span></p>')


def plain(text: str) -> str:
    """Words on a button that stay words: Streamlit reads Markdown there."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+-.!|~$:" else letter for letter in text)


def _steward(bench: Workbench, who: Person) -> None:
    """What a förvaltare does with the queue: put answers in it, take what staff reported, say who reviews."""
    fresh, wordless = bench.reported()
    with st.container(key="ds-steward", border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            filled = st.button(texts.REVIEW_FILL, key="review_fill", type="primary")
            taken = st.button(texts.REVIEW_REPORTED.format(count=fresh), key="review_reported", disabled=not fresh)
            st.html(f'<p class="ds-muted">{texts.REVIEW_FILL_WHY}</p>', width="content")
        if wordless:
            st.html(markup.notice(texts.REVIEW_WORDLESS.format(count=wordless)))
        if filled:
            _fill(bench, who)
        if taken:
            done = tried(bench, lambda: bench.take_reported(who))
            _enqueued(texts.PAGES["chat"], done)
        _assign_all(bench, who)


def _fill(bench: Workbench, who: Person) -> None:
    place = st.empty()

    def progress(done: int, total: int) -> None:
        place.html(markup.notice(texts.REVIEW_FILLING.format(done=done, total=total)))

    opened = parts.opened()
    done = tried(bench, lambda: bench.fill(who, opened, progress))
    place.empty()
    if done:
        _enqueued(*done)


def _enqueued(origin: str, done: Any) -> None:
    if done is None:
        return
    out = [texts.REVIEW_FILLED.format(added=done.added, origin=origin)]
    out += [texts.REVIEW_ALREADY.format(count=done.already)] if done.already else []
    st.html(markup.notice(" ".join(out)))
    if done.left_out:
        lines = "".join(f"<li>{escape(case)}: {escape(reason)}</li>" for case, reason in done.left_out)
        st.html(f'<div class="ds-callout">{texts.REVIEW_LEFT_OUT.format(count=len(done.left_out))}<ul>{lines}</ul></div>')


def _assign_all(bench: Workbench, who: Person) -> None:
    items = bench.items()
    free = sum(not one.reviewers for one in items)
    if not free:
        return
    with st.form("review_assign_all", border=False):
        names = reviewers(items, "review_all_reviewers", [])
        if st.form_submit_button(texts.REVIEW_ASSIGN_ALL.format(count=free)):
            count = tried(bench, lambda: bench.assign_all(who, names))
            if count is not None:
                tell(texts.REVIEW_ASSIGNED.format(count=count, names=" och ".join(names)))
                st.rerun()
