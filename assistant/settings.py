"""Every setting, read once, with its reason. Environment variables ``DELNINGSSTOD_*``, or a ``.env`` file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from assistant.people import Role
from corpus.index import Settings as IndexSettings


class Settings(BaseSettings):
    """Defaults run on one machine with no network and no language model."""

    model_config = SettingsConfigDict(env_prefix="DELNINGSSTOD_", env_file=".env", extra="ignore", frozen=True)

    data: Path = Field(Path("data"), description="Where index, fetched sources and records lie. One folder to back up.")
    index: Path | None = Field(None, description="The index folder, if elsewhere than under data.")
    embedding: str = Field("", description="Another sentence-transformers model by name or path; empty = the shipped one.")
    chroma_url: str = Field("", validation_alias="CHROMA_URL", description="A Chroma server, when one process is outgrown.")
    database_url: SecretStr = Field(SecretStr(""), validation_alias="DATABASE_URL",
                                    description="PostgreSQL, when one process is outgrown; empty = SQLite in the data folder.")
    model_provider: str = Field("", description="LangChain chat model provider; empty = no language model at all.")
    model_name: str = ""
    model_base_url: str = Field("", description="An OpenAI-compatible endpoint of the authority's own.")
    model_api_key: SecretStr = SecretStr("")
    model_timeout_s: float = Field(20.0, description="A person waits; after this the extractive answer is shown.")
    proxy: str = Field("", description="Proxy for `corpus fetch`; environment proxies are not trusted silently.")
    statement: Path = Field(Path(__file__).resolve().parents[1] / "docs" / "tillganglighet.md",
                            description="The accessibility statement, in Markdown: ours until the authority has written its own.")
    releases: Path = Field(Path(__file__).resolve().parents[1] / "evals" / "releases",
                           description="Where the record of each approved version lies; the newest is shown under «Om tjänsten».")
    record: bool = Field(True, description="Whether each question leaves one row in the audit trail, without its words.")

    @property
    def database(self) -> str:
        """Where conversations, assessments and the audit trail are kept. May hold a password: not for logs."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data.absolute()}/delningsstod.db"

    @property
    def anchors(self) -> Path:
        """Where the audit trail's anchors are written, to be copied to another machine."""
        return self.data / "audit-anchors.jsonl"

    identity: Literal["off", "oidc", "proxy"] = Field(
        "off", description="Who asks: off = one person on this machine, nothing else is served; oidc = the authority's sign-on; "
                           "proxy = headers from a listed proxy.")
    public_url: str = Field("", description="The address staff use, as https://delning.myndighet.se. With sign-on it must be set: "
                                            "redirects, cookies and the check of a request's origin build on it, never on a request.")
    role_groups: dict[str, Role] = Field({}, description='Which group gives which role, as {"DS-jurister": "jurist"}. No group, no role.')
    session_hours: float = Field(8.0, gt=0, le=24, description="After this one signs in again: a working day.")
    cookie_secret: SecretStr = Field(SecretStr(""), description="Signs the sign-on cookie. Set it where several processes serve; "
                                                                "otherwise one is made in data/cookie-secret.")
    oidc_issuer: str = Field("", description="The sign-on's address exactly as its tokens name it.")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_audience: str = Field("", description="What a token for the API and the widget is made out to. Empty: no token is taken.")
    oidc_groups_claim: str = Field("groups", description="Where a token lists the groups; sign-ons differ.")
    oidc_scopes: str = Field("openid profile", description="What is asked of the sign-on; some give groups only when asked.")
    oidc_algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"], ...] = Field(
        ("RS256", "PS256", "ES256"), min_length=1,
        description="How tokens may be signed: only with the sign-on's own key pairs, never a shared secret, never none.")
    proxy_addresses: tuple[str, ...] = Field((), description="The proxies whose headers are believed, as addresses or networks.")
    proxy_secret: SecretStr = Field(SecretStr(""), description="What the proxy shows besides its address; at least 32 characters.")
    proxy_secret_header: str = "X-Delningsstod-Proxy-Secret"  # noqa: S105 - the name of a header
    proxy_user_header: str = Field("X-Forwarded-User", description="The person's stable name. The defaults are oauth2-proxy's names.")
    proxy_name_header: str = Field("X-Forwarded-Preferred-Username",
                                   description="The name shown, å, ä and ö percent-encoded; without it the e-mail, or the stable name.")
    proxy_email_header: str = "X-Forwarded-Email"
    proxy_groups_header: str = "X-Forwarded-Groups"
    origins: tuple[str, ...] = Field((), description="The sites that may show the widget or the window in a frame and call the API.")

    questions_per_minute: int = Field(15, ge=1, description="Per person, over all processes: more is a program, not somebody who reads.")
    reads_per_minute: int = Field(300, ge=1, description="All but questions, per person and process: an assessment is many small calls.")
    answer_workers: int = Field(4, ge=1, le=64, description="Questions answered at the same time in one process.")
    answers_in_flight: int = Field(64, ge=1, description="Questions taken but not answered, per process; after that one is asked to wait.")
    body_limit: int = Field(256 * 1024, ge=1024, description="Bytes in a request to the API; the longest question is 16 KiB.")

    def index_settings(self) -> IndexSettings:
        """Where and with what the index is made."""
        return IndexSettings(self.index or self.data / "index", self.embedding, self.chroma_url)


UNREADABLE = (ValidationError, SettingsError)  # what making Settings raises for a value that can't be one


def unreadable(error: ValidationError | SettingsError) -> str:
    """Which setting can't be read, in one line without its value, which may be a secret."""
    if isinstance(error, ValidationError):
        if not error.title.endswith("Settings"):
            raise error  # something else than a setting, and not a person's doing
        name = "_".join(str(part) for part in error.errors(include_input=False)[0]["loc"][:1])
    else:
        name = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "")
    alias = Settings.model_fields[name].validation_alias if name in Settings.model_fields else None
    return f"Inställningen {alias or f'DELNINGSSTOD_{name.upper()}'} har ett värde som inte går att läsa. Så skrivs den: se docs/drift.md."
