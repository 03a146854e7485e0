"""Who may what, for every role, operation and address; and that nobody gets in, or gets more, by saying so."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from contextlib import contextmanager
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from assistant import desk, people
from assistant.people import Operation, Role
from assistant.service import mcp, oidc, serve, signon
from assistant.service.api import api, router
from assistant.service.signon import Session
from assistant.settings import Settings
from tests import openid_provider
from tests.service_world import service

PUBLIC = "https://delning.myndighet.example"
SECRET = "proxyns-hemlighet-0123456789-0123456789"
GROUPS = {"DS-läsare": "läsare", "DS-handläggare": "handläggare", "DS-jurister": "jurist", "DS-förvaltare": "förvaltare"}
GROUP = {role: group for group, role in GROUPS.items()}
L, H, J, F = Role.LASARE, Role.HANDLAGGARE, Role.JURIST, Role.FORVALTARE

# Written out here once more, so that a change of who may what is made in two places or not at all.
OPERATIONS = {
    Operation.READ_SOURCES: {L, H, J, F}, Operation.FIND_GROUNDS: {L, H, J, F}, Operation.VERIFY_CITATION: {L, H, J, F},
    Operation.ASK: {H, J, F}, Operation.ASSESS: {H, J, F}, Operation.GIVE_FEEDBACK: {H, J, F},
    Operation.REVIEW: {J, F}, Operation.MANAGE_REVIEW: {F}, Operation.EXPORT_CASE: {F}, Operation.SET_RETENTION: {F},
    Operation.READ_AUDIT: {F},
}
CASE = {"sender": "Försäkringskassan", "recipient": "Skatteverket", "date": "2026-11-22"}
ROUTES = {  # every address of the API: what it is, and something to send that the operation takes
    ("POST", "/api/v1/conversations"): (Operation.ASK, {}),
    ("GET", "/api/v1/conversations"): (Operation.ASK, None),
    ("GET", "/api/v1/conversations/{conversation_id}"): (Operation.ASK, None),
    ("DELETE", "/api/v1/conversations/{conversation_id}"): (Operation.ASK, None),
    ("POST", "/api/v1/conversations/{conversation_id}/answers"): (Operation.ASK, {"text": "Vad säger 10 kap. 27 § OSL?"}),
    ("GET", "/api/v1/answers/{answer_id}"): (Operation.ASK, None),
    ("GET", "/api/v1/answers/{answer_id}/stream"): (Operation.ASK, None),
    ("POST", "/api/v1/grounds:find"): (Operation.FIND_GROUNDS, CASE),
    ("GET", "/api/v1/checklists"): (Operation.READ_SOURCES, None),
    ("GET", "/api/v1/checklists/{checklist_id}"): (Operation.READ_SOURCES, None),
    ("GET", "/api/v1/provisions/{ref}"): (Operation.READ_SOURCES, None),
    ("POST", "/api/v1/citations:verify"): (Operation.VERIFY_CITATION, {"quote": "uppgift", "ref": "sfs-2009-400#K10P27"}),
    ("GET", "/api/v1/sources"): (Operation.READ_SOURCES, None),
    ("GET", "/api/v1/assessments"): (Operation.ASSESS, None),
    ("POST", "/api/v1/assessments"): (Operation.ASSESS, {"checklist": "osl-10-15a", "as_of": "2026-11-22"}),
    ("GET", "/api/v1/assessments/{assessment_id}"): (Operation.ASSESS, None),
    ("DELETE", "/api/v1/assessments/{assessment_id}"): (Operation.ASSESS, None),
    ("PUT", "/api/v1/assessments/{assessment_id}/answers/{step}"): (Operation.ASSESS, {"value": "ja"}),
    ("GET", "/api/v1/assessments/{assessment_id}/result"): (Operation.ASSESS, None),
    ("GET", "/api/v1/assessments/{assessment_id}/protocol"): (Operation.ASSESS, None),
    ("POST", "/api/v1/feedback"): (Operation.GIVE_FEEDBACK, {"answer_id": "a1", "verdict": "helped"}),
}
OPEN = {("GET", "/api/v1/health"), ("GET", "/api/v1/ready"), ("GET", "/widget/delningsstod-chat.js"), ("GET", "/widget/frame")}
SIGNED_ON = {("GET", "/api/v1/openapi.json"), (None, "/mcp")}  # for anybody with a role; each tool then has its own operation
TOOLS = {
    "ask": Operation.ASK, "find_grounds": Operation.FIND_GROUNDS, "get_provision": Operation.READ_SOURCES,
    "verify_citation": Operation.VERIFY_CITATION, "list_checklists": Operation.READ_SOURCES, "get_checklist": Operation.READ_SOURCES,
    "list_sources": Operation.READ_SOURCES,
}
SENT = {  # something each tool takes
    "ask": {"question": "Vad säger 10 kap. 27 § OSL?"}, "find_grounds": CASE, "get_provision": {"ref": "sfs-2009-400#K10P27"},
    "verify_citation": {"quote": "uppgift", "ref": "sfs-2009-400#K10P27"}, "list_checklists": {},
    "get_checklist": {"checklist_id": "osl-10-15a"}, "list_sources": {},
}


# --- worlds ------------------------------------------------------------------------------------------------------------


@contextmanager
def world(index, folder, peer="10.0.0.7", **given):
    """Somebody at ``peer`` before the whole app, without the web window, as it is served."""
    made = serve.app(service(index, folder, public_url=PUBLIC, role_groups=GROUPS, **given), api_only=True)
    with TestClient(made, base_url=given.get("public_url", PUBLIC), client=(peer, 50_000), follow_redirects=False) as at:
        yield at


def behind_proxy(user="anna", groups="DS-handläggare", secret=SECRET, **more):
    """The headers of a proxy."""
    said = {"X-Delningsstod-Proxy-Secret": secret, "X-Forwarded-User": user, "X-Forwarded-Groups": quote(groups, safe=",")}
    return {**{name: value for name, value in said.items() if value}, **more}


@pytest.fixture(scope="module")
def proxied(small_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proxy")
    with world(small_world, folder, identity="proxy", proxy_addresses=("10.0.0.0/28",), proxy_secret=SECRET) as at:
        yield at


@pytest.fixture(scope="module")
def provider():
    with openid_provider.running() as made:
        yield made


@pytest.fixture
def signing(small_world, tmp_path, provider):
    """Before an app that signs people on with the provider."""
    provider.who, provider.claims = "anna", {}
    provider.keys[:] = provider.keys[:1]
    provider.seen.clear()
    with world(small_world, tmp_path, identity="oidc", oidc_issuer=provider.issuer, oidc_client_id=openid_provider.CLIENT,
               oidc_client_secret=openid_provider.SECRET, oidc_audience=openid_provider.AUDIENCE) as at:
        at.folder = tmp_path
        yield at


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


# --- role × operation × address --------------------------------------------------------------------------------------------


def test_every_operation_is_in_the_matrix_and_is_given_to_exactly_those_roles():
    assert {operation: set(people.MAY.get(operation, ())) for operation in Operation} == OPERATIONS


def test_an_operation_in_no_table_is_nobodys(monkeypatch):
    monkeypatch.setattr(people, "MAY", {})
    everything = people.Person("x", "X", frozenset(Role))
    assert not any(people.may(everything, operation) for operation in Operation)
    with pytest.raises(people.Forbidden):
        people.require(everything, Operation.ASK)


def test_every_address_is_in_the_matrix(small_world, tmp_path):
    app = api(service(small_world, tmp_path))
    rest = {(method, route.path) for route in router.routes if isinstance(route, APIRoute) for method in route.methods}
    others = {(None, route.path) if route.methods is None else (method, route.path) for route in app.routes
              if not isinstance(route, APIRoute) and hasattr(route, "path") for method in (route.methods or {None}) if method != "HEAD"}
    assert rest == set(ROUTES) | {one for one in OPEN if one[1].startswith("/api")}
    assert others - rest == {one for one in OPEN if not one[1].startswith("/api")} | SIGNED_ON


def called(at, method, path, body, headers):
    there = re.sub(r"\{ref\}", "sfs-2009-400%23K10P27", re.sub(r"\{(?!ref)\w+\}", "finns-inte", path))
    return at.request(method, there, json=body, headers=headers)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_what_the_matrix_gives_it_and_nothing_else(proxied, role):
    headers = behind_proxy(f"person-{role.name}", GROUP[role])
    for (method, path), (operation, body) in ROUTES.items():
        reply = called(proxied, method, path, body, headers)
        assert reply.status_code != 401, path
        assert (reply.status_code == 403) == (role not in OPERATIONS[operation]), (method, path, reply.status_code, reply.text)
        assert reply.status_code != 405, path


@pytest.mark.parametrize(("said", "status"), [({}, 401), (behind_proxy("ny", "Alla"), 403), (behind_proxy("ny", ""), 403)])
def test_without_sign_on_or_without_a_role_every_address_is_closed(proxied, said, status):
    for (method, path), (_, body) in ROUTES.items():
        reply = called(proxied, method, path, body, said)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json"), path
    assert {proxied.get(path or "/mcp", headers=said).status_code for _, path in SIGNED_ON} == {status}
    assert {proxied.get(path, headers=said).status_code for _, path in OPEN} == {200}


@pytest.mark.parametrize("role", list(Role))
def test_each_tool_for_agents_has_its_role(proxied, role):
    assert {tool.name for tool in mcp.TOOLS} == set(TOOLS)
    headers = {**behind_proxy(f"agent-{role.name}", GROUP[role]), "Accept": "application/json, text/event-stream"}
    for name, operation in TOOLS.items():
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": SENT[name]}}
        reply = proxied.post("/mcp", json=call, headers=headers).json()["result"]
        forbidden = reply.get("isError") and '"status":403' in json.dumps(reply, separators=(",", ":")).replace("\\", "")
        assert bool(forbidden) == (role not in OPERATIONS[operation]), (name, reply)


def test_a_person_without_a_role_is_told_so_in_plain_swedish(small_world, tmp_path):
    with world(small_world, tmp_path, identity="proxy", proxy_addresses=("10.0.0.7",), proxy_secret=SECRET) as at:
        page = at.get("/", headers=behind_proxy("ny", "Alla"))
    assert page.status_code == 403
    assert "Du är inloggad som ny men har ingen roll i tjänsten" in page.text
    assert '<html lang="sv">' in page.text


# --- one's own ---------------------------------------------------------------------------------------------------------------


def test_what_is_somebody_elses_can_neither_be_read_changed_nor_known_of(proxied):
    anna, bo = behind_proxy("anna"), behind_proxy("bo", "DS-jurister,DS-förvaltare")
    talk = proxied.post("/api/v1/conversations", json={}, headers=anna).json()["id"]
    asked = proxied.post(f"/api/v1/conversations/{talk}/answers", json={"text": "Vad säger 10 kap. 27 § OSL?"}, headers=anna)
    made = proxied.post("/api/v1/assessments", json={"checklist": "osl-10-15a", "as_of": "2026-11-22"}, headers=anna)
    answer, assessment = asked.headers["location"], made.headers["location"]
    tries = [
        ("GET", f"/api/v1/conversations/{talk}", None), ("DELETE", f"/api/v1/conversations/{talk}", None),
        ("POST", f"/api/v1/conversations/{talk}/answers", {"text": "Vad säger 10 kap. 2 § OSL?"}), ("GET", answer, None),
        ("GET", f"{answer}/stream", None), ("GET", assessment, None), ("DELETE", assessment, None), ("GET", f"{assessment}/result", None),
        ("GET", f"{assessment}/protocol", None), ("PUT", f"{assessment}/answers/{made.json()['next']['id']}", {"value": "ja"}),
        ("POST", "/api/v1/feedback", {"answer_id": answer.rsplit("/", 1)[1], "verdict": "wrong"})]
    unknown = re.compile(f"{talk}|{answer.rsplit('/', 1)[1]}|{assessment.rsplit('/', 1)[1]}")
    for method, path, body in tries:
        theirs = proxied.request(method, path, json=body, headers=bo)
        none = proxied.request(method, unknown.sub("finns-inte", path), headers=bo,
                               json=json.loads(unknown.sub("finns-inte", json.dumps(body))) if body else None)
        assert theirs.status_code == none.status_code == 404, (method, path, theirs.text)
        assert theirs.json()["detail"] == none.json()["detail"]
    assert talk not in proxied.get("/api/v1/conversations", headers=bo).text
    assert assessment.rsplit("/", 1)[1] not in proxied.get("/api/v1/assessments", headers=bo).text
    assert proxied.get(f"/api/v1/conversations/{talk}", headers=anna).status_code == 200


# --- off ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("peer", "headers", "status"), [
    ("127.0.0.1", {}, 200), ("::1", {"Host": "[::1]:8501"}, 200), ("::ffff:127.0.0.1", {"Host": "localhost:8501"}, 200),
    ("127.0.0.1", {"Host": "127.0.0.1"}, 200),
    ("10.0.0.7", {}, 403), ("192.168.1.4", {"Host": "localhost"}, 403), ("::ffff:10.0.0.7", {}, 403), ("fe80::1", {}, 403),
    ("127.0.0.1", {"Host": "evil.example"}, 400), ("127.0.0.1", {"Host": "127.0.0.1.evil.example"}, 400),
    ("127.0.0.1", {"Host": "localhost.evil.example:8501"}, 400), ("127.0.0.1", {"Host": "localhost@evil.example"}, 400),
    ("127.0.0.1", {"Host": "0.0.0.0:8501"}, 400), ("127.0.0.1", {"Host": ""}, 400),
    ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 403), ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}, 403),
    ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}, 403), ("127.0.0.1", {"Via": "1.1 nginx"}, 403),
    ("127.0.0.1", {"Origin": "https://evil.example"}, 403), ("127.0.0.1", {"Origin": "http://127.0.0.1:9999"}, 403),
    ("127.0.0.1", {"Origin": "http://127.0.0.1:8501"}, 200), ("127.0.0.1", {"Origin": "null"}, 403),
])
def test_without_sign_on_only_this_machine_itself_is_served(small_world, tmp_path, peer, headers, status):
    made = serve.app(service(small_world, tmp_path), api_only=True)
    with TestClient(made, base_url="http://127.0.0.1:8501", client=(peer, 50_000)) as at:
        assert at.get("/api/v1/sources", headers=headers).status_code == status


# --- proxy -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", ["10.0.0.16", "127.0.0.1", "192.168.0.1", "::1", "::ffff:10.0.1.7", "testclient", ""])
def test_another_address_is_not_believed_though_it_knows_the_secret(small_world, tmp_path, peer):
    with world(small_world, tmp_path, peer, identity="proxy", proxy_addresses=("10.0.0.0/28",), proxy_secret=SECRET) as at:
        assert at.get("/api/v1/sources", headers=behind_proxy()).status_code == 401


@pytest.mark.parametrize(("peer", "listed"), [("10.0.0.7", "10.0.0.7"), ("::ffff:10.0.0.7", "10.0.0.0/28"), ("fd00::5", "fd00::/64")])
def test_a_listed_proxy_is_believed(small_world, tmp_path, peer, listed):
    with world(small_world, tmp_path, peer, identity="proxy", proxy_addresses=(listed,), proxy_secret=SECRET) as at:
        assert at.get("/api/v1/sources", headers=behind_proxy()).status_code == 200


SPOOFED = [
    ("no secret", behind_proxy(secret=""), 401), ("a wrong secret", behind_proxy(secret=SECRET[:-1] + "x"), 401),
    ("half the secret", behind_proxy(secret=SECRET[:20]), 401),
    ("the secret twice", [*behind_proxy().items(), ("X-Delningsstod-Proxy-Secret", "x")], 401),
    ("no user", behind_proxy(user=""), 401), ("an empty user", {**behind_proxy(), "X-Forwarded-User": "  "}, 401),
    ("two users", [*behind_proxy().items(), ("X-Forwarded-User", "chef")], 400),
    ("two lists of groups", [*behind_proxy().items(), ("x-forwarded-groups", "DS-jurister")], 400),
    ("underscores", {**behind_proxy(), "X_Forwarded_Groups": "DS-jurister"}, 400),
    ("half underscores", {**behind_proxy(), "x-forwarded_user": "chef"}, 400),
    ("underscores in the secret's name", {**behind_proxy(), "X_Delningsstod_Proxy_Secret": SECRET}, 400),
    ("a line break in the user", {**behind_proxy(), "X-Forwarded-User": b"anna\r\nX-Forwarded-Groups: DS-jurister"}, 400),
    ("a bare line feed", {**behind_proxy(), "X-Forwarded-User": b"anna\nchef"}, 400),
    ("a NUL", {**behind_proxy(), "X-Forwarded-User": b"anna\x00"}, 400),
    ("a DEL", {**behind_proxy(), "X-Forwarded-User": b"anna\x7f"}, 400),
    ("UTF-8", {**behind_proxy(), "X-Forwarded-User": "åsa".encode()}, 400),
    ("Latin-1", {**behind_proxy(), "X-Forwarded-User": b"\xe5sa"}, 400),
    ("a Cyrillic a", {**behind_proxy(), "X-Forwarded-User": "аnna".encode()}, 400),
    ("non-ASCII groups", {**behind_proxy(), "X-Forwarded-Groups": "DS-förvaltare".encode()}, 400),
    ("an encoded line break in a group", {**behind_proxy(), "X-Forwarded-Groups": "Alla%0D%0ADS-jurister"}, 400),
    ("an encoded line break in the name", behind_proxy(**{"X-Forwarded-Preferred-Username": "Anna%0AEk"}), 400),
    ("broken encoding", {**behind_proxy(), "X-Forwarded-Groups": "DS-f%F6rvaltare"}, 400),
    ("a very long user", {**behind_proxy(), "X-Forwarded-User": "a" * 300}, 403),
    ("an identity number as user", {**behind_proxy(), "X-Forwarded-User": "191212121212"}, 403),
    ("an identity number as name", behind_proxy(**{"X-Forwarded-Preferred-Username": "Anna 19121212-1212"}), 403),
]


@pytest.mark.parametrize(("headers", "status"), [case[1:] for case in SPOOFED], ids=[case[0] for case in SPOOFED])
def test_headers_that_are_forged_or_broken_are_refused(proxied, headers, status):
    assert proxied.get("/api/v1/sources", headers=headers).status_code == status


@pytest.mark.parametrize("headers", [
    {"X-Forwarded-Roles": "förvaltare".encode()}, {"X-Auth-Groups": "DS-forvaltare"}, {"X-Delningsstod-Person": "chef"},
    {"X_Delningsstod_Person": "chef"}, {"X-DELNINGSSTOD-PERSON": "chef"}, {"Authorization": "Bearer chef"}, {"Cookie": "delningsstod=chef"},
    {"Remote-User": "chef"}, {"X-Forwarded-Groups-": "DS-jurister"}])
def test_nothing_else_a_client_says_makes_it_more(proxied, headers):
    said = behind_proxy("lena", "DS-läsare", **headers)
    assert proxied.get("/api/v1/sources", headers=said).status_code == 200
    assert proxied.post("/api/v1/conversations", json={}, headers=said).status_code == 403


def test_groups_in_a_body_or_a_query_are_not_groups(proxied):
    said = behind_proxy("lena", "DS-läsare")
    assert proxied.post("/api/v1/conversations?groups=DS-jurister&role=jurist", json={}, headers=said).status_code == 403
    assert proxied.post("/api/v1/conversations", json={"groups": ["DS-jurister"]}, headers=said).status_code in (403, 422)


@pytest.mark.parametrize("given", [{"identity": "off"}, {"identity": "proxy", "proxy_addresses": ("127.0.0.1",), "proxy_secret": SECRET}])
def test_those_inside_see_the_person_and_none_of_the_headers_that_said_so(given, tmp_path):
    settings = Settings(_env_file=None, data=tmp_path, public_url="http://127.0.0.1:8501", role_groups=GROUPS, **given)
    seen = {}

    async def inside(scope, receive, send):
        seen.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    at = TestClient(signon.SignOn(inside, settings, "n" * 40), base_url="http://127.0.0.1:8501", client=("127.0.0.1", 1))
    asa = behind_proxy("anna", "DS-jurister", **{"X-Forwarded-Preferred-Username": "%C3%85sa%20Ek"})
    said = asa if given["identity"] == "proxy" else {}
    forged = [("x-delningsstod-person", "chef"), ("X_Delningsstod_Person", "chef"), ("Authorization", "Bearer x")]
    at.get("/", headers=[*said.items(), *forged])
    names = [name.decode() for name, _ in seen["headers"]]
    assert not [name for name in names if "secret" in name or "forwarded" in name or name == "authorization"]
    sealed = [value.decode() for name, value in seen["headers"] if b"person" in name]
    if given["identity"] == "off":
        assert seen["state"]["person"] == people.LOCAL
        assert sealed == []
    else:
        assert seen["state"]["person"] == people.Person("anna", "Åsa Ek", frozenset({Role.JURIST}))
        assert signon.unsealed(sealed[0], "n" * 40, "window", settings).name == "Åsa Ek"
        assert signon.unsealed(sealed[0], "n" * 40, "cookie", settings) is None  # a header can't be made a cookie
        assert signon.unsealed(sealed[0], "m" * 40, "window", settings) is None


# --- oidc: tokens --------------------------------------------------------------------------------------------------------------


def tokens(provider):
    now, other = int(time.time()), openid_provider.key("k1")
    good = provider.access("anna")
    head, body, mark = good.split(".")
    claims = {"sub": "anna", "aud": openid_provider.AUDIENCE, **provider.people["anna"]}
    told = {**json.loads(base64.urlsafe_b64decode(body + "==")), "groups": ["DS-förvaltare"]}
    richer = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    return {
        "wrong issuer": provider.access("anna", iss="https://annan.example"), "no issuer": provider.access("anna", iss=None),
        "issuer with a slash more": provider.access("anna", iss=f"{provider.issuer}/"),
        "wrong audience": provider.access("anna", aud="annan-tjanst"), "no audience": provider.access("anna", aud=None),
        "the id token's audience": provider.access("anna", aud=openid_provider.CLIENT),
        "expired": provider.access("anna", exp=now - 60, iat=now - 600), "no expiry": provider.access("anna", exp=None),
        "not yet valid": provider.access("anna", nbf=now + 600), "expiry as text": provider.access("anna", exp="aldrig"),
        "alg none": provider.unsigned("anna", "none"), "alg None": provider.unsigned("anna", "None"),
        "alg empty": provider.unsigned("anna", ""),
        "no signature": provider.unsigned("anna", "RS256"), "HS256 with the public key as PEM": provider.confused("anna", "pem"),
        "HS256 with the public key as JWK": provider.confused("anna", "jwk"),
        "another key under the same name": provider.signed(claims, by=other),
        "a key of its own in the header": provider.signed(claims, by=other, header={"jwk": other.as_dict(private=False)}),
        "an unknown key": provider.signed(claims, by=openid_provider.key("k9")), "groups written into it": f"{head}.{richer}.{mark}",
        "cut off": good[:-10], "no dots": "x" * 200, "empty": "",
        "a sign-out token": provider.signed(claims, header={"typ": "logout+jwt"}),
        "no subject": provider.access("anna", sub=None), "an identity number as subject": provider.access("anna", sub="191212121212"),
    }


def test_every_kind_of_bad_token_is_refused(signing, provider):
    assert signing.get("/api/v1/sources", headers=bearer(provider.access("anna"))).status_code == 200
    for name, token in tokens(provider).items():
        reply = signing.get("/api/v1/sources", headers=bearer(token))
        assert reply.status_code == (403 if "identity" in name else 401), name
        assert "annan.example" not in reply.text, name
    for header in ("Basic YW5uYTphbm5h", "Bearer", "bearer  ", "Token x", "Negotiate x"):
        assert signing.get("/api/v1/sources", headers={"Authorization": header}).status_code == 401, header
    twice = [("Authorization", f"Bearer {provider.access('anna')}"), ("Authorization", "Bearer x")]
    assert signing.get("/api/v1/sources", headers=twice).status_code == 401


def test_a_token_gives_the_roles_of_its_groups_and_no_group_gives_none(signing, provider):
    begin = {who: signing.post("/api/v1/conversations", json={}, headers=bearer(provider.access(who))).status_code
             for who in ("anna", "bo", "lena", "ny")}
    assert begin == {"anna": 201, "bo": 201, "lena": 403, "ny": 403}
    for groups in ("DS-jurister", {"DS-jurister": True}, None, [["DS-jurister"]], "alla,DS-jurister"):
        expected = 201 if groups == "DS-jurister" else 403
        token = provider.access("ny", groups=groups)
        assert signing.post("/api/v1/conversations", json={}, headers=bearer(token)).status_code == expected, groups


def test_without_an_audience_no_token_is_taken(small_world, tmp_path, provider):
    with world(small_world, tmp_path, identity="oidc", oidc_issuer=provider.issuer, oidc_client_id=openid_provider.CLIENT,
               oidc_client_secret=openid_provider.SECRET) as at:
        assert at.get("/api/v1/sources", headers=bearer(provider.access("anna"))).status_code == 401


def test_a_new_key_is_taken_up_and_a_withdrawn_one_is_let_go(signing, provider, monkeypatch):
    old = provider.access("anna")
    assert signing.get("/api/v1/sources", headers=bearer(old)).status_code == 200
    monkeypatch.setattr(oidc, "AGAIN_S", 0)
    provider.keys.append(openid_provider.key("k2"))
    new = provider.access("anna")
    assert signing.get("/api/v1/sources", headers=bearer(new)).status_code == 200
    assert signing.get("/api/v1/sources", headers=bearer(old)).status_code == 200
    provider.keys.pop(0)
    monkeypatch.setattr(oidc, "KEYS_S", 0)
    assert signing.get("/api/v1/sources", headers=bearer(old)).status_code == 401
    assert signing.get("/api/v1/sources", headers=bearer(new)).status_code == 200
    provider.keys[:] = [openid_provider.key("k1")]


def test_unknown_keys_do_not_make_us_ask_the_provider_again_and_again(signing, provider):
    signing.get("/api/v1/sources", headers=bearer(provider.access("anna")))
    before = sum(name == "keys" for name, _ in provider.seen)
    for number in range(20):
        token = provider.signed({"sub": "anna", "aud": openid_provider.AUDIENCE}, header={"kid": f"okänd-{number}"})
        assert signing.get("/api/v1/sources", headers=bearer(token)).status_code == 401
    assert sum(name == "keys" for name, _ in provider.seen) <= before + 1


def test_a_provider_that_is_down_is_said_so_and_the_service_lives(small_world, tmp_path):
    with world(small_world, tmp_path, identity="oidc", oidc_issuer="http://127.0.0.1:9", oidc_client_id="x", oidc_client_secret="y",
               oidc_audience="z") as at:
        assert at.get("/api/v1/health").status_code == 200
        for reply in (at.get("/api/v1/sources", headers=bearer("a.b.c")), at.get("/signon/login")):
            assert reply.status_code == 503
            assert "Inloggningstjänsten svarar inte" in reply.text


# --- oidc: the code flow and the cookie ------------------------------------------------------------------------------------------


def begin(at, path="/"):
    """The address at the provider that a browser is sent to."""
    reply = at.get(f"/signon/login?next={quote(path, safe='')}")
    assert reply.status_code == 302, reply.text
    return reply.headers["location"]


def there(provider, address):
    """Through the provider and back: the address of ours that it sends the browser to."""
    import httpx

    back = httpx.get(address, trust_env=False).headers["location"]
    return back.removeprefix(PUBLIC)


def sign_in(at, provider, who="anna", path="/"):
    provider.who = who
    return at.get(there(provider, begin(at, path)))


def test_a_person_signs_in_with_pkce_state_and_nonce_and_gets_a_guarded_cookie(signing, provider):
    asked = begin(signing, "/review?x=1")
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert min(len(query[name]) for name in ("state", "nonce", "code_challenge")) >= 20
    assert query["redirect_uri"] == f"{PUBLIC}/signon/callback"
    reply = signing.get(there(provider, asked))
    assert (reply.status_code, reply.headers["location"]) == (303, "/review?x=1")
    cookie = next(one for one in reply.headers.get_list("set-cookie") if one.startswith("__Host-delningsstod="))
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
    assert signing.get("/api/v1/sources").status_code == 200
    assert signing.post("/api/v1/conversations", json={}, headers={"Origin": PUBLIC}).status_code == 201


def test_a_page_leads_to_the_sign_on_and_a_program_gets_401(signing):
    page = signing.get("/review?a=b", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/signon/login?next=%2Freview%3Fa%3Db")
    assert signing.get("/api/v1/sources", headers={"Accept": "text/html"}).status_code == 401
    assert signing.get("/static/js/x.js", headers={"Sec-Fetch-Mode": "no-cors"}).status_code == 401


@pytest.mark.parametrize("path", [
    "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=y", "/signon/logout",
    "\\\\evil.example", "/x" * 600])
def test_after_sign_in_nobody_is_led_elsewhere(signing, provider, path):
    assert sign_in(signing, provider, path=path).headers["location"] == "/"


@pytest.mark.parametrize(("claims", "status"), [
    ({"iss": "https://annan.example"}, 403), ({"aud": "annan"}, 403), ({"nonce": "annan"}, 403), ({"nonce": None}, 403),
    ({"exp": 1_700_000_000}, 403), ({"sub": None}, 403), ({"sub": "191212121212"}, 403),
    ({"azp": "annan", "aud": ["delningsstod", "annan"]}, 403)])
def test_an_id_token_that_is_not_ours_signs_nobody_in(signing, provider, claims, status):
    provider.claims = claims
    reply = sign_in(signing, provider)
    assert reply.status_code == status
    assert "__Host-delningsstod=" not in str(reply.headers)
    assert signing.get("/api/v1/sources").status_code == 401


def test_an_id_token_without_a_real_signature_signs_nobody_in(signing, provider, monkeypatch):
    for forged in ("none", "HS256", "other key"):
        def signed(self, claims, forged=forged, real=openid_provider.Provider.signed, **_):
            if forged == "other key":
                return real(self, claims, by=openid_provider.key("k1"))
            head, body, _ = real(self, claims).split(".")
            head = base64.urlsafe_b64encode(json.dumps({"alg": forged, "kid": "k1"}).encode()).rstrip(b"=").decode()
            return f"{head}.{body}." + ("" if forged == "none" else self.confused("anna", "pem").split(".")[2])

        with monkeypatch.context() as patch:
            patch.setattr(openid_provider.Provider, "signed", signed)
            assert sign_in(signing, provider).status_code == 403, forged
        assert signing.get("/api/v1/sources").status_code == 401


def test_a_callback_without_our_state_or_with_a_used_code_signs_nobody_in(signing, provider):
    back = there(provider, begin(signing))
    state = parse_qs(urlsplit(back).query)["state"][0]
    denied = f"/signon/callback?error=access_denied&state={state}"
    for wrong in (back.replace(state, "annan"), "/signon/callback?code=x", "/signon/callback", denied):
        assert signing.get(wrong).status_code == 403, wrong
    jar = dict(signing.cookies)
    signing.cookies.clear()
    assert signing.get(back).status_code == 403  # another browser: somebody else's sign-in can't be pushed onto it
    signing.cookies.update(jar)
    assert signing.get(back).status_code == 303
    signing.cookies.clear()
    signing.cookies.update(jar)
    assert signing.get(back).status_code == 403  # the code is used


def test_a_cookie_that_was_changed_made_up_or_is_over_is_worth_nothing(signing, provider):
    sign_in(signing, provider, "lena")
    name, good = "__Host-delningsstod", dict(signing.cookies)["__Host-delningsstod"]
    settings = Settings(_env_file=None, data=signing.folder, role_groups=GROUPS)
    body = good.split(".")[0]
    decoded = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    decoded[2] = ["DS-förvaltare"]
    richer = base64.urlsafe_b64encode(json.dumps(decoded, separators=(",", ":")).encode()).rstrip(b"=").decode()
    key = signon.secret(settings)
    until = time.time() + 3600
    mine = Session("lena", "Lena", ("DS-läsare",), until, "nyckel")
    forged = {
        "richer": f"{richer}.{'.'.join(good.split('.')[1:])}", "cut": good[:-2], "empty": "", "json": '{"id":"lena"}',
        "another key": signon.sealed(mine, "k" * 40, "cookie"), "for another use": signon.sealed(mine, key, "window"),
        "over": signon.sealed(Session("lena", "Lena", ("DS-läsare",), time.time() - 1, "nyckel"), key, "cookie")}
    signing.cookies.clear()
    for what, text in forged.items():
        assert signing.get("/api/v1/sources", headers={"Cookie": f"{name}={text}"}).status_code == 401, what
    assert signing.get("/api/v1/sources", headers={"Cookie": f"{name}={signon.sealed(mine, key, 'cookie')}"}).status_code == 200
    assert signing.get("/api/v1/sources", headers={"Cookie": f"delningsstod={good}"}).status_code == 401  # without the browser's guard


def test_a_group_taken_out_of_the_settings_gives_nothing_to_those_signed_in():
    held = Session("anna", "Anna", ("DS-jurister",), time.time() + 60)
    assert held.person(Settings(_env_file=None, role_groups=GROUPS)).roles == {Role.JURIST}
    assert held.person(Settings(_env_file=None, role_groups={"DS-läsare": "läsare"})).roles == frozenset()


def test_signing_out_ends_the_session_everywhere_and_at_the_provider(signing, provider):
    sign_in(signing, provider)
    copy = dict(signing.cookies)["__Host-delningsstod"]
    assert signing.get("/signon/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert signing.get("/api/v1/sources").status_code == 200
    out = signing.get("/signon/logout", headers={"Sec-Fetch-Site": "same-origin"})
    asked = parse_qs(urlsplit(out.headers["location"]).query)
    assert out.headers["location"].startswith(f"{provider.issuer}/out")
    assert asked["post_logout_redirect_uri"] == [f"{PUBLIC}/signon/out"]
    assert signing.get("/api/v1/sources").status_code == 401
    assert signing.get("/api/v1/sources", headers={"Cookie": f"__Host-delningsstod={copy}"}).status_code == 401
    assert "Du är utloggad" in signing.get("/signon/out").text


def test_a_good_cookie_does_not_make_up_for_a_bad_token(signing, provider):
    sign_in(signing, provider)
    assert signing.get("/api/v1/sources", headers=bearer("a.b.c")).status_code == 401


def test_nothing_of_a_refused_sign_on_is_kept(signing, provider):
    provider.claims = {"sub": "191212121212", "name": "Anna 19121212-1212"}
    sign_in(signing, provider)
    signing.get("/api/v1/sources", headers=bearer(provider.access("anna", sub="191212121212")))
    kept = b"".join(path.read_bytes() for path in signing.folder.rglob("*") if path.is_file())
    assert b"191212121212" not in kept
    assert b"19121212-1212" not in kept


# --- settings that contradict themselves ---------------------------------------------------------------------------------------------

OIDC = {"identity": "oidc", "public_url": PUBLIC, "role_groups": GROUPS, "oidc_issuer": "https://login.example", "oidc_client_id": "x",
        "oidc_client_secret": "y"}
PROXY = {"identity": "proxy", "public_url": PUBLIC, "role_groups": GROUPS, "proxy_addresses": ("10.0.0.1",), "proxy_secret": SECRET}
CONTRADICTIONS = [
    ({}, "0.0.0.0", "bara på den egna datorn"),
    ({}, "192.168.1.4", "bara på den egna datorn"),
    ({}, "::", "bara på den egna datorn"),
    ({}, "delning.example", "bara på den egna datorn"),
    ({"cookie_secret": "kort"}, "127.0.0.1", "COOKIE_SECRET är för kort"),
    ({"origins": ("*",)}, "127.0.0.1", "ORIGINS"),
    ({"origins": ("https://a.example/",)}, "127.0.0.1", "ORIGINS"),
    ({"origins": ("null",)}, "127.0.0.1", "ORIGINS"),
    ({"origins": ("https://*.example'; x",)}, "127.0.0.1", "ORIGINS"),
    ({**OIDC, "oidc_issuer": ""}, "0.0.0.0", "OIDC_ISSUER saknas"),
    ({**OIDC, "oidc_issuer": "http://login.example"}, "0.0.0.0", "https://"),
    ({**OIDC, "oidc_client_id": ""}, "0.0.0.0", "CLIENT_ID saknas"),
    ({**OIDC, "oidc_client_secret": ""}, "0.0.0.0", "CLIENT_SECRET saknas"),
    ({**OIDC, "public_url": ""}, "0.0.0.0", "PUBLIC_URL"),
    ({**OIDC, "public_url": "delning.example"}, "0.0.0.0", "PUBLIC_URL"),
    ({**OIDC, "public_url": "http://delning.example"}, "0.0.0.0", "PUBLIC_URL ska börja med https://"),
    ({**OIDC, "public_url": f"{PUBLIC}/delning"}, "0.0.0.0", "PUBLIC_URL"),
    ({**OIDC, "role_groups": {}}, "0.0.0.0", "ROLE_GROUPS är tom"),
    ({**OIDC, "proxy_secret": SECRET}, "0.0.0.0", "Både oidc och proxy"),
    ({**OIDC, "oidc_scopes": "profile"}, "0.0.0.0", "OIDC_SCOPES"),
    ({**PROXY, "proxy_secret": ""}, "0.0.0.0", "PROXY_SECRET saknas"),
    ({**PROXY, "proxy_secret": "kort"}, "0.0.0.0", "PROXY_SECRET är för kort"),
    ({**PROXY, "proxy_secret": "å" * 40}, "0.0.0.0", "å, ä, ö"),
    ({**PROXY, "proxy_addresses": ()}, "0.0.0.0", "PROXY_ADDRESSES saknas"),
    ({**PROXY, "proxy_addresses": ("nginx",)}, "0.0.0.0", "varken en adress"),
    ({**PROXY, "proxy_addresses": ("0.0.0.0/0",)}, "0.0.0.0", "hela världen"),
    ({**PROXY, "proxy_user_header": "X-Forwarded-Email"}, "0.0.0.0", "två av namnen"),
    ({**PROXY, "oidc_issuer": "https://x.example"}, "0.0.0.0", "Både"),
]


@pytest.mark.parametrize(("given", "host", "said"), CONTRADICTIONS)
def test_settings_that_contradict_themselves_are_refused_in_one_line(given, host, said):
    with pytest.raises(desk.NotReady, match=re.escape(said)) as refused:
        signon.check(Settings(_env_file=None, **given), host)
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("given", "host"), [({}, "127.0.0.1"), ({}, "localhost"), ({}, "::1"), (OIDC, "0.0.0.0"), (PROXY, "::"),
                                             ({**PROXY, "origins": ("https://intranat.example",)}, "10.0.0.2"),
                                             ({**OIDC, "public_url": f"{PUBLIC}/"}, "0.0.0.0")])
def test_settings_that_hold_together_are_taken(given, host):
    signon.check(Settings(_env_file=None, **given), host)


# --- the cookie's secret ----------------------------------------------------------------------------------------------------------------


def test_the_secret_is_made_once_for_the_owner_alone(tmp_path):
    settings, got = Settings(_env_file=None, data=tmp_path / "data"), []
    threads = [threading.Thread(target=lambda: got.append(signon.secret(settings))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(got) == 8
    assert len(set(got)) == 1
    assert len(got[0]) >= 48
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["cookie-secret"]
    assert (tmp_path / "data" / "cookie-secret").stat().st_mode & 0o777 == 0o600
    (tmp_path / "data" / "cookie-secret").chmod(0o640)
    with pytest.raises(desk.NotReady, match="kan läsas av andra"):
        signon.secret(settings)
    assert signon.secret(Settings(_env_file=None, data=tmp_path, cookie_secret="x" * 40)) == "x" * 40
