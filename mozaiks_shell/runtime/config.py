"""The configuration the parent process sends as one JSON line on stdin.

Nothing is read from the environment: whatever the runtime may know, its parent decided to tell it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator


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
    jwks: dict[str, Any] | None = Field(default=None, description="inline key set; wins over jwks_url")
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
        # Only places and reasons: the offending values may be secrets.
        problems = (f"{'.'.join(map(str, e['loc'])) or 'line'}: {e['msg']}" for e in error.errors())
        raise ConfigError("bad configuration: " + "; ".join(problems).replace("\n", " ")) from None
