"""A chat as a file: Markdown to read, JSON to process, AG-UI events to replay (F-188).

Made while it is read, a page of the log at a time. It holds what the person was shown: texts of hidden agents never reach
the log, the answer to a password question is masked there, and secrets of forms are masked here.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Literal

from mozaiks_shell.chat.export_agui import events
from mozaiks_shell.chat.export_lines import facts, lines
from mozaiks_shell.chat.export_markdown import document
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.transcript import dumps
from mozaiks_shell.foundation.clock import aware, now

Format = Literal["markdown", "json", "agui"]
VERSION: Final = "mozaiks-chat/1"
_NAME: Final = re.compile(r"[^\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to be: its name, media type and parts."""

    name: str
    media_type: str
    parts: AsyncIterator[str]


def export(chat: Chat, title: str, format: Format) -> Exported:
    """The chat as a file; the caller has made sure whose it is.

    Args:
        chat: The row.
        title: The name people see.
    """
    make: dict[str, tuple[str, str, Callable[[Chat, str], AsyncIterator[str]]]] = {
        "markdown": ("md", "text/markdown; charset=utf-8", document),
        "json": ("json", "application/json", as_json),
        "agui": ("agui.ndjson", "application/x-ndjson", events),
    }
    ending, media_type, parts = make[format]
    return Exported(f"{file_name(title)}-{aware(chat.created_at):%Y-%m-%d}.{ending}", media_type, parts(chat, title))


def file_name(title: str) -> str:
    """A name any file system takes, without an ending; never empty."""
    return _NAME.sub("-", title).strip("-.")[:60].rstrip("-.") or "chat"


async def as_json(chat: Chat, title: str) -> AsyncIterator[str]:
    """One JSON object: ``format``, ``exported_at``, ``chat`` and ``items``, each with ``offset`` and ``kind``."""
    head = {"format": VERSION, "exported_at": now().isoformat(), "chat": facts(chat, title)}
    yield dumps(head)[:-1] + ',"items":['
    first = True
    async for line in lines(chat):
        yield ("" if first else ",") + dumps({"offset": line.offset, "kind": line.kind, **line.body})
        first = False
    yield "]}\n"
