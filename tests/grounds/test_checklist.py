# ruff: noqa: E501
"""Every path of every checklist; what is asked again when an answer changes; and every mistake the loader stops."""

import json
import shutil
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.grounds.case import Case
from assistant.grounds.checklist import (
    GIVING,
    OUTCOMES,
    STEPS,
    VET_INTE,
    Answered,
    ChecklistError,
    Reply,
    answer,
    basis,
    checklist,
    checklist_id,
    for_ground,
    load_steps,
    provning,
    resume,
    save,
    shipped_steps,
    state,
    with_proposals,
)
from assistant.grounds.find import find
from assistant.grounds.load import LawError, shipped

ON = date(2026, 2, 1)
WEIGHED = ["osl-10-15a", "osl-10-27", "luffa-2", "luffa-4", "lub-4", "lub-5", "lub-6", "lub-7", "2016-774-2", "sfb-110-31", "ptl-4a-3", "osl-35-10c", "osl-35-10e", "osl-18-4a", "osl-15-3a", "osl-15-3b", "osl-15-3c", "osl-10-5c", "skoll-6a-10"]
NOTHING_TO_ASSESS = {"none", "som_tidigare", "enligt_sarskild_foreskrift", "regeringsbeslut"}
LIBRARY = shipped_steps()
ALL = [(name, on) for name in LIBRARY.ids for on in sorted({max(ON, r.valid_from) for r in LIBRARY.by_id[name] if r.valid_to > max(ON, r.valid_from)})]


def paths(made):
    """Every way through, one for each place an answer leads."""
    stack = [((), made.steps[0])]
    while stack:
        before, step = stack.pop()
        assert step not in [one for one, _ in before], "a loop"
        for choice in {one.to: one for one in reversed(step.answers)}.values():
            path = (*before, (step, choice))
            if choice.to in OUTCOMES:
                yield path
            else:
                stack.append((path, made.step(choice.to)))


def replies(path):
    """The answers that make a path."""
    done = ()
    for step, choice in path:
        done = (*done, Answered(step, Reply(choice.value, "Skälen är dessa.", basis(step, done))))
    return {one.step.id: one.reply for one in done}


def onward(made, wanted=(), until=""):
    """Answers straight through: those wanted, else the first that goes on along the main line."""
    given, wanted = {}, dict(wanted)
    while (step := state(made, given).next) and step.id != until:
        going = [one.value for one in step.answers if one.to not in OUTCOMES and not made.step(one.to).detour]
        given = answer(made, given, step.id, wanted.get(step.id) or (going or [one.value for one in step.answers])[0], "Skälen är dessa.")
    return given


@pytest.fixture(scope="module")
def femton_a():
    return checklist("osl-10-15a", ON)


# --- which checklists there are


def test_every_ground_with_an_interest_assessment_has_a_checklist():
    assert sorted(WEIGHED) == sorted(name for name in LIBRARY.ids if any(LIBRARY.law.tests[r.test].weighs for r in LIBRARY.by_id[name]))
    assert list(LIBRARY.ids[: len(WEIGHED)]) == sorted(WEIGHED)


def test_every_test_where_something_is_judged_is_asked():
    assert set(LIBRARY.tests) == set(LIBRARY.law.tests) - NOTHING_TO_ASSESS


def test_ids_are_those_the_chat_hands_over_with():
    assert {ref: checklist_id(ref) for ref in ("SFS 2009:400 10 kap. 15 a §", "SFS 2025:170 5 §", "SFS 2016:774 2 §")} == {
        "SFS 2009:400 10 kap. 15 a §": "osl-10-15a", "SFS 2025:170 5 §": "lub-5", "SFS 2016:774 2 §": "2016-774-2"}
    assert checklist_id("seed:004") == "seed:004"


def test_no_checklist_says_why():
    with pytest.raises(ChecklistError, match="ingen checklista «sol-15-4»"):
        checklist("sol-15-4", ON)
    with pytest.raises(ChecklistError, match="10 kap. 15 a § finns här i lydelsen från 2025-12-01; pröva en annan grund"):
        checklist("osl-10-15a", date(2025, 11, 30))
    with pytest.raises(ChecklistError, match="den äldre lydelsen finns inte här; fråga en jurist"):
        checklist("sfb-110-31", date(2025, 11, 30))
    with pytest.raises(ChecklistError, match="24 kap. 8 a § hade upphört"):
        checklist("osl-24-8a", date(2026, 7, 1))


def test_the_day_picks_the_wording():
    assert checklist("skoll-6a-10", date(2026, 6, 30)).rules == ("skoll-6a-10-2025",)
    assert checklist("skoll-6a-10", date(2026, 7, 1)).rules == ("skoll-6a-10-2026",)
    stop = "15 kap. 1 b §"
    told = {on: " ".join(checklist("lub-4", on).step("stopp").points) for on in (date(2025, 12, 31), date(2026, 1, 1))}
    assert stop not in told[date(2025, 12, 31)]
    assert stop in told[date(2026, 1, 1)]


def test_a_ground_the_finder_lists_leads_to_its_checklist():
    law = shipped()
    case = {"date": "2026-02-01", "sender_actor": "kommun", "recipient_actor": "Polismyndigheten", "sender_osl": True, "recipient_kind": "myndighet",
            "datum_public": False, "secrecy": ["26:1"], "purpose_code": "P1", "mode": "own", "facts": {"alder": 17, "konkreta_omstandigheter": True}}
    grounds = find(Case.from_json(case, law), law).available
    made = [for_ground(ground, ON) for ground in grounds]
    assert [one.id for one in made[:2]] == ["osl-10-18a", "osl-10-15a"]
    assert for_ground(replace(grounds[0], test="none"), ON) is None


# --- all paths


@pytest.mark.parametrize(("name", "on"), ALL, ids=lambda value: str(value))
def test_every_path_ends_in_an_outcome_and_every_step_is_reached(name, on):
    made = checklist(name, on)
    seen = set()
    for path in paths(made):
        seen |= {step.id for step, _ in path}
        now = state(made, replies(path))
        assert now.next is None
        assert [one.step for one in now.path] == [step for step, _ in path]
        assert now.outcome.code in (path[-1][1].to, "behover_mer")
        assert now.outcome.title
        assert now.outcome.do
        assert now.outcome.because or now.outcome.fetch
    assert seen == {step.id for step in made.steps}


@pytest.mark.parametrize(("name", "on"), ALL, ids=lambda value: str(value))
def test_nothing_is_given_before_everything_was_asked(name, on):
    made = checklist(name, on)
    assert {code for path in paths(made) if (code := path[-1][1].to) in GIVING} == {"ska_lamnas" if made.kind == "duty" else "kan_lamnas"}
    for path in paths(made):
        if path[-1][1].to in GIVING:
            assert {topic for step, _ in path for topic in step.covers} == set(LIBRARY.topics)


@pytest.mark.parametrize(("name", "on"), ALL, ids=lambda value: str(value))
def test_vet_inte_can_be_answered_everywhere_but_where_it_would_mean_nothing(name, on):
    for step in checklist(name, on).steps:
        assert (step.choice(VET_INTE) is None) == step.certain
        for choice in step.answers:
            assert choice.to not in GIVING or choice.value != VET_INTE
    assert {step.id for step in checklist("lub-7", ON).steps if step.certain} == {
        "oppna-fragor-jurist", "omfattning-jurist", "skyddade-jurist", "slutsats-ska-inte"}


@pytest.mark.parametrize(("name", "on"), ALL, ids=lambda value: str(value))
def test_where_the_person_judges_the_reasons_are_asked_for(name, on):
    made = checklist(name, on)
    for step in made.steps:
        if step.part in ("Bedömningen", "Slutsatsen") and step.id != "lub7-stycke":
            assert step.reason
            assert step.write
        assert step.question.endswith("?")
        assert "{" not in step.question + step.help + step.direction + "".join(one.text + one.because + one.fetch for one in step.answers)
    if made.weighs:
        weighing = made.step(provning(made.directions[0].test))
        assert weighing.direction
        assert weighing.strength
        assert weighing.points_label == "Vägledning om vad som kan vägas, inte lagtext"


# --- which way each test points


@pytest.mark.parametrize(("name", "gives", "closes"), [
    ("osl-10-15a", ["lamna_tyngre", "jamnt"], ["sekretess_tyngre"]),
    ("luffa-2", ["lamna_tyngre", "jamnt"], ["sekretess_tyngre"]),
    ("skoll-6a-10", ["lamna_tyngre", "jamnt"], ["emot_tyngre"]),
    ("lub-5", ["lamna_tyngre", "jamnt", "inte_klart"], ["klart"]),
    ("sfb-110-31", ["lamna_tyngre", "jamnt", "inte_synnerliga"], ["synnerliga"]),
    ("osl-35-10c", ["lamna_tyngre"], ["jamnt", "sekretess_tyngre"]),
    ("osl-10-27", ["uppenbart"], ["inte_uppenbart", "jamnt", "sekretess_tyngre"]),
    ("osl-10-18a", ["ja"], ["nej"]),
    ("osl-26-9e", ["nej"], ["ja"]),
    ("sfl-42a-1", ["nej"], ["ja"]),
])  # fmt: skip
def test_the_conclusion_follows_from_the_test(name, gives, closes):
    made = checklist(name, ON)
    step = made.step(provning(made.directions[0].test))
    to = {one.value: one.to for one in step.answers if one.value != VET_INTE}
    assert [value for value, target in to.items() if target.endswith("-lamna")] == gives
    assert [value for value, target in to.items() if target.endswith("-inte")] == closes


def test_the_page_says_which_way_and_how_strongly(femton_a):
    step = femton_a.step(provning("overvagande_skal_mot"))
    assert "Utgångsläget är att uppgiften får lämnas" in step.direction
    assert "Väger det jämnt får uppgiften lämnas" in step.strength
    assert "ska lämnas" in checklist("luffa-2", ON).step(provning("overvagande_skal_mot")).direction
    assert "uppenbart" in checklist("osl-10-27", ON).step(provning("uppenbart_for")).direction


def test_a_rector_is_asked_the_test_of_the_right_stycke():
    made = checklist("lub-7", ON)
    asked = {value: state(made, onward(made, {"lub7-stycke": value}, provning("x"))).path for value in ("begaran", "eget")}
    assert provning("overvagande_skal_mot") in [one.step.id for one in asked["begaran"]]
    assert provning("overvagande_skal_mot_allm") in [one.step.id for one in asked["eget"]]
    assert len(made.directions) == 2


# --- outcomes


def test_the_person_reaches_a_permission_and_a_duty(femton_a):
    done = state(femton_a, onward(femton_a))
    assert (done.outcome.code, done.left, done.progress) == ("kan_lamnas", 0, (len(done.path), len(done.path)))
    duty = checklist("luffa-2", ON)
    assert state(duty, onward(duty)).outcome.code == "ska_lamnas"


def test_a_permission_may_be_declined_a_duty_may_not(femton_a):
    assert state(femton_a, onward(femton_a, {"slutsats-far-lamna": "avsta"})).outcome.code == "lamnas_inte"
    duty = checklist("luffa-2", ON)
    assert state(duty, onward(duty, {"slutsats-ska-lamna": "avsta"})).outcome.code == "jurist"


def test_giving_against_the_test_goes_to_a_lawyer(femton_a):
    against = {provning("overvagande_skal_mot"): "sekretess_tyngre"}
    assert state(femton_a, onward(femton_a, against)).outcome.code == "lamnas_inte"
    assert state(femton_a, onward(femton_a, {**against, "slutsats-far-inte": "nej"})).outcome.code == "jurist"


@pytest.mark.parametrize(("step", "value", "code", "said"), [
    ("parter", "nej", "lamnas_inte", "omfattas inte"),
    ("15a-syfte", "inget", "lamnas_inte", "inte något av de fem"),
    ("15a-syfte", "vet_inte", "behover_mer", "vad mottagaren ska använda"),
    ("15a-kapitel", "nej", "lamnas_inte", "kräver en egen grund"),
    ("stopp", "avtal", "jurist", "Avtalet"),
    ("undantag", "ja", "lamnas_inte", "undantagen"),
    ("sekretess", "vet_inte", "behover_mer", "vilken sekretess"),
    ("behov", "nej", "lamnas_inte", "behöver inte"),
    ("minimering", "mindre", "behover_mer", "Ta bort"),
    ("dataskydd", "vet_inte", "jurist", "dataskyddsreglerna"),
    ("registerforfattning", "ja", "jurist", "registerförfattning"),
    ("provning-overvagande_skal_mot", "vet_inte", "jurist", "väger tyngst"),
])  # fmt: skip
def test_a_hard_answer_stops_at_once(femton_a, step, value, code, said):
    done = state(femton_a, onward(femton_a, {step: value}))
    assert done.path[-1].step.id == step
    assert done.outcome.code == code
    assert said in " ".join((*done.outcome.because, *done.outcome.fetch))


@pytest.mark.parametrize(("step", "value", "lawyer"), [
    ("oppna-fragor", "ja", "oppna-fragor-jurist"), ("oppna-fragor", "vet_inte", "oppna-fragor-jurist"),
    ("omfattning", "nej", "omfattning-jurist"), ("skyddade", "ja", "skyddade-jurist")])  # fmt: skip
def test_open_questions_mass_disclosure_and_protected_data_need_a_lawyer_first(femton_a, step, value, lawyer):
    given = answer(femton_a, onward(femton_a, until=step), step, value)
    assert state(femton_a, given).next.id == lawyer
    assert state(femton_a, answer(femton_a, given, lawyer, "nej")).outcome.code == "jurist"
    with pytest.raises(ChecklistError, match="skriv skälen"):
        answer(femton_a, given, lawyer, "ja")
    assert not state(femton_a, answer(femton_a, given, lawyer, "ja", "Juristen har bedömt frågan.")).next.detour


def test_what_is_not_known_waits_and_is_listed(femton_a):
    unknown = {"minimering": "vet_inte", "palitlighet": "vet_inte", "mottagarens-sekretess": "vet_inte", "dokumentation": "nej"}
    done = state(femton_a, onward(femton_a, unknown))
    assert done.outcome.code == "behover_mer"
    assert len(done.outcome.fetch) == 4
    assert done.fetch == done.outcome.fetch
    assert done.outcome.because == ()
    refused = state(femton_a, onward(femton_a, {**unknown, provning("overvagande_skal_mot"): "sekretess_tyngre"}))
    assert refused.outcome.code == "behover_mer"
    stopped = state(femton_a, onward(femton_a, {**unknown, "dataskydd": "nej"}))
    assert stopped.outcome.code == "jurist"
    unsure = state(femton_a, onward(femton_a, {**unknown, "slutsats-far-lamna": "vet_inte"}))
    assert unsure.outcome.code == "jurist"


@pytest.mark.parametrize(("strength", "harm", "value", "code"), [
    ("rakt", "skada-rakt", "nej", "kan_lamnas"), ("omvant", "skada-omvant", "ja", "kan_lamnas"),
    ("rakt", "skada-rakt", "ja", None), ("omvant", "skada-omvant", "nej", None), ("omvant", "skada-omvant", "vet_inte", None)])  # fmt: skip
def test_a_datum_that_is_not_secret_to_the_recipient_needs_no_weighing(femton_a, strength, harm, value, code):
    given = answer(femton_a, onward(femton_a, until="sekretess"), "sekretess", strength, "28 kap. 1 §")
    given = answer(femton_a, given, harm, value, "Så här är det.")
    now = state(femton_a, given)
    assert now.next.id == ("inte-hemlig-far" if code else "behov")
    if code:
        assert state(femton_a, answer(femton_a, given, now.next.id, "ja", "Genomgånget.")).outcome.code == code


def test_a_duty_applies_to_what_is_not_secret():
    made = checklist("lub-5", ON)
    given = answer(made, onward(made, until="sekretess"), "sekretess", "rakt", "28 kap. 1 §")
    given = answer(made, answer(made, given, "skada-rakt", "nej", "Ingen skada."), "inte-hemlig-ska", "ja", "Genomgånget.")
    assert state(made, given).outcome.code == "ska_lamnas"


def test_a_doubt_about_harm_with_a_straight_harm_test_must_be_settled(femton_a):
    given = answer(femton_a, onward(femton_a, until="sekretess"), "sekretess", "rakt", "28 kap. 1 §")
    now = state(femton_a, answer(femton_a, given, "skada-rakt", "vet_inte", "Oklart."))
    assert now.next.id == "behov"
    assert "vad det får för följder" in now.fetch[0]


# --- going back


def dependents(made, changed):
    """The steps that rest on an answer, directly or through others."""
    found = {changed}
    for step in made.steps:
        if found & set(step.depends_on):
            found.add(step.id)
    return found - {changed}


@pytest.mark.parametrize("name", ["osl-10-15a", "lub-7", "sfb-110-31", "osl-10-18a", "fol-32c"])
def test_changing_one_answer_asks_again_only_what_rests_on_it(name):
    made = checklist(name, ON)
    given = onward(made)
    before = {one.step.id for one in state(made, given).path}
    for one in state(made, given).path:
        for choice in one.step.answers:
            changed = answer(made, given, one.step.id, choice.value, "Nya skäl.")
            asked = set()
            while (step := state(made, changed).next) is not None:
                asked.add(step.id)
                changed = answer(made, changed, step.id, next(iter(step.answers)).value, "Igen.")
            if choice.value == one.reply.value:
                assert not asked
            new = {step.id for step in made.steps} - before
            assert asked <= dependents(made, one.step.id) | new
            for kept in state(made, changed).path:
                if kept.step.id not in asked and kept.step.id != one.step.id:
                    assert kept.reply == given[kept.step.id]


def test_answers_that_fell_away_are_kept_aside_and_come_back(femton_a):
    given = onward(femton_a, {"sekretess": "absolut"})
    changed = answer(femton_a, given, "behov", "nej", "Behövs inte.")
    now = state(femton_a, changed)
    assert now.outcome.code == "lamnas_inte"
    assert "dataskydd" in dict(now.aside)
    again = state(femton_a, answer(femton_a, changed, "behov", "ja", "Behövs ändå."))
    assert (again.outcome.code, again.aside) == ("kan_lamnas", ())


def test_a_weighing_rests_on_what_was_said_before(femton_a):
    weighing = provning("overvagande_skal_mot")
    given = answer(femton_a, onward(femton_a), "palitlighet", "osaker", "Gammal uppgift.")
    now = state(femton_a, given)
    assert now.next.id == weighing
    assert now.problem == "Ett svar som det här vilar på har ändrats. Ta ställning på nytt."
    assert dict(now.aside)[weighing].reason == "Skälen är dessa."
    back = state(femton_a, answer(femton_a, given, "palitlighet", "ja"))
    assert back.outcome.code == "kan_lamnas"
    assert "palitlighet=ja" in onward(femton_a)[weighing].basis


def test_new_reasons_alone_ask_nothing_again(femton_a):
    given = onward(femton_a)
    assert state(femton_a, answer(femton_a, given, "behov", "ja", "Bättre skäl.")).outcome.code == "kan_lamnas"


def test_the_outcome_is_a_function_of_the_answers(femton_a):
    given = onward(femton_a)
    assert state(femton_a, dict(reversed(given.items()))) == state(femton_a, given)


def test_answers_that_can_not_be_given(femton_a):
    with pytest.raises(ChecklistError, match="inget steg «x»"):
        answer(femton_a, {}, "x", "ja")
    with pytest.raises(ChecklistError, match="inte framme än"):
        answer(femton_a, {}, "behov", "ja", "Skäl.")
    with pytest.raises(ChecklistError, match="inget svar på steget"):
        answer(femton_a, {}, "parter", "kanske")
    with pytest.raises(ChecklistError, match="skriv skälen"):
        answer(femton_a, onward(femton_a, until="15a-syfte"), "15a-syfte", "P1", "  ")
    with pytest.raises(ChecklistError, match="inte framme än"):
        answer(femton_a, answer(femton_a, {}, "parter", "nej"), "behov", "ja", "Skäl.")


def test_answers_stored_elsewhere_are_checked_again(femton_a):
    start = {"parter": Reply("ja")}
    assert state(femton_a, {"parter": Reply("finns_ej")}).problem == "Svaret finns inte längre i checklistan. Svara på nytt."
    assert state(femton_a, {**start, "15a-syfte": Reply("P1")}).problem == "Skriv skälen till svaret."
    assert state(femton_a, start).problem == ""
    assert dict(state(femton_a, {**start, "okant": Reply("ja")}).aside) == {"okant": Reply("ja")}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(["osl-10-15a", "lub-7", "lub-4", "osl-10-18a"]))
def test_any_answers_lead_forward_and_the_way_left_grows_shorter(data, name):
    made = checklist(name, ON)
    given, left = {}, 99
    while (now := state(made, given)).next is not None:
        assert now.left < left
        assert now.outcome is None
        left = now.left
        given = answer(made, given, now.next.id, data.draw(st.sampled_from([one.value for one in now.next.answers])), "Skäl.")
    assert now.outcome.code in OUTCOMES


# --- proposals


PREFILL = {"date": "2026-02-01", "sender_actor": "Försäkringskassan", "recipient_actor": "Skatteverket", "purpose_code": "P4", "mode": "own",
           "facts": {"massutlamnande": False}}  # fmt: skip


def test_what_the_question_said_is_proposed_and_never_answered(femton_a):
    now = with_proposals(state(femton_a, {}), PREFILL)
    assert (now.proposal("15a-syfte").value, now.proposal("omfattning").value) == ("P4", "ja")
    assert now.proposal("parter").reason == "Försäkringskassan lämnar till Skatteverket."
    assert now.proposal("parter").value == ""
    assert now.path == ()
    assert now.next.id == "parter"


def test_a_proposal_never_touches_an_answer_and_a_blank_says_nothing(femton_a):
    given = answer(femton_a, answer(femton_a, {}, "parter", "ja", "Mina egna ord."), "15a-syfte", "P2", "Mina skäl.")
    now = with_proposals(state(femton_a, given), PREFILL)
    assert now.proposal("15a-syfte") is None
    assert now.path[1].reply.value == "P2"
    back = answer(femton_a, given, "parter", "nej")
    assert with_proposals(state(femton_a, back), PREFILL).proposal("15a-syfte") is None
    blank = with_proposals(state(femton_a, {}), {"purpose_code": "", "sender_actor": None, "recipient_actor": "", "facts": None, "mode": "okänt"})
    assert blank.proposals == ()
    assert with_proposals(state(femton_a, {}), {"sender_actor": "Försäkringskassan"}).proposals == ()


def test_secrecy_and_the_weighing_are_never_proposed():
    everything = {**PREFILL, "secrecy": ["28:1"], "sekretess": "rakt", "facts": dict.fromkeys(shipped().facts, True)}
    for name, on in ALL:
        made = checklist(name, on)
        proposed = {step_id for step_id, _ in with_proposals(state(made, {}), everything).proposals}
        assert not {step.id for step in made.steps if step.part in ("Sekretessen", "Bedömningen", "Slutsatsen")} & proposed - {"lub7-stycke"}


def test_the_mode_is_proposed_where_the_law_asks_for_it():
    assert with_proposals(state(checklist("lub-7", ON), {}), {"mode": "own"}).proposal("lub7-stycke").value == "eget"
    assert with_proposals(state(checklist("lub-4", ON), {}), {"mode": "request"}).proposal("begaran").value == "ja"


# --- save and resume


def test_saved_answers_come_back(femton_a):
    given = onward(femton_a, until="barn")
    found, answers, changed = resume(save(femton_a, given))
    assert (found, answers, changed) == (femton_a, given, False)
    assert state(found, answers) == state(femton_a, given)


def test_a_checklist_that_has_changed_says_so(femton_a):
    data = json.loads(save(femton_a, onward(femton_a)))
    _, _, changed = resume(json.dumps({**data, "version": "0" * 16}))
    assert changed


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"answers": []}', '{"checklist": "osl-10-15a", "on": "i dag", "answers": {}}',
                                  '{"checklist": "osl-10-15a", "on": "2026-02-01", "version": "x", "answers": {"parter": {"svar": "ja"}}}'])  # fmt: skip
def test_what_was_never_saved_here_is_refused(text):
    with pytest.raises(ChecklistError, match="går inte att läsa"):
        resume(text)


def test_a_saved_checklist_that_is_gone_says_which():
    with pytest.raises(ChecklistError, match="ingen checklista «borta»"):
        resume('{"checklist": "borta", "on": "2026-02-01", "version": "x", "answers": {}}')


def test_the_version_names_the_wording_not_the_day():
    assert checklist("luffa-2", ON).version == checklist("luffa-2", date(2026, 3, 1)).version
    assert len({checklist(name, ON).version for name in WEIGHED}) == len(WEIGHED)


def test_the_way_out_in_an_emergency_is_always_there(femton_a):
    assert any("112" in line for line in femton_a.emergency)
    assert any("SoL 19 kap. 1 §" in line for line in femton_a.emergency)


# --- the loader


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(STEPS, tmp_path / "steps")
    return tmp_path / "steps"


BEHOV = "because: \"Mottagaren behöver inte uppgiften för ändamålet.\"}"


@pytest.mark.parametrize(("name", "old", "new", "said"), [
    ("checklistor.yaml", "parts: [", "delar: [", "checklistor.yaml:1: filen ska ha fälten"),
    ("checklistor.yaml", "general: [parter, villkor]", "general: [parter, vilkor]", r"checklistor.yaml:\d+: okänt steg «vilkor»"),
    ("checklistor.yaml", "[parter, 15a-syfte, 15a-kapitel]", "[parter, 15a-syfte]", r"villkor.yaml:\d+: steget 15a-kapitel används inte"),
    ("checklistor.yaml", "omfattning-jurist, utomstaende", "utomstaende", r"gemensamma.yaml:\d+: svaret «nej» på omfattning leder till omfattning-jurist, som inte finns"),
    ("checklistor.yaml", "  steps: [villkor, stopp, undantag, oppna-fragor, oppna-fragor-jurist, sekretess, skada-rakt", "  steps: [oppna-fragor-jurist, villkor, stopp, undantag, oppna-fragor, sekretess, skada-rakt", r"gemensamma.yaml:\d+: .* går runt|inget svar leder"),
    ("checklistor.yaml", "{id: osl-18-4a,", "{id: osl-18-4b,", r"villkor.yaml:\d+: steget 184a-radiotillstand används inte|osl-18-4b har ingen regel"),
    ("checklistor.yaml", "- {id: lub-5,", "- {id: lub-99, conditions: [parter]}\n- {id: lub-5,", "grunden lub-99 har ingen regel med ett prov"),
    ("checklistor.yaml", ", assessments: [lub7-stycke, provning-overvagande_skal_mot, provning-overvagande_skal_mot_allm]", "", "lub-7 har flera prov och behöver assessments"),
    ("checklistor.yaml", "- code: kan_lamnas", "- code: kanske", "outcomes ska vara kan_lamnas"),
    ("provningar.yaml", "- code: kan_antas", "- code: kan_gissas", r"provningar.yaml:\d+: okänt prov «kan_gissas»"),
    ("provningar.yaml", "- {value: jamnt, text: \"Nej, skälen väger ungefär lika\", to: lamna}", "- {value: jamnt, text: \"Nej, skälen väger ungefär lika\", to: inte}", "följer inte provets riktning"),
    ("provningar.yaml", "- {value: jamnt, text: \"Nej, skälen väger ungefär lika\", to: inte}", "- {value: jamnt, text: \"Nej, skälen väger ungefär lika\", to: lamna}", "följer inte provets riktning .for."),
    ("provningar.yaml", "- {value: ja, text: \"Ja, båda\", to: lamna}", "- {value: ja, text: \"Ja, båda\", to: jurist, because: \"Därför.\"}", "följer inte provets riktning|inget svar leder"),
    ("gemensamma.yaml", "- {value: nej, text: \"Nej\", to: lamnas_inte, " + BEHOV, "- {value: nej, text: \"Nej\", to: borta}", r"gemensamma.yaml:\d+: svaret «nej» på behov leder till borta"),
    ("gemensamma.yaml", "- {value: nej, text: \"Nej\", to: lamnas_inte, " + BEHOV, "- {value: nej, text: \"Nej\", to: lamnas_inte}", "slutar utan because"),
    ("gemensamma.yaml", "- {value: nej, text: \"Nej\", to: lamnas_inte, " + BEHOV, "- {value: nej, text: \"Nej\", to: parter}", "behov går runt|går runt: behov → parter"),
    ("gemensamma.yaml", "- {value: nej, text: \"Nej\", to: lamnas_inte, " + BEHOV, "- {value: ja, text: \"Nej\"}", "minst två svar, alla olika"),
    ("gemensamma.yaml", "covers: [minimering]", "covers: []", "kan sluta i .*_lamnas utan minimering"),
    ("gemensamma.yaml", "covers: [minimering]", "covers: [minimal]", "okänt ämne «minimal»"),
    ("gemensamma.yaml", "depends_on: [omfattning]", "depends_on: [omfang]", "omfattning-jurist vilar på «omfang», som inte finns"),
    ("gemensamma.yaml", "depends_on: [omfattning]", "depends_on: [dokumentation]", "går runt: omfattning-jurist → dokumentation"),
    ("gemensamma.yaml", "part: Mottagaren", "part: Någon annan", "okänd del «Någon annan»"),
    ("gemensamma.yaml", "lagrum: [SFS 2017:900 27 §, ", "lagrum: [FL 27 §, ", "«FL 27 §» är inget lagrum"),
    ("gemensamma.yaml", "- id: barn", "- id: behov", "steget behov står två gånger"),
    ("gemensamma.yaml", "  certain: true\n  write: Skriv vad juristen", "  write: Skriv vad juristen", "ska ha svaret vet_inte, eller vara märkt certain"),
    ("gemensamma.yaml", "  reason: true\n  write: Skriv varje", "  proposal: secrecy\n  reason: true\n  write: Skriv varje", "får inte ha förslag"),
    ("gemensamma.yaml", "  part: Dokumentation\n", "", r"gemensamma.yaml:\d+: fältet «part» saknas i Step"),
    ("gemensamma.yaml", "  detour: true\n  question: Har hotbild", "  detour: true\n  smak: god\n  question: Har hotbild", r"gemensamma.yaml:\d+: okänt fält «smak» i Step"),
])  # fmt: skip
def test_a_mistake_in_the_steps_stops_with_file_line_and_reason(folder, name, old, new, said):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LawError, match=said):
        load_steps(shipped(), folder)


def test_a_step_no_answer_leads_to_is_found(folder):
    path = folder / "gemensamma.yaml"
    text = path.read_text(encoding="utf-8").replace('text: "Ja", to: skyddade-jurist}', 'text: "Ja", to: jurist, because: "Skyddad."}')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LawError, match=r"gemensamma.yaml:\d+: inget svar leder till skyddade-jurist i 2016-774-2"):
        load_steps(shipped(), folder)


def test_an_answer_with_nothing_after_it_is_found(folder):
    path = folder / "gemensamma.yaml"
    text = path.read_text(encoding="utf-8").replace('to: lamnas_inte, because: "Prövningen hindrar inte, men du har valt att uppgiften inte ska lämnas."}', 'fetch: "Mer."}')
    path.write_text(text, encoding="utf-8")
    order = folder / "checklistor.yaml"
    order.write_text(order.read_text(encoding="utf-8").replace('"slutsats-{slag}-lamna", "slutsats-{slag}-inte"]', '"slutsats-{slag}-inte", "slutsats-{slag}-lamna"]'), encoding="utf-8")
    with pytest.raises(LawError, match="leder till ingenting"):
        load_steps(shipped(), folder)


def test_a_file_that_is_not_a_list_of_fields_is_refused(folder):
    (folder / "checklistor.yaml").write_text("- ett\n", encoding="utf-8")
    with pytest.raises(LawError, match="checklistor.yaml:1"):
        load_steps(shipped(), folder)
