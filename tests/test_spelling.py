"""Slips are mended toward the index's own words, and nothing else is touched."""

import time

import pytest

from corpus import spelling

USED = spelling.count([
    "sekretess sekretess sekretessen socialtjänsten socialtjänsten försäkringskassan behandlad myndighet utbetalning skall"])
KNOWN = {*USED, "barnet", "skolan", "får", "och"}


@pytest.mark.parametrize(("written", "read"), [
    ("sekretss hos socialtjensten", "sekretess hos socialtjänsten"),
    ("Försäkringskasan och utbetalnig", "försäkringskassan och utbetalning"),
    ("sekretsesen", "sekretessen"),  # two letters that changed places, and one too many
    ("barnet får skolan", "barnet får skolan"),
    ("obehandlad", "obehandlad"),
    ("SSPF 2025:170 10 kap. 15 a §", "SSPF 2025:170 10 kap. 15 a §"),
    ("Bromölla", "Bromölla"),
    ("SkolL 29 kap. 14 § behandlat", "SkolL 29 kap. 14 § behandlad"),
    ("skoll 29:14", "skoll 29:14"),
    ("", ""),
])
def test_only_a_word_the_index_has_never_seen_is_mended(written, read):
    assert spelling.mended(written, KNOWN.__contains__, USED) == read


def test_the_more_used_of_two_equally_near_words_wins():
    assert spelling.mended("anmälen", set().__contains__, {"anmälan": 9, "anmäler": 2}) == "anmälan"


def test_a_long_foreign_text_costs_little():
    text = " ".join(f"xyz{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}words" for n in range(600))
    started = time.perf_counter()
    assert spelling.mended(text, set().__contains__, USED) == text
    assert time.perf_counter() - started < 2
