# ruff: noqa: E501
"""Bad input is refused with one line of Swedish; good input keeps what was said and no more."""

from datetime import date

import pytest

from assistant.grounds.case import Case
from assistant.grounds.load import shipped

GOOD = {
    "date": "2026-02-01",
    "sender": "Socialnämnd",
    "sender_actor": "kommun",
    "recipient_actor": "Polismyndigheten",
    "datum_public": False,
    "secrecy": ["26:1", "26:1", "27:5 st2"],
    "purpose_code": "P1",
    "mode": "own",
    "facts": {"alder": 17, "okant_faktum": "x", "niva": None, "purpose_overlap": ["P5"]},
    "title": "annat",
}


def test_a_good_case():
    case = Case.from_json(GOOD, shipped())
    assert case.date == date(2026, 2, 1)
    assert (case.sender_osl, case.recipient_kind) == (True, "myndighet")
    assert case.secrecy == ("26:1", "27:5 st2")
    assert dict(case.facts) == {"alder": 17, "okant_faktum": "x", "purpose_overlap": ("P5",)}
    assert case.fact("alder") == 17


def test_aliases_and_blanks():
    case = Case.from_json({"sender_actor": "soc", "recipient_actor": "snuten", "date": "", "mode": ""}, shipped())
    assert (case.sender_actor, case.recipient_actor, case.date, case.mode) == ("socialnämnd", "Polismyndigheten", None, None)


def test_what_the_case_says_wins_over_the_register():
    case = Case.from_json(
        {"sender_actor": "kommun", "sender_osl": False, "recipient_actor": "skola", "recipient_kind": "enskild"}, shipped()
    )
    assert (case.sender_osl, case.recipient_kind) == (False, "enskild")


MISTAKES = [
    ({"sender_actor": "Sagomyndigheten"}, "okänd aktör «Sagomyndigheten» i sender_actor"),
    ({"recipient_actor": "Trollverket"}, "okänd aktör «Trollverket» i recipient_actor"),
    ({"sender_actor": 7}, "sender_actor ska vara text"),
    ({"date": "1 februari"}, "datumet «1 februari» ska skrivas ÅÅÅÅ-MM-DD"),
    ({"date": 20260201}, "ska skrivas ÅÅÅÅ-MM-DD"),
    ({"date": "2026-02-30"}, "datumet «2026-02-30» finns inte"),
    ({"secrecy": "26:1"}, "secrecy ska vara en lista"),
    ({"secrecy": [26]}, "ska vara text"),
    ({"secrecy": ["26 kap. 1 §"]}, "ingen sekretessbestämmelse"),
    ({"secrecy": ["26:9a"]}, "«26:9a» är ingen sekretessbestämmelse i registret"),
    ({"secrecy": ["10:15a"]}, "ingen sekretessbestämmelse i registret"),
    ({"purpose_code": "P6"}, "okänt värde «P6» i purpose_code"),
    ({"mode": "alltid"}, "okänt värde «alltid» i mode"),
    ({"recipient_kind": "granne"}, "okänt värde «granne» i recipient_kind"),
    ({"sender_osl": "ja"}, "sender_osl ska vara true eller false"),
    ({"datum_public": 1}, "datum_public ska vara true eller false"),
    ({"facts": ["alder"]}, "facts ska vara ett objekt"),
    ({"facts": {"alder": "sjutton"}}, "faktumet alder har ett värde som inte passar"),
    ({"facts": {"alder": True}}, "faktumet alder"),
    ({"facts": {"alder": -1}}, "faktumet alder"),
    ({"facts": {"school": "ja"}}, "faktumet school"),
    ({"facts": {"niva": "kanske"}}, "faktumet niva"),
    ({"facts": {"purpose_overlap": "P5"}}, "faktumet purpose_overlap"),
    ({"facts": {"purpose_overlap": ["P6"]}}, "okänt syfte «P6» i purpose_overlap"),
    ([], "ärendet ska vara ett objekt"),
]


@pytest.mark.parametrize(("data", "reason"), MISTAKES, ids=[reason for _, reason in MISTAKES])
def test_bad_input(data, reason):
    with pytest.raises(ValueError, match="^[^\n]+$") as error:
        Case.from_json(data, shipped())
    assert reason in str(error.value)
