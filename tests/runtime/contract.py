"""The published wire contract as a checker: frames by type, their order, the answers to bad tokens.

One set of rules for two runtimes: the recordings of the published one and the embedded one. Fields are given as Python types;
a name that ends in ``?`` may be missing. What only the embedded runtime has is marked where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Frame = dict[str, Any]
Shape = dict[str, Any]
NONE = type(None)
NUMBER = (int, float)
TEXT_OR_NONE, DICT_OR_NONE, INT = (str, NONE), (dict, NONE), int

QUEUED = {"type": str, "data": dict, "timestamp": str, "agent": str}
DIRECT = {"type": str, "data": dict, "timestamp": str}
REPLAYED = {"type": str, "data": dict, "agent": str}
BARE = {"type": str, "timestamp": str}
BLOCKED = DIRECT | {"chat_id": str}

_EVENT = {"event_type": str, "kind": str}
_FLAGS = {"is_structured_capable": bool, "is_visual": bool, "is_tool_agent": bool}
_STRUCTURED = {"structured_output?": object, "structured_schema?": object}
_LIVE = {
    "kind": str,
    "agent": str,
    "content": str,
    "chat_id?": str,
    "timestamp?": str,
    "metadata?": DICT_OR_NONE,
    "sequence": INT,
}
_TRACE = {"ui_visibility": str, "trace_reason": str, "trace_agent": str, "trace_original_len": INT, "trace_redacted": bool}
_GENERAL = {"general_chat_id": str, "general_chat_label": str, "general_chat_sequence": INT}
_CYCLE = {"trigger_id": str, "mfj_cycle": INT}
_CHAT = {"chat_id": str, "app_id": str, "user_id": str, "workflow_name": str}

# type: every (envelope, data) it may have
FRAMES: dict[str, list[tuple[Shape, Shape]]] = {
    "chat_meta": [
        (
            QUEUED,
            _CHAT
            | {"kind": str, "has_children": bool, "cache_seed": INT, "chat_exists": bool, "last_artifact": DICT_OR_NONE}
            | {"status": INT, "last_sequence": INT, "created_at": str},
        )
    ],
    "chat.run_start": [(QUEUED, _EVENT | {"agent": NONE, "message": str})],
    "chat.select_speaker": [(QUEUED, {"kind": str, "agent": str, "source": str, "_synthetic": bool})],
    "chat.text": [
        (QUEUED, _LIVE | _FLAGS | _STRUCTURED | {"index?": INT}),
        (QUEUED, _LIVE | _FLAGS | _STRUCTURED | _TRACE | {"trace_truncated": bool, "index?": INT}),
        (QUEUED, _LIVE | _FLAGS | {"index": INT, "role": str, "replay": bool, "timestamp": str}),
        (
            REPLAYED,
            {"index": INT, "content": str, "role": str, "agent": str, "sender": str, "replay": bool, "timestamp": str}
            | {"metadata": DICT_OR_NONE},
        ),
    ],
    "chat.print": [(QUEUED, {"kind": str, "agent": str, "content": str, "chat_id": str, "sequence": INT})],  # embedded
    "chat.navigate": [(QUEUED, {"kind": str, "path": str, "agent": str})],  # embedded
    "chat.input_request": [
        (
            QUEUED,
            _EVENT
            | {"agent": NONE, "request_id": str, "prompt": str, "password": bool, "raw_payload": dict, "component_type?": str},
        )
    ],
    "chat.input_ack": [(QUEUED, {"kind": str, "request_id": str, "corr": str}), (DIRECT, {"chat_id": str, "status": str})],
    "ack.input": [(DIRECT, {"input_request_id": str, "status": str})],
    "ack.ui_tool_response": [(DIRECT, {"eventId": str, "status": str})],
    "chat.tool_call": [
        (
            QUEUED,
            {"kind": str, "agent": str, "tool_name": str, "component_type": str, "awaiting_response": bool, "payload": dict}
            | {"corr": str, "display": str, "display_type": str},
        ),
        (QUEUED, _EVENT | {"call_id": NONE, "name": NONE, "agent": NONE}),
    ],
    "chat.tool_response": [(QUEUED, _EVENT | {"call_id": NONE, "name": NONE, "agent": NONE, "result": dict, "status": str})],
    "chat.ui_tool_complete": [(QUEUED, {"eventId": str, "ui_tool_id": str, "display": str, "status": str, "summary": str})],
    "chat.ui_tool_dismiss": [(QUEUED, {"kind": str, "event_id": str, "ui_tool_id": str})],
    "tool_progress": [
        (
            QUEUED,
            {"kind": str, "chat_id": str, "tool_name": str, "progress_percent": NUMBER, "status_message": str, "timestamp": str}
            | {"corr?": str},
        )
    ],
    "context_update": [(QUEUED, {"kind?": str, "variable": str, "value": object, "chat_id?": str})],
    "chat.attachment_uploaded": [(QUEUED, _CHAT | {"kind": str, "attachment": dict})],
    "component_action_ack": [
        (QUEUED, {"kind": str, "component_id": str, "action_type": str, "applied": dict, "chat_id": str}),
    ],
    "oauth_completed": [
        (
            QUEUED,
            {"kind": str, "chat_id": str, "app_id": str, "user_id": str, "platform": str, "success": bool}
            | {"account_id": TEXT_OR_NONE, "account_name": TEXT_OR_NONE, "error": TEXT_OR_NONE, "correlation_id": TEXT_OR_NONE},
        )
    ],
    "chat.usage_delta": [
        (
            QUEUED,
            _CHAT
            | {"kind": str, "event_id": str, "event_ts": str, "agent_name": str, "model_name": str, "prompt_tokens": INT}
            | {"completion_tokens": INT, "total_tokens": INT, "cached": bool, "duration_sec": NUMBER, "invocation_id": str},
        )
    ],
    "unknown": [(QUEUED, _EVENT)],
    "chat.run_complete": [(QUEUED, _EVENT | {"agent": str, "status": INT})],
    "chat.resume_boundary": [
        (REPLAYED, {}),
        (
            QUEUED,
            {"kind": str, "chat_id": str, "message_count": INT, "chat_status": INT, "replayed_messages": INT}
            | {"last_message_index": INT, "resume_mode": str, "timestamp": str, "ag2_resume": dict, "resume_context": dict},
        ),
    ],
    "chat.error": [
        (DIRECT, {"message": str, "error_code": str, "workflow_name?": str, "chat_id?": str}),
        (QUEUED, {"message": str, "error_code": str}),  # embedded: RUN_INTERRUPTED waits for a listener
    ],
    "error": [(QUEUED, {"message": str, "error_code": str, "chat_id": str})],
    "ping": [(BARE, {})],
    "chat.mode_changed": [(DIRECT, {"mode": str} | _GENERAL)],
    "chat.general_session_created": [(DIRECT, _GENERAL)],
    "chat.context_switched": [
        (DIRECT, {"from_chat_id": str, "to_chat_id": str, "workflow_name": str, "artifact_id": TEXT_OR_NONE, "app_id": str}),
    ],
    "chat.prereq_blocked": [(BLOCKED, {"workflow_name": str, "message": str, "error_code": str})],
    "chat.workflow_started": [(DIRECT, _CHAT | {"label?": str})],
    "chat.workflow_batch_started": [
        (DIRECT, {"count": INT, "workflows": list, "blocked": list}),
        (
            QUEUED,
            _CYCLE
            | {"parent_chat_id": str, "parent_workflow_name": str, "resume_agent": TEXT_OR_NONE, "count": INT, "workflows": list}
            | {"timeout_seconds": (*NUMBER, NONE), "on_partial_failure": str, "mfj_description": str},
        ),
    ],
    "chat.workflow_child_completed": [
        (
            QUEUED,
            _CYCLE
            | {"parent_chat_id": str, "child_chat_id": str, "child_index": INT, "child_total": INT, "done_count": INT}
            | {"success": bool},
        )
    ],
    "chat.mfj_fan_in_started": [(QUEUED, _CYCLE | {"parent_chat_id": str, "child_total": INT, "mfj_description": str})],
    "chat.mfj_timeout_prompt": [
        (
            QUEUED,
            {"parent_chat_id": str, "parent_workflow_name": str, "timeout_seconds": NUMBER, "children_pending": list},
        )
    ],
    "chat.workflow_resumed": [
        (
            QUEUED,
            _CYCLE
            | {"chat_id": str, "workflow_name": str, "resume_agent": TEXT_OR_NONE, "merge_summary_preview": str}
            | {"succeeded_count": INT, "failed_count": INT},
        )
    ],
}


def _misfits(told: Frame, shape: Shape) -> list[str]:
    wanted = {name.rstrip("?"): (kind, name.endswith("?")) for name, kind in shape.items()}
    out = [f"{name} is missing" for name, (_, optional) in wanted.items() if not optional and name not in told]
    out += [f"{name} is not in the contract" for name in told if name not in wanted]
    for name, value in told.items():
        kind = wanted[name][0] if name in wanted else object
        if kind is not object and (not isinstance(value, kind) or (isinstance(value, bool) and kind in (INT, NUMBER))):
            out.append(f"{name} is {type(value).__name__}")
    return out


def check_frame(frame: Frame) -> list[str]:
    """What is wrong with the shape of a frame; empty when it is in the contract."""
    shapes = FRAMES.get(frame.get("type", ""))
    if shapes is None:
        return [f"{frame.get('type')!r} is no type of the contract"]
    found = [_misfits(frame, envelope) + _misfits(frame.get("data", {}), data) for envelope, data in shapes]
    best = min(found, key=len)
    return [f"{frame['type']}: {problem}" for problem in best]


def check_order(frames: Iterable[Frame]) -> list[str]:
    """What is wrong with the order of the frames of one socket (protocol §2.1, §2.2, §2.6, §2.8)."""
    out: list[str] = []
    met = boundary = False
    sequence = 0
    seen: dict[str, set[str]] = {"usage": set(), "tool": set(), "acked": set(), "closed": set(), "questions": set()}
    last_index = -1
    last_type = ""
    speaker = ""
    waits_for: list[str] = []
    for frame in frames:
        kind, data = frame["type"], frame.get("data", {})
        if kind == "chat_meta":
            out += ["chat_meta comes twice"] if met else []
            met = True
        elif not met and kind not in ("oauth_completed", "chat.attachment_uploaded", "chat.error"):
            out.append(f"{kind} before chat_meta")
        if kind == "chat.select_speaker":
            speaker = data["agent"]
        if kind in ("chat.text", "chat.print") and "replay" not in data:
            out += [f"sequence {data['sequence']} after {sequence}"] if data["sequence"] <= sequence else []
            sequence = data["sequence"]
            asked = (data.get("metadata") or {}).get("source") == "general_agent"
            own = data["agent"] != "user" and data.get("ui_visibility") != "trace" and not asked
            if own and speaker != data["agent"]:
                out.append(f"{data['agent']} speaks without select_speaker")
        if kind == "chat.text" and data.get("replay") and "sender" in data:
            out += ["a replayed text after the boundary"] if boundary else []
            out += [f"replayed index {data['index']} after {last_index}"] if data["index"] <= last_index else []
            last_index = data["index"]
        if kind == "chat.resume_boundary" and not data:
            out += ["a second boundary"] if boundary else []
            boundary = True
        if kind == "chat.usage_delta":
            out += ["a usage delta twice"] if data["event_id"] in seen["usage"] else []
            out += ["totals do not add up"] if data["prompt_tokens"] + data["completion_tokens"] != data["total_tokens"] else []
            seen["usage"].add(data["event_id"])
        if kind == "chat.tool_call" and "corr" in data:
            out += [f"tool {data['corr']} shown twice"] if data["corr"] in seen["tool"] else []
            seen["tool"].add(data["corr"])
        if kind == "ack.ui_tool_response":
            seen["acked"].add(data["eventId"])
        if kind == "chat.ui_tool_complete" and data["eventId"] in seen["tool"] and data["eventId"] not in seen["acked"]:
            seen["closed"].add(data["eventId"])  # answered over HTTP or by another socket
        if kind == "chat.ui_tool_dismiss" and data["event_id"] in seen["acked"]:
            out.append("an artifact is dismissed after the acknowledgement")
        if kind == "chat.input_request":
            out += ["a question comes twice"] if data["request_id"] in seen["questions"] else []
            seen["questions"].add(data["request_id"])
        if kind == "ack.input" and data["status"] == "accepted" and data["input_request_id"] not in seen["questions"]:
            out.append("an answer is accepted that nobody asked for")
        if kind == "chat.workflow_batch_started" and "parent_chat_id" in data:
            out += ["children are started while others are waited for"] if waits_for else []
            waits_for = [one["chat_id"] for one in data["workflows"]]
            out += ["count is not the number of children"] if data["count"] != len(waits_for) else []
        if kind == "chat.workflow_child_completed":
            out += [] if data["child_chat_id"] in waits_for else ["a child ends that is not waited for"]
            waits_for = [one for one in waits_for if one != data["child_chat_id"]]
            out += ["the last child has no frame of its own"] if not waits_for else []
            out += [] if data["done_count"] == data["child_total"] - len(waits_for) else ["done_count does not add up"]
        if kind == "chat.mfj_fan_in_started":
            out += ["the results are merged before all children have ended"] if len(waits_for) != 1 else []
        if kind == "chat.workflow_resumed":
            out += [] if waits_for else ["a run goes on that waits for nothing"]
            waits_for = []
        if kind == "chat.text" and waits_for and "replay" not in data and data["agent"] != "user":
            out.append("an agent speaks while the run waits for children")
        if kind == "chat.run_complete" and last_type != "unknown":
            out.append("run_complete does not follow TerminationEvent")
        last_type = kind if kind != "chat.usage_delta" else last_type
    return out


# note in the recordings: (status over HTTP, detail); over WebSocket each of them is a bare 403
AUTH = {
    "no token": (401, "Missing authorization token"),
    "garbage token": (401, "Invalid token format"),
    "token without kid": (401, "Token missing key ID (kid)"),
    "unknown kid": (401, "Invalid signing key"),
    "bad signature": (401, "Invalid token signature"),
    "expired": (401, "Token has expired"),
    "wrong audience": (401, "Invalid token audience"),
    "wrong issuer": (401, "Invalid token issuer"),
    "no sub": (401, "Token missing sub claim"),
    "no scp claim (Keycloak style 'scope' only)": (403, "Missing required scope: openid"),
    "scp present, other app_id claim": (403, "Token app_id does not match request app_id"),
    "scp present, body user differs": (403, "user_id in request body does not match authenticated user"),
    "scp present, no app_id claim at all (legacy token)": (200, None),
    "good token": (200, None),
}
