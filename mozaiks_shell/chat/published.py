"""Our transcript's items as frames of the published contract, for plain clients (F-170, protocol §2.4)."""

import json
from datetime import UTC, datetime
from typing import Any

from mozaiks_shell.chat.writer import DELTA

Frame = dict[str, Any]
_ENDS = {"failed": "WORKFLOW_EXECUTION_FAILED", "interrupted": "RUN_INTERRUPTED", "stopped": "RUN_STOPPED"}


def frame(type_: str, data: Frame, agent: str = "") -> Frame:
    """An envelope as the published runtime writes it (protocol §2.2)."""
    made: Frame = {"type": type_, "data": data, "timestamp": datetime.now(UTC).isoformat()}
    return made | ({"agent": agent} if agent else {})


class Publisher:
    """Translates one chat for one client. ``index`` is the place of the next message."""

    def __init__(self, chat_id: str, workflow: str, app_id: str, user_id: str) -> None:
        self.ids = {"chat_id": chat_id, "workflow_name": workflow, "app_id": app_id, "user_id": user_id}
        self.index = 0
        self.ask = ""
        self._ask: Frame = {}
        self._tools: dict[str, Frame] = {}
        self._seen: set[str] = set()
        self._speaker = "Agent"
        self._told = ""

    def meta(self, status: str) -> Frame:
        """The first frame."""
        data = {"kind": "chat_meta", **self.ids, "status": int(status == "completed"), "chat_exists": True, "last_artifact": None}
        return frame("chat_meta", data)

    def replayed(self, item: Any, last_index: int = -1) -> list[Frame]:
        """An item of the past: texts at once, what is still open with :meth:`boundary`."""
        if isinstance(item, list):
            return [frame("chat.print", {"agent": self._speaker, "content": item[1], **self._chat()}, self._speaker)]
        if item["k"] == "message":
            made = self._message(item)
            return [one for one in made if one["data"]["index"] > last_index] if made else []
        if item["k"] in {"live", "ask", "asked", "tool", "tool_done"}:
            made = self.item(item["k"], item)
            return made if item["k"] == "live" else []
        return []

    def boundary(self) -> list[Frame]:
        """The replay is over; then what is still open."""
        last = {"kind": "resume_boundary", **self._chat(), "last_message_index": self.index - 1}
        asked = [frame("chat.input_request", self._ask, "Agent")] if self._ask else []
        return [
            frame("chat.resume_boundary", last),
            *(frame("chat.tool_call", one, "Agent") for one in self._tools.values()),
            *asked,
        ]

    def entry(self, kind: str, body: str) -> list[Frame]:
        """A new item of the log, or (with an empty kind) a status frame."""
        if kind == DELTA:
            return [
                frame("chat.print", {"kind": "print", "agent": self._speaker, "content": body, **self._chat()}, self._speaker)
            ]
        item = json.loads(body)
        return self.item(kind, item) if kind else self._status(item)

    def item(self, kind: str, item: Frame) -> list[Frame]:
        """Frames of one item; those a published client has no word for give none."""
        match kind:
            case "live":
                self._speaker = item["who"]
                return [frame("chat.select_speaker", {"kind": "select_speaker", "agent": item["who"]}, item["who"])]
            case "message":
                return [
                    {**one, "data": {key: value for key, value in one["data"].items() if key != "replay"}}
                    for one in self._message(item)
                ]
            case "ask":
                self.ask = item["id"]
                self._ask = {
                    "kind": "input_request",
                    "request_id": item["id"],
                    "prompt": item["prompt"],
                    "password": item["password"],
                }
                return [frame("chat.input_request", self._ask, "Agent")]
            case "asked":
                self.ask, self._ask = "", {}
                return [frame("chat.input_ack", {"kind": "input_ack", "request_id": item["id"], "corr": item["id"]}, "Agent")]
            case "tool":
                tool = {
                    "kind": "tool_call", "tool_name": item["component"], "component_type": item["component"], "corr": item["id"],
                    "awaiting_response": True, "display": item["display"], "payload": {"title": item["title"]}, **self._chat(),
                }  # fmt: skip
                self._tools[item["id"]] = tool
                return [frame("chat.tool_call", tool, "Agent")]
            case "tool_done":
                tool = self._tools.pop(item["id"], {})
                name = tool.get("component_type", "")
                if item["state"] == "answered":
                    done = {"eventId": item["id"], "ui_tool_id": name, "status": "success", "summary": item["summary"]}
                    return [frame("chat.ui_tool_complete", done, "Agent")]
                return [frame("chat.ui_tool_dismiss", {"event_id": item["id"], "ui_tool_id": name}, "Agent")]
            case "progress":
                told = {"tool_name": item["id"], "progress_percent": item["percent"], "status_message": item["text"]}
                return [frame("tool_progress", {"kind": "tool_progress", **told, **self._chat()}, "Agent")]
        return []

    def _message(self, item: Frame) -> list[Frame]:
        who = "user" if item["role"] == "user" else item["who"] or "system"
        if item["id"] in self._seen:
            return []  # said again with a mark, which the contract has no field for
        self._seen.add(item["id"])
        data = {"kind": "text", "agent": who, "content": item["text"], **self._chat(), "index": self.index}
        data |= {"sequence": self.index + 1, "role": item["role"], "sender": who, "replay": True}
        self.index += 1
        return [frame("chat.text", data, who)]

    def _status(self, told: Frame) -> list[Frame]:
        status = told.get("status", "")
        if status == self._told:
            return []
        self._told = status
        if status == "completed":
            return [
                frame("chat.run_complete", {"kind": "run_complete", "agent": "workflow", "status": 1, **self._chat()}, "workflow")
            ]
        if code := _ENDS.get(status):
            return [frame("error", {"message": told.get("detail", ""), "error_code": code, **self._chat()}, "Agent")]
        return []

    def _chat(self) -> Frame:
        return {"chat_id": self.ids["chat_id"]}
