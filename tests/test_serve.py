"""One process with the window and the API, as it is started: what it serves, refuses and logs; and all of it in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import httpx
import pytest
import uvicorn
from streamlit.testing.v1 import AppTest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from assistant import texts
from assistant.service import serve
from assistant.storage.database import opened
from evals.review_store import Store
from tests import openid_provider, reviewing
from tests import test_assessment_browser as assessment
from tests import test_chat_browser as chat
from tests.test_hardening import ALWAYS
from tests.test_signon import GROUPS, SECRET

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [str(Path(sys.executable).with_name("delningsstod")), "serve"]
NUMBER = "19121212-1212"
home, browser = chat.home, chat.browser
in_browser = chat.pytestmark[1]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def environment(home, **settings):
    return {**os.environ, "DELNINGSSTOD_INDEX": str(home / "index"), "DELNINGSSTOD_DATA": str(home / "data"), "PYTHONUNBUFFERED": "1",
            **settings}


@contextlib.contextmanager
def served(home, *options, port=0, **settings):
    """(address, process) of the service in a process of its own, from when it says that it is ready. Its words are in home/serve.log."""
    port = port or free_port()
    log = home / "serve.log"
    with log.open("w") as file:
        process = subprocess.Popen([*COMMAND, "--port", str(port), *options], cwd=home, env=environment(home, **settings), stdout=file,
                                   stderr=file)
    try:
        for _ in range(600):
            if " finns på " in log.read_text() or process.poll() is not None:
                break
            time.sleep(0.1)
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def running(home):
    with served(home) as (address, _):
        yield address


# --- what it serves -----------------------------------------------------------------------------------------------------------


def test_one_process_serves_the_window_and_the_api(running, home):
    at = httpx.Client(base_url=running, trust_env=False)
    page = at.get("/")
    assert "<div id=\"root\">" in page.text
    assert at.get("/review").text == page.text
    assert at.get("/api/v1/health").json() == {"status": "ok"}
    assert at.get("/api/v1/sources").json()["passages"] > 0
    assert at.get("/_stcore/health").text == "ok"
    assert at.get("/_stcore/host-config").json()["allowedOrigins"] == []
    assert at.get("/widget/delningsstod-chat.js").headers["content-type"].startswith("text/javascript")
    assert (home / "serve.log").read_text().startswith(f"Webbfönstret och API:et finns på {running}. Avbryt med Ctrl+C.")


def test_every_answer_of_the_process_carries_its_headers_and_says_nothing_of_the_server(running):
    at = httpx.Client(base_url=running, trust_env=False)
    script = re.search(r'src="\./(static/js/[^"]+)"', at.get("/").text)[1]
    for method, path in [("GET", "/"), ("GET", f"/{script}"), ("GET", "/finns/inte"), ("GET", "/api/v1/finns-inte"), ("POST", "/"),
                         ("GET", "/_stcore/health"), ("GET", "/media/finns-inte.docx"), ("GET", "/_stcore/agent/openapi.json"),
                         ("OPTIONS", "/api/v1/sources"), ("HEAD", "/"), ("TRACE", "/")]:
        reply = at.request(method, path)
        assert set(reply.headers) >= ALWAYS, (method, path)
        assert "server" not in reply.headers
        assert "Traceback (most recent" not in reply.text
    assert "immutable" in at.get(f"/{script}").headers["cache-control"]


def said(address, data, patience=5.0):
    """What comes back over a bare line."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=patience) as line:
        line.sendall(data)
        back = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while more := line.recv(65536):
                back += more
        return back.decode("latin-1")


@pytest.mark.parametrize(("sent", "status"), [
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), (b"nonsens\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA: b\r\n c: d\xff\x00\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX_Y\x00: a\r\n\r\n", 400),
    (b"GET //x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    (b"GET /?" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 431)])
def test_what_is_no_request_of_ours_gets_a_plain_no_with_headers(running, sent, status):
    back = said(running, sent)
    assert back.startswith(f"HTTP/1.1 {status} ")
    assert {line.split(":")[0].lower() for line in back.split("\r\n")} >= ALWAYS - {"cross-origin-resource-policy"}


def test_one_who_sends_headers_slowly_is_hung_up_on_and_one_who_waits_for_an_answer_is_not(monkeypatch):
    monkeypatch.setattr(serve, "HEADERS_S", 0.6)

    async def slow(scope, receive, send):
        await asyncio.sleep(1.5)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ja"})

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(slow, port=port, http=serve.Impatient, log_level="error", lifespan="off", timeout_keep_alive=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    address = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    for start in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX: "):
        assert said(address, start) == ""
    assert time.monotonic() - began < 6
    assert said(address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").endswith("ja")
    server.should_exit = True
    thread.join(10)


def test_a_websocket_of_another_page_or_of_no_page_is_refused_by_the_process(running):
    there = running.replace("http", "ws") + "/_stcore/stream"
    for origin in (None, "https://evil.example", "null", running.replace("127.0.0.1", "localhost")):
        with pytest.raises(InvalidStatus) as refused, connect(there, origin=origin, subprotocols=["streamlit"], proxy=None):
            pass
        assert refused.value.response.status_code == 403
        assert {name.lower() for name in refused.value.response.headers} >= ALWAYS
    with connect(there, origin=running, subprotocols=["streamlit"], proxy=None) as line:
        assert line.subprotocol == "streamlit"


def test_the_log_says_which_address_was_asked_for_and_nothing_of_what_was_asked(running, home):
    at = httpx.Client(base_url=running, trust_env=False)
    at.get("/api/v1/sources?fråga=hemligt")
    at.get(f"/api/v1/provisions/{NUMBER}")
    at.get(f"/api/v1/provisions/191212/121212?x={NUMBER}")
    log = (home / "serve.log").read_text()
    assert "GET /api/v1/sources HTTP" in log
    assert "(dold)" in log
    assert not re.search("hemligt|1212|Traceback", log)


# --- starting and stopping ----------------------------------------------------------------------------------------------------


def test_the_api_alone_has_no_window(home):
    with served(home, "--api-only") as (address, _):
        assert httpx.get(f"{address}/api/v1/sources", trust_env=False).status_code == 200
        page = httpx.get(address, trust_env=False)
        assert page.status_code == 404
        assert "root" not in page.text
        assert set(page.headers) >= ALWAYS
        assert "API:et finns på" in (home / "serve.log").read_text()


def test_a_stop_lets_what_is_under_way_end_and_leaves_no_trace(home):
    with served(home) as (address, process):
        at = httpx.Client(base_url=address, trust_env=False)
        talk = at.post("/api/v1/conversations", json={}).json()["id"]
        place = at.post(f"/api/v1/conversations/{talk}/answers", json={"text": "Vad säger 10 kap. 27 § OSL?"}).headers["location"]
        with connect(address.replace("http", "ws") + "/_stcore/stream", origin=address, subprotocols=["streamlit"], proxy=None):
            process.terminate()
            process.wait(20)
    assert process.returncode in (0, -15)
    assert "Traceback" not in (home / "serve.log").read_text()
    with served(home) as (address, _):
        for _ in range(100):
            reply = httpx.get(address + place, trust_env=False)
            if reply.status_code == 200:
                break
            time.sleep(0.2)
        assert reply.json()["status"].startswith("answered")


@pytest.mark.parametrize(("options", "settings", "line"), [
    (["--host", "0.0.0.0"], {}, "bara på den egna datorn"), (["--host", "192.168.1.4"], {}, "bara på den egna datorn"),
    ([], {"DELNINGSSTOD_IDENTITY": "oidc", "DELNINGSSTOD_PUBLIC_URL": "https://d.example", "DELNINGSSTOD_ROLE_GROUPS": '{"a":"jurist"}'},
     "OIDC_ISSUER saknas"),
    ([], {"DELNINGSSTOD_IDENTITY": "proxy", "DELNINGSSTOD_PUBLIC_URL": "https://d.example", "DELNINGSSTOD_ROLE_GROUPS": '{"a":"jurist"}',
          "DELNINGSSTOD_PROXY_ADDRESSES": '["10.0.0.1"]', "DELNINGSSTOD_PROXY_SECRET": "hemlis"}, "PROXY_SECRET är för kort"),
    ([], {"DELNINGSSTOD_IDENTITY": "banan"}, "DELNINGSSTOD_IDENTITY"),
    ([], {"DELNINGSSTOD_ROLE_GROUPS": "hemlis"}, "DELNINGSSTOD_ROLE_GROUPS"),
    ([], {"DELNINGSSTOD_OIDC_ALGORITHMS": '["HS256"]'}, "DELNINGSSTOD_OIDC_ALGORITHMS"), ([], {"port": "taken"}, "är upptagen")])
def test_what_cannot_be_served_is_refused_in_one_line_before_anything_is_opened(tmp_path, options, settings, line):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1] if settings.pop("port", "") else free_port()
        done = subprocess.run([*COMMAND, "--port", str(port), *options], cwd=tmp_path, env=environment(tmp_path, **settings), text=True,
                              capture_output=True, timeout=60)
    assert done.returncode == 2
    assert line in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "hemlis" not in done.stderr
    assert not (tmp_path / "index").exists()


def test_a_window_started_past_the_sign_on_shows_nothing(home, monkeypatch):
    for name, value in {"DELNINGSSTOD_INDEX": home / "index", "DELNINGSSTOD_DATA": home / "data", "DELNINGSSTOD_IDENTITY": "proxy",
                        "DELNINGSSTOD_PUBLIC_URL": "https://d.example", "DELNINGSSTOD_PROXY_SECRET": SECRET}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(ROOT)
    window = AppTest.from_file(str(ROOT / "app.py"), default_timeout=40).run()
    assert texts.SIGNED_OUT in window.get("html")[0].proto.body
    assert len(window.get("html")) == 1
    assert not window.button
    assert not window.chat_input


# --- in a real browser ------------------------------------------------------------------------------------------------------------

LOOK = ("addEventListener('securitypolicyviolation', "
        "e => (window.broken ||= []).push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`))")
PROBED = re.compile(r"script-src wasm-eval \S*/static/js/protobuf\.\w+\.js")  # protobuf.js asks whether it may, and does without


@pytest.fixture
def visit(browser):
    """Opens an address in a session of its own; what went wrong, and what the policy stopped, is asked for with ``wrong``."""
    contexts = []

    def opened_at(address, **more):
        context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="sv-SE", accept_downloads=True, **more)
        context.set_default_timeout(chat.ANSWER)
        context.add_init_script(LOOK)
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("pageerror", lambda error: page.said.append(f"error {error}"))
        page.on("console", lambda message: page.said.append(message.text) if re.search("violates|Content.Security", message.text) else None)
        page.goto(address)
        return page

    yield opened_at
    for context in contexts:
        context.close()


def wrong(page):
    """What went wrong on a page since it was opened, its scripts' own harmless question left out."""
    return page.said + [one for one in page.evaluate("window.broken || []") if not PROBED.fullmatch(one)]


def to(page, name):
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES[name]).click()
    page.get_by_role("heading", name=texts.PAGES[name], exact=True).first.wait_for()


@pytest.mark.browser
@in_browser
def test_the_chat_works_under_the_policy(running, visit):
    page = visit(running)
    page.get_by_role("button", name=texts.EXAMPLES[2]).click()
    page.locator(".ds-sources").wait_for()
    page.locator(".ds-cite").first.click()
    assert page.locator("mark.ds-now").first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.ds-skip')).position") == "fixed"  # our style is there
    assert page.evaluate("document.documentElement.lang") == "sv"  # and our script
    page.get_by_role("button", name="Välj datum").first.click()
    page.wait_for_timeout(400)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=texts.WRONG).click()
    page.get_by_label(texts.WHAT_WRONG).fill("Fel lagrum.")
    page.get_by_role("button", name=texts.SEND, exact=True).click()
    page.get_by_text(re.compile("^Tack")).first.wait_for()
    page.get_by_role("button", name=texts.TO_CHECKLIST).click()
    page.get_by_role("heading", name=texts.ASSESS_CONFIRM).wait_for()
    for name in ("share", "sources", "about"):
        to(page, name)
        page.wait_for_timeout(600)
    assert wrong(page) == []


def patiently(page, script, arg=None):
    """Playwright's own waiting runs its script with eval, which the policy stops; asking again from outside is let through."""
    for _ in range(chat.ANSWER // 100):
        if page.evaluate(script, arg):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never came true: {script}")


@pytest.mark.browser
@in_browser
def test_a_hand_off_is_taken_up_and_answered_under_the_policy(running, visit):
    page = visit(running)
    page.wait_for_function = partial(patiently, page)
    page.get_by_role("textbox", name=texts.QUESTION_PLACEHOLDER).wait_for()
    at = assessment.to_checklist(page)
    for _ in range(3):
        at = assessment.answer(page, at, "Skäl som rör saken.")
    assert page.get_by_text("Fråga 4 av högst").is_visible()
    assert wrong(page) == []


@pytest.fixture
def reviewed(home):
    """A queue that two have reviewed, so that there are figures to draw, and a run."""
    store = Store(opened(f"sqlite:///{home}/data/delningsstod.db"))
    if not store.items():
        reviewing.many(store)
        reviewing.anna_judges(store)
        reviewing.bo_judges(store)
    run = home / "data" / "evals" / "20261122-prov"
    run.mkdir(parents=True, exist_ok=True)
    (run / "rows.jsonl").write_text("", encoding="utf-8")
    (run / "summary.json").write_text(json.dumps({"measures": {"passed": {"value": 0.9}}}), encoding="utf-8")


@pytest.mark.browser
@in_browser
def test_the_review_draws_fetches_and_takes_in_under_the_policy(running, reviewed, visit, tmp_path):
    page = visit(f"{running}/review")
    page.get_by_label(texts.REVIEW_NAME).fill("Frida Falk")
    page.get_by_text(texts.REVIEW_ROLES["förvaltare"]).click()
    page.get_by_role("button", name=texts.REVIEW_ENTER).click()
    page.get_by_role("radio", name=texts.REVIEW_PARTS["figures"]).click()
    page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)").first.wait_for()
    page.wait_for_timeout(1500)
    assert page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)").count() >= 2
    page.get_by_role("radio", name=texts.REVIEW_PARTS["files"]).click()
    with page.expect_download() as got:
        page.get_by_role("button", name=texts.REVIEW_EXPORT_BUTTON.format(kind="JSONL")).click()
    file = tmp_path / "ko.jsonl"
    shutil.copy(got.value.path(), file)
    assert len(file.read_text(encoding="utf-8").splitlines()) >= reviewing.MANY
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name=texts.REVIEW_IMPORT_BUTTON).click()
    page.get_by_text(re.compile("fanns redan|redan fanns|fanns")).first.wait_for()
    page.get_by_role("radio", name=texts.REVIEW_PARTS["papers"]).click()
    page.wait_for_timeout(800)
    assert wrong(page) == []


@pytest.fixture(scope="module")
def signing(tmp_path_factory, home):
    """(address, provider): the service with a provider of its own."""
    port = free_port()
    folder = tmp_path_factory.mktemp("signing")
    (folder / "index").symlink_to(home / "index")
    with openid_provider.running() as provider:
        given = {"IDENTITY": "oidc", "PUBLIC_URL": f"http://127.0.0.1:{port}", "ROLE_GROUPS": json.dumps(GROUPS),
                 "OIDC_ISSUER": provider.issuer, "OIDC_CLIENT_ID": openid_provider.CLIENT,
                 "OIDC_CLIENT_SECRET": openid_provider.SECRET}
        with served(folder, port=port, **{f"DELNINGSSTOD_{name}": value for name, value in given.items()}) as (address, _):
            yield address, provider


def menu(page):
    page.get_by_role("navigation").get_by_role("link", name=texts.PAGES["about"]).wait_for()
    return [link.inner_text().strip() for link in page.locator(".st-key-ds-menu a").all()]


@pytest.mark.browser
@in_browser
@pytest.mark.parametrize(("who", "missing"), [("lena", ("chat", "assessment", "review")), ("anna", ("review",)), ("bo", ()), ("frida", ())])
def test_each_person_sees_the_pages_of_their_role_and_no_others(signing, visit, who, missing):
    address, provider = signing
    provider.who = who
    page = visit(address)
    assert page.get_by_text(provider.people[who]["name"]).first.wait_for() is None
    assert menu(page) == [title for name, title in texts.PAGES.items() if name not in missing] + [texts.SIGN_OUT]
    for name in missing:
        page.goto(f"{address}/{name}")
        page.get_by_role("alert").get_by_text("Det här kräver rollen").wait_for()
        assert page.get_by_role("textbox").count() == 0
    assert wrong(page) == []


@pytest.mark.browser
@in_browser
def test_a_reviewer_is_who_the_sign_on_says(signing, visit):
    address, provider = signing
    provider.who = "bo"
    page = visit(f"{address}/review")
    page.get_by_text(texts.REVIEW_IS.format(name="Bo Alm (bo)", role="jurist")).wait_for()
    assert page.get_by_label(texts.REVIEW_NAME).count() == 0
    assert page.get_by_role("button", name=texts.REVIEW_CHANGE).count() == 0
    provider.who = "frida"
    both = visit(f"{address}/review")
    both.get_by_role("button", name=texts.REVIEW_ENTER).wait_for()
    assert both.get_by_label(texts.REVIEW_NAME).count() == 0
    both.get_by_text(texts.REVIEW_ROLES["förvaltare"]).click()
    both.get_by_role("button", name=texts.REVIEW_ENTER).click()
    both.get_by_text(texts.REVIEW_IS.format(name="Frida Falk (frida)", role="förvaltare")).wait_for()


@pytest.mark.browser
@in_browser
def test_nobody_without_a_role_gets_in_and_signing_out_stops_an_open_window(signing, visit):
    address, provider = signing
    provider.who = "ny"
    page = visit(address)
    page.get_by_text("har ingen roll i tjänsten").wait_for()
    provider.who = "anna"
    page = visit(address)
    page.get_by_role("button", name=texts.EXAMPLES[1]).wait_for()
    other = page.context.new_page()
    other.goto(address)
    other.get_by_role("link", name=texts.SIGN_OUT).click()
    other.get_by_text("Du är utloggad.").wait_for()
    page.get_by_role("button", name=texts.EXAMPLES[1]).click()
    page.get_by_text(texts.SIGNED_OUT).wait_for()
    assert page.locator("[data-answer]").count() == 0
    provider.who = "bo"
    page.get_by_role("link", name=texts.SIGN_IN).click()
    page.get_by_text("Bo Alm").first.wait_for()
    assert page.locator("[data-answer]").count() == 0
