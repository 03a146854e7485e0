"""The API as it describes itself: what the OpenAPI says, and that schemathesis finds nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from assistant import types
from assistant.people import LOCAL
from assistant.service import operations, texts
from assistant.service.api import api
from tests.service_world import Signed, client, served, service

CONFIG = """
seed = 6

[checks.positive_data_acceptance]
# 404: no such thing; 409: not as things stand; 422: well-formed and yet no use (an unknown authority, a personal datum)
expected-statuses = ["2xx", 404, 409, 422]

[dictionaries]
{dictionaries}

[parameters]
{parameters}
"""


@pytest.fixture(scope="module")
def made(small_world, tmp_path_factory):
    return service(small_world, tmp_path_factory.mktemp("schema"), questions_per_minute=100_000)


@pytest.fixture(scope="module")
def described(made):
    return api(made).openapi()


def operations_of(described):
    return [(path, method, one) for path, methods in described["paths"].items() for method, one in methods.items()]


def test_every_operation_has_an_id_a_summary_and_every_problem_it_can_answer_with(described):
    assert described["openapi"].startswith("3.1")
    assert {one["operationId"] for _, _, one in operations_of(described)} == set(texts.SUMMARY)
    for path, method, one in operations_of(described):
        assert one["summary"] == texts.SUMMARY[one["operationId"]]
        if path in ("/api/v1/health", "/api/v1/ready"):
            continue
        wanted = {"401", "403", "422", "429", "500", "503"} | ({"400", "413", "415"} if method in ("post", "put") else set())
        wanted |= {"404"} if "_id}" in path or "{ref}" in path else set()
        assert wanted <= set(one["responses"])
        for status, reply in one["responses"].items():
            assert status < "400" or set(reply["content"]) == {"application/problem+json"}


def test_the_answer_object_is_described_as_it_is(described):
    parts = described["components"]["schemas"]
    for kind in (types.Answer, types.Citation, types.Claim, types.Handoff, types.NextStep, types.Warning_):
        names = {one.name for one in fields(kind)}
        assert set(parts[kind.__name__]["properties"]) == names
        assert set(parts[kind.__name__]["required"]) == names
    assert parts["Status"]["enum"] == [one.value for one in types.Status]


def test_a_token_is_described_where_the_sign_on_gives_tokens(made, described):
    signed = replace(made, settings=made.settings.model_copy(update={"identity": "oidc"}))
    assert api(signed).openapi()["security"] == [{"token": []}]
    assert "security" not in described


def test_the_description_is_served_where_it_says(made):
    with served(Signed(api(made))) as where, client(where, "") as nobody:
        assert nobody.get("/openapi.json").json() == api(made).openapi()


def test_describing_the_api_takes_nothing_from_the_network_and_shows_no_code_comments(described):
    text = json.dumps(described)
    assert "http" not in text.replace("https://", "")
    assert "``" not in text


@pytest.fixture(scope="module")
def address(made):
    with served(Signed(api(made), default=LOCAL.id)) as where:
        yield where


def known(made):
    """Ids of things that are there, so that not all that is tried is unknown; of each kind several, as some are deleted on the way."""
    talks = [operations.begin_conversation(made, LOCAL).id for _ in range(6)]
    answers = [operations.ask(made, LOCAL, talk, "Vad säger 10 kap. 27 § OSL?").id for talk in talks]
    for one in answers:
        operations.complete(made, LOCAL.id, one)
    walks = [operations.start_assessment(made, LOCAL, "osl-10-15a") for _ in range(6)]
    for one in walks[:3]:
        now = one
        while now.next:
            now = operations.answer_step(made, LOCAL, now.id, now.next.id, now.next.answers[0].value, "Skäl.")
    return {"conversation_id": talks, "answer_id": answers, "assessment_id": [one.id for one in walks], "step": ["parter", "behov"],
            "checklist_id": ["osl-10-15a", "lub-5"], "ref": ["SFS 2099:10 2 kap. 1 §", "10 kap. 27 § OSL"]}


def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(made, address, tmp_path):
    values = known(made)
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(
        dictionaries="\n".join(f"{name} = {{ values = {json.dumps(held, ensure_ascii=False)} }}" for name, held in values.items()),
        parameters="\n".join(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in values)), encoding="utf-8")
    command = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert command
    # One worker: CPython 3.11's ast.parse, which the tool calls, fails with a SystemError when two threads are in it at once.
    ran = subprocess.run([command, "--config-file", str(config), "run", f"{address}/api/v1/openapi.json", "--checks", "all",
                          "--max-examples", "5", "--workers", "1", "--continue-on-failure", "--warnings", "off"],
                         capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr[-2_000:]
    assert "Operations:       23 selected / 23 total" in ran.stdout
    assert "Tested: 23" in ran.stdout
