"""«Får jag dela?» and «Intresseavvägning» without a browser: what is asked, what is kept, what is asked again."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assistant import desk, texts
from assistant.grounds import ongoing
from assistant.grounds.case import Case
from assistant.grounds.find import find
from assistant.grounds.load import shipped
from assistant.pages import fields, findings, meeting
from assistant.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
WORLD = Path(__file__).parent / "data" / "world"
NUMBER = "19121212-1212"
NOON = datetime(2026, 11, 22, 12)
TOLD = {"date": "2026-11-22", "sender_actor": "Försäkringskassan", "recipient_actor": "Skatteverket", "purpose_code": "P4", "mode": "own"}
CASE = {**TOLD, "secrecy": ["28:1"], "datum_public": False}
HANDOFF = {"checklist": "osl-10-15a", "prefill": TOLD, "missing": ("datum",)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("assessment")
    desk.build(Settings(), [WORLD], folder=home / "index")
    return home


@pytest.fixture
def window(folder, monkeypatch):
    monkeypatch.setenv("DELNINGSSTOD_INDEX", str(folder / "index"))
    monkeypatch.setenv("DELNINGSSTOD_DATA", str(folder / "data"))
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=40).run()


@pytest.fixture(scope="module")
def law():
    return shipped()


def opened_at(window: AppTest, page: str) -> AppTest:
    window.switch_page(f"assistant/pages/{page}.py").run()
    assert not window.exception
    return window


def shown(window: AppTest) -> str:
    bodies = [one.proto.body for one in window.get("html")]
    page = "\n".join(body for body in bodies if not body.startswith(("<style", "<script")))
    assert texts.BROKEN.partition(".")[0] not in page
    return page


def press(window: AppTest, label: str) -> None:
    next(one for one in window.button if one.label == label).click()
    window.run()
    assert not window.exception
    assert shown(window)


def assess(window: AppTest, **handoff: object) -> AppTest:
    window.session_state["handoff"] = {**HANDOFF, "confirmed": True, **handoff}
    return opened_at(window, "assessment")


def answer(window: AppTest, step: str, value: str | None, reason: str = "") -> None:
    if value:
        window.radio(key=f"assess_answer_{step}").set_value(value)
    window.text_area(key=f"assess_reason_{step}").set_value(reason)
    press(window, texts.ASSESS_NEXT)


def answer_all(window: AppTest) -> None:
    """The first choice of every question, with reasons, until the outcome."""
    for _ in range(40):
        if not window.radio:
            return
        step = window.radio[0].key.removeprefix("assess_answer_")
        answer(window, step, ongoing.shown(*at(window)).answers[0].value, "Skäl.")


def at(window: AppTest):
    now = window.session_state["assessment"]
    return now, ongoing.state(now)


# --- får jag dela ----------------------------------------------------------------------------------------------------


def test_an_empty_page_explains_what_to_fill_in(window):
    assert texts.SHARE_EMPTY in shown(opened_at(window, "share"))


def test_what_the_form_lacks_is_asked_for_and_nothing_is_found(window):
    opened_at(window, "share")
    window.selectbox(key="share_sender_actor").set_value("Försäkringskassan")
    press(window, texts.SHOW_GROUNDS)
    page = shown(window)
    assert texts.FILL_IN in page
    assert "Vem ska få uppgiften?" in page
    assert "ds-ground" not in page


def fill(window: AppTest, **other: object) -> None:
    for name, value in {**CASE, **other}.items():
        box = {"secrecy": window.multiselect, "datum_public": window.checkbox, "mode": window.radio, "date": window.date_input}
        box.get(name, window.selectbox)(key=f"share_{name}").set_value(date.fromisoformat(value) if name == "date" else value)
    press(window, texts.SHOW_GROUNDS)


def test_a_case_gives_the_grounds_in_order_with_kind_test_and_reasons(window):
    opened_at(window, "share")
    fill(window)
    page = shown(window)
    assert "OSL 10 kap. 15 a § första stycket 4" in page
    for said in ("Möjlighet", "Utgångsläget är att uppgiften får lämnas.", "Bryter sekretessen i 28 kap. 1 §.", "Gäller bara på begäran."):
        assert said in page
    press(window, texts.WEIGH)
    assert window.session_state["assessment"].case == Case.from_json(CASE, shipped())


def test_a_missing_fact_is_asked_and_its_answer_changes_the_finding(window):
    opened_at(window, "share")
    fill(window, sender_actor="skola", recipient_actor="socialnämnd", secrecy=["23:2"], purpose_code="oro_barn")
    assert texts.FACTS_HEADING in shown(window)
    window.radio(key="share_fact_sender_osl").set_value("ja")
    press(window, texts.ANSWER_FACTS)
    assert window.session_state["share_extra"]["sender_osl"] is True
    assert "Skyldighet" in shown(window)


def test_questions_beside_the_form_fall_when_another_party_is_chosen(window):
    opened_at(window, "share")
    fill(window, sender_actor="skola", recipient_actor="socialnämnd", secrecy=["23:2"], purpose_code="oro_barn")
    window.radio(key="share_fact_sender_osl").set_value("ja")
    press(window, texts.ANSWER_FACTS)
    fill(window)
    assert window.session_state["share_extra"] == {}


def test_a_stycke_that_decides_is_asked_for_and_can_be_changed(window):
    opened_at(window, "share")
    fill(window, sender_actor="socialnämnd", secrecy=["26:1a"])
    for stycke in ("26:1a st2", "26:1a st1"):
        window.radio(key="share_stycke_26:1a").set_value(stycke)
        press(window, texts.ANSWER_FACTS)
        assert window.session_state["share_extra"] == {"26:1a": stycke}
    assert "26 kap. 1 a § första stycket är undantaget" in shown(window)


def test_a_stycke_narrows_the_secrecy(law):
    case = Case.from_json({**CASE, "secrecy": ["26:1a"]}, law)
    assert "stycke" in [one.field for one in find(case, law).missing]
    assert fields.stycken(case, law) == ["26:1a"]
    narrowed = findings.case_of({**CASE, "secrecy": ["26:1a"]}, {"26:1a": "26:1a st2"}, law)
    assert narrowed.secrecy == ("26:1a st2",)


def test_secrecy_keys_are_read_as_words():
    assert findings.plain("lyfter bara 26:1a st1, inte 28:1") == "lyfter bara 26 kap. 1 a § första stycket, inte 28 kap. 1 §"
    assert findings.plain("lagen (2009:400) och 10 kap. 2 §") == "lagen (2009:400) och 10 kap. 2 §"


def test_every_outcome_has_words_and_every_ordered_pair_is_found_on_its_own(law):
    from assistant.grounds.case import OUTCOMES

    assert set(texts.FINDINGS) == set(OUTCOMES)
    who = ["Polismyndigheten", "socialnämnd", "Försäkringskassan"]
    told = {"who": who, "mode": "own", "date": "2026-11-22", "secrecy": {who[0]: ["35:1"], who[1]: ["26:1"], who[2]: []},
            "purpose": dict.fromkeys(who, "P1")}
    pairs = meeting.found(told, law)
    assert len(pairs) == 6
    assert pairs["Försäkringskassan", "socialnämnd"].outcome == texts.UNKNOWN
    assert meeting.matrix(who, pairs).count("ds-badge") == 6


# --- intresseavvägning ----------------------------------------------------------------------------------------------


def test_what_the_question_said_is_confirmed_one_by_one_and_the_rest_is_forgotten(window):
    assess(window, confirmed=False)
    assert texts.ASSESS_CONFIRM in shown(window)
    assert not any(box.value for box in window.checkbox)
    window.checkbox(key="assess_ok_sender_actor").check()
    press(window, texts.ASSESS_CONFIRMED)
    case = window.session_state["assessment"].case
    assert (case.sender_actor, case.recipient_actor, case.purpose_code) == ("Försäkringskassan", None, None)


def test_a_proposal_is_filled_in_by_hand_and_never_answers_by_itself(window):
    assess(window)
    answer(window, "parter", "ja", "Båda är myndigheter.")
    assert window.radio[0].value is None
    press(window, texts.PROPOSAL_USE)
    assert window.radio[0].value == "P4"
    assert "15a-syfte" not in window.session_state["assessment"].answers


def test_no_choice_and_no_reasons_where_the_law_weighs_are_said(window):
    assess(window)
    answer(window, "parter", None)
    assert texts.ASSESS_CHOOSE_ONE in shown(window)
    for step, value in (("parter", "ja"), ("15a-syfte", "P4"), ("15a-kapitel", "ja"), ("stopp", "nej"), ("undantag", "nej"),
                        ("oppna-fragor", "nej")):
        answer(window, step, value, "Skäl.")
    answer(window, "sekretess", "rakt")
    assert "Skriv skälen till svaret." in shown(window)
    assert "sekretess" not in window.session_state["assessment"].answers


def test_an_identity_number_is_stopped_before_it_is_kept(window):
    assess(window)
    answer(window, "parter", "ja", f"Gäller {NUMBER}. Båda är myndigheter.")
    assert "personnummer" in shown(window)
    assert window.session_state["assessment"].answers == {}
    assert window.text_area[0].value == "Båda är myndigheter."
    assert ongoing.cleaned(f"x {NUMBER}", date(2026, 11, 22)) == ("", "personnummer")


def test_from_first_question_to_protocol_and_a_changed_answer_asks_only_what_rests_on_it(window, law):
    assess(window, prefill=CASE)
    answer_all(window)
    now, stands = at(window)
    assert stands.outcome.code == "kan_lamnas"
    assert texts.DECIDED_BY_YOU in shown(window)
    rests = {step.id for step in now.checklist.steps if "behov" in step.depends_on}
    number = next(n for n, one in enumerate(stands.path, 1) if one.step.id == "behov")
    press(window, texts.ASSESS_CHANGE.format(number=number))
    assert window.radio[0].value == "ja"
    now = ongoing.answered(now, "sekretess", "absolut", "26 kap. 1 §", NOON)
    asked = []
    while (step := ongoing.shown(now, ongoing.state(now))) and len(asked) < 10:
        asked.append(step.id)
        now = ongoing.answered(now, step.id, step.answers[0].value, "Skäl.", NOON)
    assert set(asked) <= {step.id for step in now.checklist.steps if "sekretess" in step.depends_on} | rests
    assert "provning-overvagande_skal_mot" in asked
    assert "behov" not in asked
    assert now.ended == NOON


def test_stepping_back_goes_a_step_at_a_time_and_forward_the_same_way(law):
    now = ongoing.begun({**HANDOFF, "confirmed": True}, law, date(2026, 11, 22))
    for step, value in (("parter", "ja"), ("15a-syfte", "P4"), ("15a-kapitel", "ja")):
        now = ongoing.answered(now, step, value, "Skäl.", NOON)
    for step in ("15a-kapitel", "15a-syfte"):
        now = ongoing.moved(now, ongoing.before(now, ongoing.state(now)), back=True)
        assert ongoing.shown(now, ongoing.state(now)).id == step
    now = ongoing.answered(now, "15a-syfte", "P1", "Skäl.", NOON)
    assert now.at == "15a-kapitel"
    now = ongoing.answered(now, "15a-kapitel", "ja", "Skäl.", NOON)
    assert (now.at, ongoing.shown(now, ongoing.state(now)).id) == ("", "stopp")


def test_saved_answers_go_on_where_they_were_with_their_case(window, law):
    assess(window, prefill=CASE)
    answer(window, "parter", "ja", "Båda.")
    saved = ongoing.saved(window.session_state["assessment"])
    press(window, texts.SAVED_LATER)
    assert "assessment" not in window.session_state
    opened_at(window, "assessment")
    window.text_area(key="assess_saved").set_value(saved).run()
    press(window, texts.ASSESS_RESUME_BUTTON)
    now, stands = at(window)
    assert (now.case, stands.next.id) == (Case.from_json(CASE, law), "15a-syfte")


@pytest.mark.parametrize("pasted", ["", "{}", "[1]", "inte json", json.dumps({"checklist": "osl-10-15a", "on": "2026-11-22", "answers": 3}),
                                    json.dumps({"checklist": "x", "on": "2026-11-22", "version": "", "answers": {}})])
def test_what_cannot_be_read_is_said_and_nothing_starts(window, pasted):
    opened_at(window, "assessment")
    window.text_area(key="assess_saved").set_value(pasted).run()
    press(window, texts.ASSESS_RESUME_BUTTON)
    assert 'role="alert"' in shown(window)
    assert "assessment" not in window.session_state


def test_a_new_hand_off_never_displaces_answers_unasked(window):
    assess(window)
    answer(window, "parter", "ja")
    assess(window, checklist="osl-10-27")
    press(window, texts.ASSESS_KEEP)
    assert window.session_state["assessment"].checklist.id == "osl-10-15a"
    assess(window, checklist="osl-10-27")
    press(window, texts.ASSESS_NEW)
    assert window.session_state["assessment"].checklist.id == "osl-10-27"


def test_a_checklist_that_does_not_exist_is_said(window):
    assess(window, checklist="finns-inte")
    assert "Det finns ingen checklista «finns-inte»" in shown(window)


def test_every_checklist_can_be_picked_and_its_first_question_is_shown(window):
    opened_at(window, "assessment")
    window.selectbox(key="assess_pick").set_value("osl-10-27").run()
    press(window, texts.ASSESS_START)
    assert "OSL 10 kap. 27 §" in shown(window)
    assert len(ongoing.listed(date(2026, 11, 22))) > 50
