"""Files, pictures and progress of a payload (F-181)."""

from collections.abc import Mapping
from typing import Any, Final, TypedDict
from urllib.parse import quote, urlsplit

from mozaiks_shell.chat.components.links import file_id, picture_source, safe_href
from mozaiks_shell.chat.components.wording import dicts, text
from mozaiks_shell.foundation.i18n import number, tr

MAX_FILES: Final = 50
MAX_STEPS: Final = 40
_STATES: Final = {
    "done": "done", "complete": "done", "completed": "done", "success": "done", "running": "running", "active": "running",
    "in_progress": "running", "current": "running", "failed": "failed", "error": "failed", "skipped": "skipped",
}  # fmt: skip


class FileItem(TypedDict):
    """A file to fetch. ``note`` is its size and kind; ``host`` names where one lies that is not ours."""

    name: str
    href: str
    note: str
    host: str


class ImageItem(TypedDict):
    """A picture; with an empty ``src`` it may not be shown, and ``href`` leads to where it lies (on ``host``)."""

    src: str
    alt: str
    caption: str
    href: str
    host: str


class StepItem(TypedDict):
    """``state``: waiting, running, done, failed or skipped."""

    label: str
    state: str
    said: str


def files_of(payload: Mapping[str, Any], where: str) -> list[FileItem]:
    """The files of a payload that can be fetched.

    Args:
        where: Address of this tool's own files, whose contents stand in the payload; their number comes behind it.
    """
    given = payload.get("files")
    listed = dicts(given, MAX_FILES) if isinstance(given, list) else [payload]
    found: list[FileItem] = []
    for at, one in enumerate(listed):
        own = file_id(one)
        name = text(one.get("name") or one.get("filename") or one.get("title"), 200)
        host = ""
        if own:
            href = f"/api/files/{own}"
        elif isinstance(one.get("content"), str) and where:
            href = f"{where}{at}"
        else:
            href = safe_href(one.get("url") or one.get("href"))
            host = "" if href.startswith("/") else _host(href)
        if href:
            found.append(FileItem(name=name or tr("File"), href=href, note=_note(one), host=host))
    return found


def images_of(payload: Mapping[str, Any]) -> list[ImageItem]:
    """The pictures of a payload: own files and those within the payload are shown, remote ones where the operator allows."""
    given = payload.get("images")
    listed: list[Mapping[str, Any]] = dicts(given, MAX_FILES) if isinstance(given, list) else [payload]
    if isinstance(given, list):
        listed = [*listed, *({"src": one} for one in given[:MAX_FILES] if isinstance(one, str))]
    found: list[ImageItem] = []
    for one in listed:
        address = one.get("src") or one.get("url") or one.get("image")
        own = file_id(one)
        source = f"/api/files/{quote(own)}?inline=true" if own else picture_source(address)
        href = "" if source else safe_href(address)
        if source or href:
            alt = text(one.get("alt") or one.get("title") or one.get("name"), 300)
            found.append(ImageItem(src=source, alt=alt, caption=text(one.get("caption"), 500), href=href, host=_host(href)))
    return found


def percent_of(payload: Mapping[str, Any]) -> str:
    """How far it is, 0 to 100; empty when that is not known."""
    value = payload.get("percent", payload.get("progress_percent", payload.get("value")))
    most = payload.get("max", payload.get("total"))
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        return ""
    if isinstance(most, int | float) and not isinstance(most, bool) and most > 0:
        value = value * 100 / most
    return f"{min(100.0, max(0.0, float(value))):.0f}"


def steps_of(payload: Mapping[str, Any]) -> list[StepItem]:
    """The steps of something that takes time."""
    said = {
        "done": tr("Done"),
        "running": tr("At work"),
        "failed": tr("Failed"),
        "skipped": tr("Left out"),
        "waiting": tr("To do"),
    }
    found: list[StepItem] = []
    given = payload.get("steps")
    for one in given[:MAX_STEPS] if isinstance(given, list) else []:
        if isinstance(one, Mapping):
            label = text(one.get("label") or one.get("title") or one.get("name"), 200)
            state = _STATES.get(text(one.get("state") or one.get("status"), 20).lower(), "waiting")
        else:
            label, state = text(one, 200), "waiting"
        found.append(StepItem(label=label, state=state, said=said[state]))
    return found


def _host(href: str) -> str:
    return urlsplit(href).hostname or ""


def _note(one: Mapping[str, Any]) -> str:
    size = one.get("size") if isinstance(one.get("size"), int) else one.get("size_bytes")
    content = one.get("content")
    if not isinstance(size, int) and isinstance(content, str) and one.get("encoding") != "base64":
        size = len(content.encode("utf-8", "replace"))
    shown = _bytes(size) if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else ""
    kind = text(one.get("type") or one.get("content_type") or one.get("mime_type"), 60)
    return " · ".join(part for part in (shown, kind if "/" not in kind else "") if part)


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000 or unit == "MB":
            return f"{number(round(size, 1 if unit != 'B' and size < 10 else 0))} {unit}"
        size /= 1000
    return ""
