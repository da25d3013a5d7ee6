"""Settings of the conversations: how long they are kept, and which files may be put into them."""

import re
from typing import Annotated, Final

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import NoDecode

from mozaiks_shell.foundation.settings_broker import BrokerSettings

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](?::[0-9]{1,5})?")


class ChatSettings(BrokerSettings):
    """Mixin of the settings object."""

    chat_retention_days: float = Field(
        0.0,
        validation_alias=AliasChoices("MOZAIKS_CHAT_RETENTION_DAYS"),
        ge=0,
        le=36_500,
        description="Days after its last message that a chat whose run has ended is deleted; 0 keeps all.",
    )
    upload_workflows: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        validation_alias=AliasChoices("CHAT_ATTACHMENTS_ALLOWED_WORKFLOWS"),
        description="Comma-separated workflows that take files; `*` stands for all.",
    )
    upload_max_bytes: int = Field(
        25 * 1024 * 1024,
        validation_alias=AliasChoices("UPLOAD_MAX_BYTES"),
        ge=1,
        le=1024 * 1024 * 1024,
        description="Largest file that can be put into a chat.",
    )

    chat_image_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        validation_alias=AliasChoices("MOZAIKS_CHAT_IMAGE_HOSTS"),
        description="Comma-separated hosts from which the chat may load pictures over https; all others are shown as links.",
    )

    upload_types: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        validation_alias=AliasChoices("CHAT_ATTACHMENTS_ALLOWED_TYPES"),
        description="Comma-separated endings of files that can be put into a chat, such as `.pdf,.png`; empty takes all.",
    )

    embed_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        validation_alias=AliasChoices("MOZAIKS_EMBED_ORIGINS"),
        description="Comma-separated origins whose pages may show the chat (`https://shop.example`), see "
        "docs/decisions/0013-embedding.md. Default: nobody's.",
    )
    workers: int = Field(
        1,
        validation_alias=AliasChoices("WEB_CONCURRENCY"),
        ge=1,
        le=64,
        description="Server processes. More than one needs PostgreSQL and `REDIS_URL`; see docs/several-processes.md.",
    )

    @field_validator("embed_origins", mode="before")
    @classmethod
    def _embedders(cls, value: object) -> object:
        found = [part.strip().rstrip("/") for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        for one in found if isinstance(found, list) else []:
            if not isinstance(one, str) or not _ORIGIN.fullmatch(one):
                raise ValueError(f"{one!r} is not an origin such as https://shop.example")
        return found

    @field_validator("upload_workflows", "chat_image_hosts", mode="before")
    @classmethod
    def _upload_names(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("upload_types", mode="before")
    @classmethod
    def _upload_endings(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [f".{one.strip(' .').lower()}" for one in value.split(",") if one.strip(" .")]
