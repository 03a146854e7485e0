"""The same operations for the agents an authority already has, over MCP: on the API's address, or on stdin and stdout.

Read TOOLS first. Assessments have no tool: an interest assessment is a person's. What a tool gives is the same JSON as REST, letter by
letter; a problem is the same object too.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams, TextContent, ToolAnnotations
from mcp_types import Tool as ToolListed
from pydantic import TypeAdapter, ValidationError

from assistant import record
from assistant.people import LOCAL, Person
from assistant.service import limits, operations, problems, schema, signon, texts
from assistant.service.limits import Answering, Reads
from assistant.service.operations import Service
from assistant.service.problems import Problem

PATIENCE_S = 60.0  # an agent's own patience with a tool


@dataclass(frozen=True)
class Desk:
    """What the tools work with, on whatever line they are called."""

    service: Service
    answering: Answering
    reads: Reads


@dataclass(frozen=True)
class Tool:
    """A tool: what it takes, what it gives, what it does. ``reads``: it changes nothing."""

    name: str
    takes: type[schema.Sent]
    gives: Any
    does: Callable[[Desk, Person, Any], Any]
    reads: bool = True

    def listed(self) -> ToolListed:
        """As a client sees it."""
        title = texts.SUMMARY[self.name]
        hints = ToolAnnotations(title=title, read_only_hint=self.reads, destructive_hint=False, idempotent_hint=self.reads,
                                open_world_hint=False)
        gives = TypeAdapter(self.gives).json_schema(mode="serialization")
        return ToolListed(name=self.name, title=title, description=texts.TOOLS[self.name], annotations=hints,
                          input_schema=self.takes.model_json_schema(), output_schema=gives)


def _ask(desk: Desk, who: Person, sent: schema.Asking) -> schema.JSON:
    limits.question(desk.service.database, who, desk.service.settings.questions_per_minute)
    with desk.answering.place() as start:
        talk = sent.conversation_id or operations.begin_conversation(desk.service, who).id
        asked = operations.ask(desk.service, who, talk, sent.question, sent.as_of)
        if asked.answer is None:
            start(who.id, asked.id)
    until = time.monotonic() + PATIENCE_S
    while asked.answer is None and time.monotonic() < until:
        desk.answering.wait_here(asked.id, PATIENCE_S)
        asked = operations.answer(desk.service, who, asked.id)
    if asked.answer is None:
        raise problems.Busy(texts.BUSY)
    return {"conversation_id": talk, "answer": asked.answer}


def _find_grounds(desk: Desk, who: Person, sent: schema.CaseSent) -> Any:
    return operations.find_grounds(desk.service, who, sent.model_dump(mode="json", exclude_unset=True))


def _get_provision(desk: Desk, who: Person, sent: schema.ProvisionOnDay) -> Any:
    return operations.get_provision(desk.service, who, sent.ref, sent.as_of)


def _verify_citation(desk: Desk, who: Person, sent: schema.Quoted) -> Any:
    return operations.verify_citation(desk.service, who, sent.quote, ref=sent.ref, passage_id=sent.passage_id, as_of=sent.as_of)


def _list_checklists(_: Desk, who: Person, sent: schema.OnDay) -> Any:
    return operations.list_checklists(who, sent.as_of)


def _get_checklist(_: Desk, who: Person, sent: schema.ChecklistOnDay) -> Any:
    return operations.get_checklist(who, sent.checklist_id, sent.as_of)


def _list_sources(desk: Desk, who: Person, _: schema.Nothing) -> Any:
    return operations.list_sources(desk.service, who)


TOOLS = (
    Tool("ask", schema.Asking, schema.Answered, _ask, reads=False),
    Tool("find_grounds", schema.CaseSent, schema.FindingShown, _find_grounds),
    Tool("get_provision", schema.ProvisionOnDay, schema.ProvisionShown, _get_provision),
    Tool("verify_citation", schema.Quoted, schema.Verification, _verify_citation),
    Tool("list_checklists", schema.OnDay, schema.ChecklistList, _list_checklists),
    Tool("get_checklist", schema.ChecklistOnDay, schema.ChecklistShown, _get_checklist),
    Tool("list_sources", schema.Nothing, schema.SourceList, _list_sources),
)


# --- one call ---------------------------------------------------------------------------------------------------------


def called(desk: Desk, who: Person, name: str, arguments: dict[str, Any]) -> CallToolResult:
    """What a tool gives, or the problem with it. Nothing of the arguments is logged or sent back."""
    try:
        tool = next((one for one in TOOLS if one.name == name), None)
        if tool is None:
            return _problem(Problem(404, "no-such-tool", texts.NO_SUCH_TOOL))
        if tool.reads:
            desk.reads.spend(who)
        given = record.plain(tool.does(desk, who, tool.takes.model_validate(arguments)))
    except ValidationError as error:
        return _problem(problems.invalid([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]))
    except Exception as error:
        return _problem(problems.of(error) or problems.unforeseen(error))
    return CallToolResult(content=[TextContent(type="text", text=_written(given))], structured_content=given)


def _problem(problem: Problem) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=_written(problem.to_json()))], is_error=True)


def _written(given: Any) -> str:
    return json.dumps(given, ensure_ascii=False, allow_nan=False, separators=(",", ":"))  # as REST writes it


# --- the lines --------------------------------------------------------------------------------------------------------


def server(desk: Desk, who: Callable[[ServerRequestContext[Any]], Person]) -> Server[Any]:
    """The tools on a line; ``who`` says who is at the other end of a request."""

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[tool.listed() for tool in TOOLS])

    async def call_tool(context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        return await anyio.to_thread.run_sync(called, desk, who(context), params.name, params.arguments or {})

    return Server("delningsstod", version="1", title=texts.TITLE, instructions=texts.MCP_ABOUT, on_list_tools=list_tools,
                  on_call_tool=call_tool)


def over_http(desk: Desk) -> StreamableHTTPSessionManager:
    """The tools as streamable HTTP, for whoever the sign-on put in the request. No sessions: any process may take the next call."""
    def who(context: ServerRequestContext[Any]) -> Person:
        if context.request is None:
            raise signon.NotSignedIn(texts.SIGN_ON)
        return signon.person(context.request)

    return StreamableHTTPSessionManager(server(desk, who), json_response=True, stateless=True,
                                        max_request_body_size=desk.service.settings.body_limit)


@asynccontextmanager
async def answering(service: Service) -> AsyncIterator[Desk]:
    """A desk for a line of its own."""
    made = Answering(lambda owner, answer_id: operations.complete(service, owner, answer_id), service.settings.answer_workers,
                     service.settings.answers_in_flight)
    try:
        yield Desk(service, made, Reads(service.settings.reads_per_minute))
    finally:
        await anyio.to_thread.run_sync(made.close)


async def _on_stdio(service: Service) -> None:
    async with answering(service) as desk, stdio_server() as (incoming, outgoing):
        made = server(desk, lambda _: LOCAL)
        await made.run(incoming, outgoing, made.create_initialization_options())


def on_stdio(service: Service) -> None:
    """Serve the tools on stdin and stdout until the client hangs up: one person, on this machine."""
    anyio.run(_on_stdio, service)
