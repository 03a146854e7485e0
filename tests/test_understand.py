"""Who gives, who gets, and what kind of answer is asked for, read from the words alone."""

import pytest

from assistant.types import Question
from assistant.understand import Intent, understand
from tests.conftest import AS_OF


def read(text, mended=str):
    return understand(Question(text, AS_OF), mended)


@pytest.mark.parametrize(("text", "sender", "recipient"), [
    ("Får vi på Försäkringskassan tipsa Skatteverket om svart lön?", "Försäkringskassan", "Skatteverket"),
    ("Miljöinspektör här: personalen sov i pannrummet. Får jag ringa Arbetsmiljöverket?", "miljönämnd", "Arbetsmiljöverket"),
    ("På CSN:s kontrollgrupp gick vi igenom intyg. Får vi lämna dem till Skatteverket?", "Centrala studiestödsnämnden", "Skatteverket"),
    ("Som utmätningsman såg jag bilen. Får jag berätta det för Polisen?", "Kronofogdemyndigheten", "Polismyndigheten"),
    ("Vår länsstyrelse har handlingarna. Får Polisen ta del av dem?", "länsstyrelse", "Polismyndigheten"),
    ("Polisen begär telefonnumret till en klient hos socialtjänsten", "socialnämnd", "Polismyndigheten"),
    ("Rektor: får jag svara Försäkringskassan?", "skola", "Försäkringskassan"),
])
def test_who_gives_and_who_gets(text, sender, recipient):
    understood = read(text)
    assert (understood.sender, understood.recipient) == (sender, recipient)


@pytest.mark.parametrize(("text", "intent"), [
    ("Är bestämmelsen i 10 kap. 15 a § en skyldighet att lämna uppgifter?", Intent.KNOWLEDGE),
    ("Ingår regionerna bland dem som ska lämna uppgifter?", Intent.KNOWLEDGE),
    ("Får uppgiften gå dit?", Intent.SHARING),
    ("Kan vi förvarna kommunens äldreomsorg?", Intent.SHARING),
    ("Sedan när ska rektorer polisanmäla elevbrott?", Intent.WHEN),
    ("När fick socialtjänsten rätt till arbetsgivardeklarationer?", Intent.WHEN),
])
def test_what_kind_of_answer_is_asked_for(text, intent):
    assert read(text).intent is intent


@pytest.mark.parametrize(("text", "within"), [
    ("Får skolhälsovården berätta för klassläraren?", True),
    ("Får skolsköterskan berätta för rektorn, och får föräldern veta?", True),
    ("Får en kommun lämna det till en annan kommun?", False),
    ("Får skolan berätta för polisen?", False),
    ("Får skolan berätta?", False),
])
def test_one_body_under_two_names_is_inside_it(text, within):
    assert read(text).within is within


def test_slips_are_mended_before_anything_is_read_and_the_question_stays_as_written():
    understood = read("får vi tipsa skateverket?", lambda text: text.replace("skateverket", "skatteverket"))
    assert understood.recipient == "Skatteverket"
    assert understood.question.text == "får vi tipsa skateverket?"
