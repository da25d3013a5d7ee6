"""A chat as a Markdown document. Every message is a quotation, so none can pass for another or for the document itself.

What people wrote is escaped: it reads as they typed it. What agents wrote is Markdown and stays it, without HTML, without
pictures that a reader would fetch, without script links.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from mozaiks_shell.chat.export_lines import Line, facts, lines, moment
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.foundation.i18n import msg, tr

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#|~$&!{}])")
_START: Final = re.compile(r"^(\s*)([-+=]|\d{1,9}(?=[.)]))")
_OPENING: Final = re.compile(r"^(`{3,}|~{3,})(.*)$")
_CLOSING: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})\s*$")
_INNER_FENCE: Final = re.compile(r"^\s*(?:\s|[-+*>]|\d{1,9}[.)]).*(?:`{3}|~{3})")
_CODE: Final = re.compile(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
_SCRIPT: Final = re.compile(r"(\]\(\s*<?|^\s*\[[^\]]*\]:\s*<?)\s*(?:javascript|vbscript|data)\s*:", re.IGNORECASE)
_BREAKS: Final = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_STATES: Final = {"answered": msg("Answered"), "dismissed": msg("Put away"), "expired": msg("No longer waiting")}


async def document(chat: Chat, title: str) -> AsyncIterator[str]:
    """The document, in parts."""
    known = facts(chat, title)
    began = known["created_at"][:16].replace("T", " ")
    yield f"# {plain(' '.join(title.split()))}\n\n{plain(chat.workflow)} · {began} UTC · {plain(chat.status)}\n"
    async for line in lines(chat):
        told = _told(line)
        if told:
            yield "\n" + told + "\n"


def _told(line: Line) -> str:
    body = line.body
    match line.kind:
        case "message":
            return _message(body)
        case "ask" if body.get("prompt"):
            return f"*{tr('Question')}*\n\n{quoted(plain(str(body['prompt'])))}"
        case "tool":
            return f"*{plain(str(body.get('title') or body.get('component')))}* ({plain(str(body.get('component')))})"
        case "tool_done":
            state, summary = str(body.get("state")), str(body.get("summary") or "")
            return f"*{tr(_STATES.get(state, state))}*" + (f": {plain(' '.join(summary.split()))}" if summary else "")
        case "attachment":
            return f"*{tr('File')}*: {plain(str(body.get('name')))} ({int(body.get('size', 0)):,} B)"
    return ""


def _message(body: dict[str, Any]) -> str:
    role, text = body.get("role"), str(body.get("text", ""))
    if role == "notice":
        return f"*{plain(' '.join(text.split()))}*"
    who = tr("You") if role == "user" else plain(str(body.get("who") or ""))
    said = moment(body)
    time = f" · {said:%Y-%m-%d %H:%M} UTC" if said else ""
    marks = [tr("stopped")] if body.get("cancelled") else []
    marks += [tr("unfinished")] if body.get("unfinished") else []
    mark = f" ({', '.join(marks)})" if marks else ""
    return f"## {who}{time}{mark}\n\n{quoted(plain(text) if role == 'user' else harmless(text))}{_feedback(body.get('feedback'))}"


def _feedback(given: object) -> str:
    if not isinstance(given, dict):
        return ""
    words = " ".join(str(given.get("words") or "").split())
    told = tr("You found this helpful") if given.get("verdict") == "up" else tr("You did not find this helpful")
    return f"\n\n*{told}*" + (f": {plain(words)}" if words else "")


def quoted(markdown: str) -> str:
    """As a block quotation: nothing in it can end it."""
    return "\n".join(f"> {line}".rstrip(" ") if not line.strip() else f"> {line}" for line in _BREAKS.split(markdown))


def plain(text: str) -> str:
    """Text that a Markdown reader shows as it stands; line ends stay."""
    shown = [_indented(_numbered(_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line)))) for line in _BREAKS.split(text)]
    hard = (line + "\\" if line.strip() and after.strip() else line for line, after in zip(shown, [*shown[1:], ""], strict=True))
    return "\n".join(hard)


def _numbered(line: str) -> str:
    """``\\1.`` is not an escape; ``1\\.`` is."""
    return re.sub(r"^(\s*)\\(\d+)([.)])", r"\1\2\\\3", line)


def _indented(line: str) -> str:
    stripped = line.lstrip(" \t")
    return "\u00a0" * (len(line) - len(stripped)) + stripped  # four plain spaces would begin a block of code


def harmless(markdown: str) -> str:
    """Markdown without HTML, pictures and script links.

    Code keeps its looks: in a block that begins at the margin it stays as it is; elsewhere, where readers disagree about
    what is code, an invisible space keeps a tag from being one.
    """
    source = _BREAKS.split(markdown)
    unsure = any(_INNER_FENCE.match(line) for line in source)
    return "\n".join((_broken(line) for line in source) if unsure else _harmless(source))


def _harmless(source: list[str]) -> Iterator[str]:
    fence = ""
    for line in source:
        opening = _OPENING.match(line)
        if fence:
            closing = _CLOSING.match(line)
            fence = "" if closing and closing[1].startswith(fence) else fence
            yield line
        elif opening and not (line[0] == "`" and "`" in opening[2]):
            fence = opening[1]
            yield line
        else:
            yield _safe(line)


def _safe(line: str) -> str:
    done, at = [], 0
    for code in _CODE.finditer(line):
        done += [_defused(line[at : code.start()]), _broken(code[0])]
        at = code.end()
    return "".join([*done, _defused(line[at:])])


def _defused(text: str) -> str:
    return _SCRIPT.sub(r"\1unsafe:", _TAG.sub(r"\\<", text).replace("![", "\\!["))


def _broken(text: str) -> str:
    return _SCRIPT.sub(r"\1unsafe:", _TAG.sub("<\u200b", text).replace("![", "!\u200b["))
