"""Chroma as a server, and several processes behind one proxy: the same answers, and nothing lost between them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assistant import texts as shown
from assistant.storage import conversations, database
from corpus import collect, embed, index, notes
from tests.databases import postgresql
from tests.test_chat_browser import CHROMIUM, browser

__all__ = ["browser", "postgresql"]

ROOT = Path(__file__).resolve().parents[1]
WORLD = Path(__file__).parent / "data" / "world"
CHROMA = Path(sys.executable).with_name("chroma")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(url, process, seconds=180):
    """Waits until ``process`` answers at ``url``; patient, for the machine may be busy."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.2)
    raise AssertionError(f"nothing answers at {url}; the process ended with {process.poll()}")


@contextlib.contextmanager
def chroma_server(folder, port=0):
    """(address, process) of a Chroma server with its vectors in ``folder``."""
    port = port or free_port()
    with (folder.parent / f"chroma-{port}.log").open("a") as log:
        process = subprocess.Popen([str(CHROMA), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)],
                                   stdout=log, stderr=log, cwd=folder.parent)
    url = f"http://127.0.0.1:{port}"
    try:
        answers(f"{url}/api/v2/heartbeat", process)
        yield url, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        process.wait(20)


# --- vectors in a server ---------------------------------------------------------------------------------------------


@pytest.fixture
def few(tmp_path, monkeypatch):
    """A handful of notes, so that a build takes a second."""
    root = tmp_path / "notes"
    root.mkdir()
    for path in sorted((notes.NOTES / "osl-10").glob("*.md"))[:5]:
        shutil.copy(path, root)
    monkeypatch.setattr(notes, "NOTES", root)
    monkeypatch.setattr(collect.notes.load, "__defaults__", (root,))


@pytest.fixture
def server(tmp_path):
    with chroma_server(tmp_path / "vectors") as (url, _):
        yield url


def _vector(encoder, words="sekretess hindrar inte att uppgift lämnas"):
    return encoder.encode([words])[0]


def _collections(url):
    import chromadb

    where = url.rsplit(":", 1)
    return {one.name for one in chromadb.HttpClient(host="127.0.0.1", port=int(where[1])).list_collections()}


def test_vectors_in_a_server_are_found_as_those_in_the_own_folder(few, server, tmp_path):
    encoder = embed.encoder()
    own, shared = index.Settings(tmp_path / "own"), index.Settings(tmp_path / "shared", chroma_url=server)
    for settings in (own, shared):
        index.build(settings, [WORLD], encoder)
    one, other = index.open_index(own, encoder), index.open_index(shared, encoder)
    assert other.warnings == ()
    assert not (shared.folder / index.current(shared) / "chroma").exists()
    found, again = dict(one.nearest(_vector(encoder), 10)), dict(other.nearest(_vector(encoder), 10))
    assert list(found) == list(again)
    assert np.allclose(list(found.values()), list(again.values()), atol=1e-5)


def test_a_running_process_keeps_its_vectors_when_another_rebuilds(few, server, tmp_path):
    encoder, settings = embed.encoder(), index.Settings(tmp_path / "index", chroma_url=server)
    index.build(settings, [WORLD], encoder)
    running = index.open_index(settings, encoder)
    before = running.nearest(_vector(encoder), 10)
    index.build(settings, [WORLD], encoder, force=True)
    assert running.nearest(_vector(encoder), 10) == before != ()
    assert running.warnings == ()


def test_old_vectors_leave_the_server_with_their_index_and_others_stay(few, server, tmp_path):
    encoder, settings = embed.encoder(), index.Settings(tmp_path / "index", chroma_url=server)
    other = index.Settings(tmp_path / "other", chroma_url=server)
    index.build(other, [], encoder)
    names = []
    for _ in range(4):
        index.build(settings, [], encoder, force=True)
        names.append(index.current(settings))
    kept = {path.name for path in settings.folder.glob("index-*")}
    assert kept == set(names[-2:])
    assert _collections(server) == {f"passages-{name.removeprefix('index-')}" for name in (*kept, index.current(other))}


def test_an_index_whose_vectors_lie_elsewhere_is_built_again(few, server, tmp_path):
    encoder, own = embed.encoder(), index.Settings(tmp_path / "index")
    index.build(own, [], encoder)
    shared = replace(own, chroma_url=server)
    assert index.build(shared, [], encoder)[1], "moved to the server"
    assert not index.build(shared, [], encoder)[1], "nothing new"
    assert index.open_index(shared, encoder).nearest(_vector(encoder), 3)
    assert index.build(own, [], encoder)[1], "moved back"
    assert index.open_index(own, encoder).nearest(_vector(encoder), 3)


def test_a_server_that_stops_hangs_or_restarts_costs_the_vectors_and_says_so(few, tmp_path, monkeypatch):
    monkeypatch.setattr(index, "CHROMA_REST_S", 0.5)
    monkeypatch.setattr(index, "CHROMA_WAIT_S", 1.0)
    encoder, port = embed.encoder(), free_port()
    settings = index.Settings(tmp_path / "index", chroma_url=f"http://127.0.0.1:{port}")
    with chroma_server(tmp_path / "vectors", port) as (_, process):
        index.build(settings, [], encoder)
        opened = index.open_index(settings, encoder)
        whole = opened.nearest(_vector(encoder), 3)
        process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        assert opened.nearest(_vector(encoder), 3) == ()
        assert time.monotonic() - started < 4
        assert "svarar inte just nu" in opened.warnings[0]
        process.send_signal(signal.SIGCONT)
        time.sleep(0.7)
        assert opened.nearest(_vector(encoder), 3) == whole != ()
        assert opened.warnings == ()
    time.sleep(0.7)
    assert opened.nearest(_vector(encoder), 3) == ()
    late = index.open_index(settings, encoder)
    assert "svarar inte just nu" in late.warnings[0]
    with chroma_server(tmp_path / "vectors", port):
        time.sleep(0.7)
        assert opened.nearest(_vector(encoder), 3) == late.nearest(_vector(encoder), 3) == whole


def test_without_the_server_a_build_stops_at_once_and_leaves_what_there_is(few, tmp_path):
    encoder, own = embed.encoder(), index.Settings(tmp_path / "index")
    index.build(own, [], encoder)
    before = index.current(own)
    with pytest.raises(ConnectionError, match="svarar inte"):
        index.build(replace(own, chroma_url=f"http://127.0.0.1:{free_port()}"), [WORLD], encoder)
    assert index.current(own) == before
    assert not list(own.folder.glob("build-*"))


# --- several processes behind nginx ----------------------------------------------------------------------------------

NGINX = Path("/usr/sbin/nginx")
DEPLOY = ROOT / "deploy"
SECRET = "en-hemlighet-bara-for-det-har-provet"
GROUPS = {"DS-handlaggare": "handläggare", "DS-forvaltare": "förvaltare"}
STAFF = {"anna": "DS-handlaggare", "bo": "DS-handlaggare", "maj": "DS-forvaltare", **{f"p{n}": "DS-handlaggare" for n in range(20)}}
QUESTION = "Får Försäkringskassan lämna uppgift om svart lön till Skatteverket?"


class SignOn(BaseHTTPRequestHandler):
    """What stands beside nginx and knows who asks: here the cookie says it. Speaks as oauth2-proxy does."""

    def do_GET(self):
        who = (SimpleCookie(self.headers.get("Cookie", "")).get("somebody") or Morsel()).value or ""
        starts = self.path == "/oauth2/start"
        self.send_response(302 if starts else 202 if who in STAFF else 401)
        if starts:
            self.send_header("Location", f"https://inloggning.example/?till={quote(self.headers['X-Auth-Request-Redirect'])}")
        elif who in STAFF:
            self.send_header("X-Auth-Request-User", who)
            self.send_header("X-Auth-Request-Preferred-Username", quote(f"{who.capitalize()} på myndigheten"))
            self.send_header("X-Auth-Request-Groups", f"alla,{STAFF[who]}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing: it isn't what is tested."""


@pytest.fixture(scope="module")
def sign_on():
    with ThreadingHTTPServer(("127.0.0.1", 0), SignOn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def certificate(folder):
    """A certificate for localhost, as the authority's own would be."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256()))
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


@contextlib.contextmanager
def nginx(folder, port, processes, sign_on, identity="proxy"):
    """nginx as deploy/ has it, with only the addresses and the secret replaced; gives its http and https addresses."""
    if not NGINX.exists():
        pytest.skip("nginx is not installed (Debian: apt-get install nginx-light)")
    plain = free_port()
    certificate(folder)
    places = {"listen 80;": f"listen 127.0.0.1:{plain};", "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
              "server_name delning.myndighet.se;": "server_name localhost;", "/etc/ssl/delningsstod/": f"{folder}/",
              "/var/log/nginx/": f"{folder}/", "/etc/nginx/delningsstod-signon.conf": f"{folder}/signon.conf",
              "127.0.0.1:8501": f"127.0.0.1:{processes[0]}", "127.0.0.1:8502": f"127.0.0.1:{processes[1]}"}
    (folder / "site.conf").write_text(replaced(DEPLOY / "nginx.conf", places), encoding="utf-8")
    told = {"127.0.0.1:4180": f"127.0.0.1:{sign_on}", "BYT-UT-MOT-MINST-32-SLUMPADE-TECKEN": SECRET} if identity == "proxy" else {}
    (folder / "signon.conf").write_text(replaced(DEPLOY / f"nginx-signon-{identity}.conf", told), encoding="utf-8")
    temp = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
                                       f"http {{ {temp} include {folder}/site.conf; }}\n", encoding="utf-8")
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://localhost:{plain}", f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def replaced(path, places):
    text = path.read_text(encoding="utf-8")
    for there, here in places.items():
        assert there in text, f"{path.name} no longer says {there}"
        text = text.replace(there, here)
    return text


@dataclass
class Process:
    """One of the service's processes, started as the unit starts it."""

    port: int
    environment: dict
    log: Path
    running: subprocess.Popen | None = None

    def start(self):
        with self.log.open("a") as log:
            self.running = subprocess.Popen([str(Path(sys.executable).with_name("delningsstod")), "serve", "--port", str(self.port)],
                                            cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        return self

    def ready(self):
        answers(f"http://127.0.0.1:{self.port}/api/v1/ready", self.running)
        return self

    def kill(self):
        self.running.kill()
        self.running.wait(20)

    def stop(self):
        if self.running and self.running.poll() is None:
            self.running.terminate()
            self.running.wait(30)

    def client(self, who):
        """Somebody as nginx would say it, at this process alone."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=60, trust_env=False, headers={
            "X-Delningsstod-Proxy-Secret": SECRET, "X-Forwarded-User": who, "X-Forwarded-Groups": STAFF[who]})


@dataclass(frozen=True)
class Cluster:
    """Two processes behind nginx, with PostgreSQL and a Chroma server."""

    one: Process
    other: Process
    plain: str
    https: str
    folder: Path
    database: str

    def client(self, who):
        """Somebody at nginx, signed on."""
        return httpx.Client(base_url=self.https, verify=ssl.create_default_context(cafile=str(self.folder / "fullchain.pem")), timeout=60,
                            trust_env=False, cookies={"somebody": who} if who else {})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, postgresql, sign_on):
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "nginx").mkdir()
    postgresql.sql("postgres", "CREATE DATABASE several")
    with chroma_server(folder / "vectors") as (chroma, _):
        index.build(index.Settings(folder / "data" / "index", chroma_url=chroma), [WORLD], embed.encoder())
        port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DELNINGSSTOD_", "CHROMA_", "DATABASE_"))}
        environment |= {
            "DELNINGSSTOD_DATA": str(folder / "data"), "CHROMA_URL": chroma, "DATABASE_URL": postgresql.url("several"),
            "DELNINGSSTOD_IDENTITY": "proxy", "DELNINGSSTOD_PUBLIC_URL": f"https://localhost:{port}",
            "DELNINGSSTOD_PROXY_ADDRESSES": '["127.0.0.1"]', "DELNINGSSTOD_PROXY_SECRET": SECRET,
            "DELNINGSSTOD_ROLE_GROUPS": json.dumps(GROUPS), "DELNINGSSTOD_QUESTIONS_PER_MINUTE": "1000",
            "DELNINGSSTOD_READS_PER_MINUTE": "100000", "DELNINGSSTOD_COOKIE_SECRET": "x" * 40}
        processes = [Process(free_port(), environment, folder / f"process-{n}.log").start() for n in (1, 2)]
        try:
            for process in processes:
                process.ready()
            with nginx(folder / "nginx", port, [process.port for process in processes], sign_on) as (plain, https):
                yield Cluster(*processes, plain, https, folder / "nginx", postgresql.url("several"))
        finally:
            for process in processes:
                process.stop()


def asked(at, conversation, text, prefix=""):
    """Where the answer to ``text`` will be."""
    reply = at.post(f"{prefix}/conversations/{conversation}/answers", json={"text": text, "as_of": "2026-11-22"})
    assert reply.status_code == 202, reply.text
    return reply.headers["location"].removeprefix("/api/v1")


def answered(at, place, prefix="", seconds=90):
    """The answer at ``place``, waited for as the API says."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        reply = at.get(f"{prefix}{place}")
        if reply.status_code == 200:
            return reply.json()
        assert reply.status_code == 202, reply.text
        time.sleep(0.2)
    raise AssertionError(f"no answer at {place} in {seconds} s")


def begun(at, prefix=""):
    return at.post(f"{prefix}/conversations", json={}).json()["id"]


def said(answer):
    """An answer without what differs between two askings of the same."""
    return {name: value for name, value in answer.items() if name != "answer_id"}


def test_both_processes_answer_the_same_with_the_servers_vectors(cluster):
    replies = []
    for process in (cluster.one, cluster.other):
        with process.client("anna") as at:
            replies.append(answered(at, asked(at, begun(at), QUESTION)))
    with cluster.client("anna") as at:
        replies.append(answered(at, asked(at, begun(at, "/api/v1"), QUESTION, "/api/v1"), "/api/v1"))
    assert said(replies[0]) == said(replies[1]) == said(replies[2])
    assert replies[0]["citations"]
    assert [one for one in replies[0]["warnings"] if one["code"] == "index"] == []


def test_a_conversation_begun_at_one_goes_on_through_the_other(cluster):
    follow_up = "Och om det är Polismyndigheten som ska få den?"
    with cluster.one.client("anna") as one, cluster.other.client("anna") as other:
        talk, alone = begun(one), begun(one)
        first = answered(one, asked(one, talk, QUESTION))
        second = answered(other, asked(other, talk, follow_up))
        turns = one.get(f"/conversations/{talk}").json()["turns"]
        answered(one, asked(one, alone, QUESTION))
        same = answered(one, asked(one, alone, follow_up))
    assert [turn["answer"]["answer_id"] for turn in turns] == [first["answer_id"], second["answer_id"]]
    assert said(second) == said(same)
    with cluster.other.client("bo") as bo:
        assert bo.get(f"/conversations/{talk}").status_code == 404


def test_the_same_key_at_both_makes_one_thing(cluster):
    key = {"Idempotency-Key": "samma-nyckel-i-bada"}
    with cluster.one.client("anna") as one, cluster.other.client("anna") as other:
        assert one.post("/conversations", json={}, headers=key).json() == other.post("/conversations", json={}, headers=key).json()


def test_an_assessment_goes_on_where_the_next_request_lands(cluster):
    with cluster.one.client("anna") as one, cluster.other.client("anna") as other:
        made = one.post("/assessments", json={"checklist": "osl-10-15a", "as_of": "2026-11-22"}).json()
        step = made["next"]
        choice = next(row for row in step["answers"] if not row["reason"])
        then = other.put(f"/assessments/{made['id']}/answers/{step['id']}", json={"value": choice["value"], "reason": ""})
        assert then.status_code == 200, then.text
        assert one.get(f"/assessments/{made['id']}").json()["revision"] == then.json()["revision"] > made["revision"]


def test_nginx_says_who_asks_and_nobody_else(cluster):
    with cluster.client("") as nobody, cluster.client("anna") as anna:
        assert nobody.get("/api/v1/conversations").status_code == 401
        assert nobody.get("/api/v1/conversations").headers["content-type"] == "application/problem+json"
        page = nobody.get("/review?a=1&b=2")
        assert (page.status_code, page.headers["location"]) == (302, "https://inloggning.example/?till=/review%3Fa%3D1%26b%3D2")
        assert nobody.get("/api/v1/health").status_code == nobody.get("/widget/delningsstod-chat.js").status_code == 200
        talk = begun(anna, "/api/v1")
        forged = {"X-Forwarded-User": "anna", "X-Forwarded-Groups": "DS-forvaltare", "X-Delningsstod-Proxy-Secret": SECRET}
        assert nobody.get("/api/v1/conversations", headers=forged).status_code == 401
    with cluster.client("bo") as bo:
        assert bo.get(f"/api/v1/conversations/{talk}", headers=forged).status_code == 404


def test_nginx_leads_to_https_and_refuses_what_is_too_large(cluster):
    plain = httpx.get(f"{cluster.plain}/review?a=1", trust_env=False)
    assert plain.status_code == 308
    assert plain.headers["location"].startswith("https://localhost/review")
    with cluster.client("anna") as anna:
        assert anna.post("/api/v1/conversations", content=b"x" * 2_000_000, headers={"Content-Type": "application/json"}).status_code == 413


def test_when_no_process_is_up_it_is_said_in_swedish(tmp_path, sign_on):
    port = free_port()
    with nginx(tmp_path, port, [free_port(), free_port()], sign_on) as (_, https):
        trusted = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        with httpx.Client(base_url=https, verify=trusted, trust_env=False, cookies={"somebody": "anna"}) as anna:
            page, api = anna.get("/"), anna.get("/api/v1/sources")
    assert (page.status_code, api.status_code) == (503, 503)
    assert "Tjänsten kan inte nås" in page.text
    assert api.json()["title"] == "Tjänsten kan inte nås"
    assert api.headers["content-type"] == "application/problem+json"
    for reply in (page, api):
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["retry-after"] == "10"


def test_questions_acknowledged_by_a_process_that_is_killed_are_answered_by_the_other(cluster):
    texts = {who: f"Får vi i kommun nummer {n} lämna uppgift om bidrag till Skatteverket?" for n, who in enumerate(STAFF) if who[0] == "p"}

    def ask(who):
        with cluster.one.client(who) as at:
            talk = begun(at)
            return who, talk, asked(at, talk, texts[who])

    kept, pending = database.opened(cluster.database), 0
    for _ in range(4):  # until the kill comes before the last answer
        with ThreadPoolExecutor(len(texts)) as pool:
            acknowledged = list(pool.map(ask, texts))
        cluster.one.kill()
        with kept.reading() as db:
            pending = len(conversations.unfinished(db, 0))
        with cluster.client("anna") as at:  # nginx leads round the dead one at once
            assert all(at.get("/api/v1/sources").status_code == 200 for _ in range(6))
        for who, talk, place in acknowledged:
            with cluster.client(who) as at:
                assert answered(at, place, "/api/v1")["text_md"]
                assert [turn["text"] for turn in at.get(f"/api/v1/conversations/{talk}").json()["turns"]] == [texts[who]]
        cluster.one.start().ready()
        if pending:
            break
    kept.close()
    assert pending, "every answer was ready before the kill, four times"


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing")
def test_the_window_and_an_upload_stay_with_their_process(cluster, browser, tmp_path):
    wrong = tmp_path / "ko.jsonl"
    wrong.write_text('{"not": "an item"}\n', encoding="utf-8")
    for _ in range(4):  # four browsers, led to one process or the other
        with browser.new_context(ignore_https_errors=True, locale="sv-SE") as context:
            context.set_default_timeout(60_000)
            context.add_cookies([{"name": "somebody", "value": "maj", "url": cluster.https, "secure": True}])
            page = context.new_page()
            page.goto(f"{cluster.https}/review")
            page.get_by_role("radio", name=shown.REVIEW_PARTS["files"]).click()
            page.locator("input[type=file]").set_input_files(wrong)
            page.get_by_role("button", name=shown.REVIEW_IMPORT_BUTTON).click()
            page.get_by_role("alert").filter(has_text="1").first.wait_for()
    lines = (cluster.folder / "delningsstod.log").read_text(encoding="utf-8").splitlines()
    used = {line.rsplit(" ", 1)[1] for line in lines if "PUT /_stcore/upload_file/" in line and '" 204 ' in line}
    assert used <= {f"127.0.0.1:{process.port}" for process in (cluster.one, cluster.other)}
    assert len([line for line in lines if "PUT /_stcore/upload_file/" in line and '" 204 ' in line]) == 4
