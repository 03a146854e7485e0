# ruff: noqa: E501
"""The exclusion lists of law_facts.md § 3, written here a second time: provision × {15 a, 27, LUFFA 2, LUFFA 4, LUB 5–7}."""

import pytest

from assistant.grounds.case import Case
from assistant.grounds.find import find
from assistant.grounds.load import shipped

OSL_10_15A = """24:2a 24:8 25:1 25:2 25:3 25:4 25:5 25:8 26:1a|st1 26:3 26:4 26:6 29:1 29:2 31:1|st1 31:2 31:12 33:2 33:4a 36:3 40:2 40:5"""
OSL_10_27 = """24:2a 24:8 25:1 25:2 25:3 25:4 25:5 25:6 25:7 25:8 26:1 26:1a|st1 26:1a|st2 26:2 26:3 26:4 26:5 26:6 29:1 29:2 31:1|st1 31:2
 31:12 33:2 33:4a 36:3 40:2 40:5"""
LUB = """24:8 25:1 25:2 25:3 25:4 25:5 25:6 25:7 25:8 25:15 26:1 26:1a|st1 26:1a|st2 26:2 26:3 26:4 26:5 26:6 40:2 40:5"""
# The neighbours on both sides of every range and every listed provision, and provisions far from any list.
BESIDE = """24:1 24:3 24:7a 25:8a 25:8b 25:9 25:15 25:16 25:17a 26:10a 26:11 26:12 27:1 27:2 28:1 28:4 28:9 28:11 28:13 29:3 29:4 29:5 30:20 30:23
 31:1|st2 31:3 31:4 31:16 32:1 32:3 32:4 33:1 33:4 34:1 34:2 35:1 35:4 35:15 36:1 36:2 36:4 37:1 38:4 39:2 40:1 40:1a 40:3 40:4 40:6 40:7d
 21:1 21:3 21:5 21:7 22:1 22:2 23:1 23:2 23:5"""


def keys(text: str) -> list[str]:
    return [key.replace("|", " ") for key in text.split()]


CLOSED_15A, CLOSED_27, CLOSED_LUB = set(keys(OSL_10_15A)), set(keys(OSL_10_27)), set(keys(LUB))
PROVISIONS = sorted(CLOSED_15A | CLOSED_27 | CLOSED_LUB | set(keys(BESIDE)))
OPEN_IN_15A_ONLY = {"25:6", "25:7", "26:1", "26:1a st2", "26:2", "26:5"}


def finding(secrecy, sender, recipient, purpose, **facts):
    law = shipped()
    case = {
        "date": "2026-02-01", "sender_actor": sender, "recipient_actor": recipient, "datum_public": False,
        "secrecy": [secrecy], "purpose_code": purpose, "mode": "request", "facts": facts,
    }  # fmt: skip
    return find(Case.from_json(case, law), law).to_json()


@pytest.mark.parametrize("key", PROVISIONS)
def test_femton_a(key):
    status = finding(key, "Skatteverket", "Bolagsverket", "P5")["osl_10_15a"]
    assert status == ("no:excluded" if key in CLOSED_15A else "full")


@pytest.mark.parametrize("key", PROVISIONS)
def test_generalklausul(key):
    status = finding(key, "Skatteverket", "Bolagsverket", "OUT")["osl_10_27"]
    assert status == ("no:excluded" if key in CLOSED_27 else "possible")


@pytest.mark.parametrize("key", [*PROVISIONS, "15:1", "16:1", "17:2", "18:1", "20:1", "42:1", "43:6"])
def test_luffa_2(key):
    status = finding(key, "Skatteverket", "Försäkringskassan", "P3", luffa_purpose=True)["luffa2"]
    chapter = int(key.split(":")[0])
    assert status == ("no:excluded" if key in CLOSED_27 or chapter < 21 or chapter > 40 else "duty")


@pytest.mark.parametrize("key", [*PROVISIONS, "15:1", "15:2", "16:1", "17:1", "18:1", "18:2", "19:3", "20:1", "42:1"])
def test_luffa_4(key):
    status = finding(key, "Ekobrottsmyndigheten", "Arbetsmiljöverket", "P5", joint_control=True)["luffa4"]
    assert status == ("no:excluded" if key in CLOSED_27 | {"15:1", "15:2"} else "duty")


@pytest.mark.parametrize("key", [*PROVISIONS, "15:1", "18:1", "20:1"])
@pytest.mark.parametrize(
    ("sender", "facts", "number"), [("Försäkringskassan", {}, "5"), ("kommun", {}, "6"), ("kommun", {"school": True}, "7st1")]
)
def test_lub(key, sender, facts, number):
    if number == "6" and key.startswith("23:") and key != "23:5a":
        number = "7st1"  # 23 kap. is the school's: 7 § instead of 6 §
    assert finding(key, sender, "Polismyndigheten", "P1", **facts)["lub"] == ("no" if key in CLOSED_LUB else number)


@pytest.mark.parametrize("key", sorted(CLOSED_LUB | {"18:1", "27:1"}))
def test_lub_4_excludes_nothing(key):
    assert "4" in finding(key, "region", "Polismyndigheten", "P1", contact_data=True)["lub"]


def test_the_lists_differ_as_the_statute_says():
    assert CLOSED_27 - CLOSED_15A == OPEN_IN_15A_ONLY


def test_at_least_two_hundred_cells():
    assert len(PROVISIONS) * 5 >= 200


@pytest.mark.parametrize(
    ("inside", "outside"),
    [("25:5", "25:6"), ("25:8", "25:8a"), ("24:2a", "24:1"), ("33:4a", "33:4"), ("31:12", "31:11a"), ("40:5", "40:6")],
)
def test_both_edges_in_15a(inside, outside):
    assert finding(inside, "Skatteverket", "Bolagsverket", "P5")["osl_10_15a"] == "no:excluded"
    assert finding(outside, "Skatteverket", "Bolagsverket", "P5")["osl_10_15a"] == "full"


@pytest.mark.parametrize(("key", "status"), [("26:1a", "conditional:stycke"), ("31:1", "conditional:stycke"), ("26:1a st2", "full")])
def test_a_key_without_stycke_is_asked_about(key, status):
    found = finding(key, "Skatteverket", "Bolagsverket", "P5")
    assert found["osl_10_15a"] == status
    assert ("stycke" in [m["field"] for m in found["missing"]]) == (status != "full")
