"""Builders for every frame the server sends (protocol §2.2 to §2.8).

Frames come in two kinds. *Queued* frames belong to a chat and carry a top-level ``agent``; *direct* frames
answer one socket and carry none. Field names and their oddities are the published contract; do not tidy them.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

Frame = dict[str, Any]


def now() -> str:
    """Envelope time: ISO 8601 with offset."""
    return datetime.now(UTC).isoformat()


def stored_now() -> str:
    """Time of stored things as the published runtime writes it: UTC, no offset, milliseconds."""
    moment = datetime.now(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000).isoformat(timespec="microseconds")


def queued(type_: str, data: Frame) -> Frame:
    """A frame of a chat; ``agent`` falls back to the sender, then to "Agent" (protocol §2.2)."""
    agent = data.get("agent") or data.get("sender") or "Agent"
    return {"type": type_, "data": data, "timestamp": now(), "agent": agent}


def direct(type_: str, data: Frame) -> Frame:
    """A frame for one socket only: acknowledgements, mode changes, validation errors."""
    return {"type": type_, "data": data, "timestamp": now()}


def ping() -> Frame:
    """The heartbeat; it has no data and wants no answer."""
    return {"type": "ping", "timestamp": now()}


def run_start() -> Frame:
    """A run begins (or goes on): not unique per run."""
    data = {"event_type": "GroupChatRunChatEvent", "kind": "run_start", "agent": None}
    return queued("chat.run_start", data | {"message": "Workflow run initialized"})


def select_speaker(agent: str) -> Frame:
    """Who speaks next."""
    data = {"kind": "select_speaker", "agent": agent, "source": "synthetic", "_synthetic": True}
    return queued("chat.select_speaker", data)


def text_flags(*, tool_agent: bool = False) -> Frame:
    """The three flags every live text carries."""
    return {"is_structured_capable": False, "is_visual": True, "is_tool_agent": tool_agent}


def print_chunk(agent: str, content: str, chat_id: str, sequence: int) -> Frame:
    """A piece of an answer that is still being written; the client appends it."""
    data = {"kind": "print", "agent": agent, "content": content, "chat_id": chat_id, "sequence": sequence}
    return queued("chat.print", data)


def input_request(request_id: str, prompt: str, *, password: bool) -> Frame:
    """A question; it waits until it is answered with this id."""
    asked = {"prompt": prompt, "password": password}
    return queued(
        "chat.input_request",
        {
            "event_type": "InputRequestEvent",
            "kind": "input_request",
            "agent": None,
            "request_id": request_id,
            **asked,
            "raw_payload": {"uuid": request_id, **asked, "type": "input_request"},
        },
    )


def input_ack(request_id: str) -> Frame:
    """To everyone on the chat: the question is answered."""
    return queued("chat.input_ack", {"kind": "input_ack", "request_id": request_id, "corr": request_id})


def text_ack(chat_id: str) -> Frame:
    """To the sender of free text: it was taken."""
    return direct("chat.input_ack", {"chat_id": chat_id, "status": "accepted"})


def ack_input(request_id: str, *, accepted: bool) -> Frame:
    """To the sender of an answer: whether the question was still open."""
    status = "accepted" if accepted else "rejected"
    return direct("ack.input", {"input_request_id": request_id, "status": status})


def ack_ui_tool_response(event_id: str, *, accepted: bool) -> Frame:
    """To the sender of a UI tool answer: whether the tool was still waiting."""
    status = "accepted" if accepted else "rejected"
    return direct("ack.ui_tool_response", {"eventId": event_id, "status": status})


def tool_call(event_id: str, component: str, payload: Frame, display: str, agent: str) -> Frame:
    """Show a UI tool and wait for its answer."""
    return queued(
        "chat.tool_call",
        {
            "kind": "tool_call",
            "tool_name": component,
            "component_type": component,
            "awaiting_response": True,
            "payload": payload,
            "corr": event_id,
            "display": display,
            "display_type": display,
            "agent": agent,
        },
    )


def ui_tool_complete(event_id: str, component: str, status: str) -> Frame:
    """An inline UI tool was answered; the client collapses its card."""
    data = {"eventId": event_id, "ui_tool_id": component, "display": "inline", "status": status}
    return queued("chat.ui_tool_complete", data | {"summary": f"{component} completed"})


def ui_tool_dismiss(event_id: str, component: str) -> Frame:
    """An artifact was answered or withdrawn; the client closes it."""
    data = {"kind": "ui_tool_dismiss", "event_id": event_id, "ui_tool_id": component}
    return queued("chat.ui_tool_dismiss", data)


def tool_response(event_id: str, response: Frame) -> Frame:
    """What a UI tool returned to the run."""
    answer = {"status": "success", "ui_response": response | {"ui_event_id": event_id}}
    content = json.dumps(answer, ensure_ascii=False)
    result = {
        "uuid": str(uuid.uuid4()),
        "content": content,
        "sender": "_Group_Tool_Executor",
        "recipient": "chat_manager",
        "role": "tool",
        "tool_responses": [{"tool_call_id": event_id, "role": "tool", "content": content}],
    }
    head = {"event_type": "ToolResponseEvent", "kind": "tool_response", "call_id": None, "name": None}
    return queued("chat.tool_response", head | {"agent": None, "result": result, "status": "ok"})


def attachment_uploaded(chat_id: str, app_id: str, user_id: str, workflow: str, attachment: Frame) -> Frame:
    """A file was attached to the chat."""
    owner = {"chat_id": chat_id, "app_id": app_id, "user_id": user_id, "workflow_name": workflow}
    return queued("chat.attachment_uploaded", {"kind": "attachment_uploaded", **owner, "attachment": attachment})


def component_action_ack(component_id: str, action_type: str, applied: Frame, chat_id: str) -> Frame:
    """A component set context variables; no prefix, as published."""
    told = {"component_id": component_id, "action_type": action_type, "applied": applied, "chat_id": chat_id}
    return queued("component_action_ack", {"kind": "component_action_ack", **told})


def oauth_completed(told: Frame) -> Frame:
    """Somebody signed in at a platform; ``told`` is the body of the webhook."""
    data = {
        "kind": "oauth_completed",
        "chat_id": told["chatSessionId"],
        "app_id": told["appId"],
        "user_id": told["userId"],
        "platform": told["platform"],
        "success": told["success"],
        "account_id": told["accountId"],
        "account_name": told["accountName"],
        "error": told["error"],
        "correlation_id": told["correlationId"],
    }
    return queued("oauth_completed", data)


def workflow_started(chat_id: str, workflow: str, app_id: str, user_id: str, label: str | None) -> Frame:
    """A chat was started beside this one; open a socket for it to hear it."""
    data = {"chat_id": chat_id, "workflow_name": workflow, "app_id": app_id, "user_id": user_id}
    return direct("chat.workflow_started", data | ({"label": label} if label else {}))


def workflow_batch_started(workflows: list[Frame], blocked: list[Frame]) -> Frame:
    """Several were."""
    return direct("chat.workflow_batch_started", {"count": len(workflows), "workflows": workflows, "blocked": blocked})


def children_started(told: Frame) -> Frame:
    """A run started child workflows and waits for them; ``told`` are the fields of a pack (protocol §2.5)."""
    return queued("chat.workflow_batch_started", told)


def child_completed(told: Frame) -> Frame:
    """One of them ended; the last one is told by :func:`fan_in_started`."""
    return queued("chat.workflow_child_completed", told)


def fan_in_started(told: Frame) -> Frame:
    """All of them ended; their results are put together."""
    return queued("chat.mfj_fan_in_started", told)


def children_late(told: Frame) -> Frame:
    """They take longer than the graph allows, and it says that a person shall know."""
    return queued("chat.mfj_timeout_prompt", told)


def workflow_resumed(told: Frame) -> Frame:
    """The run goes on with their results."""
    return queued("chat.workflow_resumed", told)


def prereq_blocked(workflow: str, message: str, chat_id: str) -> Frame:
    """A workflow may not be started yet; the chat id stands beside the data, as published."""
    data = {"workflow_name": workflow, "message": message, "error_code": "WORKFLOW_PREREQS_NOT_MET"}
    frame = direct("chat.prereq_blocked", data)
    return {"type": frame["type"], "data": data, "chat_id": chat_id, "timestamp": frame["timestamp"]}


def prereqs_not_met(workflow: str, message: str, chat_id: str) -> Frame:
    """A socket was opened for a workflow that may not be started yet; the close follows."""
    data = {"message": message, "error_code": "WORKFLOW_PREREQS_NOT_MET"}
    return direct("chat.error", data | {"workflow_name": workflow, "chat_id": chat_id})


def artifact_action(state: str, told: Frame) -> Frame:
    """What became of an action of an artifact: ``started``, ``completed`` or ``failed``."""
    return queued(f"artifact.action.{state}", told)


def navigate(path: str, agent: str) -> Frame:
    """Ask the shell to open a page."""
    return queued("chat.navigate", {"kind": "navigate", "path": path, "agent": agent})


def termination() -> Frame:
    """The last frame of a published run."""
    return queued("unknown", {"event_type": "TerminationEvent", "kind": "unknown"})


def run_complete(status: int = 1) -> Frame:
    """The run ended."""
    data = {"event_type": "RunCompletionEvent", "kind": "run_complete", "agent": "workflow", "status": status}
    return queued("chat.run_complete", data)


def failure(message: str, code: str) -> Frame:
    """Something the user asked for did not work; goes to the socket or to the chat."""
    return direct("chat.error", {"message": message, "error_code": code})


def run_failed(message: str, chat_id: str) -> Frame:
    """A run broke; no prefix, as published."""
    data = {"message": message, "error_code": "WORKFLOW_EXECUTION_FAILED", "chat_id": chat_id}
    return queued("error", data)


def run_interrupted() -> Frame:
    """The process died while it was working; what it was doing is done again now."""
    message = "The runtime was restarted while it was working. It goes on from the last step it had finished."
    return queued("chat.error", {"message": message, "error_code": "RUN_INTERRUPTED"})
