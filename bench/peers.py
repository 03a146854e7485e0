"""The systems we are measured beside, each as its own documentation sets it up: how it cuts a text, and how it searches.

A peer is made from strings and answers a question with their numbers, best first. Nothing here is tuned, neither for nor
against: the defaults are what somebody gets who takes the package as it is. None ships an embedding that knows Swedish, so each is given
one trained on the texts alone («text embedding») and, apart, ours, which carries our work with staff's wordings into theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from corpus.embed import Encoder

Search = Callable[[str, int], list[int]]


@dataclass(frozen=True)
class Text:
    """One source's text. ``body``: where what it says begins, after a row's headings; ``note``: one of our own notes."""

    number: int
    text: str
    body: int = 0
    note: bool = False


@dataclass(frozen=True)
class Chunk:
    """A piece of a text as a peer cut it: ``start:end`` counts characters in text ``number``."""

    number: int
    start: int
    end: int
    content: str


@dataclass(frozen=True)
class Peer:
    """A package as it is set up here. ``dense``: it uses an embedding too; ``weights``: which one, when it is not ours."""

    title: str
    cut: Callable[[Iterable[Text]], Iterator[Chunk]]
    make: Callable[[Sequence[str], Encoder], Search]
    dense: bool = False
    weights: str = ""


# --- cutting -------------------------------------------------------------------------------------------------------


def whole(texts: Iterable[Text]) -> Iterator[Chunk]:
    """Each text as one piece, for a corpus that is cut already; the headings are searched but not counted as read."""
    for one in texts:
        yield Chunk(one.number, one.body, len(one.text), one.text)


def cut_langchain(texts: Iterable[Text]) -> Iterator[Chunk]:
    """LangChain's tutorial: 1,000 characters with 200 of overlap."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=1_000, chunk_overlap=200, add_start_index=True)
    for one in texts:
        for piece in splitter.create_documents([one.text]):
            start = piece.metadata["start_index"]
            yield Chunk(one.number, start, start + len(piece.page_content), piece.page_content)


def cut_haystack(texts: Iterable[Text]) -> Iterator[Chunk]:
    """Haystack's default: 200 words."""
    from haystack import Document
    from haystack.components.preprocessors import DocumentSplitter

    splitter = DocumentSplitter()
    for one in texts:
        for piece in splitter.run(documents=[Document(content=one.text)])["documents"]:
            start = piece.meta["split_idx_start"]
            yield Chunk(one.number, start, start + len(piece.content), piece.content)


def cut_txtai(texts: Iterable[Text]) -> Iterator[Chunk]:
    """txtai's way with long documents: paragraphs."""
    from txtai.pipeline import Segmentation

    segments = Segmentation(paragraphs=True)
    for one in texts:
        at = 0
        for piece in segments(one.text):
            at = one.text.index(piece, at)
            yield Chunk(one.number, at, at + len(piece), piece)
            at += len(piece)


# --- searching -----------------------------------------------------------------------------------------------------


def langchain(contents: Sequence[str], encoder: Encoder, *, words: bool = True, vectors: bool = True) -> Search:
    """BM25Retriever, Chroma in memory, or both under EnsembleRetriever with equal weights."""
    from langchain_core.documents import Document

    documents = [Document(page_content=text, metadata={"n": n}) for n, text in enumerate(contents)]
    retrievers: list[Any] = []
    if words:
        from langchain_community.retrievers import BM25Retriever

        retrievers.append(BM25Retriever.from_documents(documents))
    if vectors:
        retrievers.append(_chroma(documents, encoder).as_retriever())
    retriever = retrievers[0]
    if words and vectors:
        from langchain_classic.retrievers import EnsembleRetriever

        retriever = EnsembleRetriever(retrievers=retrievers, weights=[0.5, 0.5])

    def search(question: str, k: int) -> list[int]:
        for one in retrievers:
            if hasattr(one, "search_kwargs"):
                one.search_kwargs = {"k": k}
            else:
                one.k = k
        return [int(found.metadata["n"]) for found in retriever.invoke(question)[:k]]

    return search


def _chroma(documents: Sequence[Any], encoder: Encoder) -> Any:
    from langchain_chroma import Chroma
    from langchain_core.embeddings import Embeddings

    class Ours(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return encoder.encode(texts).tolist()

        def embed_query(self, text: str) -> list[float]:
            return encoder.encode([text])[0].tolist()

    store = Chroma(embedding_function=Ours())
    for at in range(0, len(documents), 5_000):  # Chroma refuses more than 5,461 at once, and langchain-chroma doesn't divide
        store.add_documents(list(documents[at:at + 5_000]))
    return store


def haystack(contents: Sequence[str], encoder: Encoder, *, vectors: bool = True) -> Search:
    """BM25 in the in-memory store, or that and embeddings joined by reciprocal rank fusion."""
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    documents = [Document(content=text, meta={"n": n}) for n, text in enumerate(contents)]
    if vectors:
        documents = [replace(one, embedding=row.tolist()) for at in range(0, len(documents), 1_000)
                     for one, row in zip(documents[at:at + 1_000], encoder.encode(contents[at:at + 1_000]), strict=True)]
    store = InMemoryDocumentStore()
    store.write_documents(documents)
    words, near = InMemoryBM25Retriever(store), InMemoryEmbeddingRetriever(store)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")

    def search(question: str, k: int) -> list[int]:
        found = words.run(query=question, top_k=k)["documents"]
        if vectors:
            close = near.run(query_embedding=encoder.encode([question])[0].tolist(), top_k=k)["documents"]
            found = joiner.run(documents=[found, close], top_k=k)["documents"]
        return [int(one.meta["n"]) for one in found]

    return search


def txtai(contents: Sequence[str], encoder: Encoder, *, vectors: bool = True) -> Search:
    """txtai's keyword index, or its hybrid one."""
    from txtai import Embeddings

    settings: dict[str, Any] = {"keyword": True}
    if vectors:
        settings = {"hybrid": True, "method": "external", "transform": lambda texts: encoder.encode(texts)}  # a bound method it would call
    engine = Embeddings(**settings)
    engine.index((n, text, None) for n, text in enumerate(contents))
    return lambda question, k: [int(n) for n, _ in engine.search(question, k)]


def _only(make: Callable[..., Search], **settings: bool) -> Callable[[Sequence[str], Encoder], Search]:
    return lambda contents, encoder: make(contents, encoder, **settings)


PEERS = {
    "langchain-bm25": Peer("LangChain BM25Retriever", cut_langchain, _only(langchain, vectors=False)),
    "langchain-chroma": Peer("LangChain Chroma, our embedding", cut_langchain, _only(langchain, words=False), dense=True),
    "langchain-ensemble": Peer("LangChain EnsembleRetriever, our embedding", cut_langchain, langchain, dense=True),
    "langchain-minilm": Peer("LangChain EnsembleRetriever, English MiniLM", cut_langchain, langchain, dense=True, weights="minilm"),
    "langchain-chroma-texts": Peer("LangChain Chroma, text embedding", cut_langchain, _only(langchain, words=False), True, "texts"),
    "langchain-ensemble-texts": Peer("LangChain EnsembleRetriever, text embedding", cut_langchain, langchain, True, "texts"),
    "haystack-bm25": Peer("Haystack BM25", cut_haystack, _only(haystack, vectors=False)),
    "haystack-hybrid-texts": Peer("Haystack BM25 + text embedding, rank fusion", cut_haystack, haystack, True, "texts"),
    "haystack-hybrid": Peer("Haystack BM25 + our embedding, rank fusion", cut_haystack, haystack, dense=True),
    "txtai-keyword": Peer("txtai keyword", cut_txtai, _only(txtai, vectors=False)),
    "txtai-hybrid-texts": Peer("txtai hybrid, text embedding", cut_txtai, txtai, True, "texts"),
    "txtai-hybrid": Peer("txtai hybrid, our embedding", cut_txtai, txtai, dense=True),
}
STOCK = "langchain-ensemble-texts"
