"""What the window keeps of conversations and assessments, and for whom; the storage below it on both databases."""

# ruff: noqa: F811 - fixtures are asked for by their names

from __future__ import annotations

import uuid
from datetime import date

import pytest

from assistant.storage import conversations
from assistant.storage.conversations import NotFound
from assistant.storage.gate import NotKept
from tests.databases import database, database_url, postgresql  # noqa: F401 - fixtures

NUMBER = "19121212-1212"
TODAY = date(2026, 11, 22)


def _begun(db, *texts: str, owner: str = "anna") -> str:
    made = conversations.begin(db, owner).id
    for text in texts:
        conversations.ask(db, owner, made, text, TODAY, uuid.uuid4().hex)
    return made


# --- the storage ------------------------------------------------------------------------------------------------------


def test_a_conversation_opens_with_the_first_question_whose_words_were_kept(database):
    with database.writing() as db:
        one, refused, empty = _begun(db, "Först", "Sedan"), _begun(db, "", "Efter"), _begun(db)
        assert conversations.openings(db, [one, refused, empty]) == {one: "Först", refused: "Efter"}
        assert conversations.openings(db, []) == {}


def test_a_case_number_is_given_taken_back_and_guarded(database):
    with database.writing() as db:
        made = _begun(db, "Fråga")
        for number in ("S2026/123", ""):
            conversations.set_case(db, "anna", made, number)
            assert conversations.get(db, "anna", made).case_number == number
        with pytest.raises(NotFound):
            conversations.set_case(db, "bo", made, "S2026/124")
        with pytest.raises(NotKept):
            conversations.set_case(db, "anna", made, NUMBER)
