"""The published runtime's WebSocket frames, both ways: what arrives becomes one typed :data:`Upstream` value.

Tolerant on purpose: with or without the ``chat.`` prefix, with fields missing, of the wrong type or too large. A
frame is never an error here; what nobody knows becomes :class:`Unknown` so that it can be counted.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mozaiks_shell.chat import artifact_frames
from mozaiks_shell.chat.upstream_frames import (
    Acknowledged,
    Agui,
    Answered,
    Ask,
    Child,
    Counted,
    Ended,
    Hidden,
    Late,
    Meta,
    Navigate,
    Oversized,
    Piece,
    Problem,
    Progress,
    Resumed,
    Said,
    Spawned,
    Speaker,
    Step,
    TimedOutAsk,
    Tool,
    ToolOver,
    Unknown,
    Upstream,
    Usage,
)
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.foundation.json_text import checked

MAX_TEXT: Final = 200_000  # characters of one message
MAX_PAYLOAD: Final = 512_000  # characters of a UI tool's payload as JSON
_CHOICES: Final = 24  # answers offered with one question
_BATCH: Final = 50  # chats of one frame that are looked at

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_STOCK_PROMPT = re.compile(
    r"^\s*((please )?(give|provide) feedback to|replying as )|use auto-reply",
    re.IGNORECASE,
)
_RESUME_SIGNAL = "[SYSTEM_RESUME_SIGNAL]"
_KNOWN_NOISE = frozenset(
    {
        "run_start", "context_update", "tool_ui_response", "attachment_uploaded", "component_action_ack",
        "oauth_completed", "mode_changed", "general_session_created", "context_switched",
        "mfj_fan_in_started", "resume_boundary", "ping",
    }
)  # fmt: skip


def clean(value: object, limit: int = 400) -> str:
    """Text that any database and any socket can carry: no NUL, no lone surrogates, at most ``limit`` characters."""
    text = value if isinstance(value, str) else ""
    text = text[:limit]
    return text if text.isascii() and "\x00" not in text else _UNSAFE.sub("\ufffd", text)


# NaN and Infinity are no JSON for a browser, though Python reads and writes them.
_decode = json.JSONDecoder(parse_constant=lambda _: None).decode


def read(raw: str | bytes) -> Upstream:
    """The value behind one frame. Never raises."""
    return read_addressed(raw)[0]


def read_addressed(raw: str | bytes) -> tuple[Upstream, str]:
    """The value behind one frame, and the id of the chat it says it is of (empty: it does not say). Never raises."""
    try:
        frame = _decode(raw if isinstance(raw, str) else raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return Unknown("not JSON"), ""
    if not isinstance(frame, dict):
        return Unknown("not an object"), ""
    data = frame.get("data")
    fields = _Fields(data if isinstance(data, dict) else frame, frame)
    chat_id = fields.text("chat_id", limit=128) or clean(frame.get("chat_id"), 128)
    name = clean(frame.get("type"), 80)
    short = name.removeprefix("chat.")
    reader = _READERS.get(short)
    if reader is None and name.startswith("agui."):
        return Agui(name.removeprefix("agui."), fields.data), chat_id
    if reader is None:
        return (Hidden(name) if short in _KNOWN_NOISE else Unknown(name)), chat_id
    try:
        return reader(fields), chat_id
    except (ValueError, RecursionError, OverflowError, TypeError):
        return Unknown(f"{name} that cannot be read"), chat_id


@dataclass(slots=True)
class _Fields:
    """Typed access to a frame's data."""

    data: dict[str, Any]
    frame: dict[str, Any] = field(default_factory=dict)

    def text(self, *names: str, limit: int = 400) -> str:
        """The first of these that is a non-empty text."""
        for name in names:
            if found := clean(self.data.get(name), limit):
                return found
        return ""

    def agent(self) -> str:
        """Who the frame is from."""
        return self.text("agent", "sender", limit=80) or clean(self.frame.get("agent"), 80) or "Agent"

    @property
    def hidden(self) -> bool:
        """Whether the runtime marked it as a trace of a hidden agent."""
        return self.data.get("ui_visibility") == "trace"


def _meta(f: _Fields) -> Upstream:
    app_id, user_id = f.text("app_id", limit=128), f.text("user_id", limit=128)
    return Meta(f.text("chat_id", limit=128), f.data.get("status") == 1, app_id, user_id)


def _speaker(f: _Fields) -> Upstream:
    return Speaker(f.agent())


def _piece(f: _Fields) -> Upstream:
    content = clean(f.data.get("content"), MAX_TEXT)
    if f.hidden or not content:
        return Hidden("chat.print", f.agent() if f.hidden else "")
    return Piece(f.agent(), content)


def _said(f: _Fields) -> Upstream:
    content = clean(f.data.get("content"), MAX_TEXT)
    if f.hidden or not content.strip() or _RESUME_SIGNAL in content:
        return Hidden("chat.text", f.agent() if f.hidden else "")
    index, sequence, metadata = f.data.get("index"), f.data.get("sequence"), f.data.get("metadata")
    counted = sequence if isinstance(sequence, int) else None
    number = index if isinstance(index, int) else counted - 1 if counted is not None else None
    cancelled = isinstance(metadata, dict) and metadata.get("cancelled") is True
    return Said(f.agent(), content, number, f.data.get("replay") is True, cancelled, counted)


def _ask(f: _Fields) -> Upstream:
    request_id = f.text("request_id", "input_request_id", limit=128)
    prompt = f.text("prompt", limit=4000).strip()
    if not request_id:
        return Unknown("chat.input_request without id")
    kind = f.text("input_type", "component_type", limit=40).casefold().replace("_", "")
    choices = _choices(f.data.get("choices", f.data.get("options")))
    told = "" if _STOCK_PROMPT.search(prompt) else prompt
    return Ask(request_id, told, f.data.get("password") is True, choices, kind in {"file", "fileupload", "upload"})


def _choices(given: object) -> tuple[tuple[str, str], ...]:
    """Pairs of label and text to send; of bad ones nothing is left."""
    found: dict[str, str] = {}
    for one in given[:_CHOICES] if isinstance(given, list) else ():
        label = clean(one.get("label", one.get("value")) if isinstance(one, dict) else one, 200).strip()
        value = clean(one.get("value"), 1000).strip() if isinstance(one, dict) else label
        if label:
            found.setdefault(value or label, label)
    return tuple((label, value) for value, label in found.items())


def _timed_out(f: _Fields) -> Upstream:
    request_id = f.text("input_request_id", "request_id", limit=128)
    return TimedOutAsk(request_id) if request_id else Hidden("chat.input_timeout")


def _answered(f: _Fields) -> Upstream:
    request_id = f.text("request_id", "input_request_id", limit=128)
    return Answered(request_id) if request_id else Hidden("chat.input_ack")


def _ack_input(f: _Fields) -> Upstream:
    return Acknowledged("input", f.text("input_request_id", "request_id", limit=128), f.data.get("status") != "rejected")


def _ack_tool(f: _Fields) -> Upstream:
    return Acknowledged("tool", f.text("eventId", "event_id", limit=128), f.data.get("status") != "rejected")


def tool_of(data: dict[str, Any]) -> Upstream:
    """The UI tool in the data of a frame, as ``chat.tool_call`` has it."""
    return _tool(_Fields(data))


def _artifact(f: _Fields) -> Upstream:
    return artifact_frames.changed(f.data) or Unknown("change of an artifact without id")


def _acted(state: str) -> Callable[["_Fields"], Upstream]:
    return lambda f: artifact_frames.told(f.data, state) or Unknown(f"artifact.action.{state} without id")


def _ack_action(f: _Fields) -> Upstream:
    action_id = f.text("action_id", "artifact_action_id", limit=128)
    if f.data.get("status") != "rejected" or not action_id:
        return Hidden("ack.artifact_action")
    return artifact_frames.ActionTold(action_id, f.text("artifact_id", limit=128), "failed", f.text("error", "message"), None)


def _tool(f: _Fields) -> Upstream:
    component, tool_id = f.text("component_type", limit=128), f.text("corr", "eventId", "event_id", "tool_call_id", limit=128)
    if not component or not tool_id:
        return _step(f, "chat.tool_call", "running")  # AG2's own call event has neither name nor id: noise
    raw = f.data.get("payload")
    payload = raw if isinstance(raw, dict) else {}
    display = f.text("display", "display_type") or clean(payload.get("display")) or "inline"
    title = clean(payload.get("title"), 200) or clean(payload.get("label"), 200) or f.text("title", limit=200)
    awaiting = f.data.get("awaiting_response") is not False
    encoded = json.dumps(payload, separators=(",", ":"))
    if len(encoded) > MAX_PAYLOAD:
        return Oversized(tool_id, component, title, awaiting)
    try:
        checked(payload)
    except Invalid as refused:
        if refused.code == "TOO_DEEP":
            return Oversized(tool_id, component, title, awaiting)
        encoded = json.dumps(_fit(payload), separators=(",", ":"))
    shown = {"inline": "inline", "view": "view", "fullscreen": "view"}.get(display, "artifact")
    return Tool(tool_id, component, shown, title, encoded, awaiting)


def _step(f: _Fields, kind: str, state: str) -> Upstream:
    step_id, name = f.text("corr", "tool_call_id", limit=128), f.text("tool_name", limit=80)
    if f.hidden or not step_id or not name:
        return Hidden(kind)
    return Step(step_id, name, state, f.agent())


def _tool_response(f: _Fields) -> Upstream:
    failed = f.data.get("success") is False or f.data.get("status") in {"error", "failed"}
    return _step(f, "chat.tool_response", "failed" if failed else "done")


def _fit(value: Any) -> Any:
    """The same value with nothing in its texts that a database or a browser refuses."""
    match value:
        case str():
            return clean(value, MAX_PAYLOAD)
        case list():
            return [_fit(one) for one in value]
        case dict():
            return {_fit(key): _fit(one) for key, one in value.items()}
    return value


def _complete(f: _Fields) -> Upstream:
    return ToolOver(f.text("eventId", "event_id", limit=128), False, f.text("summary", limit=200))


def _dismiss(f: _Fields) -> Upstream:
    return ToolOver(f.text("event_id", "eventId", limit=128), True, "")


def _progress(f: _Fields) -> Upstream:
    percent = f.data.get("progress_percent")
    value = float(min(100, max(0, percent))) if isinstance(percent, int | float) and percent == percent else 0.0
    name = f.text("tool_name", limit=80)
    return Progress(f.text("corr", "tool_name", limit=128) or "run", value, f.text("status_message"), name)


def _navigate(f: _Fields) -> Upstream:
    return Navigate(f.text("path", "to", "url", limit=512))


def _usage(f: _Fields) -> Upstream:
    event_id = f.text("event_id", limit=64)
    if not event_id:
        return Unknown("chat.usage_delta without event_id")
    counts = {name: _count(f.data.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    names = {"agent": f.text("agent_name", limit=80), "model": f.text("model_name", limit=80)}
    seconds = f.data.get("duration_sec")
    measured = {
        "cached": f.data.get("cached") is True,
        "event_ts": f.text("event_ts", limit=40),
        "duration_sec": seconds if isinstance(seconds, int | float) and 0 <= seconds <= 86_400 else 0,
        "invocation_id": f.text("invocation_id", limit=64),
    }
    return Usage(event_id, {"event_id": event_id, **names, **counts, **measured})


def _counted(f: _Fields) -> Upstream:
    counts = [_count(f.data.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    return Counted(max(_count(f.data.get("total_tokens")), sum(counts)))


def _count(value: object) -> int:
    return min(max(value, 0), 10**9) if isinstance(value, int) else 0


_PLAIN = {
    "SCHEMA_VALIDATION_FAILED": msg("The assistant's server did not understand what we sent."),
    "GENERAL_MODE_EMPTY_MESSAGE": msg("An empty message cannot be answered."),
    "GENERAL_MODE_FAILED": msg("The assistant could not answer this."),
    "GENERAL_CHAT_CREATE_FAILED": msg("A new conversation could not be made."),
    "USER_MESSAGE_FAILED": msg("Your message could not be processed."),
    "UI_TOOL_RESPONSE_FAILED": msg("Your answer to the form could not be processed."),
    "ARTIFACT_ACTION_FAILED": msg("The action could not be carried out."),
    "SWITCH_WORKFLOW_FAILED": msg("The assistant could not switch to that workflow."),
    "START_WORKFLOW_FAILED": msg("The assistant could not start another workflow."),
    "START_WORKFLOW_BATCH_FAILED": msg("The assistant could not start the other workflows."),
    "RESUME_FAILED": msg("The assistant could not pick up where it was."),
    "PREREQ_VALIDATION_ERROR": msg("It could not be checked whether this may start."),
    "WORKFLOW_EXECUTION_FAILED": msg("The run stopped because of an error in the workflow."),
    "WORKFLOW_BACKGROUND_FAILED": msg("The run stopped because of an error in the workflow."),
    "TOKEN_BUDGET_EXCEEDED": msg("The token budget is used up."),
}
_FATAL = {"WORKFLOW_EXECUTION_FAILED", "WORKFLOW_BACKGROUND_FAILED", "WORKFLOW_PREREQS_NOT_MET", "PREREQ_VALIDATION_ERROR"}
_PROGRAMMERS_WORDS = re.compile(
    r"Traceback|Error\b|Exception|object at 0x|is not defined|local variable|not associated with a value|NoneType"
    r"|<class|\bself\.|\w+\(.*\)|[{}\[\]]|\\n|  File "
)


def _problem(f: _Fields) -> Upstream:
    code = f.text("error_code", "code", limit=80).upper() or "RUNTIME_ERROR"
    told = f.text("message", "error", limit=400).strip()
    plain = tr(_PLAIN.get(code, ""))
    if not plain:
        readable = told and not _PROGRAMMERS_WORDS.search(told)
        plain = told if readable else tr("The assistant reported a problem.")
    return Problem(code, plain, code in _FATAL)


def _blocked(f: _Fields) -> Upstream:
    reason = f.text("message", limit=400) or tr("Something else has to be finished first.")
    return Problem("WORKFLOW_PREREQS_NOT_MET", reason, False)


def _started(f: _Fields) -> Upstream:
    batch = f.data.get("workflows")
    rows = [one for one in batch[:_BATCH] if isinstance(one, dict)] if isinstance(batch, list) else [f.data]
    told = [_Fields(one) for one in rows]
    owners = [(one.text("app_id", limit=128), one.text("user_id", limit=128)) for one in (f, *told)]
    app_id, user_id = next((one for one in owners if any(one)), ("", ""))
    named = zip(told, owners[1:], strict=True)
    mine = (one for one, (app, user) in named if app in ("", app_id) and user in ("", user_id))
    chats = ((one.text("chat_id", "to_chat_id", limit=128), one.text("workflow_name", limit=128)) for one in mine)
    return Spawned(tuple(one for one in chats if all(one)), app_id, user_id, "parent_chat_id" in f.data)


def _child(f: _Fields) -> Upstream:
    done, total = _count(f.data.get("done_count")), _count(f.data.get("child_total"))
    return Child(f.text("child_chat_id", limit=128), done, total, f.data.get("success") is not False)


def _resumed(f: _Fields) -> Upstream:
    return Resumed(_count(f.data.get("succeeded_count")), _count(f.data.get("failed_count")))


def _late(_: _Fields) -> Upstream:
    return Late()


def _complete_run(_: _Fields) -> Upstream:
    return Ended(True)


def _ag2(f: _Fields) -> Upstream:
    return Ended(False) if f.text("event_type") == "TerminationEvent" else Hidden("unknown")


_READERS = {
    "chat_meta": _meta,
    "select_speaker": _speaker,
    "print": _piece,
    "text": _said,
    "input_request": _ask,
    "input_ack": _answered,
    "input_timeout": _timed_out,
    "ack.input": _ack_input,
    "ack.ui_tool_response": _ack_tool,
    "tool_call": _tool,
    "ui_tool_event": _tool,
    "ui_tool": _tool,
    "artifact.action.started": _acted("started"),
    "artifact.action.completed": _acted("completed"),
    "artifact.action.failed": _acted("failed"),
    "artifact.state.updated": _artifact,
    "artifact.state.replaced": _artifact,
    "artifact.state.patched": _artifact,
    "artifact.updated": _artifact,
    "ack.artifact_action": _ack_action,
    "ui_tool_complete": _complete,
    "ui_tool_dismiss": _dismiss,
    "tool_response": _tool_response,
    "tool_progress": _progress,
    "navigate": _navigate,
    "usage_delta": _usage,
    "usage_summary": _counted,
    "error": _problem,
    "prereq_blocked": _blocked,
    "workflow_started": _started,
    "workflow_batch_started": _started,
    "context_switched": _started,
    "workflow_child_completed": _child,
    "workflow_resumed": _resumed,
    "mfj_timeout_prompt": _late,
    "run_complete": _complete_run,
    "unknown": _ag2,
}


def submit(chat_id: str, text: str, request_id: str, context: dict[str, Any] | None) -> str:
    """``user.input.submit``: the answer to a pending question."""
    frame: dict[str, Any] = {"type": "user.input.submit", "chat_id": chat_id, "text": text, "request_id": request_id}
    return json.dumps(frame | ({"context": context} if context else {}))


def tool_response(chat_id: str, tool_id: str, component: str, response: dict[str, Any]) -> str:
    """``ui_tool_response``: the answer of a UI tool."""
    ids = {"eventId": tool_id, "ui_tool_id": component, "chat_id": chat_id}
    return json.dumps({"type": "ui_tool_response", **ids, "response": response})


def cancel(chat_id: str) -> str:
    """``user.cancel``: stop what is being written. Only the embedded runtime knows it."""
    return json.dumps({"type": "user.cancel", "chat_id": chat_id})


def mode_told(chat_id: str, mode: str) -> str:
    """That the person turned to the assistant (``ask``) or back to this workflow (protocol §2.7)."""
    if mode == "ask":
        return json.dumps({"type": "chat.enter_general_mode"})
    return json.dumps({"type": "chat.switch_workflow", "chat_id": chat_id})
