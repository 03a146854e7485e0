"""Every answer carries its headers, every request says where it comes from, and nothing that breaks shows how."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from assistant.service import hardening, serve
from assistant.service.hardening import Hardening, origin_of
from assistant.settings import Settings
from tests.service_world import service

HERE = "http://127.0.0.1:8501"
PUBLIC, INTRANET, EVIL = "https://delning.myndighet.example", "https://intranat.myndighet.example", "https://evil.example"
COOKIE = "__Host-delningsstod"
ALWAYS = {"content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy", "cross-origin-opener-policy",
          "cross-origin-resource-policy", "cache-control"}


def settings(tmp_path, **given):
    return Settings(_env_file=None, data=tmp_path, **given)


def app(tmp_path, inside, *, window=True, **given):
    return Hardening(inside, settings(tmp_path, **given), COOKIE, window=window)


def rules(reply):
    """The policy of an answer, rule by rule."""
    return dict(rule.split(" ", 1) for rule in reply.headers["content-security-policy"].split("; "))


async def told(scope, receive, send):
    """An app inside that says yes to everything, with headers of its own that must not get through."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        return
    headers = [(b"server", b"x"), (b"content-type", b"text/html"), (b"content-security-policy", b"default-src *"),
               (b"cache-control", b"public"), (b"x-frame-options", b"ALLOWALL")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ja"})


# --- headers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [
    "/", "/review", "/api/v1/sources", "/mcp", "/media/x.docx", "/static/x.js", "/signon/out", "/widget/x.js"])
def test_every_answer_carries_every_header_and_ours_win(tmp_path, path):
    reply = TestClient(app(tmp_path, told), base_url=HERE).get(path)
    assert set(reply.headers) >= ALWAYS
    assert "server" not in reply.headers
    assert reply.headers.get_list("content-security-policy") == [reply.headers["content-security-policy"]]
    assert reply.headers["x-frame-options"] == "DENY"
    if not path.startswith("/widget/"):
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("path", "headers", "status"), [
    ("/api/v1/finns-inte", {}, 404), ("/api/v1/conversations", {}, 200), ("/api/v1/answers/finns-inte", {}, 404),
    ("/api/v1/sources", {"Host": "evil.example"}, 400), ("/api/v1/sources", {"Origin": EVIL}, 403), ("/", {}, 404),
    ("/api/v1/sources", {"X-Forwarded-For": "10.0.0.1"}, 403), ("/widget/delningsstod-chat.js", {}, 200), ("/widget/frame", {}, 200),
    ("/api/v1/openapi.json", {}, 200)])
def test_errors_and_refusals_of_the_real_app_carry_them_too(small_world, tmp_path, path, headers, status):
    with TestClient(serve.app(service(small_world, tmp_path), api_only=True), base_url=HERE, client=("127.0.0.1", 1)) as at:
        reply = at.get(path, headers=headers)
        method = at.put(path, json={}, headers=headers)
    assert reply.status_code == status
    assert set(reply.headers) >= ALWAYS
    assert set(method.headers) >= ALWAYS


def test_https_is_kept_to_once_it_is_used(tmp_path):
    secure = TestClient(app(tmp_path, told, public_url=PUBLIC), base_url=PUBLIC).get("/")
    assert secure.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in TestClient(app(tmp_path, told), base_url=HERE).get("/").headers


def test_only_listed_sites_may_frame_and_never_the_api(tmp_path):
    alone = TestClient(app(tmp_path, told), base_url=HERE)
    assert rules(alone.get("/"))["frame-ancestors"] == "'none'"
    listed = TestClient(app(tmp_path, told, origins=(INTRANET,)), base_url=HERE)
    assert rules(listed.get("/"))["frame-ancestors"] == f"'self' {INTRANET}"
    assert "x-frame-options" not in listed.get("/").headers
    assert rules(listed.get("/api/v1/x"))["frame-ancestors"] == "'none'"
    assert listed.get("/api/v1/x").headers["x-frame-options"] == "DENY"


def test_the_windows_policy_lets_in_nothing_foreign_and_nothing_unknown(tmp_path):
    policy = rules(TestClient(app(tmp_path, told), base_url=HERE).get("/"))
    assert policy["default-src"] == "'none'"
    loose = [name for name, value in policy.items() if name != "style-src" and re.search(r"unsafe|\*|http:|https:", value)]
    assert loose == []
    assert policy["style-src-attr"] == "'none'"
    assert "unsafe" not in policy["style-src-elem"] + policy["script-src"]
    assert {"'none'"} == {policy[name] for name in ("object-src", "base-uri", "form-action")}


# --- where a request comes from ---------------------------------------------------------------------------------------------


def asks(method, path, headers, *, kind="http", public="", origins=()):
    """Whether a request gets by. Everything is said as it comes over the line, so that two of a header are two."""
    raw = [(b"host", (public or HERE).split("//")[1].encode())]
    raw += [(name.lower().encode(), value.encode()) for name, value in (headers.items() if isinstance(headers, dict) else headers)]
    scope = {"type": kind, "method": method, "path": path, "headers": raw, "extensions": {"websocket.http.response": {}}}
    given = SimpleNamespace(public_url=public, origins=origins)
    return hardening.host_is_ours(scope, given) and hardening.origin_is_known(scope, given, COOKIE)


SIGNED = {"Cookie": f"x=y; {COOKIE}=abc"}


@pytest.mark.parametrize(("method", "path", "headers", "passes"), [
    ("POST", "/api/v1/x", {"Origin": HERE}, True), ("POST", "/api/v1/x", {"Origin": EVIL}, False),
    ("POST", "/api/v1/x", {"Origin": "null"}, False), ("POST", "/api/v1/x", {"Origin": ""}, False),
    ("POST", "/api/v1/x", {"Origin": "http://127.0.0.1:8502"}, False), ("POST", "/api/v1/x", {"Origin": "https://127.0.0.1:8501"}, False),
    ("POST", "/api/v1/x", [("Origin", HERE), ("Origin", EVIL)], False), ("POST", "/api/v1/x", {}, True),  # a program, with its own token
    ("POST", "/api/v1/x", {"Sec-Fetch-Site": "same-origin"}, True), ("POST", "/api/v1/x", {"Sec-Fetch-Site": "cross-site"}, False),
    ("POST", "/api/v1/x", {"Sec-Fetch-Site": "same-site"}, False), ("POST", "/api/v1/x", {"Sec-Fetch-Site": "none"}, False),
    ("POST", "/api/v1/x", SIGNED, False), ("POST", "/api/v1/x", {**SIGNED, "Origin": HERE}, True),
    ("POST", "/api/v1/x", {**SIGNED, "Sec-Fetch-Site": "same-origin"}, True), ("POST", "/api/v1/x", {**SIGNED, "Origin": EVIL}, False),
    ("DELETE", "/api/v1/x", {"Origin": EVIL}, False), ("PUT", "/_stcore/upload_file/a/b", {"Origin": EVIL}, False),
    ("PUT", "/_stcore/upload_file/a/b", {"Origin": HERE}, True), ("POST", "/mcp", {"Origin": EVIL}, False),
    ("GET", "/api/v1/x", {}, True), ("GET", "/api/v1/x", {"Origin": HERE}, True), ("GET", "/api/v1/x", {"Origin": EVIL}, False),
    ("OPTIONS", "/api/v1/x", {"Origin": EVIL}, False), ("GET", "/", {"Origin": EVIL}, True), ("GET", "/", {}, True),
    ("GET", "/api/v1/x", SIGNED, True),
])
def test_a_change_comes_from_our_own_pages_or_from_a_program(method, path, headers, passes):
    assert asks(method, path, headers) is passes


@pytest.mark.parametrize(("headers", "passes"), [
    ({"Origin": INTRANET}, True), ({"Origin": INTRANET, "Authorization": "Bearer x"}, True), ({**SIGNED, "Origin": INTRANET}, False),
    ({"Origin": f"{INTRANET}.evil.example"}, False), ({"Origin": INTRANET.replace("https", "http")}, False), ({"Origin": EVIL}, False)])
def test_a_listed_site_may_call_with_a_token_but_never_change_by_our_cookie(headers, passes):
    assert asks("POST", "/api/v1/x", headers, public=PUBLIC, origins=(INTRANET,)) is passes


@pytest.mark.parametrize(("headers", "passes"), [
    ({}, False), ({"Origin": HERE}, True), ({"Origin": EVIL}, False), ({"Origin": "null"}, False), ({"Origin": INTRANET}, False),
    ({"Origin": "http://localhost:8501"}, False), ([("Origin", HERE), ("Origin", HERE)], False),
    ({"Sec-Fetch-Site": "same-origin"}, False)])
def test_a_websocket_says_that_it_comes_from_our_own_page_or_is_refused(headers, passes):
    assert asks("GET", "/_stcore/stream", headers, kind="websocket", origins=(INTRANET,)) is passes


@pytest.mark.parametrize("extension", [True, False])
def test_a_refused_websocket_gets_an_answer_with_headers_where_the_server_can_give_one(tmp_path, extension):
    said = []

    async def run():
        scope = {"type": "websocket", "path": "/_stcore/stream", "headers": [(b"host", b"127.0.0.1:8501"), (b"origin", EVIL.encode())],
                 "extensions": {"websocket.http.response": {}} if extension else {}}

        async def send(message):
            said.append(message)

        await app(tmp_path, told)(scope, None, send)

    asyncio.run(run())
    if extension:
        assert said[0]["status"] == 403
        assert {name.decode() for name, _ in said[0]["headers"]} >= ALWAYS
    else:
        assert [message["type"] for message in said] == ["websocket.close"]


def test_a_websocket_that_those_inside_refuse_gets_headers_too(tmp_path):
    async def refuses(scope, receive, send):
        await send({"type": "websocket.close", "code": 1008})

    there = f"{HERE.replace('http', 'ws')}/_stcore/stream"
    at = TestClient(app(tmp_path, refuses))
    with pytest.raises(WebSocketDenialResponse) as denied, at.websocket_connect(there, headers={"Origin": HERE}):
        pass
    assert denied.value.status_code == 403
    assert set(denied.value.headers) >= ALWAYS
    with pytest.raises(WebSocketDisconnect), TestClient(app(tmp_path, told)).websocket_connect(there, headers={"Origin": HERE}) as taken:
        taken.receive_bytes()


@pytest.mark.parametrize(("url", "origin"), [
    ("https://a.example", "https://a.example"), ("https://a.example:443/x", "https://a.example"), ("http://[::1]:8501", "http://[::1]:8501"),
    ("HTTPS://A.example", "https://a.example"), ("ftp://a.example", ""), ("a.example", ""), ("https://u:p@a.example", ""),
    ("https://*.example", ""), ("https://a.example'", ""), ("https://a.example; script-src *", ""), ("https://å.example", ""), ("", ""),
    ("https://a.example:99999", ""), ("null", "")])
def test_an_origin_is_read_as_a_browser_writes_it(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(("method", "asked", "allowed"), [
    ("OPTIONS", INTRANET, True), ("GET", INTRANET, True), ("OPTIONS", EVIL, False), ("GET", EVIL, False), ("OPTIONS", "null", False)])
def test_a_listed_site_is_told_that_it_may_read_and_another_is_not(small_world, tmp_path, method, asked, allowed):
    made = serve.app(service(small_world, tmp_path, origins=(INTRANET,)), api_only=True)
    headers = {"Origin": asked, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    with TestClient(made, base_url=HERE, client=("127.0.0.1", 1)) as at:
        reply = at.request(method, "/api/v1/sources", headers=headers)
        missing = at.get("/api/v1/answers/finns-inte", headers=headers)
    assert (reply.status_code, missing.status_code) == ((200, 404) if allowed else (403, 403))
    assert {reply.headers.get("access-control-allow-origin"), missing.headers.get("access-control-allow-origin")} == {
        asked if allowed else None}
    assert "access-control-allow-credentials" not in reply.headers


def test_a_refusal_by_the_sign_on_can_be_read_by_a_listed_page(small_world, tmp_path):
    made = serve.app(service(small_world, tmp_path, origins=(INTRANET,), identity="proxy", public_url=PUBLIC, proxy_addresses=("10.0.0.1",),
                             proxy_secret="x" * 40, role_groups={"a": "jurist"}), api_only=True)
    with TestClient(made, base_url=PUBLIC) as at:
        reply = at.get("/api/v1/sources", headers={"Origin": INTRANET})
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (401, INTRANET)


# --- what breaks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/v1/x"])
@pytest.mark.parametrize("late", [False, True])
def test_what_breaks_is_said_without_a_trace_and_logged_without_its_words(tmp_path, caplog, path, late):
    async def breaks(scope, receive, send):
        if late:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"halvt", "more_body": True})
        raise RuntimeError("hemliga ord ur en fråga")

    reply = TestClient(app(tmp_path, breaks), base_url=HERE).get(path)
    assert reply.status_code == (200 if late else 500)
    assert set(reply.headers) >= ALWAYS
    assert "hemliga" not in reply.text + caplog.text
    assert "Traceback" not in reply.text + caplog.text
    assert "RuntimeError in test_hardening.py" in caplog.text
    if not late:
        assert "kontakta förvaltaren" in reply.text


def test_a_page_of_ours_escapes_what_it_is_told():
    said = hardening.page("<b>", "<script>alert(1)</script>", ("/x\" onclick=\"y", "<i>"))
    assert "<script>" not in said
    assert "<b>" not in said
    assert 'onclick="' not in said
