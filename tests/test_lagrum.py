"""lagrum: every form staff write, lists and ranges, and what must not be read as a reference."""

import time
from datetime import date

import pytest

from corpus import lagrum
from corpus.lagrum import Lagrum

ON = date(2026, 11, 22)
OSL = "SFS 2009:400"


@pytest.mark.parametrize(
    ("written", "refs"),
    [
        ("10 kap. 27 § OSL", [f"{OSL} 10 kap. 27 §"]),
        ("10 kap 15a §", [f"{OSL} 10 kap. 15 a §"]),
        ("10 kap. 15 a §", [f"{OSL} 10 kap. 15 a §"]),
        ("OSL 10:27", [f"{OSL} 10 kap. 27 §"]),
        ("osl 10:27", [f"{OSL} 10 kap. 27 §"]),
        ("10:15a", [f"{OSL} 10 kap. 15 a §"]),
        ("10:15 a", [f"{OSL} 10 kap. 15 a §"]),
        ("26:1 OSL", [f"{OSL} 26 kap. 1 §"]),
        ("26:1", [f"{OSL} 26 kap. 1 §"]),
        ("OSL kap 8 paragraf 2", [f"{OSL} 8 kap. 2 §"]),
        ("OSL kapitel 8 § 2", [f"{OSL} 8 kap. 2 §"]),
        ("2 § LUFFA", ["SFS 2024:307 2 §"]),
        ("LUB 6 §", ["SFS 2025:170 6 §"]),
        ("§ 6 LUB", ["SFS 2025:170 6 §"]),
        ("4 § lagen (2025:170)", ["SFS 2025:170 4 §"]),
        ("2024:307 4 §", ["SFS 2024:307 4 §"]),
        ("SFS 2009:400 26 kap. 1 §", [f"{OSL} 26 kap. 1 §"]),
        ("26 kap. 1 § offentlighets- och sekretesslagen (2009:400)", [f"{OSL} 26 kap. 1 §"]),
        ("19 kap. 1 § socialtjänstlagen", ["SFS 2025:400 19 kap. 1 §"]),
        ("110 kap. 31 a § SFB", ["SFS 2010:110 110 kap. 31 a §"]),
        ("6 a kap. 10 § skollagen", ["SFS 2010:800 6 a kap. 10 §"]),
        ("SkolL 6 a:10", ["SFS 2010:800 6 a kap. 10 §"]),
        ("25 kap. 1–5 och 8 §§", [f"{OSL} 25 kap. {n} §" for n in (1, 2, 3, 4, 5, 8)]),
        ("25 kap. 1-5, 8 §§ OSL", [f"{OSL} 25 kap. {n} §" for n in (1, 2, 3, 4, 5, 8)]),
        ("10 kap. 2, 2 a och 3 §§ OSL", [f"{OSL} 10 kap. {n} §" for n in ("2", "2 a", "3")]),
        ("2 och 4 §§ LUFFA", ["SFS 2024:307 2 §", "SFS 2024:307 4 §"]),
        ("10 kap. 2 § och 12 kap. 2 § OSL", [f"{OSL} 10 kap. 2 §", f"{OSL} 12 kap. 2 §"]),
        ("vad säger LUB om kontaktuppgifter i 4 §?", ["SFS 2025:170 4 §"]),
        ("26 kap. OSL", [f"{OSL} 26 kap."]),
        ("5 kap. 1 § HSL", ["SFS 2017:30 5 kap. 1 §"]),
        ("hälso- och sjukvårdslagen 5 kap. 1 §", ["SFS 2017:30 5 kap. 1 §"]),
        ("9 kap. 2 § plan- och bygglagen", ["SFS 2010:900 9 kap. 2 §"]),
        ("skoll 29 kap. 14 §", ["SFS 2010:800 29 kap. 14 §"]),
        ("10 kap. 27 § sekretesslagen", [f"{OSL} 10 kap. 27 §"]),
        ("Får IVO enligt 10 kap. 27 § lämna uppgiften?", [f"{OSL} 10 kap. 27 §"]),
        ("kan MSB 10 kap. 27 § här", [f"{OSL} 10 kap. 27 §"]),
        ("VAD SÄGER 10 KAP. 27 § TILL OSS", [f"{OSL} 10 kap. 27 §"]),
        ("10 kap. 27 § och LUFFA", [f"{OSL} 10 kap. 27 §"]),
        ("10 kap. 27 § och konkurslagen", [f"{OSL} 10 kap. 27 §"]),
        ("10 kap. 27 § LSS-handläggare frågar", [f"{OSL} 10 kap. 27 §"]),
        ("10 kap. 27 § i förslagen", [f"{OSL} 10 kap. 27 §"]),
        ("Enligt 10 kap. 27 § kan lagen ge stöd", [f"{OSL} 10 kap. 27 §"]),
    ],
)
def test_reads_every_form_staff_write(written, refs):
    assert [one.ref for mention in lagrum.find(written, ON) for one in mention.lagrum] == refs


@pytest.mark.parametrize("written", [
    "XyzL 3 kap. 2 §", "3 kap. 2 § XyzL", "UB 4 kap. 1 §", "4 kap. 1 § UB", "LOU 4 kap. 1 § och LUF 2 kap. 3 §", "vad säger 4:1 IL?",
    "3 kap. 2 § lagen om offentlig upphandling", "konkurslagen 3 kap. 2 §", "3 kap. 2 § i den nya konkurslagen",
    "enligt konkurslagens 3 kap. 2 §", "3 kap. 2 § radio- och tv-lagen", "3 kap. 2 § plan- och byggförordningen", "vattenlagen, 3 kap. 2 §",
    "3 kap. 2 och 3 §§ konkurslagen", "3 kap. 2 § och 4 kap. 1 § konkurslagen",
    "LUB och UB 4 kap. 1 §"])
def test_a_reference_to_a_law_that_is_unknown_here_is_never_taken_for_another(written):
    assert [one.ref for mention in lagrum.find(written, ON) for one in mention.lagrum] == []


@pytest.mark.parametrize(("written", "laws"), [
    ("vad säger LOU 4 kap. 1 § och 2 kap. 3 § i den nya konkurslagen?", ("LOU", "konkurslagen")),
    ("3 kap. 2 § lagen om offentlig upphandling, gäller den?", ("lagen om offentlig upphandling",)),
    ("10 kap. 27 § OSL och 5 kap. 1 § HSL", ()), ("10 kap. 15 a §", ()), ("2 § LUFFA", ()), ("konkurslagen är svår", ()),
    ("LUB och UB 4 kap. 1 §", ("UB",)), ("kl. 10:15 UB", ())])
def test_the_law_that_a_reference_is_written_with_is_named_when_it_is_unknown(written, laws):
    assert lagrum.strangers(written, ON) == laws


@pytest.mark.parametrize("written", [
    "10 kap. 2 § " + "1" * 60 + "x OSL", "10 kap. 2 § " + "1 a " * 900, "10 kap. 2 § " + "a-" * 1_900, "10 kap. 2 § " + "ä" * 3_900,
    "10:2 " * 780, "lagen om " * 440 + "10 kap. 2 §"])
def test_a_text_made_to_be_slow_is_read_at_once(written):
    started = time.perf_counter()
    lagrum.find(written, ON), lagrum.strangers(written, ON)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "written",
    ["prop. 2024/25:180 s. 45", "SOU 2024:63", "kl. 10:15", "bet. 2025/26:KU6", "dnr 8-2958-2026", "lagen (2025:170)",
     "den 12 januari 2026", "vi är 15 personer", "2 §", "30 MB", "2026-01-15 10:30:12"],
)
def test_does_not_read_a_reference_into_other_numbers(written):
    assert [one.ref for mention in lagrum.find(written, ON) for one in mention.lagrum if one.paragraf] == []


@pytest.mark.parametrize(
    ("written", "stycke", "punkt"),
    [
        ("10 kap. 15 a § första stycket 3 OSL", 1, "3"),
        ("10 kap. 15 a § andra stycket OSL", 2, None),
        ("10:15 a st 2", 2, None),
        ("10 kap. 15 a § första stycket 2", 1, "2"),
    ],
)
def test_reads_stycke_and_punkt(written, stycke, punkt):
    (mention,) = lagrum.find(written, ON)
    assert (mention.lagrum[0].stycke, mention.lagrum[0].punkt) == (stycke, punkt)


def test_a_bare_reference_says_that_the_statute_was_assumed():
    assert lagrum.find("10:15 a", ON)[0].assumed
    assert not lagrum.find("10:15 a OSL", ON)[0].assumed


def test_sol_means_the_statute_of_the_day():
    assert lagrum.find("14 kap. 1 § SoL", date(2025, 6, 30))[0].lagrum[0].sfs == "2001:453"
    assert lagrum.find("19 kap. 1 § SoL", date(2025, 7, 1))[0].lagrum[0].sfs == "2025:400"


def test_formats_short_full_and_pinpoint():
    one = Lagrum("2009:400", "10", "15 a", 1, "3")
    assert one.short() == "10 kap. 15 a § första stycket 3 OSL"
    assert one.full() == "10 kap. 15 a § första stycket 3 offentlighets- och sekretesslagen (2009:400)"
    assert one.pinpoint == "första stycket 3"
    assert lagrum.from_ref(one.ref) == one.whole()


@pytest.mark.parametrize(
    ("paragraf", "first", "last", "inside"),
    [("5", "1", "5", True), ("5 a", "1", "5", False), ("1 a", "1", "6", True), ("8 a", "1", "8", False), ("1", "1", "5", True)],
)
def test_a_range_holds_both_its_ends_and_the_lettered_ones_between(paragraf, first, last, inside):
    assert lagrum.within(paragraf, first, last) is inside
