"""Passages → a searchable index on disk: SQLite (texts), bm25s (words), Chroma (vectors).

An index is a cache that can always be made again. It is built beside the old one and swapped in by replacing one small file;
a manifest with the SHA-256 of every file is checked before anything is opened, because a damaged vector file can take the
whole process down (SIGSEGV in one of four trials). Chroma works on a private copy: it writes to its files when it opens them,
and two processes on one directory read each other's half-done work. With a Chroma server (``chroma_url``) every build has a
collection of its own, so that a running process keeps the vectors that its texts belong to.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from corpus import analysis, collect, lagrum, questions, spelling
from corpus.embed import Encoder
from corpus.passage import Part, Passage, Source

FORMAT = 4
CHROMA_BATCH = 5_000  # Chroma refuses more than 5,461 at once
CHROMA_WAIT_S = 5.0  # a person waits; Chroma's own client would wait for ever
CHROMA_WRITE_WAIT_S = 120.0
CHROMA_REST_S = 10.0  # a vector search that failed is left alone this long, and the words answer
_MIB = 1 << 20


class IndexMissing(RuntimeError):
    """There is no index in the folder yet."""


class IndexDamaged(RuntimeError):
    """The index on disk is not the one that was built; the message names the file."""


@dataclass(frozen=True)
class Settings:
    """Where the index lies and what it is made with. ``chroma_url`` set: vectors live in a Chroma server."""

    folder: Path
    model: str = ""
    chroma_url: str = ""


@dataclass(frozen=True)
class Manifest:
    """What an index holds. ``files``: name → SHA-256; ``skipped``: what was left out, and why."""

    format: int
    built: str
    inputs: str
    paths: tuple[str, ...]
    encoder: str
    passages: int
    sources: int
    law_as_of: str
    files: dict[str, str]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def version(self) -> str:
        """Short name of this corpus version, for records."""
        return self.inputs[:12]


# --- building ------------------------------------------------------------------------------------------------------


Progress = Callable[[str, int, int], None]


def build(settings: Settings, paths: Sequence[Path], encoder: Encoder, progress: Progress = lambda *_: None, *,
          force: bool = False) -> tuple[Manifest, bool]:
    """Index our notes and all under ``paths``; (manifest, whether anything was built).

    Nothing new since last time: nothing is done. ``OSError`` (a full disk, say) leaves the old index as it was.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    if settings.chroma_url:
        _reach(settings.chroma_url)  # before minutes of reading, not after
    with _alone(settings.folder):
        listed = collect.inputs(paths)
        digest = hashlib.sha256(f"{FORMAT} {encoder.fingerprint} {collect.digest(listed)}".encode()).hexdigest()
        with contextlib.suppress(IndexMissing, IndexDamaged):
            present = manifest(settings)
            if present.inputs == digest and not force and _whole(settings, present):
                return present, False
        gathered = collect.collect(paths, lambda done, total: progress("Läser källor", done, total))
        return write(settings, gathered, digest, encoder, progress, paths), True


def write(settings: Settings, gathered: collect.Collection, digest: str, encoder: Encoder, progress: Progress = lambda *_: None,
          paths: Sequence[Path] = ()) -> Manifest:
    """Index sources that are gathered already, beside what is there, and swap it in whole."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    target = Path(tempfile.mkdtemp(prefix="build-", dir=settings.folder))
    name = f"index-{digest[:16]}-{datetime.now():%Y%m%d%H%M%S%f}"
    try:
        made = _write(target, name, gathered, paths, digest, encoder, settings, progress)
        os.replace(target, settings.folder / name)
        _point(settings.folder, name)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        _forget(settings, [name])
        raise
    _forget(settings, _sweep(settings.folder, name))
    return made


def _whole(settings: Settings, made: Manifest) -> bool:
    """Whether texts and vectors are all there, and the vectors where the settings say."""
    folder = settings.folder / current(settings)
    if verify(folder, made) or (folder / "chroma").is_dir() == bool(settings.chroma_url):
        return False
    if not settings.chroma_url:
        return True
    with contextlib.suppress(Exception):
        return bool(_open_chroma(settings, folder, made).count() == made.passages)
    return False


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One builder at a time; the lock goes with the process."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(target: Path, name: str, gathered: collect.Collection, paths: Sequence[Path], digest: str, encoder: Encoder,
           settings: Settings, progress: Progress) -> Manifest:
    passages = [passage for source in gathered.sources for passage in source.passages]
    progress("Skriver texter", 0, len(passages))
    _write_texts(target / "passages.sqlite", passages, gathered.sources)
    _write_words(target / "words", (_searchable(p) for p in passages), progress, len(passages))
    wordings = questions.placed(questions.load(), passages)
    (target / "wordings.json").write_text(json.dumps([n for n, _ in wordings]), encoding="utf-8")
    _write_words(target / "wordings", (line for _, line in wordings), lambda *_: None, len(wordings))
    (target / "spelling.json").write_text(json.dumps(_used(passages, wordings), ensure_ascii=False), encoding="utf-8")
    vectors = _vectors(encoder, [_searchable(p, 1_500) for p in passages], progress)
    np.save(target / "wordings.npy", encoder.encode([line for _, line in wordings]).astype(np.float16))
    if settings.chroma_url:
        _write_chroma(_chroma_server(settings.chroma_url, CHROMA_WRITE_WAIT_S), _server_collection(name), vectors, progress)
    else:
        (target / "chroma").mkdir()
        _write_chroma(_chroma_local(target / "chroma"), _local_collection(digest), vectors, progress)
        _release_chroma()
    as_of = [s.law_as_of for s in gathered.sources if s.kind in ("lag", "förordning") and s.law_as_of]
    osl = next((s.law_as_of for s in gathered.sources if s.id == "sfs-2009-400"), None)
    made = Manifest(
        format=FORMAT, built=datetime.now().isoformat(timespec="seconds"), inputs=digest,
        paths=tuple(str(path) for path in paths), encoder=encoder.fingerprint, passages=len(passages),
        sources=len(gathered.sources), law_as_of=(osl or max(as_of, default=date(2025, 12, 16))).isoformat(),
        files=_hashes(target), skipped=tuple((s.path, s.reason) for s in gathered.skipped),
        notes=tuple((s.id, note) for s in gathered.sources for note in s.notes),
    )
    (target / "manifest.json").write_text(json.dumps(asdict(made), ensure_ascii=False, indent=1), encoding="utf-8")
    return made


def _used(passages: Iterable[Passage], wordings: Iterable[tuple[int, str]]) -> dict[str, int]:
    """The words of the notes, the wordings and the field's own statutes: what a slip in a question is mended to."""
    named = {f"SFS {name.sfs} " for name in lagrum.names()}
    own = (p.text for p in passages if p.kind == "not" or p.ref.startswith(tuple(named)))
    return spelling.count([*own, *(line for _, line in wordings)])


def _searchable(passage: Passage, limit: int = 20_000) -> str:
    """What a passage is found by: its own text under its nearest headings and title."""
    return analysis.unwrapped(" ".join((*passage.headings[-2:], passage.text))[:limit])


def _write_texts(path: Path, passages: list[Passage], sources: Iterable[Source]) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE passages (n INTEGER PRIMARY KEY, id TEXT UNIQUE, ref TEXT, source TEXT, kind TEXT, zone TEXT,"
                   " status TEXT, valid_from TEXT, valid_to TEXT, published TEXT, data TEXT)")
        db.executemany("INSERT INTO passages VALUES (?,?,?,?,?,?,?,?,?,?,?)", (
            (n, p.id, p.ref, p.source, p.kind, p.zone, p.status, _iso(p.valid_from), _iso(p.valid_to), _iso(p.published),
             json.dumps({"title": p.title, "headings": p.headings, "text": p.text, "version": p.version, "page": p.page,
                         "url": p.url, "parts": [(q.stycke, q.punkt, q.start, q.end) for q in p.parts],
                         **({"note": (p.topic, p.test, p.also)} if p.kind == "not" else {})}, ensure_ascii=False))
            for n, p in enumerate(passages)))
        db.execute("CREATE INDEX refs ON passages (ref)")
        db.execute("CREATE TABLE sources (id TEXT PRIMARY KEY, title TEXT, kind TEXT, law_as_of TEXT, passages INTEGER)")
        db.executemany("INSERT INTO sources VALUES (?,?,?,?,?)", (
            (s.id, s.title, s.kind, _iso(s.law_as_of), len(s.passages)) for s in sources))


def _write_words(folder: Path, texts: Iterable[str], progress: Progress, total: int) -> None:
    import bm25s

    numbers: dict[str, int] = {}
    rows = []
    for done, text in enumerate(texts, 1):
        rows.append([numbers.setdefault(token, len(numbers)) for token in analysis.tokens(text)])
        if done % 2_000 == 0:
            progress("Indexerar ord", done, total)
    if not any(rows):  # bm25s can't hold an empty corpus
        numbers, rows = {"\x00": 0}, [[0]]
    engine = bm25s.BM25(k1=0.9, b=0.4)
    engine.index((rows, numbers), show_progress=False)
    engine.save(str(folder), show_progress=False)


def _vectors(encoder: Encoder, texts: list[str], progress: Progress) -> np.ndarray:
    out = np.zeros((len(texts), encoder.dimensions), dtype=np.float32)
    for at in range(0, len(texts), 1_000):
        out[at:at + 1_000] = encoder.encode(texts[at:at + 1_000])
        progress("Beräknar vektorer", min(at + 1_000, len(texts)), len(texts))
    return out


def _write_chroma(client: Any, name: str, vectors: np.ndarray, progress: Progress) -> None:
    held = client.create_collection(name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)
    for at in range(0, len(vectors), CHROMA_BATCH):
        rows = vectors[at:at + CHROMA_BATCH]
        held.upsert(ids=[str(n) for n in range(at, at + len(rows))], embeddings=rows)
        progress("Skriver vektorer", at + len(rows), len(vectors))


def _hashes(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(folder).as_posix(): collect.fingerprint(path) for path in found}


def _point(folder: Path, name: str) -> None:
    fresh = folder / ".current"
    fresh.write_text(name + "\n", encoding="utf-8")
    os.replace(fresh, folder / "current")


def _sweep(folder: Path, keep: str) -> list[str]:
    """Drop older indexes but the last one, for a reader may still be opening it; the names of those dropped."""
    old = sorted((path for path in folder.glob("index-*") if path.name != keep), key=lambda path: path.name.rsplit("-", 1)[-1])
    for path in [*old[:-1], *folder.glob("build-*")]:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in old[:-1]]


def _forget(settings: Settings, names: Iterable[str]) -> None:
    """Drop the vectors of these indexes from the Chroma server. Others' collections there are left alone."""
    for name in names if settings.chroma_url else ():
        with contextlib.suppress(Exception):
            _chroma_server(settings.chroma_url, CHROMA_WRITE_WAIT_S).delete_collection(_server_collection(name))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


# --- opening -------------------------------------------------------------------------------------------------------


def current(settings: Settings) -> str:
    """The folder name of the index in use."""
    try:
        name = (settings.folder / "current").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise IndexMissing(f"Det finns inget index i {settings.folder}.") from error
    if not name.startswith("index-") or "/" in name or not (settings.folder / name).is_dir():
        raise IndexDamaged(f"Indexet i {settings.folder} saknar sin mapp.")
    return name


def manifest(settings: Settings) -> Manifest:
    """What the index in use holds."""
    path = settings.folder / current(settings) / "manifest.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        made = Manifest(**{**data, "paths": tuple(data["paths"]), "skipped": tuple(map(tuple, data["skipped"])),
                           "notes": tuple(map(tuple, data["notes"]))})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise IndexDamaged(f"Indexets förteckning går inte att läsa ({error.__class__.__name__}).") from error
    if made.format != FORMAT:
        raise IndexDamaged("Indexet är gjort av en annan version av programmet.")
    return made


def verify(folder: Path, made: Manifest) -> tuple[str, ...]:
    """Damaged files that can be done without (the vectors). Raises ``IndexDamaged`` for one that can't."""
    lost = []
    for name, expected in made.files.items():
        path = folder / name
        if path.is_file() and collect.fingerprint(path) == expected:
            continue
        if not name.startswith("chroma/"):
            raise IndexDamaged(f"Indexfilen {name} är skadad eller saknas.")
        lost.append(name)
    return tuple(lost)


def open_index(settings: Settings, encoder: Encoder) -> Index:
    """The index in use, every file checked first. Damaged vectors cost the vector search and give a warning."""
    made = manifest(settings)
    folder = settings.folder / current(settings)
    lost = verify(folder, made)
    warnings = ["Vektorsökningen är skadad och avstängd; sökningen går på ord tills indexet har byggts om."] if lost else []
    if made.encoder != encoder.fingerprint:
        warnings = ["Indexet är gjort med en annan ordmodell; vektorsökningen är avstängd tills indexet har byggts om."]
    if warnings:
        return Index(folder, made, encoder, None, tuple(warnings))
    if settings.chroma_url:  # a server may start after us, or restart: it is asked again until it answers
        opened = Index(folder, made, encoder, None, (), partial(_open_chroma, settings, folder, made))
        opened.nearest(np.ones(encoder.dimensions, dtype=np.float32), 1)  # so that one which doesn't answer is known at once
        return opened
    try:
        return Index(folder, made, encoder, _open_chroma(settings, folder, made), ())
    except Exception as error:
        why = f"Vektorsökningen kunde inte öppnas ({error.__class__.__name__}); sökningen går på ord."
        return Index(folder, made, encoder, None, (why,))


def _local_collection(digest: str) -> str:
    return f"passages-{digest[:16]}"


def _server_collection(folder: str) -> str:
    return f"passages-{folder.removeprefix('index-')}"


def _open_chroma(settings: Settings, folder: Path, made: Manifest) -> Any:
    if settings.chroma_url:
        client = _chroma_server(settings.chroma_url, CHROMA_WAIT_S)
        return client.get_collection(_server_collection(folder.name), embedding_function=None)
    private = Path(tempfile.mkdtemp(prefix="delningsstod-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    shutil.copytree(folder / "chroma", private / "chroma")
    return _chroma_local(private / "chroma").get_collection(_local_collection(made.inputs), embedding_function=None)


def _chroma_local(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))


def _chroma_server(url: str, wait_s: float) -> Any:
    from urllib.parse import urlsplit

    import chromadb
    import httpx
    from chromadb.config import Settings as ChromaSettings

    _reach(url)
    where = urlsplit(url)
    client = chromadb.HttpClient(host=where.hostname or "127.0.0.1", port=where.port or 8000, ssl=where.scheme == "https",
                                 settings=ChromaSettings(anonymized_telemetry=False))
    client._server._session.timeout = httpx.Timeout(wait_s)  # there is no setting for it, and a server that hangs would hang us
    return client


def _reach(url: str) -> None:
    """Raises ``ConnectionError`` when no Chroma server answers at ``url``."""
    import httpx

    try:
        httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=CHROMA_WAIT_S).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectionError(errno.ECONNREFUSED, f"Chroma-servern {url} svarar inte ({error.__class__.__name__})") from error


def _release_chroma() -> None:
    from chromadb.api.client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


class Index:
    """An open index. Positions ``n`` count passages from 0; scores are float32 arrays over all of them.

    ``connect`` opens the vectors when they lie in a server, and again after it has failed.
    """

    def __init__(self, folder: Path, made: Manifest, encoder: Encoder, collection: Any, warnings: tuple[str, ...],
                 connect: Callable[[], Any] | None = None) -> None:
        import bm25s

        self.manifest = made
        self._standing = warnings
        self._rests_until = 0.0
        self.encoder = encoder
        self._collection = collection
        self._connect = connect
        self._folder = folder
        self._words = bm25s.BM25.load(str(folder / "words"), mmap=True, show_progress=False)
        self._wordings = bm25s.BM25.load(str(folder / "wordings"), show_progress=False)
        self._wording_of = np.array(json.loads((folder / "wordings.json").read_text(encoding="utf-8")), dtype=np.int64)
        self._wording_vectors = np.load(folder / "wordings.npy").astype(np.float32)
        with self._database() as db:
            rows = db.execute("SELECT id, ref, source, kind, zone, status, valid_from, valid_to, published"
                              " FROM passages ORDER BY n").fetchall()
        columns = list(zip(*rows, strict=True)) or [()] * 9
        self.ids, self.refs, self.sources, self.kinds, self.zones, self.status = columns[:6]
        self._from, self._to, self._published = (np.array([v or "" for v in column], dtype="U10") for column in columns[6:])
        self._at: dict[str, list[int]] = {}
        self._in: dict[str, list[int]] = {}
        for n, (ref, source) in enumerate(zip(self.refs, self.sources, strict=True)):
            self._at.setdefault(ref, []).append(n)
            self._in.setdefault(source, []).append(n)
        self._masks: dict[str, np.ndarray] = {}

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        uri = f"file:{self._folder / 'passages.sqlite'}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
            yield db

    def __len__(self) -> int:
        return len(self.refs)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever asks should know of the index, in Swedish."""
        silent = time.monotonic() < self._rests_until
        return (*self._standing, *(("Vektorsökningen svarar inte just nu; sökningen går på ord.",) if silent else ()))

    @cached_property
    def _used(self) -> dict[str, int]:
        used: dict[str, int] = json.loads((self._folder / "spelling.json").read_text(encoding="utf-8"))
        return used

    def respelled(self, text: str) -> str:
        """``text`` with slips mended against the index's own words; for searching, never for showing."""
        return spelling.mended(text, self._knows, self._used)

    def _knows(self, word: str) -> bool:
        return all(stem in self._words.vocab_dict or stem in self._wordings.vocab_dict for stem in analysis.tokens(word))

    def applies(self, on: date) -> np.ndarray:
        """bool per passage: in force, or published, on ``on``."""
        day = on.isoformat()
        if day in self._masks:
            return self._masks[day]
        inside: np.ndarray = (self._from <= day) & ((self._to == "") | (self._to > day)) & (self._published <= day)
        self._masks = {**dict(list(self._masks.items())[-15:]), day: inside}  # replaced whole: readers on other threads are safe
        return inside

    def at(self, ref: str) -> tuple[int, ...]:
        """The passages with exactly this reference, all versions."""
        return tuple(self._at.get(ref, ()))

    def keyword(self, tokens: Sequence[str]) -> np.ndarray:
        """BM25 of ``tokens`` per passage."""
        return self._score(self._words, tokens, len(self))

    def wordings(self, tokens: Sequence[str], vector: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(passage, BM25, cosine) of each staff wording."""
        if not len(self._wording_of):
            return self._wording_of, np.zeros(0, np.float32), np.zeros(0, np.float32)
        words = self._score(self._wordings, tokens, len(self._wording_of))
        return self._wording_of, words, self._wording_vectors @ vector

    def wordings_of(self, ref: str) -> int:
        """How many staff wordings ask for this reference."""
        return self._wordings_per_ref.get(ref, 0)

    @cached_property
    def _wordings_per_ref(self) -> Counter[str]:
        return Counter(self.refs[n] for n in self._wording_of)

    @staticmethod
    def _score(engine: Any, tokens: Sequence[str], size: int) -> np.ndarray:
        known = [token for token in tokens if token in engine.vocab_dict]
        if not known:
            return np.zeros(size, dtype=np.float32)
        scores: np.ndarray = engine.get_scores(known)[:size]
        return scores

    def nearest(self, vector: np.ndarray, k: int) -> tuple[tuple[int, float], ...]:
        """The ``k`` passages nearest ``vector`` with their cosine; none when the vector search is off or doesn't answer."""
        collection, connect = self._collection, self._connect
        if (collection is None and connect is None) or not vector.any() or time.monotonic() < self._rests_until:
            return ()
        try:
            if collection is None and connect:
                collection = connect()
            found = collection.query(query_embeddings=vector[None, :], n_results=min(k, len(self)), include=["distances"])
        except Exception:  # whatever a server or a library does wrong, the words still answer, with a warning
            self._rests_until = time.monotonic() + CHROMA_REST_S
            self._collection = None if connect else collection
            return ()
        self._collection = collection
        return tuple((int(n), 1.0 - d) for n, d in zip(found["ids"][0], found["distances"][0], strict=True))

    def get(self, positions: Iterable[int]) -> tuple[Passage, ...]:
        """Passages by position, in the order asked for."""
        wanted = list(positions)
        marks = ",".join("?" * len(wanted))
        with self._database() as db:
            rows = {row[0]: row for row in db.execute(f"SELECT * FROM passages WHERE n IN ({marks})", wanted)}  # noqa: S608
        return tuple(_passage(rows[n]) for n in wanted)

    def by_id(self, passage_id: str) -> Passage | None:
        """The passage with this id, or None."""
        with self._database() as db:
            row = db.execute("SELECT * FROM passages WHERE id = ?", (passage_id,)).fetchone()
        return _passage(row) if row else None

    def of_source(self, source: str) -> tuple[int, ...]:
        """Positions of a source's passages, in order."""
        return tuple(self._in.get(source, ()))

    def holds(self, prefix: str) -> bool:
        """Whether any passage, a note included, has a reference that begins so («SFS 2025:170 »)."""
        return any(ref.startswith(prefix) for ref in self._at)

    def titled(self, words: str) -> bool:
        """Whether a source other than our notes has ``words`` in its title, any case."""
        return any(words in title for title in self._titles)

    @cached_property
    def _titles(self) -> tuple[str, ...]:
        return tuple(title.lower() for _, title, kind, _, _ in self.listed() if kind != "not")

    def listed(self) -> tuple[tuple[str, str, str, str | None, int], ...]:
        """(id, title, kind, law as of, number of passages) of every source."""
        with self._database() as db:
            return tuple(db.execute("SELECT id, title, kind, law_as_of, passages FROM sources ORDER BY kind, title"))


def _passage(row: tuple) -> Passage:
    data = json.loads(row[10])
    topic, test, also = data.get("note", ("", "", ()))
    day = date.fromisoformat
    return Passage(
        id=row[1], ref=row[2], source=row[3], title=data["title"], kind=row[4], zone=row[5], headings=tuple(data["headings"]),
        text=data["text"], parts=tuple(Part(*part) for part in data["parts"]), valid_from=day(row[7]) if row[7] else None,
        valid_to=day(row[8]) if row[8] else None, version=data["version"], published=day(row[9]) if row[9] else None,
        page=data["page"], url=data["url"], status=row[6], topic=topic, test=test, also=tuple(also),
    )
