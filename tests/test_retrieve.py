"""The ranking on the small world: each part speaks for a hit by its name, and a hit says what its score is made of."""

from dataclasses import fields

import pytest

from assistant import prefill, retrieve, texts
from assistant.grounds import load
from assistant.retrieve import Weights
from assistant.types import Question
from assistant.understand import understand
from tests.conftest import AS_OF


def found(small_world, text, k=10):
    understood = understand(Question(text, AS_OF), small_world.respelled)
    return retrieve.search(understood, small_world, k, found=prefill.look_up(understood, load.shipped()).refs)


def test_every_part_of_the_ranking_has_a_name_a_person_can_read():
    assert set(texts.WHY) == {field.name for field in fields(Weights)}


def test_a_hit_says_what_its_score_is_made_of_the_largest_part_first(small_world):
    hit = found(small_world, "vad säger 10 kap. 15 a § OSL?")[0]
    assert hit.passage.ref == "SFS 2009:400 10 kap. 15 a §"
    assert hit.why[0].startswith(texts.WHY["exact"])
    points = [abs(float(why.rsplit(" ", 1)[1])) for why in hit.why]
    assert points == sorted(points, reverse=True)


@pytest.mark.parametrize(("said", "ref"), [
    ("skolsyrran har sett blåmärken på en elev, måste hon säga nåt till soc", "SFS 2025:400 19 kap. 1 §"),
    ("får vi på kassan tipsa skattis om att en kund jobbar svart", "SFS 2009:400 10 kap. 15 a §"),
    ("snuten frågar om en patient ligger inne hos oss", "SFS 2010:659 6 kap. 15 §"),
    ("vilken sekreetess gäler hos socialtjensten", "SFS 2009:400 26 kap. 1 §"),
    ("what secrecy applies to medical records at a hospital", "SFS 2009:400 25 kap. 1 §"),
])
def test_staffs_words_find_the_provision(small_world, said, ref):
    assert ref in [hit.passage.ref for hit in found(small_world, said, 5)]
