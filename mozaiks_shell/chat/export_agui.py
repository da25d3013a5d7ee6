"""A chat as the events of the Agent User Interaction Protocol (docs.ag-ui.com), one JSON object per line.

A chat is one thread with one run. Messages are TEXT_MESSAGE_*, forms and artifacts TOOL_CALL_* with the person's answer as
the result, what the chat is and how it stands STATE_SNAPSHOT, questions and anything else CUSTOM. The last event tells how
the run ended: RUN_FINISHED, with the outcome ``interrupt`` while it waits for the person; RUN_ERROR when it failed or its
connection was lost; none while it runs.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from mozaiks_shell.chat.export_lines import Line, facts, lines, moment
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.transcript import dumps

_PART: Final = 4000  # characters of one TEXT_MESSAGE_CONTENT or TOOL_CALL_ARGS
_ROLES: Final = {"agent": "assistant", "user": "user"}  # whatever else speaks is the system


async def events(chat: Chat, title: str) -> AsyncIterator[str]:
    """The lines of the file, each with its line feed."""
    yield _event("RUN_STARTED", threadId=chat.id, runId=chat.id)
    yield _event("STATE_SNAPSHOT", snapshot=facts(chat, title))
    waiting: dict[str, dict[str, Any]] = {}
    async for line in lines(chat):
        _wait(waiting, line)
        for event in _of(line):
            yield event
    end = _end(chat, list(waiting.values()))
    if end:
        yield end


def _of(line: Line) -> Iterator[str]:
    body = line.body
    match line.kind:
        case "message":
            yield from _message(body)
        case "tool":
            call = str(body.get("id"))
            yield _event("TOOL_CALL_START", toolCallId=call, toolCallName=str(body.get("component")))
            arguments = dumps(body.get("payload", {}))
            for part in _parts(arguments):
                yield _event("TOOL_CALL_ARGS", toolCallId=call, delta=part)
            yield _event("TOOL_CALL_END", toolCallId=call)
        case "tool_done":
            call = str(body.get("id"))
            told = {"state": body.get("state"), "summary": body.get("summary"), "response": body.get("response")}
            result = dumps({name: value for name, value in told.items() if value})
            yield _event("TOOL_CALL_RESULT", messageId=f"{call}:{line.offset}", toolCallId=call, content=result, role="tool")
        case _:
            name = {"ask": "input_request", "asked": "input_answered"}.get(line.kind, line.kind)
            yield _event("CUSTOM", name=name, value=body)


def _message(body: dict[str, Any]) -> Iterator[str]:
    said, name = moment(body), str(body.get("id"))
    time = {"timestamp": int(said.timestamp() * 1000)} if said else {}
    role = _ROLES.get(str(body.get("role")), "system")
    who = {"name": body["who"]} if role == "assistant" and body.get("who") else {}
    yield _event("TEXT_MESSAGE_START", messageId=name, role=role, **who, **time)
    for part in _parts(str(body.get("text", ""))):
        yield _event("TEXT_MESSAGE_CONTENT", messageId=name, delta=part, **time)
    if not body.get("unfinished"):
        yield _event("TEXT_MESSAGE_END", messageId=name, **time)


def _wait(waiting: dict[str, dict[str, Any]], line: Line) -> None:
    """Keep account of what the run waits for."""
    name = str(line.body.get("id"))
    if line.kind == "ask":
        waiting[name] = {"id": name, "reason": "input_required", "message": line.body.get("prompt") or ""}
    elif line.kind == "tool" and line.body.get("awaiting", True):
        waiting[name] = {"id": name, "reason": "input_required", "message": line.body.get("title") or "", "toolCallId": name}
    elif line.kind in {"asked", "tool_done"}:
        waiting.pop(name, None)


def _end(chat: Chat, waiting: list[dict[str, Any]]) -> str:
    run = {"threadId": chat.id, "runId": chat.id}
    match chat.status:
        case "completed":
            return _event("RUN_FINISHED", **run, outcome={"type": "success"})
        case "waiting" if waiting:
            return _event("RUN_FINISHED", **run, outcome={"type": "interrupt", "interrupts": waiting})
        case "failed" | "interrupted":
            return _event("RUN_ERROR", message=chat.detail or chat.status, code=chat.status.upper())
    return ""


def _parts(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PART):
        yield text[start : start + _PART]


def _event(type: str, **fields: Any) -> str:
    return dumps({"type": type, **fields}) + "\n"
