"""corpus/fetch.py against a real server on loopback that speaks the services' shapes, and misbehaves."""

from __future__ import annotations

import errno
import gzip
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from corpus import fetch as room
from corpus.fetch import FetchSettings, Source, SourcesError, fetch, load_sources, read_lock
from tests.misbehaving import Reply, Seen, Server, closed_port, one_by_one

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATUTE = Source("sfs-2009-400", "Offentlighets- och sekretesslag", "lag", 1, "rkrattsbaser", "2009:400")
OTHER_STATUTE = Source("sfs-2017-900", "Förvaltningslag", "lag", 1, "rkrattsbaser", "2017:900")
BILL = Source("prop-2024-25-180", "En proposition", "förarbete", 3, "riksdagen", "2024/25:180", "HC03180", "prop")
PRESS = Source("pm-1", "Ett pressmeddelande", "pressmeddelande", 6, "g0v", address="pressmeddelanden/2025/12/nytt")
PDF = Source("sfs-pdf-1", "En lag i PDF", "lag", 1, "sfs-pdf", address="sites/default/files/SFS2025-170.pdf")
PDF_BODY = b"%PDF-1.7\n" + b"x" * 100 + b"\n%%EOF\n"
ERROR_PAGE = Reply("<!DOCTYPE html><html><title>Tjänsten är stängd</title><p>Åter kl. 12</p></html>".encode())


# --- A world of our own: what the services answer --------------------------------------------------------------------


def statute_body(beteckning: str = "2009:400", text: str = "1 § Påhittad text.\r\n", **more: object) -> dict[str, Any]:
    return {"beteckning": beteckning, "rubrik": "Påhittad lag", "fulltext": {"forfattningstext": text}, **more}


def search_result(*found: object) -> Reply:
    return as_json({"took": 3, "hits": {"total": {"value": len(found)}, "hits": [{"_source": each} for each in found]}})


def document(rm: str = "2024/25", beteckning: str = "180", html: str | None = "<p>Påhittad text.</p>") -> Reply:
    body = {"dok_id": "HC03180", "rm": rm, "beteckning": beteckning, "typ": "prop", "titel": "En proposition"}
    return as_json({"dokumentstatus": {"dokument": body | ({"html": html} if html is not None else {})}})


def as_json(value: object) -> Reply:
    return Reply(json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def service(seen: Seen) -> Reply:
    """All services at once, healthy."""
    if seen.path.endswith("SearchEsByRawJson"):
        wanted = json.loads(seen.body)["json"]["query"]["bool"]["must"][0]["term"]["beteckning.keyword"]
        return search_result(statute_body(wanted))
    if seen.path.endswith("HC03180.json"):
        return document()
    if seen.path.endswith(".md"):
        return Reply("# Nytt\n\nPåhittad text.\n".encode())
    return Reply(PDF_BODY) if seen.path.endswith(".pdf") else Reply(status=404)


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def settings(url: str, clock: Clock | None = None, **more: Any) -> FetchSettings:
    clock = clock or Clock()
    given: dict[str, Any] = {"bases": dict.fromkeys(room.BASES, url), "today": lambda: NOON}
    quick: dict[str, Any] = {"connect_timeout_s": 1.0, "read_timeout_s": 1.0, "total_timeout_s": 3.0}
    outside: dict[str, Any] = {"clock": lambda: clock.now, "sleep": clock.sleep, "jitter": lambda: 0.5}
    return FetchSettings(**given | quick | outside | more)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- What comes back, saved ------------------------------------------------------------------------------------------


def test_a_statute_is_saved_in_the_layout_of_the_official_files(tmp_path: Path) -> None:
    found = statute_body(text="1 § Åäö.\r\n\r\n2 § Å.", upphavdDateTime=None)
    with Server(lambda seen: search_result(found)) as server:
        report = fetch([STATUTE], tmp_path, settings=settings(server.url))
    assert report.fetched == ("sfs-2009-400",)
    assert (tmp_path / "sfs-2009-400.json").read_text("utf-8") == json.dumps(found, ensure_ascii=False, indent=2)
    assert b"\\r\\n" in (tmp_path / "sfs-2009-400.json").read_bytes()


def test_a_statute_is_asked_for_as_the_service_wants_it(tmp_path: Path) -> None:
    with Server(service) as server:
        fetch([STATUTE], tmp_path, settings=settings(server.url))
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/elasticsearch/SearchEsByRawJson")
    assert seen.headers["content-type"] == "application/json"
    must = [{"term": {"beteckning.keyword": "2009:400"}}, {"term": {"publicerad": True}}]
    query = {"query": {"bool": {"must": must}}, "size": 1}
    assert json.loads(seen.body) == {"searchIndexes": ["Sfs"], "api": "search", "json": query}


def test_every_request_states_who_asks_and_sends_no_cookie_or_credential(tmp_path: Path) -> None:
    with Server(service) as server:
        fetch([STATUTE, BILL, PRESS, PDF], tmp_path, settings=settings(server.url))
    assert len(server.seen) == 4
    assert {seen.headers["user-agent"] for seen in server.seen} == {FetchSettings().user_agent}
    assert not any({"cookie", "authorization", "referer"} & set(seen.headers) for seen in server.seen)


def test_a_bill_gives_its_json_as_it_came_and_its_text_as_html(tmp_path: Path) -> None:
    with Server(lambda seen: document(html="<p>Åtgärd</p>")) as server:
        fetch([BILL], tmp_path, settings=settings(server.url))
    saved = files(tmp_path)
    assert saved["prop-2024-25-180.json"] == document(html="<p>Åtgärd</p>").body
    assert saved["prop-2024-25-180.html"] == "<p>Åtgärd</p>".encode()
    assert set(saved) == {"prop-2024-25-180.json", "prop-2024-25-180.html", room.LOCK}
    assert server.seen[0].path == "/dokument/HC03180.json"


def test_a_bill_without_text_in_its_json_has_it_fetched_from_beside(tmp_path: Path) -> None:
    answers = one_by_one(document(html=None), Reply(b"<html><body><p>Text</p></body></html>"))
    with Server(answers) as server:
        report = fetch([BILL], tmp_path, settings=settings(server.url))
    assert report.fetched == (BILL.id,)
    assert [seen.path for seen in server.seen] == ["/dokument/HC03180.json", "/dokument/HC03180.html"]
    assert b"<p>Text</p>" in (tmp_path / "prop-2024-25-180.html").read_bytes()


@pytest.mark.parametrize(
    ("beteckning", "rm", "number"),
    [
        ("2024/25:180", "2024/25", "180"),
        ("2025/26:KU6", "2025/26", "KU6"),
        ("2024:63", "2024", "63"),
        ("2024:63", "2024/25", "63"),  # an inquiry numbered by year, filed by session
        ("2025:45", "2024/25", "45"),
        ("2009:400", "2009", "2009:400"),
    ],
)
def test_a_document_is_known_by_its_beteckning(tmp_path: Path, beteckning: str, rm: str, number: str) -> None:
    source = replace(BILL, beteckning=beteckning)
    with Server(lambda seen: document(rm, number)) as server:
        assert fetch([source], tmp_path, settings=settings(server.url)).fetched == (BILL.id,)


def listing(*documents: object, pages: int = 1) -> Reply:
    return as_json(
        {"dokumentlista": {"@sidor": str(pages), "dokument": documents[0] if len(documents) == 1 else documents}}
    )


def test_a_document_without_an_id_is_looked_up_in_the_list_page_by_page(tmp_path: Path) -> None:
    other, wanted = ({"id": f"HC03{n}", "rm": "2024/25", "beteckning": n} for n in ("179", "180"))
    answers = one_by_one(listing(other, other, pages=2), listing(wanted, pages=2), document())
    with Server(answers) as server:
        report = fetch([replace(BILL, address="")], tmp_path, settings=settings(server.url))
    assert report.fetched == (BILL.id,)
    queries = [parse_qs(urlsplit(seen.path).query) for seen in server.seen[:2]]
    assert [query["p"] for query in queries] == [["1"], ["2"]]
    assert all(query["doktyp"] == ["prop"] and query["rm"] == ["2024/25"] for query in queries)
    assert server.seen[2].path == "/dokument/HC03180.json"


@pytest.mark.parametrize(
    "reply",
    [
        listing(),
        as_json({"dokumentlista": {"@sidor": "0"}}),
        as_json([]),
        listing({"id": "../../x", "rm": "2024/25", "beteckning": "180"}),
    ],
    ids=["empty", "without documents", "another shape", "an id that is a path"],
)
def test_a_document_not_in_the_list_is_a_plain_failure(tmp_path: Path, reply: Reply) -> None:
    with Server(lambda seen: reply) as server:
        report = fetch([replace(BILL, address="")], tmp_path, settings=settings(server.url))
    assert [failure.reason for failure in report.failed] == ["2024/25:180 finns inte i riksdagens dokumentlista"]
    assert len(server.seen) == 1


def test_a_government_page_and_a_pdf_are_saved_byte_for_byte(tmp_path: Path) -> None:
    with Server(service) as server:
        report = fetch([PRESS, PDF], tmp_path, settings=settings(server.url))
    assert report.fetched == (PRESS.id, PDF.id)
    assert files(tmp_path)["pm-1.md"] == "# Nytt\n\nPåhittad text.\n".encode()
    assert files(tmp_path)["sfs-pdf-1.pdf"] == PDF_BODY
    paths = [seen.path for seen in server.seen]
    assert paths == ["/pressmeddelanden/2025/12/nytt.md", "/sites/default/files/SFS2025-170.pdf"]


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("vagledning.pdf", PDF_BODY, "v.pdf"),
        ("vagledning.docx", b"PK\x03\x04resten", "v.docx"),
        ("vagledning.html", b"<html><body>Ord</body></html>", "v.html"),
        ("vagledning.txt", "Råd".encode(), "v.txt"),
        ("vagledning.md", b"# Ord", "v.md"),
        ("vagledning", b"<!-- x --><!doctype html><p>Ord</p>", "v.html"),
        ("vagledning?id=3", PDF_BODY, "v.pdf"),
        ("om-terrorism.html", b"<html><title>Om terrorism, dir. 2015:404</title>Ord</html>", "v.html"),
    ],
)
def test_any_file_is_named_by_what_it_is(tmp_path: Path, path: str, body: bytes, name: str) -> None:
    with Server(lambda seen: Reply(body)) as server:
        source = Source("v", "En vägledning", "vägledning", 4, "url", address=f"{server.url}/{path}")
        report = fetch([source], tmp_path, settings=settings(server.url))
    assert report.fetched == ("v",)
    assert files(tmp_path)[name] == body


def test_a_source_without_an_address_says_so_and_asks_nobody(tmp_path: Path) -> None:
    report = fetch([Source("r", "En rapport", "rapport", 5, "url")], tmp_path, settings=settings(closed_port()))
    assert report.failed[0].reason.startswith("ingen adress är angiven")
    assert not report.notices


# --- Is it what we asked for? ----------------------------------------------------------------------------------------

HALF_CHARACTER = Reply(
    b'{"hits": {"hits": [{"_source": {"beteckning": "2009:400", "fulltext": {"forfattningstext": "\\ud800"}}}]}}'
)


@pytest.mark.parametrize(
    ("source", "reply", "reason"),
    [
        (STATUTE, search_result(statute_body("2009:401")), "fick SFS 2009:401 i stället för 2009:400"),
        (STATUTE, search_result(statute_body(text=" \r\n")), "saknar författningstext"),
        (STATUTE, search_result({"beteckning": "2009:400", "fulltext": None}), "saknar författningstext"),
        (STATUTE, search_result(), "finns inte hos"),
        (STATUTE, search_result("ett ord"), "finns inte hos"),
        (STATUTE, as_json({"error": "parsing_exception"}), "inte den väntade formen"),
        (STATUTE, as_json([1, 2]), "inte den väntade formen"),
        (STATUTE, ERROR_PAGE, "en webbsida i stället för JSON"),
        (STATUTE, Reply(b'{"hits": {"hits": [{"_sou'), "något som inte går att läsa i stället för JSON"),
        (STATUTE, Reply(b"\xff\xfe\xfa" * 9), "något som inte går att läsa i stället för JSON"),
        (STATUTE, Reply(b""), "något som inte går att läsa i stället för JSON"),
        (STATUTE, Reply(b"[" * 200_000), "något som inte går att läsa i stället för JSON"),
        (STATUTE, HALF_CHARACTER, "halva tecken"),
        (BILL, document(beteckning="181"), "fick 2024/25:181 i stället för 2024/25:180"),
        (BILL, document(rm="2023/24"), "fick 2023/24:180 i stället för 2024/25:180"),
        (BILL, document(html="<div>\n<br></div>"), "saknar text"),
        (BILL, as_json({"dokumentstatus": []}), "inte den väntade formen"),
        (BILL, ERROR_PAGE, "en webbsida i stället för JSON"),
        (PRESS, ERROR_PAGE, "en webbsida"),
        (PRESS, Reply(b"Nytt utan rubrik"), "börjar inte med en rubrik"),
        (PRESS, Reply(b"# Nytt\x00"), "en webbsida eller binärfil"),
        (PDF, ERROR_PAGE, "fick en webbsida i stället för pdf"),
        (PDF, Reply(PDF_BODY[:60]), "avhuggen"),
        (PDF, Reply(b"\x00\x01\x02\xff" * 20), "varken PDF, DOCX, HTML eller text"),
        (PDF, Reply(status=404), "finns inte hos"),
        (PDF, Reply(status=403), "nekar åtkomst (403)"),
        (PDF, Reply(status=418), "svarade 418"),
        (PDF, Reply(status=304), "svarade 304"),  # nobody asked with a condition
    ],
)
def test_a_payload_that_is_not_what_was_asked_for_is_refused_with_the_reason(
    tmp_path: Path, source: Source, reply: Reply, reason: str
) -> None:
    with Server(lambda seen: reply) as server:
        report = fetch([source], tmp_path, settings=settings(server.url))
    assert [failure.id for failure in report.failed] == [source.id]
    assert reason in report.failed[0].reason
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    "title", ["404 Not Found", "Fel 404", "Sidan hittades inte", "Sidan finns inte längre", "Error"]
)
def test_an_error_page_with_status_200_is_refused(tmp_path: Path, title: str) -> None:
    with Server(lambda seen: Reply(f"<html><title>{title}</title><p>Ord</html>".encode())) as server:
        source = Source("v", "En vägledning", "vägledning", 4, "url", address=f"{server.url}/vagledning.html")
        report = fetch([source], tmp_path, settings=settings(server.url))
    assert report.failed[0].reason == "fick en felsida i stället för dokumentet"


MISBEHAVIOUR = {
    "another statute": search_result(statute_body("1999:1")),
    "an error page": ERROR_PAGE,
    "404": Reply(status=404),
    "500 for ever": Reply(status=500),
    "cut short": Reply(search_result(statute_body()).body, fault="cut"),
    "reset": Reply(fault="reset"),
    "too large": Reply(b" " * 2_000_000),
    "a drip": Reply(b" " * 500, fault="drip"),
    "a drip of headers": Reply(b" " * 500, fault="drip-headers"),
    "silence": Reply(fault="hang"),
}


@pytest.mark.parametrize("reply", MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys())
def test_a_failed_fetch_leaves_what_was_there(tmp_path: Path, reply: Reply) -> None:
    answers = one_by_one(search_result(statute_body()), reply)
    with Server(answers) as server:
        quick = settings(server.url, read_timeout_s=0.2, total_timeout_s=0.5, max_bytes=1_000_000, tries=2)
        assert fetch([STATUTE], tmp_path, settings=quick).fetched == (STATUTE.id,)
        before = files(tmp_path)
        started = time.monotonic()
        report = fetch([STATUTE], tmp_path, settings=replace(quick, force=True))
    assert [failure.id for failure in report.failed] == [STATUTE.id]
    assert files(tmp_path) == before
    assert time.monotonic() - started < 5


def test_a_packed_answer_is_measured_unpacked(tmp_path: Path) -> None:
    bomb = Reply(gzip.compress(b" " * 3_000_000), headers={"Content-Encoding": "gzip"})
    assert len(bomb.body) < 10_000
    with Server(lambda seen: bomb) as server:
        report = fetch([STATUTE], tmp_path, settings=settings(server.url, max_bytes=1_000_000))
    assert report.failed[0].reason == "svaret är större än gränsen 1000000 byte"


# --- Manners ---------------------------------------------------------------------------------------------------------


def test_a_host_is_asked_at_most_once_a_second(tmp_path: Path) -> None:
    clock = Clock()
    times: list[float] = []

    def timed(seen: Seen) -> Reply:
        times.append(clock.now)
        return service(seen)

    sources = [replace(STATUTE, id=f"sfs-{n}") for n in range(5)]
    with Server(timed) as server:
        fetch(sources, tmp_path, settings=settings(server.url, clock))
    assert times == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_two_hosts_dont_wait_for_each_other(tmp_path: Path) -> None:
    clock = Clock()
    with Server(service) as one, Server(service) as two:
        bases = {**settings(one.url).bases, "g0v": two.url}
        fetch([STATUTE, PRESS], tmp_path, settings=settings(one.url, clock, bases=bases))
    assert clock.slept == []


def test_what_the_host_says_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    validators = {"ETag": '"v1"', "Last-Modified": "Sun, 01 Mar 2026 10:00:00 GMT"}

    def answer(seen: Seen) -> Reply:
        if seen.headers.get("if-none-match") == '"v1"':
            return Reply(status=304)
        return Reply(b"# Nytt\n", headers=validators)

    with Server(answer) as server:
        first = settings(server.url)
        later = settings(server.url, today=lambda: NOON + timedelta(days=2))
        assert fetch([PRESS], tmp_path, settings=first).fetched == (PRESS.id,)
        assert fetch([PRESS], tmp_path, settings=later).unchanged == (PRESS.id,)
    assert "if-none-match" not in server.seen[0].headers
    assert server.seen[1].headers["if-modified-since"] == validators["Last-Modified"]
    entry = read_lock(tmp_path)[PRESS.id]
    assert entry.fetched_at.startswith("2026-03-01")
    assert entry.checked_at.startswith("2026-03-03")


def test_a_changed_page_replaces_the_old_one(tmp_path: Path) -> None:
    answers = one_by_one(Reply(b"# Ett\n", headers={"ETag": '"1"'}), Reply("# Två\n".encode(), headers={"ETag": '"2"'}))
    with Server(answers) as server:
        fetch([PRESS], tmp_path, settings=settings(server.url))
        report = fetch([PRESS], tmp_path, settings=settings(server.url, today=lambda: NOON + timedelta(days=2)))
    assert report.fetched == (PRESS.id,)
    assert (tmp_path / "pm-1.md").read_text("utf-8") == "# Två\n"
    assert read_lock(tmp_path)[PRESS.id].etag == '"2"'


def test_the_same_statute_sent_again_counts_as_unchanged(tmp_path: Path) -> None:
    with Server(service) as server:
        fetch([STATUTE], tmp_path, settings=settings(server.url))
        written = (tmp_path / "sfs-2009-400.json").stat().st_mtime_ns
        report = fetch([STATUTE], tmp_path, settings=settings(server.url, today=lambda: NOON + timedelta(days=2)))
    assert report.unchanged == (STATUTE.id,)
    assert len(server.seen) == 2
    assert (tmp_path / "sfs-2009-400.json").stat().st_mtime_ns == written


BUSY = Reply(status=429)


@pytest.mark.parametrize(
    ("first", "waited"),
    [
        (Reply(status=429, headers={"Retry-After": "7"}), 7.0),
        (Reply(status=503, headers={"Retry-After": format_datetime(NOON + timedelta(seconds=9), usegmt=True)}), 9.0),
        (Reply(status=429, headers={"Retry-After": "snart"}), 1.0),
        (Reply(status=429, headers={"Retry-After": "0"}), 1.0),
        (Reply(status=500), 1.0),
        (Reply(status=502), 1.0),
        (Reply(status=504), 1.0),
        (Reply(fault="reset"), 1.0),
        (Reply(b"# Nytt halvt", fault="cut"), 1.0),
        (Reply(fault="hang"), 1.0),
    ],
)
def test_a_passing_fault_is_waited_out(tmp_path: Path, first: Reply, waited: float) -> None:
    clock = Clock()
    with Server(one_by_one(first, Reply(b"# Nytt\n"))) as server:
        report = fetch([PRESS], tmp_path, settings=settings(server.url, clock, read_timeout_s=0.2))
    assert report.fetched == (PRESS.id,)
    assert clock.now == pytest.approx(waited)


def test_the_waits_between_tries_grow_and_carry_jitter(tmp_path: Path) -> None:
    waits = {}
    for jitter in (0.0, 0.999):
        clock = Clock()
        with Server(lambda seen: Reply(status=500)) as server:
            patient = settings(server.url, clock, tries=4, interval_s=0.0, jitter=lambda jitter=jitter: jitter)
            report = fetch([PRESS], tmp_path, settings=patient)
        assert len(server.seen) == 4
        assert report.failed[0].reason.endswith("svarade 500")
        waits[jitter] = clock.slept
    assert waits[0.0] == pytest.approx([0.5, 1.0, 2.0])
    assert waits[0.999] == pytest.approx([1.499, 2.998, 5.996])


@pytest.mark.parametrize(
    ("reply", "asked", "line"),
    [
        (
            Reply(status=429, headers={"Retry-After": "3600"}),
            1,
            "{host} ber oss vänta 3600 sekunder: försök igen senare.",
        ),
        (BUSY, 3, "{host} tar inte emot fler frågor just nu."),
        (Reply(fault="hang"), 3, "Inget svar i tid från {host}."),
        (Reply(b"# " + b"x" * 500, fault="drip"), 3, "Inget svar i tid från {host}."),
    ],
)
def test_a_host_that_does_not_cope_is_left_alone_for_the_rest_of_the_run(
    tmp_path: Path, reply: Reply, asked: int, line: str
) -> None:
    with Server(lambda seen: reply) as server:
        quick = settings(server.url, read_timeout_s=0.2, total_timeout_s=0.4)
        report = fetch([PRESS, replace(PRESS, id="pm-2")], tmp_path, settings=quick)
    assert len(server.seen) == asked
    assert report.notices == (line.format(host=server.host) + " Det som redan finns används.",)
    assert [failure.reason for failure in report.failed] == [line.format(host=server.host)] * 2


def test_a_redirect_to_a_listed_host_is_followed(tmp_path: Path) -> None:
    with (
        Server(service) as real,
        Server(lambda seen: Reply(status=308, headers={"Location": real.url + seen.path})) as old,
    ):
        bases = {**settings(old.url).bases, "g0v": real.url}
        report = fetch([STATUTE], tmp_path, settings=settings(old.url, bases=bases))
    assert report.fetched == (STATUTE.id,)
    assert (real.seen[0].method, real.seen[0].body) == ("POST", old.seen[0].body)


@pytest.mark.parametrize(
    "location", ["{stranger}/x.md", "//{stranger_host}/x.md", "ftp://x/x.md", "file:///etc/passwd"]
)
def test_a_redirect_to_an_unlisted_host_is_refused(tmp_path: Path, location: str) -> None:
    with Server(service) as stranger:
        target = location.format(stranger=stranger.url, stranger_host=stranger.host)
        with Server(lambda seen: Reply(status=302, headers={"Location": target})) as server:
            report = fetch([PRESS], tmp_path, settings=settings(server.url))
    assert "omdirigerar till" in report.failed[0].reason
    assert stranger.seen == []
    assert files(tmp_path) == {}


def test_a_chain_of_redirects_comes_to_an_end(tmp_path: Path) -> None:
    with Server(lambda seen: Reply(status=302, headers={"Location": "/x.md"})) as server:
        report = fetch([PRESS], tmp_path, settings=settings(server.url))
    assert "kedja av omdirigeringar" in report.failed[0].reason
    assert len(server.seen) == 5


def test_a_proxy_is_used_when_set(tmp_path: Path) -> None:
    with Server(service) as proxy:
        report = fetch([PRESS], tmp_path, settings=settings("http://g0v.invalid", proxy=proxy.url))
    assert report.fetched == (PRESS.id,)
    assert proxy.seen[0].path == "http://g0v.invalid/pressmeddelanden/2025/12/nytt.md"


def test_a_proxy_in_the_environment_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(service) as proxy, Server(service) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert fetch([PRESS], tmp_path, settings=settings(server.url)).fetched == (PRESS.id,)
    assert proxy.seen == []


# --- No network ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [closed_port(), "http://data.riksdagen.invalid"], ids=["refused", "unknown name"])
def test_with_no_network_each_host_gets_one_plain_line_and_the_rest_goes_on(tmp_path: Path, url: str) -> None:
    lines: list[str] = []
    with Server(service) as server:
        bases = {**settings(server.url).bases, "riksdagen": url}
        bills = [replace(BILL, id=f"prop-{n}") for n in range(3)]
        world = settings(server.url, bases=bases)
        report = fetch([*bills, STATUTE], tmp_path, settings=world, progress=lambda done, of, line: lines.append(line))
    host = url.removeprefix("http://")
    line = f"Inget nät: kunde inte nå {host}. Det som redan finns används."
    assert report.notices == (line,)
    assert lines.count(line) == 1
    assert [failure.id for failure in report.failed] == ["prop-0", "prop-1", "prop-2"]
    assert report.fetched == (STATUTE.id,)


def test_with_no_network_what_exists_is_kept(tmp_path: Path) -> None:
    with Server(service) as server:
        fetch([STATUTE, PRESS], tmp_path, settings=settings(server.url))
    before = files(tmp_path)
    report = fetch([STATUTE, PRESS], tmp_path, settings=settings(closed_port(), force=True))
    assert len(report.failed) == 2
    assert files(tmp_path) == before


# --- Resumed, whole, and locked --------------------------------------------------------------------------------------


def test_what_is_done_is_not_asked_for_again(tmp_path: Path) -> None:
    with Server(service) as server:
        fetch([STATUTE], tmp_path, settings=settings(server.url))
        report = fetch([STATUTE, PRESS], tmp_path, settings=settings(server.url))
    assert (report.unchanged, report.fetched) == ((STATUTE.id,), (PRESS.id,))
    assert len(server.seen) == 2


def test_force_asks_for_everything_again(tmp_path: Path) -> None:
    with Server(service) as server:
        fetch([STATUTE], tmp_path, settings=settings(server.url))
        report = fetch([STATUTE], tmp_path, settings=settings(server.url, force=True))
    assert report.fetched == (STATUTE.id,)
    assert len(server.seen) == 2


@pytest.mark.parametrize("damage", ["changed", "deleted"])
def test_a_file_that_is_not_as_it_was_fetched_is_fetched_again_without_condition(tmp_path: Path, damage: str) -> None:
    with Server(lambda seen: Reply(b"# Nytt\n", headers={"ETag": '"1"'})) as server:
        fetch([PRESS], tmp_path, settings=settings(server.url))
        saved = tmp_path / "pm-1.md"
        saved.unlink() if damage == "deleted" else saved.write_bytes(b"# Annat\n")
        assert fetch([PRESS], tmp_path, settings=settings(server.url)).fetched == (PRESS.id,)
    assert "if-none-match" not in server.seen[1].headers
    assert saved.read_bytes() == b"# Nytt\n"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"sources": {"pm-1": {"url": 3}}}', b'{"sources": []}', b"\xff"]
)
def test_a_damaged_lock_means_fetching_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / room.LOCK).write_bytes(content)
    with Server(service) as server:
        assert fetch([PRESS], tmp_path, settings=settings(server.url)).fetched == (PRESS.id,)
    assert set(read_lock(tmp_path)) == {PRESS.id}


def test_the_lock_has_the_checksum_of_each_file(tmp_path: Path) -> None:
    with Server(service) as server:
        fetch([BILL], tmp_path, settings=settings(server.url))
    sums = subprocess.run(
        ["sha256sum", "prop-2024-25-180.html", "prop-2024-25-180.json"], cwd=tmp_path, capture_output=True, check=True
    ).stdout.decode()
    wanted = {name: digest for digest, name in (line.split() for line in sums.splitlines())}
    assert read_lock(tmp_path)[BILL.id].files == wanted


KILLED = """
import sys
from pathlib import Path
from dataclasses import replace
from tests.test_fetch import PRESS, settings
from corpus.fetch import fetch
fetch([replace(PRESS, id=f"pm-{n}") for n in range(200)], Path(sys.argv[1]), settings=settings(sys.argv[2]))
"""


def test_a_killed_run_leaves_whole_files_and_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    sources = [replace(PRESS, id=f"pm-{n}") for n in range(200)]
    body = b"# Nytt\n" + b"text " * 40_000
    with Server(lambda seen: Reply(body)) as server:
        run = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), server.url], cwd=Path(__file__).parents[1])
        while len(server.seen) < 15:
            time.sleep(0.005)
        run.kill()
        run.wait()
        done = set(read_lock(tmp_path))
        assert all((tmp_path / f"{id}.md").read_bytes() == body for id in done)
        assert all(path.read_bytes() == body for path in tmp_path.glob("pm-*.md"))
        report = fetch(sources[:20], tmp_path, settings=settings(server.url))
    assert done
    assert set(report.unchanged) == done & {source.id for source in sources[:20]}
    assert not report.failed
    assert len(report.fetched) + len(report.unchanged) == 20


def test_a_full_disk_is_a_failure_with_its_reason_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with Server(service) as server:
        report = fetch([PRESS], tmp_path, settings=settings(server.url))
    assert report.failed[0].reason.startswith("kunde inte skriva till")
    assert files(tmp_path) == {}


def test_progress_counts_to_the_end_in_swedish(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    with Server(service) as server:
        fetch(
            [STATUTE, replace(PDF, address="saknas")],
            tmp_path,
            settings=settings(server.url),
            progress=lambda *a: told.append(a),
        )
    assert told[0] == (1, 2, "sfs-2009-400: hämtad")
    assert told[-1] == (2, 2, f"sfs-pdf-1: finns inte hos {server.host} (404)")


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_has_every_source_to_list_from_the_start() -> None:
    numbers = [
        "2009:400",
        "2009:641",
        "1949:105",
        "2017:900",
        "2024:307",
        "2025:170",
        "2025:400",
        "2010:110",
        "2011:1244",
        "2010:800",
        "2010:659",
        "1993:387",
        "2005:716",
        "1991:481",
        "2010:1622",
        "1984:387",
        "2008:206",
        "2016:774",
        "2016:775",
        "2017:630",
        "2018:218",
        "2018:1177",
        "2023:455",
        "2023:456",
        "2023:457",
        "2023:196",
        "2007:612",
        "1962:700",
        "2024/25:180",
        "2024/25:65",
        "2023/24:85",
        "2024/25:157",
        "2008/09:150",
        "2024:63",
        "2025:45",
        "2025/26:KU6",
        "2015/16:1430",
    ]
    sources = load_sources()
    assert {source.beteckning for source in sources} - {""} == set(numbers)
    assert sum(source.origin == "g0v" for source in sources) == 3
    assert [source.id for source in sources if source.origin == "url"] == ["rapport-2026-01-informationsdelning"]


def test_the_ids_and_ranks_of_the_list_follow_their_rules() -> None:
    ranks = {
        "lag": 1,
        "förordning": 2,
        "förarbete": 3,
        "vägledning": 4,
        "rapport": 5,
        "beslut": 5,
        "pressmeddelande": 6,
    }
    for source in load_sources():
        assert source.rank == ranks[source.kind]
        if source.origin == "rkrattsbaser":
            assert source.id == "sfs-" + source.beteckning.replace(":", "-")
            assert source.beteckning in source.title
        if source.origin == "riksdagen":
            assert source.address
            assert source.doktyp


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"id": "../ute"}, "id får bara ha"),
        ({"id": "SFS 1"}, "id får bara ha"),
        ({"kind": "blogg"}, "okänd kind"),
        ({"origin": "internet"}, "okänd origin"),
        ({"beteckning": "2009-400"}, "beteckning skrivs som"),
        ({"beteckning": ""}, "behöver en beteckning"),
        ({"origin": "url", "address": "ftp://x/y"}, "hel adress"),
        ({"origin": "url", "address": "https://exempel.se:port/x"}, "hel adress"),
    ],
)
def test_a_source_that_cant_be_right_is_refused(change: dict[str, Any], part: str) -> None:
    with pytest.raises(SourcesError, match=part):
        replace(STATUTE, **change)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[[source]\n", "sources.toml"),
        ('[[source]]\nid = "a"\ncolour = "red"\n', "colour"),
        ('[[source]]\nid = "a"\n', "title"),
        (2 * '[[source]]\nid = "a"\ntitle = "A"\nkind = "lag"\nrank = 1\norigin = "g0v"\n', "står två gånger"),
    ],
)
def test_a_list_that_cant_be_read_says_where(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SourcesError, match=part):
        load_sources(path)
