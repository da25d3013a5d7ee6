"""One line for a list or a log: Markdown as plain text, the answer of a form in the words the form used."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from mozaiks_shell.chat.components.labels import ACCEPT, CANCEL, DISMISS
from mozaiks_shell.foundation.i18n import tr

MASK: Final = "•" * 8  # stands for a secret
LONGEST: Final = 120  # characters of an answer's summary
_PIECE: Final = 60  # of one value in it
_HIDDEN: Final = re.compile(r"password|secret|token|api_?key|\bpin\b", re.IGNORECASE)
_RULES: Final = re.compile(r"^\s*(?:```.*|~~~.*|[-=*_\s|:]{3,})$", re.MULTILINE)
_STARTS: Final = re.compile(r"^(?:\s*(?:#{1,6}|>|[-*+]|\d{1,3}[.)])(?:\s+|$))+", re.MULTILINE)
_LINKS: Final = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)?")
_EMPHASIS: Final = re.compile(r"(?<!\w)([*_])(?=\S)([^*_\n]+)(?<=\S)\1(?!\w)")
_MARKS: Final = re.compile(r"\*\*|__|~~|`+")
_WORDS: Final = {"accept": ACCEPT, "cancel": CANCEL, "dismiss": DISMISS}


def plain(markdown: str) -> str:
    """Markdown as one line of text; what only looks like Markdown (``2 * 3``, ``a_b``) stays."""
    text = _LINKS.sub(r"\1", _STARTS.sub("", _RULES.sub("", markdown))).replace("|", " ")
    return " ".join(_EMPHASIS.sub(r"\2", _MARKS.sub("", text)).split())


def answer_summary(payload: Mapping[str, Any], response: Mapping[str, Any]) -> str:
    """What the person answered, e.g. ``Spring relaunch · Website · 1 March 2027``; a secret is never part of it.

    Args:
        payload: The tool's payload; options and actions of a form give the words.
        response: What was sent: ``data`` (or ``data.values``), else ``values``, else its own keys.
    """
    shown = " · ".join(_values(payload, response)) or _action(payload, response)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1].rstrip(" ·") + "…"


def without_secrets(payload: Mapping[str, Any], value: Any) -> Any:
    """A UI tool's payload or answer with :data:`MASK` wherever a password or another secret stands.

    Args:
        payload: The tool's payload; its fields say which names are passwords.
        value: What is shown or kept: the payload itself, or an answer.
    """
    return _masked(value, frozenset(_password_names(payload)))


def _password_names(value: Any) -> Iterator[str]:
    for one in _objects(value) if isinstance(value, list) else [value] if isinstance(value, Mapping) else []:
        if one.get("type") == "password":
            yield from (str(one[name]) for name in ("name", "key", "id") if name in one)
        for inner in one.values():
            yield from _password_names(inner)


def _masked(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_masked(one, names) for one in value]
    if not isinstance(value, Mapping):
        return value
    hidden = {"value", "default", "initial"} if value.get("type") == "password" else set()
    return {
        name: MASK
        if isinstance(inner, str | int | float)
        and not isinstance(inner, bool)
        and inner != ""
        and (name in hidden or name in names or (isinstance(inner, str) and _HIDDEN.search(str(name))))
        else _masked(inner, names)
        for name, inner in value.items()
    }


def _values(payload: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[str]:
    fields = {str(one.get("name") or one.get("key") or one.get("id")): one for one in _objects(payload.get("fields"))}
    given = _data(response)
    for name in [*(name for name in fields if name in given), *(name for name in given if name not in fields)]:
        field = fields.get(name, {})
        if field.get("type") == "password" or _HIDDEN.search(name):
            continue
        if told := _told(field, name, given[name]):
            yield told if len(told) <= _PIECE else told[: _PIECE - 1].rstrip() + "…"


def _data(response: Mapping[str, Any]) -> dict[str, Any]:
    data = response.get("data")
    found = data.get("values", data) if isinstance(data, Mapping) else response.get("values")
    if found is None:
        found = {key: value for key, value in response.items() if key not in {"status", "action"}}
    return {str(key): value for key, value in found.items()} if isinstance(found, Mapping) else {}


def _told(field: Mapping[str, Any], name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(field.get("label") or name.replace("_", " ")) if value else ""
    if isinstance(value, list):
        return ", ".join(filter(None, (_told(field, name, one) for one in value[:10])))
    if not isinstance(value, str | int | float):
        return ""
    text = " ".join(str(value).split())
    for option in _objects(field.get("options") or field.get("choices")):
        if str(option.get("value", option.get("id"))) == text:
            return str(option.get("label") or text)
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    return f"{day.day} {day:%B %Y}" if day else text


def _action(payload: Mapping[str, Any], response: Mapping[str, Any]) -> str:
    action = response.get("action")
    if not isinstance(action, str) or action == "submit":
        return ""
    for one in _objects(payload.get("actions")):
        if action in (one.get("id"), one.get("action"), one.get("tool")) and one.get("label"):
            return str(one["label"])
    if action == "cancel" and isinstance(payload.get("cancel_label"), str):
        return str(payload["cancel_label"])
    return tr(_WORDS.get(action, action.replace("_", " ").capitalize()))


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
