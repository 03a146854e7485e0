"""The REST API under /api/v1. Read api() first, then the routes: each calls one operation and writes what it gives.

Who asks has been settled before a request comes here: the sign-on's middleware puts the person in the request's state, and without one
the answer is 401. Every error is application/problem+json and is listed in the OpenAPI.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import is_typeddict

from assistant import record
from assistant.grounds import checklist as lists
from assistant.people import Person
from assistant.service import limits, mcp, operations, problems, schema, signon, stream, texts, widget
from assistant.service.limits import Answering, Reads
from assistant.service.operations import Service
from assistant.service.problems import Problem
from assistant.storage.conversations import DONE, Asked
from assistant.types import Answer

PREFIX = "/api/v1"
LEFT_S = 15.0  # a question waits this long only when the process that took it is gone
SWEEP_S = 5.0
RETRY_S = "1"


def api(service: Service) -> FastAPI:
    """The API as an ASGI app. Run its lifespan (``app.router.lifespan_context``) where it is part of another app: it answers what a
    process left behind, and lets what has begun end.
    """
    app = FastAPI(title=texts.TITLE, version="1", summary=texts.ABOUT, openapi_url=f"{PREFIX}/openapi.json", docs_url=None, redoc_url=None,
                  lifespan=_alive, redirect_slashes=False)
    app.state.service = service
    app.state.reads = Reads(service.settings.reads_per_minute)
    app.state.answering = Answering(lambda owner, answer_id: operations.complete(service, owner, answer_id),
                                    service.settings.answer_workers, service.settings.answers_in_flight)
    app.state.mcp = mcp.over_http(mcp.Desk(service, app.state.answering, app.state.reads))
    app.include_router(router)
    app.router.routes.append(Route("/mcp", _Agents()))
    app.router.routes.extend(widget.routes(service.settings))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    app.add_middleware(Edge, body_limit=service.settings.body_limit)
    for kind in (RequestValidationError, HTTPException, *problems.KINDS):
        app.add_exception_handler(kind, _told)
    return app


@contextlib.asynccontextmanager
async def _alive(app: FastAPI) -> AsyncIterator[None]:
    sweeping = asyncio.create_task(_sweep(app.state.service, app.state.answering))
    try:
        async with app.state.mcp.run():
            yield
    finally:
        sweeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeping
        await run_in_threadpool(app.state.answering.close)


async def _sweep(service: Service, answering: Answering) -> None:
    """Take up what was left unanswered, by us before a restart or by another process; and write out the audit trail's anchors."""
    starting = True
    while True:
        try:
            for owner, answer_id in await run_in_threadpool(operations.left, service, LEFT_S):
                answering.resume(owner, answer_id)
            await run_in_threadpool(operations.keep_anchors, service, take=starting)
            starting = False
        except Exception as error:  # the database is away for a while: the next round
            problems.where(error)
        await asyncio.sleep(SWEEP_S)


# --- the edge ---------------------------------------------------------------------------------------------------------


class Edge:
    """Around every request: only JSON of a bearable size comes in, what is left of the allowance goes out, and what nobody foresaw
    becomes a 500."""

    def __init__(self, app: ASGIApp, body_limit: int) -> None:
        self.app = app
        self.body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, started, size = Request(scope), False, 0

        async def measured() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.body_limit:
                raise HTTPException(413)
            return message

        async def counted(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message["headers"], *_allowance(request)]}
            await send(message)

        try:
            refused = self._refused(request)
            await (_write(refused) if refused else self.app)(scope, measured, counted)
        except Exception as error:
            if started:
                problems.where(error)  # too late to say anything else: the line is cut
                return
            await _write(problems.unforeseen(error))(scope, receive, counted)

    def _refused(self, request: Request) -> Problem | None:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.body_limit:
            return _of_framework(HTTPException(413))
        if request.scope["path"].startswith(PREFIX) and not _is_json(request):
            return Problem(415, "not-json", texts.NOT_JSON)
        return None


def _allowance(request: Request) -> list[tuple[bytes, bytes]]:
    allowance = getattr(request.state, "allowance", None)
    return [(name.lower().encode(), value.encode()) for name, value in allowance.headers.items()] if allowance else []


def _is_json(request: Request) -> bool:
    """Whether the body, where there is one, says that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind:
        return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    return kind == "application/json"


def _write(problem: Problem) -> Response:
    return JSONResponse(problem.to_json(), problem.status, dict(problem.headers), problems.MEDIA_TYPE)


async def _told(request: Request, error: Exception) -> Response:
    if isinstance(error, RequestValidationError):
        return _write(problems.invalid(error.errors()))
    if isinstance(error, HTTPException):
        told = _of_framework(error)
        return _write(replace(told, headers=(("Allow", _methods(request.scope["path"])),)) if told.status == 405 else told)
    if isinstance(error, problems.TooMany):
        request.state.allowance = limits.Allowance(error.limit, 0, error.reset_s)
    return _write(problems.of(error) or problems.unforeseen(error))


def _methods(path: str) -> str:
    """Every method of an address; the framework names those of the first route it finds."""
    fitting = (route for route in router.routes if isinstance(route, APIRoute) and route.path_regex.match(path))
    return ", ".join(sorted({method for route in fitting for method in route.methods or ()}))


def _of_framework(error: HTTPException) -> Problem:
    said = {400: ("unreadable", texts.UNREADABLE), 404: ("no-such-address", texts.NO_SUCH_ADDRESS),
            405: ("no-such-method", texts.NO_SUCH_METHOD),
            413: ("too-large", texts.TOO_LARGE)}
    code, detail = said.get(error.status_code, ("refused", texts.TITLES.get(error.status_code, texts.TITLES[400])))
    return Problem(error.status_code, code, detail, headers=tuple((error.headers or {}).items()))


class _Agents:
    """MCP, for whoever is signed on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        signon.person(Request(scope))
        await scope["app"].state.mcp.handle_request(scope, receive, send)


# --- who, and how much ------------------------------------------------------------------------------------------------


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _reading(request: Request, who: Annotated[Person, Depends(signon.person)]) -> Person:
    request.state.allowance = request.app.state.reads.spend(who)
    return who


def _asking(request: Request, service: Annotated[Service, Depends(_service)], who: Annotated[Person, Depends(signon.person)]) -> Person:
    request.state.allowance = limits.question(service.database, who, service.settings.questions_per_minute)
    return who


Served = Annotated[Service, Depends(_service)]
Who = Annotated[Person, Depends(_reading)]
Asker = Annotated[Person, Depends(_asking)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=128, pattern=r"^[!-~]*$")]
AsOf = Annotated[schema.Day | None, Query()]
LastSeen = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]
Ref = Annotated[str, Path(max_length=200, examples=["10 kap. 15 a § OSL", "SFS 2009:400 10 kap. 15 a §"])]
Named = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


# --- how it is described ----------------------------------------------------------------------------------------------

Answers = dict[int | str, dict[str, Any]]
_PROBLEM = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
ALWAYS = (401, 403, 422, 429, 500, 503)
BODY = (400, 413, 415)


def _may_answer(*statuses: int) -> Answers:
    """The problems an operation can answer with, for the OpenAPI."""
    said: Answers = {}
    for status in sorted({*ALWAYS, *statuses}):
        later = {"headers": _LATER} if status in (429, 503) else {}
        said[status] = {"description": texts.MEANS[status], "content": _PROBLEM, **later}
    return said


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI, made when it is first asked for."""
    if not app.openapi_schema:
        made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0",
                           tags=[{"name": name, "description": said} for name, said in texts.TAGS.items()])
        parts = made["components"]["schemas"]
        for name, part in parts.items():
            part.pop("description", None)  # a code comment
            kind = getattr(schema, name, object)
            if not is_typeddict(kind) and not issubclass(kind, schema.Sent):
                _always(part)
        problem = TypeAdapter(schema.ProblemShown).json_schema(ref_template="#/components/schemas/{model}")
        parts.update({**problem.pop("$defs", {}), "Problem": problem})
        parts["NewAssessment"]["properties"]["checklist"]["enum"] = list(lists.shipped_steps().ids)
        parts["CaseSent"]["properties"]["purpose_code"]["anyOf"][0]["enum"] = list(app.state.service.desk.law.purposes)
        stream_ = made["paths"][f"{PREFIX}/answers/{{answer_id}}/stream"]["get"]["responses"]["200"]
        stream_["description"] = texts.STREAM
        if app.state.service.settings.identity == "oidc":
            made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
            made["security"] = [{"token": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _always(part: dict[str, Any]) -> None:
    """What goes out is written whole, also what our own code can leave out when making it."""
    if "properties" in part:
        part["required"] = list(part["properties"])
        for one in part["properties"].values():
            one.pop("default", None)


def _led(**operations_: dict[str, str]) -> dict[str, Any]:
    """Which operations an answer leads to, and what of it they take."""
    return {"links": {name: {"operationId": name, "parameters": taken} for name, taken in operations_.items()}}


_HEADER = {"schema": {"type": "string"}}
_LATER = {"Retry-After": {"schema": {"type": "integer"}}}
_TALK, _ANSWER, _ASSESSMENT = ({name: "$response.body#/id"} for name in ("conversation_id", "answer_id", "assessment_id"))
_FROM_TALK: Answers = {201: {"headers": {"Location": _HEADER}, **_led(ask=_TALK, get_conversation=_TALK, delete_conversation=_TALK)}}
_FROM_QUESTION: Answers = {202: {"headers": {"Location": _HEADER, **_LATER},
                        **_led(get_answer=_ANSWER, stream_answer=_ANSWER)}}
_STEP = {**_ASSESSMENT, "step": "$response.body#/next/id"}
_FROM_ASSESSMENT = _led(get_assessment=_ASSESSMENT, answer_step=_STEP, get_assessment_result=_ASSESSMENT, get_protocol=_ASSESSMENT,
                        delete_assessment=_ASSESSMENT)
_FROM_ASSESSMENT["links"]["answer_step"]["requestBody"] = {"value": "$response.body#/next/answers/0/value", "reason": texts.EXAMPLE_REASON}


def _route(method: str, path: str, name: str, tag: str, model: Any = None, status: int = 200, problems_: tuple[int, ...] = (),
           responses: Answers | None = None, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An operation with its id, its summary and everything it can answer."""
    answers = {**_may_answer(*problems_, *(BODY if method in ("POST", "PUT") else ())), **(responses or {})}
    if model is not None:
        answers[status] = {"model": model, "description": texts.SUMMARY[name], **answers.get(status, {})}
    return router.api_route(path, methods=[method], operation_id=name, summary=texts.SUMMARY[name], tags=[tag], status_code=status,
                            responses=answers, response_model=None, **more)


router = APIRouter(prefix=PREFIX)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(record.plain(value), status, headers)


# --- conversations ----------------------------------------------------------------------------------------------------


@_route("POST", "/conversations", "begin_conversation", "conversations", schema.ConversationListed, 201, (409,), _FROM_TALK)
def begin_conversation(service: Served, who: Who, sent: schema.NewConversation, key: Key = "") -> Response:
    made = operations.begin_conversation(service, who, sent.case_number, key=key)
    return _json(made, 201, {"Location": f"{PREFIX}/conversations/{made.id}"})


@_route("GET", "/conversations", "list_conversations", "conversations", schema.ConversationList)
def list_conversations(service: Served, who: Who) -> Response:
    return _json(operations.list_conversations(service, who))


@_route("GET", "/conversations/{conversation_id}", "get_conversation", "conversations", schema.ConversationShown, problems_=(404,))
def get_conversation(service: Served, who: Who, conversation_id: Named) -> Response:
    return _json(operations.get_conversation(service, who, conversation_id))


@_route("DELETE", "/conversations/{conversation_id}", "delete_conversation", "conversations", None, 204, (404,))
def delete_conversation(service: Served, who: Who, conversation_id: Named) -> Response:
    operations.delete_conversation(service, who, conversation_id)
    return Response(status_code=204)


@_route("POST", "/conversations/{conversation_id}/answers", "ask", "conversations", schema.Pending, 202, (404, 409),
        _FROM_QUESTION)
def ask(request: Request, service: Served, who: Asker, conversation_id: Named, sent: schema.NewQuestion, key: Key = "") -> Response:
    with request.app.state.answering.place() as start:
        asked = operations.ask(service, who, conversation_id, sent.text, sent.as_of, key=key)
        if asked.state != DONE:
            start(who.id, asked.id)
    return _json(schema.Pending(asked.id, conversation_id), 202, {"Location": f"{PREFIX}/answers/{asked.id}", "Retry-After": RETRY_S})


_WAIT: Answers = {202: {"model": schema.Pending, "description": texts.MEANS[202], "headers": _LATER}}


@_route("GET", "/answers/{answer_id}", "get_answer", "conversations", Answer, problems_=(404,), responses=_WAIT)
def get_answer(request: Request, service: Served, who: Who, answer_id: Named) -> Response:
    asked = operations.answer(service, who, answer_id)
    if asked.answer is not None:
        return _json(asked.answer)
    _take_up(request.app.state.answering, asked)
    return _json(schema.Pending(asked.id, asked.conversation), 202, {"Retry-After": RETRY_S})


def _take_up(answering: Answering, asked: Asked) -> None:
    """Answer here what has waited so long that the process that took it must be gone."""
    if not answering.running(asked.id) and (datetime.now(UTC) - asked.asked_at).total_seconds() > LEFT_S:
        answering.resume(asked.owner, asked.id)


def _followed(service: Served, who: Who, answer_id: Named) -> Asked:
    return operations.answer(service, who, answer_id)


@_route("GET", "/answers/{answer_id}/stream", "stream_answer", "conversations", problems_=(404,), response_class=EventSourceResponse)
async def stream_answer(request: Request, service: Served, who: Annotated[Person, Depends(signon.person)],
                        asked: Annotated[Asked, Depends(_followed)], last_event_id: LastSeen = None) -> AsyncIterator[ServerSentEvent]:
    answering: Answering = request.app.state.answering

    async def again() -> Asked:
        found = await run_in_threadpool(operations.answer, service, who, asked.id)
        _take_up(answering, found)
        return found

    async for event in stream.events(asked, again, lambda seconds: answering.wait(asked.id, seconds), stream.number(last_event_id)):
        yield event


# --- the law ----------------------------------------------------------------------------------------------------------


@_route("POST", "/grounds:find", "find_grounds", "law", schema.FindingShown)
def find_grounds(service: Served, who: Who, sent: schema.CaseSent) -> Response:
    return _json(operations.find_grounds(service, who, _case(sent)))


def _case(sent: schema.CaseSent) -> dict[str, Any]:
    return sent.model_dump(mode="json", exclude_unset=True)


@_route("GET", "/checklists", "list_checklists", "law", schema.ChecklistList)
def list_checklists(who: Who, as_of: AsOf = None) -> Response:
    return _json(operations.list_checklists(who, as_of))


@_route("GET", "/checklists/{checklist_id}", "get_checklist", "law", schema.ChecklistShown, problems_=(404, 409))
def get_checklist(who: Who, checklist_id: Named, as_of: AsOf = None) -> Response:
    return _json(operations.get_checklist(who, checklist_id, as_of))


@_route("GET", "/provisions/{ref}", "get_provision", "law", schema.ProvisionShown, problems_=(404,))
def get_provision(service: Served, who: Who, ref: Ref, as_of: AsOf = None) -> Response:
    return _json(operations.get_provision(service, who, ref, as_of))


@_route("POST", "/citations:verify", "verify_citation", "law", schema.Verification)
def verify_citation(service: Served, who: Who, sent: schema.Quoted) -> Response:
    return _json(operations.verify_citation(service, who, sent.quote, ref=sent.ref, passage_id=sent.passage_id,
                                            as_of=sent.as_of))


@_route("GET", "/sources", "list_sources", "law", schema.SourceList)
def list_sources(service: Served, who: Who) -> Response:
    return _json(operations.list_sources(service, who))


# --- assessments ------------------------------------------------------------------------------------------------------


@_route("GET", "/assessments", "list_assessments", "assessments", schema.AssessmentList)
def list_assessments(service: Served, who: Who) -> Response:
    return _json(operations.list_assessments(service, who))


@_route("POST", "/assessments", "start_assessment", "assessments", schema.AssessmentShown, 201, (409,),
        {201: {"headers": {"Location": _HEADER}, **_FROM_ASSESSMENT}})
def start_assessment(service: Served, who: Who, sent: schema.NewAssessment, key: Key = "") -> Response:
    made = operations.start_assessment(service, who, sent.checklist, _case(sent.case) if sent.case else None, sent.as_of, sent.case_number,
                                       key=key)
    return _json(made, 201, {"Location": f"{PREFIX}/assessments/{made.id}"})


@_route("GET", "/assessments/{assessment_id}", "get_assessment", "assessments", schema.AssessmentShown, problems_=(404, 409))
def get_assessment(service: Served, who: Who, assessment_id: Named) -> Response:
    return _json(operations.get_assessment(service, who, assessment_id))


@_route("DELETE", "/assessments/{assessment_id}", "delete_assessment", "assessments", None, 204, (404,))
def delete_assessment(service: Served, who: Who, assessment_id: Named) -> Response:
    operations.delete_assessment(service, who, assessment_id)
    return Response(status_code=204)


@_route("PUT", "/assessments/{assessment_id}/answers/{step}", "answer_step", "assessments", schema.AssessmentShown, problems_=(404, 409),
        responses={200: _FROM_ASSESSMENT})
def answer_step(service: Served, who: Who, assessment_id: Named, step: Named, sent: schema.StepAnswer) -> Response:
    return _json(operations.answer_step(service, who, assessment_id, step, sent.value, sent.reason, sent.revision))


@_route("GET", "/assessments/{assessment_id}/result", "get_assessment_result", "assessments", schema.ResultShown, problems_=(404, 409))
def get_assessment_result(service: Served, who: Who, assessment_id: Named) -> Response:
    return _json(operations.get_assessment_result(service, who, assessment_id))


_PROTOCOL: Answers = {200: {"description": texts.SUMMARY["get_protocol"],
                   "content": {operations.WORD: {"schema": {"type": "string", "contentMediaType": operations.WORD}},
                               "application/json": {"schema": {"type": "object"}}}}}


@_route("GET", "/assessments/{assessment_id}/protocol", "get_protocol", "assessments", problems_=(404, 409), responses=_PROTOCOL,
        response_class=Response)
def get_protocol(service: Served, who: Who, assessment_id: Named, format: Annotated[Literal["docx", "json"], Query()] = "docx") -> Response:
    made = operations.get_protocol(service, who, assessment_id, format)
    return Response(made.data, media_type=made.media_type, headers={"Content-Disposition": f'attachment; filename="{made.name}"'})


# --- the service ------------------------------------------------------------------------------------------------------


@_route("POST", "/feedback", "give_feedback", "conversations", schema.FeedbackKept, 201, (404, 409))
def give_feedback(service: Served, who: Who, sent: schema.FeedbackSent, key: Key = "") -> Response:
    return _json(operations.give_feedback(service, who, sent.answer_id, sent.verdict, sent.reason, key=key), 201)


@router.get("/health", operation_id="health", summary=texts.SUMMARY["health"], tags=["service"], response_model=schema.Health)
def health() -> Response:
    return _json(operations.health())


@router.get("/ready", operation_id="ready", summary=texts.SUMMARY["ready"], tags=["service"], response_model=schema.Health,
            responses={503: {"description": texts.MEANS[503], "content": _PROBLEM}})
def ready(service: Served) -> Response:
    missing = operations.unready(service)
    return _write(Problem(503, "not-ready", texts.NOT_READY.format(what=missing))) if missing else _json(operations.health())
