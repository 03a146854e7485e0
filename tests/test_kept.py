"""What the window keeps of conversations and assessments, for whom, and that it goes when it is taken away."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assistant import desk, people, texts
from assistant.grounds import ongoing
from assistant.pages import signed
from assistant.people import Person, Role
from assistant.service import operations
from assistant.service.operations import Service
from assistant.service.problems import PersonalData
from assistant.settings import Settings
from assistant.storage import assessments, conversations, database, retention, tables
from assistant.storage.conversations import NotFound
from assistant.storage.gate import NotKept
from tests.databases import database as both  # noqa: F401 - a fixture
from tests.databases import database_url, postgresql  # noqa: F401 - fixtures
from tests.test_assessment_pages import answer, at, opened_at, press, shown
from tests.test_pages import rows, written_under

ROOT = Path(__file__).resolve().parents[1]
WORLD = Path(__file__).parent / "data" / "world"
NUMBER = "19121212-1212"
TODAY = date(2026, 11, 22)
LAW, NEXT = "Vad säger 10 kap. 27 § OSL?", "Och 10 kap. 28 § OSL?"
ANNA = Person("anna", "Anna A.", frozenset({Role.HANDLAGGARE}))
BO = Person("bo", "Bo B.", frozenset({Role.HANDLAGGARE}))
NOWHERE = "sqlite:////dev/null/finns-inte.db"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    home = tmp_path_factory.mktemp("kept")
    desk.build(Settings(), [WORLD], folder=home / "index")
    return home / "index"


@pytest.fixture(scope="module")
def opened(index):
    return desk.ready(Settings(), folder=index)


@pytest.fixture
def data(index, tmp_path, monkeypatch):
    """An empty data folder, for windows on the small index."""
    monkeypatch.setenv("DELNINGSSTOD_INDEX", str(index))
    monkeypatch.setenv("DELNINGSSTOD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DELNINGSSTOD_QUESTIONS_PER_MINUTE", "1000")
    monkeypatch.chdir(ROOT)
    return tmp_path / "data"


@pytest.fixture
def signed_in(monkeypatch):
    """Says who sits at the window from now on."""
    return lambda who: monkeypatch.setattr(signed, "person", lambda: who)


@pytest.fixture
def service(opened, data):
    held = database.opened(Settings().database)
    yield Service(opened, held, Settings())
    held.close()


def window(**address: str) -> AppTest:
    """A window just opened: another computer, another process, or the same one loaded anew."""
    made = AppTest.from_file(str(ROOT / "app.py"), default_timeout=40)
    for name, value in address.items():
        made.query_params[name] = value
    made.run()
    assert not made.exception
    return made


def ask(page: AppTest, *questions: str) -> AppTest:
    for question in questions:
        page.chat_input[0].set_value(question).run()
    return page


def labels(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def save_case_number(page: AppTest, number: str) -> None:
    page.text_input(key=f"talk_case_{page.session_state['conversation']}").set_value(number)
    press(page, texts.CASE_NUMBER_SAVE)


# --- conversations ----------------------------------------------------------------------------------------------------


def test_a_conversation_is_found_again_in_another_window_and_gone_on_with(data):
    first = ask(window(), LAW, NEXT)
    second = window()
    assert f"1. {LAW}" in shown(second)
    press(second, texts.TALK_OPEN.format(number=1))
    for name in ("question", "answer", "opening"):
        assert [getattr(one, name) for one in second.session_state["exchanges"]] == [
            getattr(one, name) for one in first.session_state["exchanges"]]
    ask(second, "Och om det gäller en kommun?")
    assert [row["text"] for row in rows(data, tables.turn)] == [LAW, NEXT, "Och om det gäller en kommun?"]
    assert len(rows(data, tables.conversation)) == 1


def test_a_new_conversation_begins_with_its_first_question_and_the_latest_is_listed_first(data):
    page = ask(window(), LAW)
    press(page, texts.NEW_CONVERSATION)
    assert len(rows(data, tables.conversation)) == 1
    ask(page, NEXT)
    listed = shown(window())
    assert listed.index(f"1. {NEXT}") < listed.index(f"2. {LAW}")


def test_somebody_elses_conversation_is_neither_listed_nor_opened(data, signed_in):
    signed_in(ANNA)
    page = ask(window(), LAW)
    signed_in(BO)
    other = window()
    assert LAW not in shown(other)
    assert texts.TALKS_NONE in shown(other)
    other.session_state["conversation"] = page.session_state["conversation"]
    ask(other, NEXT)
    mine, his = rows(data, tables.conversation)
    assert {(row["conversation"], row["text"]) for row in rows(data, tables.turn)} == {(mine["id"], LAW), (his["id"], NEXT)}
    assert (mine["owner"], his["owner"]) == ("anna", "bo")


@pytest.mark.parametrize(("number", "kind"), [(NUMBER, "personnummer"), ("Anna Svensson", "namn")])
def test_a_case_number_is_shown_in_the_list_and_one_that_points_at_a_person_is_refused_with_its_kind(data, number, kind):
    page = ask(window(), LAW)
    save_case_number(page, number)
    assert kind in shown(page)
    assert number not in shown(page) + written_under(data)
    save_case_number(page, "S 2026/123")
    assert texts.CASE_NUMBER_SAVED in shown(page)
    assert "dnr S 2026/123" in shown(window())


def test_a_conversation_taken_away_is_gone_from_the_files(data):
    page = ask(window(), "Vad säger 10 kap. 27 § OSL om en särskild giraff?")
    assert "giraff" in written_under(data)
    press(page, texts.TALK_REMOVE)
    press(page, texts.REMOVE_NOT)
    press(page, texts.TALK_REMOVE)
    press(page, texts.REMOVE_FOR_GOOD)
    assert texts.TALK_REMOVED in shown(page)
    assert (rows(data, tables.conversation), rows(data, tables.turn)) == ([], [])
    assert "giraff" not in written_under(data) + shown(page)
    assert page.session_state["exchanges"] == []


def test_one_is_taken_away_from_the_list_and_doesnt_come_back(data):
    page = ask(window(), LAW)
    press(page, texts.NEW_CONVERSATION)
    press(page, texts.TALK_REMOVE_NUMBER.format(number=1))
    press(page, texts.REMOVE_FOR_GOOD)
    assert texts.UNDO not in labels(page)
    assert texts.TALKS_NONE in shown(page)


def test_the_words_of_a_stopped_question_are_never_kept(data):
    page = ask(window(), f"Får jag lämna ut att {NUMBER} har bidrag?")
    assert "conversation" not in page.session_state
    ask(page, "Kan vi bevilja Anna Svensson bistånd?")
    assert [row["text"] for row in rows(data, tables.turn)] == [""]
    assert "Svensson" not in written_under(data)
    later = window()
    assert texts.TALK_WORDLESS in shown(later)
    press(later, texts.TALK_OPEN.format(number=1))
    assert texts.STATUS["refused_decision_on_person"] in shown(later)


def test_a_question_that_a_stopped_process_left_is_answered_when_it_is_opened(data, service):
    begun = operations.begin_conversation(service, people.LOCAL)
    operations.ask(service, people.LOCAL, begun.id, LAW)
    page = window()
    press(page, texts.TALK_OPEN.format(number=1))
    assert texts.SHORT in shown(page)
    assert rows(data, tables.turn)[0]["state"] == "done"


def test_an_answer_is_shown_though_the_database_is_away_and_said_not_to_be_kept(data, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    page = window()
    assert texts.TALKS_AWAY.partition("{")[0] in shown(page)
    ask(page, LAW)
    assert texts.SHORT in shown(page)
    assert texts.NOT_KEPT.partition("{")[0] in shown(page)
    assert not {texts.HELPED, texts.TALK_REMOVE} & set(labels(page))
    monkeypatch.delenv("DATABASE_URL")
    ask(page, NEXT)
    assert [row["text"] for row in rows(data, tables.turn)] == [NEXT]


def test_more_questions_than_a_person_reads_are_held_back_with_the_words_kept_for_another_try(data, monkeypatch):
    monkeypatch.setenv("DELNINGSSTOD_QUESTIONS_PER_MINUTE", "1")
    page = ask(window(), LAW, NEXT)
    assert "Du kan ställa 1 frågor i minuten" in shown(page)
    assert len(page.session_state["exchanges"]) == 1
    monkeypatch.setenv("DELNINGSSTOD_QUESTIONS_PER_MINUTE", "1000")
    press(page, texts.ASK_AGAIN)
    assert [one.question for one in page.session_state["exchanges"]] == [LAW, NEXT]


# --- assessments ------------------------------------------------------------------------------------------------------


def begun(*steps: tuple[str, str], page: AppTest | None = None) -> AppTest:
    page = page or window()
    page.session_state["handoff"] = {"checklist": "osl-10-15a", "prefill": {"date": TODAY.isoformat()}, "confirmed": True}
    opened_at(page, "assessment")
    for step, value in steps:
        answer(page, step, value, "Skäl.")
    return page


def listed() -> AppTest:
    return opened_at(window(), "assessment")


def continued() -> AppTest:
    page = listed()
    press(page, texts.SAVED_GO_ON.format(number=1))
    return page


def kept_answers(data) -> list[list[str]]:
    return [list(row["state"]["answers"]) for row in rows(data, tables.assessment)]


def test_each_answer_is_saved_and_gone_on_with_in_another_window(data):
    page = begun(("parter", "ja"), ("15a-syfte", "P4"))
    assert kept_answers(data) == [["parter", "15a-syfte"]]
    press(page, texts.SAVED_LATER)
    for said in (texts.SAVED_FOR_LATER, "1. OSL 10 kap. 15 a §", "2 av högst"):
        assert said in shown(page)
    assert "assessment" not in page.session_state
    other = continued()
    now, stands = at(other)
    assert (now.answers["parter"].reason, stands.next.id) == ("Skäl.", "15a-kapitel")
    answer(other, "15a-kapitel", "ja", "Skäl.")
    assert kept_answers(data) == [["parter", "15a-syfte", "15a-kapitel"]]


def test_somebody_elses_assessment_is_not_listed(data, signed_in):
    signed_in(ANNA)
    begun(("parter", "ja"))
    signed_in(BO)
    assert texts.SAVED_NONE in shown(listed())


def test_a_change_in_another_window_is_said_and_neither_ones_answers_are_lost(data):
    mine = begun(("parter", "ja"))
    other = continued()
    answer(other, "15a-syfte", "P1", "Den andras skäl.")
    answer(mine, "15a-syfte", "P4", "Mina skäl.")
    assert texts.SAVED_CHANGED_MEANWHILE in shown(mine)
    assert texts.SAVED_LATER not in labels(mine)
    press(mine, texts.SAVED_AS_OWN)
    reasons = {row["state"]["answers"]["15a-syfte"]["reason"] for row in rows(data, tables.assessment)}
    assert reasons == {"Den andras skäl.", "Mina skäl."}
    assert texts.SAVED_LATER in labels(mine)


def test_the_other_windows_answers_can_be_taken_up_instead(data):
    mine = begun(("parter", "ja"))
    answer(continued(), "15a-syfte", "P1", "Den andras skäl.")
    answer(mine, "15a-syfte", "P4", "Mina skäl.")
    press(mine, texts.SAVED_SHOW_OTHER)
    assert at(mine)[0].answers["15a-syfte"].reason == "Den andras skäl."
    assert texts.SAVED_CHANGED_MEANWHILE not in shown(mine)


def test_one_taken_away_in_another_window_stays_away_unless_one_says_otherwise(data):
    mine = begun(("parter", "ja"))
    other = listed()
    press(other, texts.SAVED_REMOVE_NUMBER.format(number=1))
    press(other, texts.REMOVE_FOR_GOOD)
    assert texts.SAVED_REMOVED in shown(other)
    answer(mine, "15a-syfte", "P4", "Mina skäl.")
    assert texts.SAVED_GONE in shown(mine)
    assert kept_answers(data) == []
    press(mine, texts.SAVED_AS_OWN)
    assert kept_answers(data) == [["parter", "15a-syfte"]]


def test_an_assessment_taken_away_is_gone_from_the_files(data):
    page = begun(("parter", "ja"))
    answer(page, "15a-syfte", "P4", "Ett skäl om en giraff.")
    assert "giraff" in written_under(data)
    press(page, texts.SAVED_REMOVE)
    press(page, texts.REMOVE_FOR_GOOD)
    assert "assessment" not in page.session_state
    assert "giraff" not in written_under(data)


def test_answers_stay_in_the_window_while_the_database_is_away_and_are_saved_when_it_is_back(data, monkeypatch):
    page = begun(("parter", "ja"))
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    answer(page, "15a-syfte", "P4", "Skäl.")
    assert texts.SAVED_NOT.partition("{")[0] in shown(page)
    assert texts.ASSESS_LEAVE in labels(page)
    assert list(at(page)[0].answers) == ["parter", "15a-syfte"]
    monkeypatch.delenv("DATABASE_URL")
    press(page, texts.SAVED_AGAIN)
    assert kept_answers(data) == [["parter", "15a-syfte"]]
    assert texts.SAVED_LATER in labels(page)


def test_a_name_in_the_reasons_is_stopped_before_it_is_kept(data):
    page = begun()
    answer(page, "parter", "ja", "Det gäller Anna Svensson.")
    assert texts.ASSESS_NAME in shown(page)
    assert at(page)[0].answers == {}
    assert "Svensson" not in written_under(data)


def test_a_checklist_that_reads_otherwise_by_now_is_told_in_the_list_and_when_gone_on_with(data, service):
    begun(("parter", "ja"))
    with service.database.writing() as db:
        one = assessments.listed(db, people.LOCAL.id)[0]
        assessments.save(db, one.owner, one.id, one.checklist, one.as_of, {**one.state, "version": "äldre"})
    assert texts.SAVED_CHANGED in shown(listed())
    assert texts.ASSESS_CHANGED in shown(continued())


def test_a_case_number_given_to_the_protocol_is_saved_with_the_assessment_and_the_protocol_is_in_the_audit_trail(data):
    page = begun()
    while page.radio:
        step = page.radio[0].key.removeprefix("assess_answer_")
        answer(page, step, ongoing.shown(*at(page)).answers[0].value, "Skäl.")
    page.text_input(key="assess_diary").set_value("S 2026/123").run()
    page.get("download_button")[0].click()
    page.run()
    assert [row for row in rows(data, tables.audit_event) if row["what"] == "protocol.written"]
    press(page, texts.SAVED_LATER)
    assert "dnr S 2026/123" in shown(page)
    assert "Klar: " in shown(page)


def test_pasted_answers_are_saved_too(data):
    pasted = ongoing.saved(at(begun(("parter", "ja")))[0])
    page = listed()
    page.text_area(key="assess_saved").set_value(pasted).run()
    press(page, texts.ASSESS_RESUME_BUTTON)
    assert kept_answers(data) == [["parter"], ["parter"]]


# --- the address ------------------------------------------------------------------------------------------------------


def test_an_address_with_a_checklist_begins_it_and_is_emptied(data):
    page = window(checklist="osl-10-15a")
    assert at(page)[0].checklist.id == "osl-10-15a"
    assert not page.query_params


def test_an_address_with_an_unknown_checklist_is_said_plainly_without_repeating_it(data):
    page = window(checklist=NUMBER)
    assert texts.ASSESS_NO_SUCH in shown(page)
    assert NUMBER not in shown(page)
    assert not page.query_params
    assert "assessment" not in page.session_state


# --- how long ---------------------------------------------------------------------------------------------------------


def test_how_long_things_are_kept_is_told_with_the_decision(data, service):
    with service.database.writing() as db:
        retention.set_(db, people.LOCAL, "conversations", 90, "RA-MS 2026:1")
    page = shown(opened_at(window(), "about"))
    assert "Samtal tas bort 90 dagar efter den senaste frågan, enligt gallringsbeslut RA-MS 2026:1." in page
    assert texts.KEPT_UNDECIDED["assessments"].format(name=texts.KEPT_KINDS["assessments"]) in page
    assert set(texts.KEPT_KINDS) == set(texts.KEPT_DAYS) == set(texts.KEPT_UNDECIDED) == set(retention.KINDS)


# --- the operations and the storage below -----------------------------------------------------------------------------


def _talk(db, *said: str) -> str:
    made = conversations.begin(db, "anna").id
    for text in said:
        conversations.ask(db, "anna", made, text, TODAY, uuid.uuid4().hex)
    return made


def test_a_conversation_opens_with_the_first_question_whose_words_were_kept(both):
    with both.writing() as db:
        one, refused, empty = _talk(db, "Först", "Sedan"), _talk(db, "", "Efter"), _talk(db)
        assert conversations.openings(db, [one, refused, empty]) == {one: "Först", refused: "Efter"}
        assert conversations.openings(db, []) == {}


def test_a_case_number_is_given_taken_back_and_guarded(both):
    with both.writing() as db:
        made = _talk(db, "Fråga")
        for number in ("S2026/123", ""):
            conversations.set_case(db, "anna", made, number)
            assert conversations.get(db, "anna", made).case_number == number
        with pytest.raises(NotFound):
            conversations.set_case(db, "bo", made, "S2026/124")
        with pytest.raises(NotKept):
            conversations.set_case(db, "anna", made, NUMBER)


@pytest.mark.parametrize(("text", "kind"), [(NUMBER, "personnummer"), ("Anna Svensson", "namn")])
def test_what_points_at_a_person_is_refused_with_field_and_kind_and_the_value_unsaid(service, text, kind):
    begun = operations.begin_conversation(service, ANNA)
    started = operations.start_assessment(service, ANNA, "osl-10-15a")
    for call in (lambda: operations.begin_conversation(service, ANNA, text),
                 lambda: operations.set_case_number(service, ANNA, begun.id, text),
                 lambda: operations.start_assessment(service, ANNA, "osl-10-15a", case_number=text),
                 lambda: operations.answer_step(service, ANNA, started.id, "parter", "ja", text)):
        with pytest.raises(PersonalData) as stopped:
            call()
        assert stopped.value.kind == kind
        assert text not in str(stopped.value)
