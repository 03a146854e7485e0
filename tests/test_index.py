"""The index: built beside and swapped in whole, checked before it is opened, never half."""

import errno
import json
import random
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from corpus import analysis, collect, embed, index, notes
from tests.conftest import AS_OF

WORLD = Path(__file__).parent / "data" / "world"


@pytest.fixture(scope="module")
def few_notes(tmp_path_factory):
    """A handful of notes, so that a build takes a second."""
    root = tmp_path_factory.mktemp("notes")
    chosen = sorted((notes.NOTES / "osl-10").glob("*.md"))[:5]
    for path in chosen:
        shutil.copy(path, root)
    return root


@pytest.fixture
def small(tmp_path, few_notes, monkeypatch):
    monkeypatch.setattr(notes, "NOTES", few_notes)
    monkeypatch.setattr(collect.notes.load, "__defaults__", (few_notes,))
    settings = index.Settings(tmp_path / "index")
    index.build(settings, [WORLD], embed.encoder())
    return settings


def test_a_second_build_with_nothing_new_does_nothing(small):
    before = index.current(small)
    _, built = index.build(small, [WORLD], embed.encoder())
    assert not built
    assert index.current(small) == before


def test_a_changed_source_is_found_after_the_next_build(small, tmp_path):
    extra = tmp_path / "riktlinje.md"
    extra.write_text("# Riktlinje\n\nSparkstöttingar lånas ut varje vinter av fritidskontoret.\n", encoding="utf-8")
    made, built = index.build(small, [WORLD, extra], embed.encoder())
    opened = index.open_index(small, embed.encoder())
    assert built
    assert opened.keyword(analysis.tokens("sparkstöttingar")).max() > 0
    assert made.sources > 5


def test_what_was_left_out_is_named_with_the_reason(small, tmp_path):
    (tmp_path / "add").mkdir()
    (tmp_path / "add" / "trasig.pdf").write_bytes(b"%PDF-1.7 broken")
    (tmp_path / "add" / "sfs.json").write_text("{", encoding="utf-8")
    made, _ = index.build(small, [tmp_path / "add"], embed.encoder())
    assert {Path(path).name for path, _ in made.skipped} == {"trasig.pdf", "sfs.json"}
    assert all(reason.strip() for _, reason in made.skipped)


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_every_damaged_file_is_found_before_it_is_opened(small, damage):
    folder = small.folder / index.current(small)
    made = index.manifest(small)
    rng = random.Random(3)
    for name in made.files:
        path = folder / name
        whole = path.read_bytes()
        if len(whole) < 2 and damage != "delete":
            continue
        if damage == "delete":
            path.unlink()
        elif damage == "truncate":
            path.write_bytes(whole[: len(whole) // 2])
        else:
            at = rng.randrange(len(whole))
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:])
        if name.startswith("chroma/"):
            opened = index.open_index(small, embed.encoder())
            assert "avstängd" in opened.warnings[0]
            assert opened.keyword(analysis.tokens("samtycke")).max() > 0
        else:
            with pytest.raises(index.IndexDamaged, match="skadad"):
                index.open_index(small, embed.encoder())
        path.write_bytes(whole)
    assert index.open_index(small, embed.encoder()).warnings == ()


@pytest.mark.parametrize("content", ["", "{", '{"format": 1}', '{"format": 3, "nonsense": true}'])
def test_a_damaged_manifest_is_said_plainly(small, content):
    (small.folder / index.current(small) / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(index.IndexDamaged):
        index.manifest(small)


@pytest.mark.parametrize("pointer", ["", "../../etc", "index-borta", "passwd"])
def test_a_pointer_to_nowhere_is_no_index(small, pointer):
    (small.folder / "current").write_text(pointer, encoding="utf-8")
    with pytest.raises((index.IndexDamaged, index.IndexMissing)):
        index.current(small)


def test_a_full_disk_leaves_the_old_index_and_no_rubbish(small, monkeypatch, tmp_path):
    before = index.current(small)

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    extra = tmp_path / "ny.md"
    extra.write_text("# Ny\n\nNågot nytt att läsa in som inte får plats på disken.\n", encoding="utf-8")
    with pytest.raises(OSError, match="No space"):
        index.build(small, [extra], embed.encoder())
    monkeypatch.undo()
    assert index.current(small) == before
    assert not list(small.folder.glob("build-*"))
    assert len(index.open_index(small, embed.encoder())) > 0


def test_reading_never_writes_to_the_index(small):
    folder = small.folder / index.current(small)
    before = {path: collect.fingerprint(path) for path in folder.rglob("*") if path.is_file()}
    opened = index.open_index(small, embed.encoder())
    opened.nearest(opened.encoder.encode(["samtycke"])[0], 5)
    assert {path: collect.fingerprint(path) for path in folder.rglob("*") if path.is_file()} == before


def test_the_same_input_gives_the_same_ids_and_texts(small, tmp_path):
    other = index.Settings(tmp_path / "other")
    index.build(other, [WORLD], embed.encoder())
    one, two = index.open_index(small, embed.encoder()), index.open_index(other, embed.encoder())
    assert one.ids == two.ids
    assert [p.sha256 for p in one.get(range(len(one)))] == [p.sha256 for p in two.get(range(len(two)))]


def test_another_word_model_turns_the_vectors_off_rather_than_mixing_them(small):
    class Other(embed.StaticEncoder):
        def __init__(self):
            super().__init__(embed.SHIPPED)
            self.fingerprint = "another"

    opened = index.open_index(small, Other())
    assert "annan ordmodell" in opened.warnings[0]
    assert opened.nearest(opened.encoder.encode(["x"])[0], 3) == ()


def test_passages_apply_on_their_days(small_world):
    mask = small_world.applies(date(2026, 3, 1))
    at = [n for n in small_world.at("SFS 2099:10 2 kap. 1 §") if mask[n]]
    assert len(at) == 1
    assert "två veckor" in small_world.get(at)[0].text


def test_the_index_is_searchable_as_a_langchain_retriever(small_world):
    from assistant.retrieve import Retriever

    found = Retriever(index=small_world, as_of=AS_OF, k=3).invoke("generalklausulen")
    assert found[0].metadata["ref"] == "SFS 2009:400 10 kap. 27 §"


# --- words and vectors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), [
    ("barnet", "barn"), ("skolan", "skola"), ("myndigheternas", "myndigheten"), ("lämnats", "lämnar"), ("POLISEN", "polis"),
    ("hälso-\noch", "hälso och"), ("informations-\nutbyte", "informationsutbyte")])
def test_forms_that_belong_together_meet(one, other):
    assert analysis.tokens(one) == analysis.tokens(other)


def test_the_words_that_carry_the_laws_meaning_are_searched_for():
    assert len(analysis.tokens("får inte ska kan måste")) == 5


def test_staffs_words_are_translated_and_never_replaced():
    said = analysis.tokens("soc vill veta om grabben blivit skjuten")
    assert set(analysis.tokens("socialtjänst hälsotillstånd barn")) <= set(analysis.expand(said))


def test_unwrapping_keeps_suspended_hyphens_and_joins_torn_words():
    assert analysis.unwrapped("hälso-\noch sjukvård, informations-\nutbyte") == "hälso- och sjukvård, informationsutbyte"


def test_the_shipped_model_gives_the_same_vectors_as_sentence_transformers():
    transformers = pytest.importorskip("sentence_transformers", reason="needs the models extra")
    texts = ["Sekretess gäller inom socialtjänsten", "får soc säga det?", "åäö ÅÄÖ 15 a §"]
    ours = embed.encoder().encode(texts)
    theirs = transformers.SentenceTransformer(str(embed.SHIPPED)).encode(texts, normalize_embeddings=True)
    assert np.abs(ours - np.asarray(theirs, dtype=np.float32)).max() < 1e-3


def test_the_shipped_model_is_small_readable_and_has_a_card():
    files = [path for path in embed.SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20_000_000
    assert all(path.stat().st_mode & 0o044 for path in files)
    card = json.loads((embed.SHIPPED / "card.json").read_text(encoding="utf-8"))
    assert {"data_sha256", "seed", "pairs", "staff_pairs"} <= set(card)


def test_a_model_that_is_not_there_says_what_to_do():
    with pytest.raises(embed.EmbeddingError, match="finns inte på den här datorn"):
        embed.encoder("finns/inte")
