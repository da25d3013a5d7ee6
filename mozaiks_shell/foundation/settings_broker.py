"""Settings of the broker: who may start how much, and what signs the runtime's tokens. :class:`.settings.Settings` has them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode


class BrokerSettings(BaseSettings):
    """Mixin of the settings object."""

    restricted_workflows: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        validation_alias=AliasChoices("MOZAIKS_RESTRICTED_WORKFLOWS"),
        description="Comma-separated workflows for operators only, whatever a capability or a plan says.",
    )
    capability_specs_dir: Path | None = Field(
        None,
        validation_alias=AliasChoices("MOZAIKS_AI_CAPABILITY_SPECS_DIR"),
        description="Folder with one file per capability. Default: `capability_specs` in `MOZAIKS_CONFIGS_PATH`.",
    )
    starts_per_user: int = Field(
        30, validation_alias=AliasChoices("MOZAIKS_AI_STARTS_PER_USER"), ge=1, description="Chats one person may start a minute."
    )
    starts_per_app: int = Field(
        600, validation_alias=AliasChoices("MOZAIKS_AI_STARTS_PER_APP"), ge=1, description="Chats all may start a minute."
    )
    runtime_host: str = Field(
        "127.0.0.1", validation_alias=AliasChoices("MOZAIKS_RUNTIME_HOST"), description="Address of `mozaiks-shell runtime`."
    )
    runtime_port: int = Field(
        8090,
        validation_alias=AliasChoices("MOZAIKS_RUNTIME_PORT"),
        ge=1,
        le=65535,
        description="Port of `mozaiks-shell runtime`.",
    )
    runtime_jwks_url: str = Field(
        "",
        validation_alias=AliasChoices("MOZAIKS_RUNTIME_JWKS_URL"),
        description="Where `mozaiks-shell runtime` reads the keys of its tokens. Default: the shell's `/.well-known/jwks.json`.",
    )
    runtime_reconnects: bool = Field(
        False,
        validation_alias=AliasChoices("MOZAIKS_RUNTIME_RECONNECTS"),
        description="The runtime at `MOZAIKS_AI_URL` can be connected to again in the middle of a run without harm. Say so only "
        "if it is known: the published one freezes for everybody. The embedded one can.",
    )
    runtime_engine: Literal["auto", "scripted", "openai", "ag2"] = Field(
        "auto",
        validation_alias=AliasChoices("MOZAIKS_RUNTIME_ENGINE"),
        description="What thinks for agents of workflow folders. `auto`: scripts without a model, else AG2 if installed.",
    )
    runtime_samples: bool = Field(
        False,
        validation_alias=AliasChoices("MOZAIKS_RUNTIME_SAMPLES"),
        description="Offer the embedded runtime's sample folders.",
    )
    execution_token_algorithm: Literal["RS256", "HS256"] = Field(
        "RS256",
        validation_alias=AliasChoices("MOZAIKS_EXECUTION_TOKEN_ALGORITHM"),
        description="`HS256` is for runtimes that share a secret with you; the published one takes `RS256` only.",
    )
    execution_token_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("MOZAIKS_EXECUTION_TOKEN_SECRET"),
        description="Secret of `HS256`, at least 32 characters. There is no default.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("MOZAIKS_SECRET_KEY"),
        description="Secret of at least 32 characters, the same for all processes: encrypts the keys in the database. "
        "On SQLite the shell makes its own (`secret.key` in the data folder); on PostgreSQL they lie in plain text without one.",
    )
    execution_key_days: float = Field(
        30.0,
        validation_alias=AliasChoices("MOZAIKS_EXECUTION_TOKEN_KEY_DAYS"),
        ge=0,
        description="Days until the key that signs runtime tokens is replaced by itself; 0 leaves it to `mozaiks-shell keys`.",
    )

    @field_validator("restricted_workflows", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    def token_problems(self, own_key: bool, ai_url: str) -> list[str]:
        """What does not go together, each line beginning with the variable to change."""
        secret, problems = self.execution_token_secret.get_secret_value(), []
        if 0 < len(self.secret_key.get_secret_value()) < 32:
            problems.append("MOZAIKS_SECRET_KEY: needs at least 32 characters")
        if self.execution_token_algorithm == "HS256":
            if len(secret) < 32:
                problems.append("MOZAIKS_EXECUTION_TOKEN_SECRET: HS256 needs one of at least 32 characters")
            if own_key:
                problems.append("MOZAIKS_EXECUTION_TOKEN_PRIVATE_KEY: is for RS256; leave it out with HS256")
            if not ai_url:
                problems.append("MOZAIKS_EXECUTION_TOKEN_ALGORITHM: the embedded runtime takes RS256 only; set MOZAIKS_AI_URL")
        return problems
