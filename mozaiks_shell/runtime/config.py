"""The configuration the parent process sends as one JSON line on stdin.

Nothing is read from the environment: whatever the runtime may know, its parent decided to tell it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

UPLOAD_SUFFIXES = (
    ".txt", ".md", ".csv", ".tsv", ".json", ".yaml", ".yml", ".xml", ".log", ".pdf", ".docx", ".xlsx", ".pptx", ".odt", ".ods",
    ".png", ".jpg", ".jpeg", ".gif", ".webp", ".py", ".js", ".ts", ".zip",
)  # fmt: skip


class ConfigError(Exception):
    """The configuration line cannot be used; the text is one line, meant for an operator."""


class RuntimeConfig(BaseModel):
    """Settings of one embedded runtime process.

    Authentication is on as soon as ``jwks`` or ``jwks_url`` is given; then ``issuer`` and ``audience`` are
    required as well. Without keys every caller is believed (protocol §3.2 "Auth off").
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535, description="0 picks a free port")
    jwks_url: str | None = None
    jwks: dict[str, Any] | None = Field(default=None, description="inline key set; jwks_url is asked for keys it lacks")
    issuer: str | None = None
    audience: str | None = None
    scope: str = "openid"
    clock_skew_seconds: int = Field(default=120, ge=0, le=600)
    openai_base_url: str | None = None
    openai_api_key: str | None = Field(default=None, repr=False)
    openai_model: str = "gpt-4o-mini"
    token_delay_ms: float = Field(default=18, ge=0, le=1000, description="pace of locally written text")
    ping_seconds: float = Field(default=120, gt=0, description="protocol §2.4: a ping frame every 120 s")
    max_chats: int = Field(default=1000, ge=1, description="chats kept; least recently used go first")
    max_messages_per_chat: int = Field(default=400, ge=10)
    max_missed_frames: int = Field(default=200, ge=1, description="protocol §2.9: while nobody listens")
    max_sockets_per_chat: int = Field(default=4, ge=1, description="a further one takes over from the oldest (protocol §2.9)")
    max_queued_bytes: int = Field(default=8_000_000, ge=10_000, description="unread bytes of one socket until it is cut off")
    database_url: str | None = Field(
        default=None, repr=False, description="async SQLAlchemy URL; without one chats live in memory"
    )
    retention_days: float = Field(
        default=0, ge=0, description="days after its last message that an ended chat is deleted; 0: never"
    )
    workflows_path: str | None = Field(default=None, description="folder of published workflow folders")
    plugin_workflows: str | None = Field(default=None, description="file that names the workflow folders of plugins")
    sample_workflows: bool = Field(default=False, description="offer the runtime's samples too")
    engine: Literal["auto", "scripted", "openai", "ag2"] = Field(
        default="auto", description="what thinks for agents of folders; auto: AG2 if installed, scripts without a model"
    )
    pack_path: str | None = Field(default=None, description="default: _pack/workflow_graph.json in workflows_path")
    uploads_path: str | None = Field(default=None, description="folder of attachments; without one uploads are refused")
    upload_max_bytes: int = Field(default=25 * 1024 * 1024, ge=1, description="protocol §1.3")
    upload_workflows: list[str] | None = Field(default=None, description="workflows that take attachments; null: all")
    upload_suffixes: list[str] = Field(default=[*UPLOAD_SUFFIXES], description="kinds of files that are taken")

    @field_validator("jwks_url", "openai_base_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must be an http:// or https:// URL")
        return value.rstrip("/")

    @field_validator("jwks")
    @classmethod
    def _key_set(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and not isinstance(value.get("keys"), list):
            raise ValueError("must be a JWKS document with a 'keys' list")
        return value

    @field_validator("openai_model", "scope", mode="before")
    @classmethod
    def _null_means_default(cls, value: object, info: Any) -> object:
        return cls.model_fields[info.field_name].default if value in (None, "") else value

    @model_validator(mode="after")
    def _auth_is_complete(self) -> RuntimeConfig:
        if self.auth_enabled and not (self.issuer and self.audience):
            raise ValueError("issuer and audience are required when jwks or jwks_url is given")
        return self

    @property
    def auth_enabled(self) -> bool:
        """Whether tokens are demanded."""
        return self.jwks is not None or self.jwks_url is not None

    @property
    def language_model(self) -> bool:
        """Whether the assistant talks to an OpenAI-compatible server (local ones may need no key)."""
        return bool(self.openai_base_url or self.openai_api_key)


def parse_config(line: str | bytes) -> RuntimeConfig:
    """Read the stdin line; raise :class:`ConfigError` with one clear line when it is not usable."""
    if not line.strip():
        raise ConfigError("no configuration: expected one JSON object as the first line of stdin")
    try:
        return RuntimeConfig.model_validate_json(line)
    except ValidationError as error:
        raise _problem(error) from None


def checked_config(told: dict[str, Any]) -> RuntimeConfig:
    """The configuration from values; raise :class:`ConfigError` as :func:`parse_config` does."""
    try:
        return RuntimeConfig.model_validate(told)
    except ValidationError as error:
        raise _problem(error) from None


def _problem(error: ValidationError) -> ConfigError:
    # Only places and reasons: the offending values may be secrets.
    problems = (f"{'.'.join(map(str, e['loc'])) or 'line'}: {e['msg']}" for e in error.errors())
    return ConfigError("bad configuration: " + "; ".join(problems).replace("\n", " "))
