"""Official sources over the network → files, with checksums in a lock beside them.

What to fetch stands in ``sources.toml``. Every connector checks that the payload is what was asked for before
anything on disk is touched, and a failed fetch never costs what is already there. Addresses and shapes are those of the
services as public projects use them. Manners: at most one request a second a host, a stated user agent, conditional
requests.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import ssl
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import certifi
import httpx

SOURCES = Path(__file__).parent / "sources.toml"
LOCK = "sources.lock.json"

KINDS = frozenset({"lag", "förordning", "förarbete", "vägledning", "rapport", "beslut", "pressmeddelande"})
BASES: Mapping[str, str] = {
    "rkrattsbaser": "https://beta.rkrattsbaser.gov.se",
    "riksdagen": "https://data.riksdagen.se",
    "g0v": "https://g0v.se",
    "sfs-pdf": "https://svenskforfattningssamling.se",
}
ORIGINS = frozenset(BASES) | {"url"}

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_BETECKNING = re.compile(r"\d{4}(?:/\d{2})?:\w+")
_RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# «404» but not «Dir. 2015:404»; «error» but not «terrorism».
_ERROR_TITLE = re.compile(
    r"<title>[^<]*(?:(?<![\d:/])(?:404|500|503)\b|not found|hittades inte|finns inte|\berror\b)", re.IGNORECASE
)
_PAGE_START = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_SUFFIXES = {"pdf": "pdf", "docx": "docx", "html": "html", "htm": "html", "md": "text", "txt": "text"}
_MAX_LIST_PAGES = 30


class SourcesError(ValueError):
    """sources.toml can't be used; the message names the entry and what to mend."""


class FetchError(Exception):
    """One source could not be fetched; the message is a reason in Swedish."""


class HostGone(FetchError):
    """A host that nothing more is asked of in this run."""


@dataclass(frozen=True)
class Source:
    """One document to index. Raises ``SourcesError`` on an id unfit as a file name or an origin without its number."""

    id: str
    title: str
    kind: str
    rank: int
    origin: str
    beteckning: str = ""
    address: str = ""
    doktyp: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise SourcesError(f"källan {self.id!r}: id får bara ha a–z, 0–9 och bindestreck")
        if self.kind not in KINDS:
            raise SourcesError(f"källan {self.id}: okänd kind {self.kind!r}")
        if self.origin not in ORIGINS:
            raise SourcesError(f"källan {self.id}: okänd origin {self.origin!r}")
        if self.beteckning and not _BETECKNING.fullmatch(self.beteckning):
            raise SourcesError(f"källan {self.id}: beteckning skrivs som 2009:400 eller 2024/25:180")
        if self.origin in ("rkrattsbaser", "riksdagen") and not self.beteckning:
            raise SourcesError(f"källan {self.id}: {self.origin} behöver en beteckning")
        if self.origin == "url" and self.address and not _is_web_address(self.address):
            raise SourcesError(f"källan {self.id}: address ska vara en hel adress, https://…")


@dataclass(frozen=True)
class FetchSettings:
    """How to fetch. ``clock``, ``sleep``, ``jitter`` and ``today`` are the outside world, given as arguments."""

    bases: Mapping[str, str] = field(default_factory=lambda: BASES)
    user_agent: str = "Delningsstod/0.1 (hamtar svenska rattskallor; en begaran i sekunden)"
    interval_s: float = 1.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    total_timeout_s: float = 180.0  # a server that drips never hits the read time-out
    tries: int = 3
    backoff_s: float = 1.0
    longest_wait_s: float = 60.0  # a Retry-After beyond this means: come back another day
    max_bytes: int = 50_000_000
    max_redirects: int = 4
    proxy: str | None = None
    fresh_for: timedelta = timedelta(hours=24)  # within it an interrupted run goes on where it stopped, without asking
    force: bool = False
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    today: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True)
class Failure:
    """A source that was not fetched, and why, in Swedish."""

    id: str
    reason: str


@dataclass(frozen=True)
class FetchReport:
    """What a run did: ids in the order asked for. ``notices`` has one Swedish line for each host given up."""

    fetched: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """What the lock remembers of a source. ``files`` maps file name to SHA-256."""

    url: str
    files: Mapping[str, str]
    etag: str
    last_modified: str
    fetched_at: str
    checked_at: str


@dataclass(frozen=True)
class Payload:
    """What a connector brought: file name → content, all checked."""

    url: str
    files: Mapping[str, bytes]
    etag: str = ""
    last_modified: str = ""


Progress = Callable[[int, int, str], None]  # how many are done, of how many, and a line in Swedish


# --- The list and the lock -------------------------------------------------------------------------------------------


def load_sources(path: Path = SOURCES) -> tuple[Source, ...]:
    """The sources listed in ``path``, in its order. Raises ``SourcesError`` naming the entry that is wrong."""
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("source", [])
        sources = tuple(Source(**entry) for entry in entries)
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise SourcesError(f"{path.name}: {error}") from error
    ids = [source.id for source in sources]
    twice = next((id for id in ids if ids.count(id) > 1), None)
    if twice:
        raise SourcesError(f"{path.name}: källan {twice} står två gånger")
    return sources


def read_lock(folder: Path) -> dict[str, Entry]:
    """What ``folder``'s lock remembers: id → entry. A missing or damaged lock is an empty one."""
    try:
        stored = json.loads((folder / LOCK).read_bytes())["sources"]
        return {id: Entry(**entry) for id, entry in stored.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_lock(folder: Path, lock: Mapping[str, Entry]) -> None:
    """Writes the lock, sorted, so that two runs that fetched the same differ only in their dates."""
    stored = {"version": 1, "sources": {id: asdict(lock[id]) for id in sorted(lock)}}
    _write(folder / LOCK, json.dumps(stored, ensure_ascii=False, indent=2).encode() + b"\n")


# --- The journey -----------------------------------------------------------------------------------------------------


def fetch(
    sources: Iterable[Source],
    into: Path,
    *,
    settings: FetchSettings | None = None,
    progress: Progress = lambda *_: None,
) -> FetchReport:
    """Brings ``sources`` into the folder ``into``, one after the other, and says what became of each.

    Raises ``OSError`` when the folder can't be made, ``ValueError`` when the proxy is not an address. Whatever the
    network does ends up in the report.
    """
    settings, sources = settings or FetchSettings(), tuple(sources)
    into.mkdir(parents=True, exist_ok=True)
    lock, report = read_lock(into), FetchReport()
    with Client(settings, _hosts(sources, settings)) as client:
        for number, source in enumerate(sources, start=1):
            try:
                changed = _bring(source, into, lock.get(source.id), client)
            except FetchError as error:
                notices = tuple(line for line in client.notices if line not in report.notices)
                for line in notices:
                    progress(number - 1, len(sources), line)
                failure = Failure(source.id, str(error))
                report = replace(report, failed=(*report.failed, failure), notices=report.notices + notices)
                progress(number, len(sources), f"{source.id}: {error}")
                continue
            if changed:
                report = replace(report, fetched=(*report.fetched, source.id))
            else:
                report = replace(report, unchanged=(*report.unchanged, source.id))
            progress(number, len(sources), f"{source.id}: {'hämtad' if changed else 'oförändrad'}")
    return report


def _bring(source: Source, into: Path, known: Entry | None, client: Client) -> bool:
    """Fetches one source, writes its files and then the lock. False when what we have is what the source has."""
    now = client.settings.today()
    current = known if known and _intact(into, known) and not client.settings.force else None
    if current and now - datetime.fromisoformat(current.checked_at) < client.settings.fresh_for:
        return False
    payload = CONNECTORS[source.origin](source, client, current)
    if payload is None:
        assert current is not None  # a connector returns None only for a 304, which only a conditional request gets
        _keep(into, source, {}, replace(current, checked_at=now.isoformat()))
        return False
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in payload.files.items()}
    same = current is not None and sums == dict(current.files)
    fetched_at = current.fetched_at if current and same else now.isoformat()
    entry = Entry(payload.url, sums, payload.etag, payload.last_modified, fetched_at, now.isoformat())
    _keep(into, source, {} if same else payload.files, entry)
    return not same


def _keep(into: Path, source: Source, files: Mapping[str, bytes], entry: Entry) -> None:
    """Files first, lock last: a run killed between them fetches again. Raises ``FetchError`` on a full disk."""
    try:
        for name, content in files.items():
            _write(into / name, content)
        write_lock(into, {**read_lock(into), source.id: entry})
    except OSError as error:
        raise FetchError(f"kunde inte skriva till {into}: {error.strerror or error}") from error


def _intact(folder: Path, entry: Entry) -> bool:
    """Whether every file of ``entry`` still lies in ``folder`` as it was fetched."""
    try:
        datetime.fromisoformat(entry.checked_at)
        sums = {name: hashlib.sha256((folder / Path(name).name).read_bytes()).hexdigest() for name in entry.files}
    except (OSError, ValueError, TypeError):
        return False
    return bool(sums) and sums == dict(entry.files)


def _write(path: Path, content: bytes) -> None:
    """Writes the whole file or none of it: a reader sees the old one until the new one is complete."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


# --- Manners ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """A request to make."""

    url: str
    body: Mapping[str, Any] | None = None  # sent as JSON with POST; without it the request is a GET
    known: Entry | None = None  # what we have already, for a conditional request

    def headers(self) -> dict[str, str]:
        """``If-None-Match`` and ``If-Modified-Since``, where an earlier answer gave us something to send back."""
        known = {"If-None-Match": self.known.etag, "If-Modified-Since": self.known.last_modified} if self.known else {}
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True)
class Got:
    """An answer, read to its end."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes

    def payload(self, files: Mapping[str, bytes]) -> Payload:
        """``files`` with this answer's validators."""
        return Payload(self.url, files, self.headers.get("etag", ""), self.headers.get("last-modified", ""))


class Client:
    """Asks politely: paced per host, retried with care, bounded in size and time, redirected only among listed hosts.

    The requests run in an event loop of its own because only there one time-out holds for name look-up, connection,
    headers and body together; callers see plain blocking calls. Use as a context manager, in a thread without a loop.
    """

    def __init__(self, settings: FetchSettings, hosts: frozenset[str]) -> None:
        self.settings = settings
        self.notices: list[str] = []
        self._hosts = hosts
        self._next_turn: dict[str, float] = {}
        self._gone: dict[str, HostGone] = {}

    def __enter__(self) -> Self:
        s = self.settings
        self._loop = asyncio.Runner()
        self._http = httpx.AsyncClient(
            headers={"User-Agent": s.user_agent},
            timeout=httpx.Timeout(s.read_timeout_s, connect=s.connect_timeout_s),
            proxy=s.proxy,
            verify=trust(),
            trust_env=False,  # a proxy from the environment would be a route nobody chose for this program
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.run(self._http.aclose())
        self._loop.close()

    def ask(self, ask: Ask) -> Got:
        """The answer to ``ask`` after redirects: status 200, or 304 when ``ask`` knew what the host has.

        Raises ``FetchError`` for any other status, ``HostGone`` when the host is not worth asking again.
        """
        for _ in range(self.settings.max_redirects + 1):
            got = self._try(ask)
            if got.status not in _REDIRECTS:
                return _judged(got, ask)
            ask = self._redirected(ask, got)
        raise FetchError(f"{_host(ask.url)} skickar oss runt i en kedja av omdirigeringar")

    def _try(self, ask: Ask) -> Got:
        host, s = _host(ask.url), self.settings
        if host not in self._hosts:
            raise FetchError(f"{host} finns inte bland de listade värdarna")
        if host in self._gone:
            raise self._gone[host]
        for attempt in range(s.tries):
            self._wait_for_turn(host)
            last = attempt == s.tries - 1
            wait = s.backoff_s * 2**attempt * (0.5 + s.jitter())
            try:
                got = self._loop.run(self._exchange(ask))
            except httpx.ConnectTimeout as error:
                if last:
                    raise self._give_up(host, f"Inget nät: kunde inte nå {host}.") from error
            except (httpx.ConnectError, httpx.ProxyError) as error:
                raise self._give_up(host, self._unreachable(host, error)) from error
            except (httpx.TimeoutException, TimeoutError) as error:
                if last:
                    raise self._give_up(host, f"Inget svar i tid från {host}.") from error
            except httpx.HTTPError as error:
                if last:
                    raise FetchError(f"svaret från {host} bröts eller gick inte att läsa") from error
            else:
                asked_to_wait = _retry_after(got.headers, s.today()) if got.status in _RETRIED else 0.0
                if asked_to_wait > s.longest_wait_s:
                    raise self._give_up(host, f"{host} ber oss vänta {asked_to_wait:.0f} sekunder: försök igen senare.")
                if last and got.status == 429:
                    raise self._give_up(host, f"{host} tar inte emot fler frågor just nu.")
                if last or got.status not in _RETRIED:
                    return got
                wait = max(wait, asked_to_wait)
            s.sleep(wait)
        raise AssertionError("tries must be at least 1")

    async def _exchange(self, ask: Ask) -> Got:
        method = "GET" if ask.body is None else "POST"
        async with asyncio.timeout(self.settings.total_timeout_s):
            async with self._http.stream(method, ask.url, json=ask.body, headers=ask.headers()) as response:
                body = b""
                if response.status_code == 200:
                    body = await _read(response, self.settings.max_bytes)
                return Got(ask.url, response.status_code, response.headers, body)

    def _wait_for_turn(self, host: str) -> None:
        now = self.settings.clock()
        turn = max(now, self._next_turn.get(host, now))
        self._next_turn[host] = turn + self.settings.interval_s
        if turn > now:
            self.settings.sleep(turn - now)

    def _give_up(self, host: str, line: str) -> HostGone:
        self.notices.append(f"{line} Det som redan finns används.")
        self._gone[host] = HostGone(line)
        return self._gone[host]

    def _unreachable(self, host: str, error: httpx.TransportError) -> str:
        """Why ``host`` could not be reached, for the person who can mend it."""
        if isinstance(error, httpx.ProxyError):
            return f"Proxyn släpper inte fram till {host}."
        if "CERTIFICATE" in str(error).upper():
            return f"Certifikatet för {host} godtas inte av den här datorn."
        return f"Inget nät: kunde inte nå {host}{' genom proxyn' if self.settings.proxy else ''}."

    def _redirected(self, ask: Ask, got: Got) -> Ask:
        url = httpx.URL(got.url).join(got.headers.get("location", ""))
        if _host(str(url)) not in self._hosts or (got.url.startswith("https:") and url.scheme != "https"):
            raise FetchError(f"{_host(got.url)} omdirigerar till {url.scheme}://{_host(str(url))}, som inte är listad")
        return replace(ask, url=str(url), body=ask.body if got.status in (307, 308) else None)


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body, refused as soon as it is known to be larger than ``limit`` bytes, unpacked."""
    too_large = FetchError(f"svaret är större än gränsen {limit} byte")
    stated = response.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        raise too_large
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > limit:
            raise too_large
    return bytes(body)


def _judged(got: Got, ask: Ask) -> Got:
    """``got`` when it is a 200 or a 304 that we asked for. Raises ``FetchError`` otherwise."""
    host = _host(got.url)
    if got.status == 200 or (got.status == 304 and ask.headers()):
        return got
    if got.status in (404, 410):
        raise FetchError(f"finns inte hos {host} ({got.status})")
    if got.status in (401, 403, 407):
        raise FetchError(f"{host} nekar åtkomst ({got.status})")
    raise FetchError(f"{host} svarade {got.status}")


def _retry_after(headers: httpx.Headers, now: datetime) -> float:
    """Seconds to wait according to ``Retry-After``, written as seconds or as a date; 0 where it says nothing."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _is_web_address(address: str) -> bool:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("https", "http") and bool(url.host)


@cache
def trust() -> ssl.SSLContext:
    """The certificates we trust: this machine's, where an authority keeps its own, and the public ones of certifi."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _host(url: str) -> str:
    return httpx.URL(url).netloc.decode("ascii")


def _hosts(sources: Iterable[Source], settings: FetchSettings) -> frozenset[str]:
    """The hosts that may be asked at all: the services' own, and those of the addresses listed."""
    listed = [source.address for source in sources if _is_web_address(source.address)]
    return frozenset(_host(url) for url in [*settings.bases.values(), *listed])


# --- Connectors: source → payload, or None when it has not changed ---------------------------------------------------


def statute(source: Source, client: Client, _: Entry | None) -> Payload | None:
    """A statute from the Government Offices' legal databases: ``_source`` of its one hit, as ``<id>.json``.

    Asked with POST, to which conditions don't apply: whether it has changed shows in the checksum.
    """
    terms: list[dict[str, object]] = [{"beteckning.keyword": source.beteckning}, {"publicerad": True}]
    query = {"query": {"bool": {"must": [{"term": term} for term in terms]}}, "size": 1}
    url = f"{client.settings.bases['rkrattsbaser']}/elasticsearch/SearchEsByRawJson"
    got = client.ask(Ask(url, {"searchIndexes": ["Sfs"], "api": "search", "json": query}))
    hits = _dig(_json(got), "hits", "hits")
    if not isinstance(hits, list):
        raise FetchError("svaret har inte den väntade formen (hits.hits saknas)")
    found = _dig(hits[0], "_source") if hits else None
    if not isinstance(found, dict):
        raise FetchError(f"SFS {source.beteckning} finns inte hos {_host(url)}")
    if found.get("beteckning") != source.beteckning:
        raise FetchError(f"fick SFS {found.get('beteckning')} i stället för {source.beteckning}")
    text = _dig(found, "fulltext", "forfattningstext")
    if not isinstance(text, str) or not text.strip():
        raise FetchError(f"SFS {source.beteckning} saknar författningstext")
    return got.payload({f"{source.id}.json": _utf8(json.dumps(found, ensure_ascii=False, indent=2))})


def parliament_document(source: Source, client: Client, known: Entry | None) -> Payload | None:
    """A document of the Riksdag's open data: its JSON as it came, and its text as ``<id>.html``."""
    base = client.settings.bases["riksdagen"]
    address = source.address or find_document(source, client)
    got = client.ask(Ask(f"{base}/dokument/{address}.json", known=known))
    if got.status == 304:
        return None
    document = _dig(_json(got), "dokumentstatus", "dokument")
    if not isinstance(document, dict):
        raise FetchError("svaret har inte den väntade formen (dokumentstatus.dokument saknas)")
    if not _is_document(document, source.beteckning):
        other = f"{document.get('rm')}:{document.get('beteckning')}"
        raise FetchError(f"fick {other} i stället för {source.beteckning}")
    html = document.get("html")
    inside = isinstance(html, str) and html.strip()
    content = _utf8(str(html)) if inside else client.ask(Ask(f"{base}/dokument/{address}.html")).body
    _check_html(content)
    return got.payload({f"{source.id}.json": got.body, f"{source.id}.html": content})


def find_document(source: Source, client: Client) -> str:
    """The document id of ``source``, looked up in the Riksdag's list by type, session and beteckning."""
    session = source.beteckning.partition(":")[0]
    for page in range(1, _MAX_LIST_PAGES + 1):
        query = urlencode({"doktyp": source.doktyp, "rm": session, "sz": 100, "utformat": "json", "p": page})
        got = client.ask(Ask(f"{client.settings.bases['riksdagen']}/dokumentlista/?{query}"))
        listing = _dig(_json(got), "dokumentlista")
        documents = _dig(listing, "dokument") or []
        if isinstance(documents, dict):  # a list of one comes as the thing itself: the JSON is made from XML
            documents = [documents]
        for document in documents if isinstance(documents, list) else []:
            if isinstance(document, dict) and _is_document(document, source.beteckning):
                id = str(document.get("id") or document.get("dok_id") or "")
                if id.isalnum():
                    return id
        pages = str(_dig(listing, "@sidor") or 1)
        if not documents or not pages.isdigit() or page >= int(pages):
            break
    raise FetchError(f"{source.beteckning} finns inte i riksdagens dokumentlista")


def government_page(source: Source, client: Client, known: Entry | None) -> Payload | None:
    """A page of the Government's site as Markdown, through g0v.se."""
    _need_address(source)
    path = source.address.strip("/").removesuffix(".md")
    got = client.ask(Ask(f"{client.settings.bases['g0v']}/{path}.md", known=known))
    if got.status == 304:
        return None
    if _format(got.body) != "text":
        raise FetchError("fick en webbsida eller binärfil i stället för Markdown")
    if not got.body.decode("utf-8-sig").lstrip().startswith("# "):
        raise FetchError("Markdownfilen börjar inte med en rubrik")
    return got.payload({f"{source.id}.md": got.body})


def promulgated_pdf(source: Source, client: Client, known: Entry | None) -> Payload | None:
    """A statute as promulgated, in PDF, from svenskforfattningssamling.se."""
    _need_address(source)
    address = httpx.URL(client.settings.bases["sfs-pdf"] + "/").join(source.address)
    return _file(source, client, known, str(address), "pdf")


def any_file(source: Source, client: Client, known: Entry | None) -> Payload | None:
    """A PDF, DOCX, HTML, Markdown or text file from the address given."""
    _need_address(source)
    suffix = Path(httpx.URL(source.address).path).suffix.lstrip(".").lower()
    return _file(source, client, known, source.address, suffix if suffix in _SUFFIXES else "")


Connector = Callable[[Source, Client, "Entry | None"], "Payload | None"]

CONNECTORS: Mapping[str, Connector] = {
    "rkrattsbaser": statute,
    "riksdagen": parliament_document,
    "g0v": government_page,
    "sfs-pdf": promulgated_pdf,
    "url": any_file,
}


# --- Is it what we asked for? ----------------------------------------------------------------------------------------


def _file(source: Source, client: Client, known: Entry | None, url: str, suffix: str) -> Payload | None:
    got = client.ask(Ask(url, known=known))
    if got.status == 304:
        return None
    format = _format(got.body)
    if not format:
        raise FetchError("filen är varken PDF, DOCX, HTML eller text")
    if suffix and format != _SUFFIXES[suffix]:
        raise FetchError(f"fick {'en webbsida' if format == 'html' else format} i stället för {suffix}")
    if format == "pdf" and b"%%EOF" not in got.body[-2048:]:
        raise FetchError("PDF-filen är avhuggen: slutmärket saknas")
    if format == "html":
        _check_html(got.body)
    return got.payload({f"{source.id}.{suffix or format.replace('text', 'txt')}": got.body})


def _need_address(source: Source) -> None:
    if not source.address:
        raise FetchError("ingen adress är angiven i sources.toml: lägg filen i indexet för hand")


def _check_html(content: bytes) -> None:
    """Raises ``FetchError`` for a page without words, or one whose title says that it is an error page."""
    page = content.decode("utf-8", errors="replace")
    if _ERROR_TITLE.search(page):
        raise FetchError("fick en felsida i stället för dokumentet")
    if not re.sub(r"<[^>]*>", " ", page).strip():
        raise FetchError("dokumentet saknar text")


def _format(content: bytes) -> str:
    """«pdf», «docx», «html», «text», or «» for anything else: told by the content, since labels lie."""
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        return "docx"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "html" if b"<html" in content[:2048].lower() else ""
    if _PAGE_START.match(re.sub(r"<!--.*?-->", "", text[:4096], flags=re.DOTALL)):
        return "html"
    return "text" if text.strip() and "\x00" not in text else ""


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise FetchError("texten har halva tecken och går inte att spara") from error


def _json(got: Got) -> Any:
    try:
        return json.loads(got.body)
    except (ValueError, RecursionError) as error:
        what = "en webbsida" if _format(got.body) == "html" else "något som inte går att läsa"
        raise FetchError(f"{_host(got.url)} svarade med {what} i stället för JSON") from error


def _dig(value: Any, *keys: str) -> Any:
    """``value[k1][k2]…``, or ``None`` where the shape is another."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _is_document(document: Mapping[str, Any], beteckning: str) -> bool:
    """Whether a Riksdag document is «2024/25:180», «2024:63» or «2025/26:KU6».

    Inquiries are numbered by year but filed by session, so a year also matches the two sessions it touches.
    """
    period, _, number = beteckning.casefold().partition(":")
    numbers = {str(document.get(key, "")).casefold().rpartition(":")[2] for key in ("beteckning", "nummer")}
    session = str(document.get("rm", ""))
    years = {session, session[:4], session[:2] + session[5:7]} if "/" not in period else {session}
    return number in numbers and period in years
