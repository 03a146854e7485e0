"""Every setting, read once, with its reason. Environment variables ``DELNINGSSTOD_*``, or a ``.env`` file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from corpus.index import Settings as IndexSettings


class Settings(BaseSettings):
    """Defaults run on one machine with no network and no language model."""

    model_config = SettingsConfigDict(env_prefix="DELNINGSSTOD_", env_file=".env", extra="ignore", frozen=True)

    data: Path = Field(Path("data"), description="Where index, fetched sources and records lie. One folder to back up.")
    index: Path | None = Field(None, description="The index folder, if elsewhere than under data.")
    embedding: str = Field("", description="Another sentence-transformers model by name or path; empty = the shipped one.")
    chroma_url: str = Field("", validation_alias="CHROMA_URL", description="A Chroma server, when one process is outgrown.")
    model_provider: str = Field("", description="LangChain chat model provider; empty = no language model at all.")
    model_name: str = ""
    model_base_url: str = Field("", description="An OpenAI-compatible endpoint of the authority's own.")
    model_api_key: SecretStr = SecretStr("")
    model_timeout_s: float = Field(20.0, description="A person waits; after this the extractive answer is shown.")
    proxy: str = Field("", description="Proxy for `corpus fetch`; environment proxies are not trusted silently.")
    releases: Path = Field(Path(__file__).resolve().parents[1] / "evals" / "releases",
                           description="Where the record of each approved version lies; the newest is shown under «Om tjänsten».")
    record: bool = Field(True, description="Whether one line per question is written to data/records.jsonl.")

    def index_settings(self) -> IndexSettings:
        """Where and with what the index is made."""
        return IndexSettings(self.index or self.data / "index", self.embedding, self.chroma_url)
