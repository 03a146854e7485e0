"""Nonsense, hostile and huge questions: an answer with a status, never an exception, never slow, nothing rendered."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant import guard, pipeline
from assistant.grounds import load
from assistant.types import Question, Status, Turn
from corpus import lagrum
from tests.conftest import AS_OF


@pytest.fixture(scope="module")
def desk(small_world):
    return pipeline.Desk(small_world, load.shipped())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=st.text(max_size=600), earlier=st.lists(st.text(max_size=80), max_size=3))
def test_any_text_gets_an_answer_with_a_status(desk, text, earlier):
    answer = pipeline.answer(Question(text, AS_OF, tuple(Turn("user", one) for one in earlier)), desk)
    assert isinstance(answer.status, Status)
    assert answer.text_md.strip()


WORDS = (
    'får', 'vi', 'lämna', 'ut', 'uppgifter', 'till', 'polisen', '§', '10', 'kap.', '15', 'a', '25:1', 'och', 'eller', '–', '-',
    ',', '.', '(', '[', '*', 'soc', 'FK', 'Skatteverket', 'lagen', '(2025:170)', '<b>', '![x](http://y)', "'", 'OR', '1=1', '--',
    '\u202e', '\x00', '../../etc/passwd', '{{7*7}}', '2026-01-01', 'prop.', '2024/25:180', 'SOU', '2024:63', 'första', 'stycket',
    '3',
)


def test_questions_made_of_the_fields_own_pieces_never_fail(desk):
    rng = random.Random(5)
    for _ in range(200):
        text = " ".join(rng.choices(WORDS, k=rng.randrange(1, 60)))
        assert pipeline.answer(Question(text, AS_OF), desk).status is not Status.ERROR_INTERNAL


LONG = {
    "digits": "1" * 4_000, "spaced digits": "1 " * 2_000, "sections": "1 a, " * 800 + "§", "chapters": "10 kap. " * 500,
    "colons": "10:15" * 800, "letters": "å" * 4_000, "dashes": "-" * 4_000, "names": "Anna Svensson " * 280,
    "may": "får vi " * 570,
    "dates": "den 1 januari 2026 " * 200, "brackets": "[" * 4_000,
    "quotes": "'" * 4_000, "commas": "1," * 2_000, "mixed": "10 kap 1-" * 440,
    "invisible": "\u200b" * 3_990 + "a b", "newlines": "a\n" * 2_000,
}


@pytest.mark.parametrize("kind", LONG)
def test_no_pattern_is_slow_on_a_question_made_to_be_slow(desk, kind):
    text = LONG[kind][: guard.MAX_CHARACTERS]
    started = time.process_time()
    pipeline.answer(Question(text, AS_OF), desk)
    assert time.process_time() - started < 2.0, kind


def test_reading_lagrum_is_linear_enough_on_a_long_text():
    text = "enligt 10 kap. 15 a § första stycket 3 och 25 kap. 1–5 och 8 §§ OSL samt 2 § LUFFA " * 100
    started = time.process_time()
    assert len(lagrum.find(text, AS_OF)) >= 300
    assert time.process_time() - started < 5.0


def test_a_question_of_a_megabyte_is_refused_at_once(desk):
    started = time.process_time()
    answer = pipeline.answer(Question("får vi lämna ut " * 65_000, AS_OF), desk)
    assert answer.status is Status.ERROR_TOO_LONG
    assert time.process_time() - started < 0.5
