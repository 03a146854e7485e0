# ruff: noqa: E501
"""The law, case by case: one row a rule, a date, a fact or a way of combining them."""

from datetime import date

import pytest

from assistant.grounds.case import Case
from assistant.grounds.find import find
from assistant.grounds.load import shipped


def finding(sender, recipient, secrecy, purpose, mode="own", day="2026-02-01", facts=None, **more):
    law = shipped()
    case = {"date": day, "sender_actor": sender, "recipient_actor": recipient, "secrecy": secrecy, "purpose_code": purpose, "mode": mode}
    return find(Case.from_json(case | {"facts": facts or {}, "datum_public": False} | more, law), law).to_json()


def open_grounds(found):
    return [g["provision"] for g in found["available"]]


def asked(found):
    return [m["field"] for m in found["missing"]]


SOC, POL, FK, SKV = "kommun", "Polismyndigheten", "Försäkringskassan", "Skatteverket"
OUTCOMES = [
    # who → whom, secrecy, purpose, mode, date, facts → outcome, first ground
    ("vuxen på väg in i brott", SOC, POL, ["26:1"], "P1", "own", "2026-02-01", {"alder": 34}, "PERMITTED_AFTER_INTEREST_TEST", "OSL 10 kap. 15 a § första stycket 1"),
    ("dagen före 15 a §", SOC, POL, ["26:1"], "P1", "own", "2025-11-30", {"alder": 34}, "BLOCKED", None),
    ("SiS är inte socialnämnd", "Statens institutionsstyrelse", "Centrala studiestödsnämnden", ["26:1"], "P3", "request", "2026-02-01", {"utbetalt_bistand": True}, "PERMITTED_AFTER_INTEREST_TEST", "OSL 10 kap. 15 a § första stycket 3"),
    ("lindrigt brott mot vuxen", "region", POL, ["25:1"], "P2", "own", "2026-02-01", {"minimistraff_manader": 5}, "BLOCKED", None),
    ("sexualbrott mot barn", "region", POL, ["25:1"], "P2", "own", "2026-02-01", {"malsagande_alder": 17, "brott_kapitel": "BrB 6"}, "PERMITTED_NO_INTEREST_TEST", "OSL 10 kap. 21 §"),
    ("könsstympning", "region", POL, ["25:1"], "P2", "own", "2026-02-01", {"malsagande_alder": 9, "konsstympning": True}, "PERMITTED_NO_INTEREST_TEST", "OSL 10 kap. 21 §"),
    ("målsäganden har fyllt 18", "region", POL, ["25:1"], "P2", "own", "2026-02-01", {"malsagande_alder": 18, "brott_kapitel": "BrB 6", "minimistraff_manader": 0}, "BLOCKED", None),
    ("försök kräver ett år", "region", POL, ["25:1"], "P2", "own", "2026-02-01", {"forsok_forberedelse_stampling": True, "minimistraff_manader": 11}, "BLOCKED", None),
    ("försök till grovt brott", "region", POL, ["25:1"], "P2", "own", "2026-02-01", {"forsok_forberedelse_stampling": True, "minimistraff_manader": 12}, "PERMITTED_NO_INTEREST_TEST", "OSL 10 kap. 23 § 2"),
    ("15 a § 2 mot 23 §", SOC, POL, ["26:1"], "P2", "own", "2026-02-01", {"minimistraff_manader": 0}, "LEGAL_REVIEW", None),
    ("våld mot närstående", "region", POL, ["25:1"], "P1", "own", "2026-02-01", {"narstaende": True, "konkreta_omstandigheter": True, "brott_kapitel": "BrB 3", "minimistraff_manader": 12}, "PERMITTED_NO_INTEREST_TEST", "OSL 10 kap. 18 c §"),
    ("terrorrisk", "region", "Säkerhetspolisen", ["25:1"], "P1", "own", "2026-02-01", {"terrorbrott": True, "konkreta_omstandigheter": True}, "PERMITTED_NO_INTEREST_TEST", "OSL 10 kap. 18 b §"),
    ("rektor självmant", SOC, POL, ["23:2"], "P1", "own", "2026-02-01", {"school": True}, "DUTY_WITH_INTEREST_TEST", "LUB 7 § andra stycket"),
    ("Kronofogden efter 2026-01-15", "Kronofogdemyndigheten", "socialnämnd", ["34:1"], "oro_barn", "own", "2026-01-15", {}, "DUTY_NO_INTEREST_TEST", "SoL 19 kap. 1 §"),
    ("ej uppräknad, rör barn", "Bolagsverket", "socialnämnd", ["30:23"], "oro_barn", "own", "2026-02-01", {"verksamhet_ror_barn": True}, "DUTY_NO_INTEREST_TEST", "SoL 19 kap. 1 §"),
    ("ej uppräknad, rör inte barn", "Bolagsverket", "socialnämnd", ["30:23"], "oro_barn", "own", "2026-02-01", {"verksamhet_ror_barn": False}, "ONLY_GENERAL_CLAUSE", "OSL 10 kap. 27 §"),
    ("polisens orosanmälan bryter även 18 kap.", POL, "socialnämnd", ["35:1", "18:1"], "oro_barn", "own", "2026-02-01", {}, "DUTY_NO_INTEREST_TEST", "SoL 19 kap. 1 §"),
    ("orosanmälan till kommunen", POL, SOC, ["35:1"], "oro_barn", "own", "2026-02-01", {}, "DUTY_NO_INTEREST_TEST", "SoL 19 kap. 1 §"),
    ("familjerådgivare misstänker", SOC, "socialnämnd", ["26:3"], "oro_barn", "own", "2026-02-01", {"niva": "misstanke"}, "BLOCKED", None),
    ("friskolas orosanmälan", "friskola", "socialnämnd", [], "oro_barn", "own", "2026-02-01", {}, "DUTY_NO_INTEREST_TEST", "SoL 19 kap. 1 §"),
    ("privat vårdgivare tipsar polisen", "privat vårdgivare", POL, [], "P2", "own", "2026-02-01", {}, "NOT_AUTHORITY_SENDER", None),
    ("privat vårdgivare, kontaktuppgifter", "privat vårdgivare", POL, ["PSL 6:12"], "P2", "request", "2026-02-01", {"contact_data": True}, "DUTY_WITH_INTEREST_TEST", "LUB 4 §"),
    ("privat hyresvärd", SOC, "privat bolag", ["26:1"], "P5", "own", "2026-02-01", {}, "NOT_AUTHORITY_RECIPIENT", "OSL 12 kap. 2–3 §§"),
    ("samtycke till privat", SOC, "privat bolag", ["26:1"], "P5", "own", "2026-02-01", {"samtycke": True}, "PERMITTED_NO_INTEREST_TEST", "OSL 12 kap. 2–3 §§"),
    ("anmälaren frågar", SOC, "enskild person", ["26:1"], "oro_barn", "request", "2026-02-01", {"anmalare": True}, "DUTY_NO_INTEREST_TEST", "SoL 19 kap. 6 §"),
    ("EU-uppgift", SKV, FK, ["15:1a"], "P3", "own", "2026-02-01", {"luffa_purpose": True}, "LEGAL_REVIEW", "OSL 10 kap. 2 §"),
    ("EU-uppgift, nödvändigt", SKV, FK, ["15:1a"], "P3", "own", "2026-02-01", {"nodvandigt_for_avsandaren": True}, "PERMITTED_NO_INTEREST_TEST", "OSL 10 kap. 2 §"),
    ("EU-uppgift, inte nödvändigt", SKV, FK, ["15:1a"], "P3", "own", "2026-02-01", {"nodvandigt_for_avsandaren": False}, "BLOCKED", None),
    ("belastningsregistret till socialnämnden", POL, "socialnämnd", ["35:3"], "vard_stod", "request", "2026-02-01", {}, "BLOCKED", None),
    ("belastningsregistret till tullen", POL, "Tullverket", ["35:3"], "P2", "request", "2026-02-01", {}, "DUTY_NO_INTEREST_TEST", "BRL 6 § första stycket 2"),
    ("kopiorna från 2004 till riksdagen", "Regeringskansliet", "riksdagen", ["18:14"], "OUT", "request", "2026-02-01", {}, "PERMITTED_NO_INTEREST_TEST", "OSL 10 kap. 15 §"),
    ("kopiorna från 2004", "Regeringskansliet", POL, ["18:14"], "P2", "request", "2026-02-01", {"fangelse_i_straffskalan": True}, "BLOCKED", None),
    ("Nato före 2026", "Försvarsmakten", POL, ["15:1b"], "P1", "own", "2025-12-31", {}, "ONLY_GENERAL_CLAUSE", "OSL 10 kap. 2 §"),
    ("avtalet tillåter", SKV, FK, ["27:5 st2"], "P3", "own", "2026-02-01", {"luffa_purpose": True, "avtal_tillater": True}, "DUTY_WITH_INTEREST_TEST", "LUFFA 2 §"),
    ("avtalet tillåter inte", SKV, FK, ["27:5"], "P3", "own", "2026-02-01", {"luffa_purpose": True, "avtal_tillater": False}, "BLOCKED", None),
    ("SFB 110:31 före 2025-12-01", "region", FK, ["25:1"], "P3", "request", "2025-11-30", {}, "LEGAL_REVIEW", None),
    ("18 a § före 2025-04-01", SOC, POL, ["26:1"], "P1", "own", "2025-02-01", {"alder": 34}, "LEGAL_REVIEW", None),
    ("barn till vården", "region", "socialnämnd", ["25:1"], "vard_stod", "own", "2026-02-01", {"alder": 15}, "PERMITTED_NO_INTEREST_TEST", "OSL 25 kap. 12 §"),
    ("vuxen patient", "region", "socialnämnd", ["25:1"], "vard_stod", "own", "2026-02-01", {"alder": 45}, "BLOCKED", None),
    ("vuxen missbrukare", "region", "socialnämnd", ["25:1"], "vard_stod", "own", "2026-02-01", {"alder": 45, "missbruk": True}, "PERMITTED_NO_INTEREST_TEST", "OSL 25 kap. 12 §"),
    ("skattekontroll på begäran", FK, SKV, ["28:1"], "P4", "request", "2026-02-01", {}, "DUTY_NO_INTEREST_TEST", "SFL 42 a kap. 1 §"),
    ("migration på begäran", SOC, "Migrationsverket", ["26:1"], "uppehallstillstand", "request", "2026-02-01", {}, "DUTY_NO_INTEREST_TEST", "UtlL 17 kap. 1 §"),
    ("vistelse på sjukhus", "region", POL, ["25:1"], "P2", "request", "2026-02-01", {"vistelse_boende": True}, "DUTY_NO_INTEREST_TEST", "PSL 6 kap. 15 § 1"),
    ("två socialtjänstsekretesser, en stängd", SOC, FK, ["26:1", "25:1"], "P3", "own", "2026-02-01", {"luffa_purpose": True}, "BLOCKED", None),
    ("21:1 följer 26:1", SOC, FK, ["21:1", "26:1"], "P3", "own", "2026-02-01", {}, "PERMITTED_AFTER_INTEREST_TEST", "OSL 10 kap. 15 a § första stycket 3"),
    ("polis och Säpo", POL, "Säkerhetspolisen", ["35:1", "21:3 st1"], "P1", "own", "2026-02-01", {}, "PERMITTED_AFTER_INTEREST_TEST", "PolDat 2 kap. 8 §"),
    ("utländsk avsändare", "utländsk myndighet", FK, [], "P3", "own", "2026-02-01", {}, "NOT_AUTHORITY_SENDER", None),
    ("särskild samverkan", "Kriminalvården", POL, ["18:1", "35:15"], "P1", "own", "2026-02-01", {"sarskilt_beslutad_samverkan": True}, "DUTY_WITH_INTEREST_TEST", "LUB 5 §"),
    ("granskning hos Utbetalningsmyndigheten", FK, "Utbetalningsmyndigheten", ["28:1"], "P4", "request", "2026-02-01", {"fordjupad_granskning": True}, "DUTY_NO_INTEREST_TEST", "Lag (2023:456) 9 §"),
    ("mottagarens verksamhet okänd", SOC, "region", ["26:1"], "vard_stod", "own", "2026-02-01", {"alder": 8}, "LEGAL_REVIEW", "OSL 26 kap. 9 §"),
    ("mottagarens verksamhet känd", SOC, "region", ["26:1"], "vard_stod", "own", "2026-02-01", {"alder": 8, "mottagarens_verksamhet": "hälso- och sjukvård"}, "PERMITTED_NO_INTEREST_TEST", "OSL 26 kap. 9 §"),
    ("avsändarens verksamhet sagd", SOC, "socialnämnd", ["21:1"], "oro_barn", "own", "2026-02-01", {"verksamhet": "skola"}, "DUTY_NO_INTEREST_TEST", "SoL 19 kap. 1 §"),
]  # fmt: skip


@pytest.mark.parametrize("row", OUTCOMES, ids=[row[0] for row in OUTCOMES])
def test_outcomes(row):
    _, sender, recipient, secrecy, purpose, mode, day, facts, outcome, first = row
    found = finding(sender, recipient, secrecy, purpose, mode, day, facts)
    assert found["outcome"] == outcome
    assert (open_grounds(found) or [None])[0] == first


MISSING = [
    ({"sender_actor": None}, "sender_actor"),
    ({"recipient_actor": None}, "recipient_actor"),
    ({"date": None}, "date"),
    ({"mode": None}, "mode"),
    ({"purpose_code": None}, "purpose_code"),
    ({"datum_public": None}, "datum_public"),
    ({"secrecy": []}, "secrecy"),
    ({"sender_actor": "skola"}, "sender_osl"),
    ({"recipient_actor": "skola"}, "recipient_kind"),
]


@pytest.mark.parametrize(("gap", "field"), MISSING, ids=[field for _, field in MISSING])
def test_what_is_missing_is_asked_and_nothing_guessed(gap, field):
    law = shipped()
    case = {"date": "2026-02-01", "sender_actor": SOC, "recipient_actor": POL, "secrecy": ["26:1"], "purpose_code": "P1", "mode": "own"}
    found = find(Case.from_json(case | {"datum_public": False} | gap, law), law).to_json()
    assert field in asked(found)
    assert found["outcome"] == "LEGAL_REVIEW"
    assert not found["available"]
    assert not found["handoff_to_lawyer"]
    assert found["trace"]


def test_unknown_facts_are_listed_with_a_note_and_asked():
    found = finding(SOC, POL, ["26:1"], "P1")
    assert open_grounds(found) == ["OSL 10 kap. 18 a §", "OSL 10 kap. 15 a § första stycket 1"]
    assert asked(found) == ["alder", "konkreta_omstandigheter"]
    assert found["available"][0]["note"]


def test_a_hint_is_asked_where_it_would_open_something():
    assert "malsagande_alder" in asked(finding("region", POL, ["25:1"], "P2", facts={"minimistraff_manader": 0}))
    assert "malsagande_alder" not in asked(finding("region", POL, ["25:1"], "P2", facts={"minimistraff_manader": 6}))


def test_public_data_need_no_ground():
    found = finding("Bolagsverket", POL, [], "P2", "request", datum_public=True)
    assert (found["outcome"], found["osl_10_15a"], found["osl_10_27"], found["lub"]) == (
        "PUBLIC_NO_BREAK_NEEDED",
        "not_needed",
        "not_needed",
        "5",
    )
    assert open_grounds(found) == ["OSL 6 kap. 5 §", "LUB 5 §"]
    assert {g["assessment"] for g in found["available"]} == {"none"}
    own = finding("Bolagsverket", POL, [], "OUT", datum_public=True)
    assert open_grounds(own) == []


def test_legal_persons_have_no_contact_data():
    person = finding(SOC, POL, ["26:1"], "P2", "request", facts={"contact_data": True}, datum_subject="fysisk person")
    company = finding(SOC, POL, ["26:1"], "P2", "request", facts={"contact_data": True}, datum_subject="juridisk person")
    assert (person["lub"], company["lub"]) == ("4", "no")


def test_branches_of_one_authority():
    apart = finding(SKV, SKV, ["27:1"], "P4")
    assert apart["osl_10_15a"] == "full"
    assert apart["luffa2"] == "no:scope"
    assert "sjalvstandiga_verksamhetsgrenar" in asked(apart)
    assert apart["handoff_to_lawyer"]
    together = finding(SKV, SKV, ["27:1"], "P4", facts={"sjalvstandiga_verksamhetsgrenar": False})
    assert (together["outcome"], together["primary"]) == ("PUBLIC_NO_BREAK_NEEDED", "OSL 8 kap. 2 §: samma verksamhetsgren")


def test_same_municipality_is_not_another_actor():
    facts = {"luffa_purpose": True}
    assert finding(SOC, SOC, ["32:4"], "P3", facts=facts)["luffa2"] == "conditional:samma_kommun"
    assert finding(SOC, SOC, ["32:4"], "P3", facts=facts | {"samma_kommun": True})["luffa2"] == "no:scope"
    assert finding(SOC, SOC, ["32:4"], "P3", facts=facts | {"samma_kommun": False})["luffa2"] == "duty"


def test_an_actor_that_joined_late():
    facts = {"luffa_purpose": True}
    assert finding("E-hälsomyndigheten", FK, ["25:17a"], "P3", day="2025-09-07", facts=facts)["luffa2"] == "no:scope"
    late = finding(FK, "E-hälsomyndigheten", ["28:1"], "P3", day="2025-09-08", facts=facts)
    assert late["luffa2"] == "duty"
    assert "ej verifierat" in late["available"][0]["note"]


def test_luffa_is_asked_about_only_where_benefits_are_decided():
    assert finding(SKV, FK, ["27:1"], "P3")["luffa2"] == "conditional:luffa_purpose"
    assert finding(FK, SKV, ["28:1"], "P3")["luffa2"] == "no:scope"
    assert finding(SKV, FK, ["27:1"], "P3", day="2024-06-30", facts={"luffa_purpose": True})["luffa2"] == "no:date"


def test_hard_stops_close_the_doors_that_the_statute_names():
    found = finding(SKV, FK, ["15:1a"], "P3", facts={"luffa_purpose": True})
    assert (found["osl_10_15a"], found["osl_10_27"], found["luffa2"]) == ("no:hard_stop", "no:hard_stop", "no:hard_stop")
    assert finding("Försvarsmakten", POL, ["15:1b"], "P1", day="2026-01-01")["osl_10_27"] == "no:hard_stop"
    both = finding(SKV, FK, ["27:5 st2", "15:1a"], "P3", facts={"luffa_purpose": True})
    assert both["osl_10_15a"] == "no:hard_stop"
    lub = finding("Finansinspektionen", POL, ["30:7"], "P1")
    assert lub["lub"] == "conditional:agreement"


def test_layers_that_need_a_lawyer():
    assert finding(SKV, POL, ["22:2"], "P2", facts={"fangelse_i_straffskalan": True})["handoff_to_lawyer"]
    assert finding("region", "Bolagsverket", ["25:15"], "P5")["warnings"]
    transferred = finding("Riksdagens ombudsmän", POL, ["42:4"], "P5")
    assert transferred["osl_10_15a"] == "legal:overford"
    early = finding(SOC, POL, ["40:7g"], "P5", day="2026-01-14")
    assert "gällde inte" in early["warnings"][0]
    assert finding(SKV, FK, ["27:1"], "P4", facts={"fran_utlandsk_myndighet": True})["handoff_to_lawyer"]


def test_the_general_clause_before_its_wording():
    assert finding(POL, "Kronofogdemyndigheten", ["35:1"], "utsokning", day="2021-12-31")["osl_10_27"] == "legal:date"


def test_general_clause_for_some_layers_only():
    found = finding(SOC, "Bolagsverket", ["26:1", "18:1"], "P5")
    assert (found["outcome"], found["osl_10_27"]) == ("MIXED_LAYERS", "partial")
    assert found["interest_assessment"]["per_layer"] == {"26:1": "overvagande_skal_mot", "18:1": "uppenbart_for"}


def test_an_overlapping_purpose_names_its_point():
    found = finding(POL, SOC, ["35:1"], "tillsyn", "request", facts={"purpose_overlap": ["P5"]})
    assert found["osl_10_15a"] == "possible:overlap_P5"
    assert "OSL 10 kap. 15 a § första stycket 5" in open_grounds(found)


def test_unclear_stycke_in_a_list_of_the_whole_duty():
    found = finding(SKV, FK, ["31:1"], "P3", facts={"luffa_purpose": True})
    assert found["luffa2"] == "conditional:stycke"
    assert finding(SOC, POL, ["31:1"], "P1")["lub"] == "6"


def test_traps_are_shown_as_no_ground():
    found = finding(POL, "socialnämnd", ["35:1"], "vard_stod")
    assert any(b["provision"] == "Polislagen 6 §" for b in found["blocked"])
    assert any(line["rule"] == "poll-6" and line["answer"] == "nej" for line in found["trace"])
    quiet = finding(POL, "socialnämnd", ["35:1"], "P2")
    assert any(line["rule"] == "poll-6" and line["answer"] == "nej" for line in quiet["trace"])


def test_mass_disclosure_goes_to_a_lawyer_but_names_the_ground():
    found = finding(SOC, FK, ["26:1"], "P3", facts={"massutlamnande": True})
    assert (found["outcome"], found["handoff_to_lawyer"], found["handoff_to_checklist"]) == ("LEGAL_REVIEW", True, True)


def test_foreign_recipients_have_8_3_only():
    found = finding(SKV, "utländsk myndighet", ["27:1"], "P2", "request")
    assert open_grounds(found) == ["OSL 8 kap. 3 § 1", "OSL 8 kap. 3 § 2"]
    assert found["osl_10_15a"] == "no:recipient"


def test_the_trace_names_rule_input_lagrum_and_version():
    found = finding(SOC, POL, ["26:1"], "P1", facts={"alder": 17, "konkreta_omstandigheter": True})
    rules = {line["rule"] for line in found["trace"]}
    assert rules == {rule.id for rule in shipped().rules} | {"utfall"}
    assert all(line["input"] and line["reason"] and line["lagrum"] and line["version"] for line in found["trace"])


def test_the_finding_says_how_far_the_law_reaches():
    assert finding(SOC, POL, ["26:1"], "P1")["law_as_of"] == date(2025, 12, 16).isoformat()
