"""Nothing leaves the machine: no name is looked up and no connection goes off loopback, whatever the dependencies would like to report.

Each process is watched from two sides: Python's own audit events, and every system call of it and its children where strace is installed,
which also sees the libraries that aren't Python. The environment is that of a careless host, with every tracing switched on.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from assistant import desk
from assistant.settings import Settings
from tests.misbehaving import Reply, Server
from tests.test_chat_browser import ANSWER, CHROMIUM, browser

__all__ = ["browser"]

ROOT = Path(__file__).resolve().parents[1]
WORLD = Path(__file__).parent / "data" / "world"
BIN = Path(sys.executable).parent
STRACE = shutil.which("strace")
QUESTION = "Får Försäkringskassan lämna uppgift om svart lön till Skatteverket?"
CARELESS = {  # what would make dependencies talk, if they listened
    "LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "ls-nyckel", "LANGSMITH_ENDPOINT": "http://langsmith.invalid",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://telemetry.invalid:4317", "CHROMA_OTEL_COLLECTION_ENDPOINT": "http://telemetry.invalid:4317",
    "ANONYMIZED_TELEMETRY": "true", "OPENAI_BASE_URL": "http://openai.invalid/v1", "OPENAI_API_KEY": "sk-nyckel",
    "HF_ENDPOINT": "http://models.invalid", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true"}
WATCH = """
import os, sys
_out = open(os.environ["WATCHED"], "a", buffering=1)
_events = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo", "socket.connect",
           "socket.sendto", "socket.sendmsg"}
def _saw(event, args):
    if event in _events:
        _out.write(f"{event}\\t{args[-1] if event in ('socket.connect', 'socket.sendto', 'socket.sendmsg') else args[0]!r}\\n")
sys.addaudithook(_saw)
"""


@dataclass(frozen=True)
class Watched:
    """What a process did with the network, noted in two files."""

    folder: Path

    def environment(self, **more):
        (self.folder / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("DELNINGSSTOD_", "CHROMA_", "DATABASE_"))}
        return {**mine, **CARELESS, "PYTHONPATH": str(self.folder), "WATCHED": str(self.folder / "events"), **more}

    def command(self, *args):
        if not STRACE:
            return list(args)
        return [STRACE, "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(self.folder / "calls"),
                *args]

    def seen(self):
        """Every address and name, as («look-up» | «connection», what)."""
        found = []
        for line in self._lines("events"):
            event, _, what = line.partition("\t")
            if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
                found += [("connection", host) for host in re.findall(r"^\(['\"]([^'\"]*)['\"], \d+", what)]
            else:
                found.append(("look-up", what.strip("'b\"")))
        for line in self._lines("calls"):
            found += [("connection", host) for host in re.findall(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"', line)]
            if re.search(r"sin6?_port=htons\((53|853|5353|5355)\)", line):
                found.append(("look-up", line.strip()))
        return found

    def went_out(self):
        """What of it isn't this machine itself."""
        return sorted({(kind, what) for kind, what in self.seen() if not _here(what)})

    def _lines(self, name):
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def _here(what):
    if what in ("None", "", "localhost"):
        return True
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(what.split("%")[0])
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback or address.is_unspecified
    return False


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "watch").mkdir()
    return Watched(tmp_path / "watch")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with an index of the notes and the small world."""
    folder = tmp_path_factory.mktemp("quiet")
    desk.build(Settings(_env_file=None), [WORLD], folder=folder / "data" / "index")
    return folder


def ran(watched, *args, stdin="", **environment):
    done = subprocess.run(watched.command(*args), env=watched.environment(**environment), cwd=ROOT, capture_output=True, text=True,
                          timeout=600, input=stdin)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return done.stdout


@contextlib.contextmanager
def served(watched, *args, ready, **environment):
    """A process under watch that answers at ``ready``; its output in the watch's folder."""
    with (watched.folder / "log").open("w") as log:
        process = subprocess.Popen(watched.command(*args), env=watched.environment(**environment), cwd=ROOT, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 240
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(ready, timeout=5).close()
                break
            time.sleep(0.3)
        else:
            raise AssertionError((watched.folder / "log").read_text(encoding="utf-8")[-2000:])
        yield
    finally:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        for pid in children.read_text().split() if STRACE else [process.pid]:  # strace ends with what it watches
            os.kill(int(pid), signal.SIGTERM)
        process.wait(60)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# --- the watch sees ---------------------------------------------------------------------------------------------------

BY_PYTHON = "import socket\ns = socket.socket(); s.settimeout(0.1)\ntry: s.connect(('192.0.2.1', 80))\nexcept OSError: pass"
LOOK_UP = "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: pass"
BY_C = ("import ctypes, struct\nc = ctypes.CDLL(None); s = c.socket(2, 2, 0)\n"
        "c.connect(s, struct.pack('=H2sBBBB8x', 2, b'\\0P', 192, 0, 2, 2), 16)")
TALKATIVE = {"a look-up": (LOOK_UP, "example.invalid"), "a connection": (BY_PYTHON, "192.0.2.1"),
             "a library that isn't Python": (BY_C, "192.0.2.2")}


@pytest.mark.parametrize("case", TALKATIVE)
def test_the_watch_sees(watched, case):
    code, expected = TALKATIVE[case]
    if "isn't Python" in case and not STRACE:
        pytest.skip("strace is not installed (Debian: apt-get install strace)")
    ran(watched, sys.executable, "-c", code)
    assert expected in {what for _, what in watched.went_out()}


# --- and nothing is there to see ----------------------------------------------------------------------------------------


def test_building_asking_and_finding_grounds_looks_nothing_up(watched, tmp_path):
    place = {"DELNINGSSTOD_DATA": str(tmp_path / "data")}
    for args in (["corpus", "build", "--add", str(WORLD)], ["ask", QUESTION], ["search", "svart lön", "--explain"], ["grounds", "--help"],
                 ["audit", "verify"], ["storage", "retention"]):
        assert ran(watched, str(BIN / "delningsstod"), *args, **place)
    assert watched.went_out() == []


def test_a_language_model_on_this_machine_is_all_that_is_talked_to(watched, home):
    chat = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Sekretess prövas enligt bestämmelsen [K1]."}}]}
    with Server(lambda _: Reply(body=json.dumps(chat).encode())) as model:
        ran(watched, str(BIN / "delningsstod"), "ask", QUESTION, DELNINGSSTOD_DATA=str(home / "data"), DELNINGSSTOD_MODEL_PROVIDER="openai",
            DELNINGSSTOD_MODEL_NAME="m", DELNINGSSTOD_MODEL_BASE_URL=f"{model.url}/v1", DELNINGSSTOD_MODEL_API_KEY="nyckel")
        assert model.seen, "the model was never asked"
    assert watched.went_out() == []


def test_the_measuring_through_ragas_looks_nothing_up(watched, tmp_path):
    pytest.importorskip("ragas", reason="the evals extra is not installed")
    code = "from evals import ragas_metrics; ragas_metrics._ragas()"
    ran(watched, sys.executable, "-c", code, HOME=str(tmp_path))
    assert watched.went_out() == []


def test_agents_over_stdin_look_nothing_up(watched, home):
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}
    said = ran(watched, str(BIN / "delningsstod"), "mcp", stdin=json.dumps(hello) + "\n", DELNINGSSTOD_DATA=str(home / "data"))
    assert '"serverInfo"' in said
    assert watched.went_out() == []


def test_a_chroma_server_looks_nothing_up(watched, tmp_path):
    from corpus import embed, index

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with served(watched, str(BIN / "chroma"), "run", "--path", str(tmp_path / "vectors"), "--host", "127.0.0.1", "--port", str(port),
                ready=f"{url}/api/v2/heartbeat"):
        settings = index.Settings(tmp_path / "index", chroma_url=url)
        index.build(settings, [], embed.encoder())
        assert index.open_index(settings, embed.encoder()).nearest(embed.encoder().encode([QUESTION])[0], 3)
    assert watched.went_out() == []


@pytest.fixture
def service(watched, home):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with served(watched, str(BIN / "delningsstod"), "serve", "--port", str(port), ready=f"{url}/api/v1/ready",
                DELNINGSSTOD_DATA=str(home / "data")):
        yield url


def test_serving_the_api_looks_nothing_up_and_shows_no_page_that_does(watched, service):
    with httpx.Client(base_url=service, timeout=60, trust_env=False) as at:
        for path in ("/docs", "/redoc", "/api/v1/docs", "/api/v1/redoc"):  # FastAPI's own load scripts from a CDN
            assert "cdn" not in at.get(path).text
        assert at.get("/api/v1/docs").status_code == 404
        talk = at.post("/api/v1/conversations", json={}).json()["id"]
        place = at.post(f"/api/v1/conversations/{talk}/answers", json={"text": QUESTION}).headers["location"]
        with at.stream("GET", f"{place}/stream") as stream:
            assert "event: done" in stream.read().decode()
        for path in ("/api/v1/sources", "/api/v1/checklists", "/api/v1/openapi.json", "/widget/delningsstod-chat.js", "/widget/frame"):
            assert at.get(path).status_code == 200
    assert watched.seen(), "the watch was off"
    assert watched.went_out() == []


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing")
def test_the_window_asks_nobody_else_for_anything_in_the_process_or_the_browser(watched, service, browser):
    asked = set()
    with browser.new_context(locale="sv-SE") as context:
        context.set_default_timeout(3 * ANSWER)
        context.on("request", lambda request: asked.add(request.url.split("/")[2] if "//" in request.url else request.url.split(":")[0]))
        page = context.new_page()
        page.goto(service)
        box = page.get_by_role("textbox").first
        box.fill(QUESTION)
        box.press("Enter")
        page.locator(".ds-answer").first.wait_for()
        for name in ("share", "assessment", "sources", "about"):
            page.goto(f"{service}/{name}")
            page.get_by_role("heading").first.wait_for()
    assert asked <= {service.split("/")[2], "data", "blob"}
    assert watched.went_out() == []
