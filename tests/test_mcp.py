"""The MCP server, by a real client: over HTTP and over stdio, the same citations as REST, letter by letter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from assistant.service.api import api
from corpus import embed, index
from tests.service_world import Signed, answered, client, served, service

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ["-c", "from assistant.cli import main; main()", "mcp"]
QUESTION = "Vad säger 10 kap. 27 § OSL?"
TOOLS = {"ask", "find_grounds", "get_provision", "verify_citation", "list_checklists", "get_checklist", "list_sources"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The small world's index in a folder that a process of its own can open."""
    folder = tmp_path_factory.mktemp("mcp")
    settings = index.Settings(folder / "index")
    index.build(settings, [ROOT / "tests" / "data" / "world"], embed.encoder())
    return folder


@pytest.fixture(scope="module")
def address(world):
    held = index.open_index(index.Settings(world / "index"), embed.encoder())
    with served(Signed(api(service(held, world)))) as where:
        yield where


def over_http(address, work, who="anna", mode="auto"):
    """What ``work`` makes of a connected client; a refused connection is its HTTP error."""
    async def go():
        headers = {"X-Test-Person": who} if who else {}
        async with (httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
                    Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as at):
            return await work(at)

    return anyio.run(go)


def over_stdio(world, work):
    environment = {**os.environ, "DELNINGSSTOD_DATA": str(world / "stdio"), "DELNINGSSTOD_INDEX": str(world / "index"),
                   "DELNINGSSTOD_QUESTIONS_PER_MINUTE": "100"}

    async def go():
        line = StdioServerParameters(command=sys.executable, args=COMMAND, env=environment, cwd=ROOT)
        async with Client(line) as at:
            return await work(at)

    return anyio.run(go)


def by_rest(address):
    with client(address) as at:
        talk = at.post("/conversations", json={}).json()["id"]
        location = at.post(f"/conversations/{talk}/answers", json={"text": QUESTION}).headers["Location"]
        answered(at, location)
        return at.get(location.removeprefix("/api/v1")).text


async def asked(at):
    return await at.call_tool("ask", {"question": QUESTION})


def written(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_are_listed_and_those_that_change_nothing_say_so(address, mode):
    async def listed(at):
        return (await at.list_tools()).tools

    found = {one.name: one for one in over_http(address, listed, mode=mode)}
    assert set(found) == TOOLS
    assert {name for name, one in found.items() if not one.annotations.read_only_hint} == {"ask"}
    assert all(one.description and one.input_schema["additionalProperties"] is False for one in found.values())


def test_http_stdio_and_rest_give_the_same_citations_to_the_letter(address, world):
    rest = by_rest(address)
    citations = [written(one) for one in json.loads(rest)["citations"]]
    assert citations
    assert all(one in rest for one in citations)  # the bytes on the wire, not only what they mean
    for given in (over_http(address, asked), over_http(address, asked, mode="legacy"), over_stdio(world, asked)):
        assert not given.is_error
        assert [written(one) for one in given.structured_content["answer"]["citations"]] == citations
        assert all(one in given.content[0].text for one in citations)


def test_a_follow_up_is_asked_in_the_same_conversation(address):
    async def two(at):
        first = (await asked(at)).structured_content
        then = await at.call_tool("ask", {"question": "Och 10 kap. 28 §?", "conversation_id": first["conversation_id"]})
        return first, then.structured_content

    first, then = over_http(address, two)
    with client(address) as at:
        turns = at.get(f"/conversations/{first['conversation_id']}").json()["turns"]
    assert then["conversation_id"] == first["conversation_id"]
    assert [one["answer"]["answer_id"] for one in turns] == [first["answer"]["answer_id"], then["answer"]["answer_id"]]


def test_the_lookups_give_what_rest_gives(address):
    async def looked(at):
        return [(await at.call_tool(name, sent)).structured_content for name, sent in (
            ("list_sources", {}), ("list_checklists", {"as_of": "2026-11-22"}),
            ("get_checklist", {"checklist_id": "osl-10-15a", "as_of": "2026-11-22"}),
            ("get_provision", {"ref": "SFS 2099:10 1 kap. 2 §", "as_of": "2026-11-22"}), ("find_grounds", {"date": "2026-11-22"}))]

    with client(address) as at:
        rest = [at.get(path).json() for path in ("/sources", "/checklists?as_of=2026-11-22", "/checklists/osl-10-15a?as_of=2026-11-22",
                                                 "/provisions/SFS 2099:10 1 kap. 2 §?as_of=2026-11-22")]
        rest.append(at.post("/grounds:find", json={"date": "2026-11-22"}).json())
    assert over_http(address, looked) == rest


def test_a_quote_is_verified_with_the_citation_that_the_answer_has(address):
    async def verified(at):
        one = (await asked(at)).structured_content["answer"]["citations"][0]
        given = await at.call_tool("verify_citation", {"quote": one["quote"], "passage_id": one["passage_id"]})
        return one, given.structured_content

    one, given = over_http(address, verified)
    same = ("ref", "source", "kind", "quote", "start", "end", "passage_id", "passage_sha256", "version", "valid_from", "url", "verified")
    assert given["verdict"] == "verified"
    assert {name: given["citation"][name] for name in same} == {name: one[name] for name in same}


@pytest.mark.parametrize(("tool", "sent", "code"), [
    ("ask", {"question": "Får vi lämna ut 19121212-1212?"}, "personal-data"),
    ("ask", {"question": ""}, "invalid"),
    ("ask", {"question": 7}, "invalid"),
    ("ask", {"question": "Hej", "answer": "ja"}, "invalid"),
    ("ask", {"question": "Vad gäller?", "conversation_id": "f" * 32}, "not-found"),
    ("get_provision", {"ref": "någonting"}, "invalid"),
    ("get_provision", {"ref": "1 kap. 999 § OSL"}, "not-found"),
    ("get_checklist", {"checklist_id": "finns-inte"}, "not-found"),
    ("find_grounds", {"sender_actor": "Månförvaltningen"}, "invalid"),
    ("find_grounds", {"sender": "191212121212"}, "personal-data"),
    ("start_assessment", {}, "no-such-tool"),
])
def test_what_a_tool_cant_do_is_a_problem_in_swedish_without_the_value(address, tool, sent, code):
    async def call(at):
        return await at.call_tool(tool, sent)

    given = over_http(address, call)
    told = json.loads(given.content[0].text)
    assert given.is_error
    assert told["type"] == f"urn:delningsstod:problem:{code}"
    assert "1212" not in told["detail"]


@pytest.mark.parametrize(("who", "tool", "allowed"), [
    ("lena", "list_sources", True), ("lena", "ask", False), ("ny", "list_sources", False)])
def test_roles_hold_for_agents_too(address, who, tool, allowed):
    async def call(at):
        return await at.call_tool(tool, {"question": QUESTION} if tool == "ask" else {})

    given = over_http(address, call, who)
    assert given.is_error is not allowed
    assert allowed or json.loads(given.content[0].text)["status"] == 403


def test_nobody_gets_in_without_a_sign_on(address):
    reply = httpx2.post(f"{address}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, trust_env=False)
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"


def test_stdout_carries_the_protocol_and_nothing_else(world):
    environment = {**os.environ, "DELNINGSSTOD_DATA": str(world / "quiet"), "DELNINGSSTOD_INDEX": str(world / "index")}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
             "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}
    ended = subprocess.run([sys.executable, *COMMAND], input=json.dumps(hello) + "\n", capture_output=True, text=True,
                           timeout=240, cwd=ROOT, env=environment)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [one["id"] for one in lines] == [1]
    assert lines[0]["result"]["serverInfo"]["name"] == "delningsstod"
