"""Chroma as a server, and several processes behind one proxy: the same answers, and nothing lost between them."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus import collect, embed, index, notes

ROOT = Path(__file__).resolve().parents[1]
WORLD = Path(__file__).parent / "data" / "world"
CHROMA = Path(sys.executable).with_name("chroma")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(url, tries=150):
    """Waits until something answers at ``url``."""
    for _ in range(tries):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).close()
            return
        time.sleep(0.2)
    raise AssertionError(f"nothing answers at {url}")


@contextlib.contextmanager
def chroma_server(folder, port=0):
    """(address, process) of a Chroma server with its vectors in ``folder``."""
    port = port or free_port()
    with (folder.parent / f"chroma-{port}.log").open("a") as log:
        process = subprocess.Popen([str(CHROMA), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)],
                                   stdout=log, stderr=log, cwd=folder.parent)
    url = f"http://127.0.0.1:{port}"
    try:
        answers(f"{url}/api/v2/heartbeat")
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
