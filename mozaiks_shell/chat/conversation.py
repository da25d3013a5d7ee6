"""What a person sees of a run: turns upstream values into items of the transcript (protocol §7.4).

The rules in one place. Shown: texts of visible agents, the person's own texts once, questions, UI tools, progress,
plain notices. Not shown: traces of hidden agents, the workflow's seed message, echoes, AG2's own tool calls.
No network here; :mod:`mozaiks_shell.chat.bridge` feeds it and acts on what it says.
"""

import json
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Executable, delete, insert, update
from sqlmodel import col

from mozaiks_shell.chat.models import Chat, ChatEvent, ChatTool
from mozaiks_shell.chat.protocol import (
    MAX_TEXT,
    Acknowledged,
    Answered,
    Ask,
    Hidden,
    Navigate,
    Piece,
    Problem,
    Progress,
    Said,
    Speaker,
    Tool,
    ToolOver,
    Unknown,
    Upstream,
)
from mozaiks_shell.chat.summary import plain
from mozaiks_shell.chat.transcript import Channel
from mozaiks_shell.chat.writer import DELTA
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.ids import new_id

MASK = "•" * 8
_TITLE = 60


def status_frame(channel: Channel, workflow: str, title: str, status: str, detail: str) -> dict[str, Any]:
    """How the chat stands, for the browser."""
    return {
        "t": "chat",
        "chat": channel.chat_id,
        "workflow": workflow,
        "title": title,
        "status": status,
        "detail": detail,
        "offset": channel.next_offset - 1,
    }


@dataclass(slots=True)
class Draft:
    """The message that is being written."""

    id: str
    agent: str
    offset: int
    parts: list[str] = field(default_factory=list)
    size: int = 0


class Conversation:
    """The visible side of one run. Every method that shows something appends to the channel."""

    def __init__(
        self,
        channel: Channel,
        workflow: str,
        title: str,
        label: str,
        may_open: Callable[[str], bool],
    ) -> None:
        self.channel = channel
        self.workflow = workflow
        self.title = title
        self.status, self.detail = "connecting", ""
        self.ask: Ask | None = None
        self.tools: dict[str, Tool] = {}
        self.hidden: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self._label = label
        self._may_open = may_open
        self._draft: Draft | None = None
        self._closed_early: dict[str, str] = {}
        self._echoes: deque[str] = deque(maxlen=32)
        self._seeds: set[str] = set()
        self._ours: set[str] = set()
        self._answers: dict[str, str] = {}
        self._user_spoke = False
        self._last_user = ""
        self._said: Counter[tuple[str, str]] = Counter()
        self._missing: Counter[tuple[str, str]] | None = None
        self._progress: list[int] = []

    # -- status ------------------------------------------------------------------------------------------

    def set_status(self, status: str, detail: str = "") -> None:
        """Change the status, in the table and on screen."""
        if (self.status, self.detail) == (status, detail):
            return
        self.status, self.detail = status, detail
        changes = update(Chat).where(col(Chat.id) == self.channel.chat_id)
        self._show_status(changes.values(status=status, detail=detail[:500], updated_at=now()))

    def set_title(self, title: str) -> None:
        """Give the chat a name."""
        self.title = title
        self._show_status(update(Chat).where(col(Chat.id) == self.channel.chat_id).values(title=title))

    def _show_status(self, *statements: Executable) -> None:
        title = self.title or self._label
        frame = status_frame(self.channel, self.workflow, title, self.status, self.detail)
        self.channel.tell(frame, *statements)

    # -- upstream ----------------------------------------------------------------------------------------

    def take(self, value: Upstream) -> None:
        """Show what this value means to a person, if anything."""
        if self._missing is not None and not (isinstance(value, Said) and value.replay):
            self._missing = None
        match value:
            case Piece():
                self._piece(value)
            case Said():
                self._text(value)
            case Speaker(agent):
                self._speaker(agent)
            case Ask():
                self.close_draft()
                if self.ask is not None:
                    self._asked(self.ask.id, "")  # withdrawn: the contract has no frame for it
                self.ask = value
                self.channel.append("ask", {"id": value.id, "prompt": value.prompt, "password": value.password})
                self.set_status("waiting")
            case Answered(request_id):
                self._user_spoke = True
                self._asked(request_id, "")
            case Acknowledged():
                self._acknowledged(value)
            case Tool():
                self._tool(value)
            case ToolOver():
                self._tool_over(value)
            case Progress(id, percent, text):
                self._progress.append(self.channel.append("progress", {"id": id, "percent": percent, "text": text}))
                self._active()
            case Navigate(path):
                if self._may_open(path):
                    self.channel.append("navigate", {"path": path})
                else:
                    self.hidden["chat.navigate refused"] += 1
            case Problem(_, message, fatal):
                self.close_draft()
                self.notice(message)
                if fatal:
                    self.set_status("failed", message)
            case Hidden(type):
                self.hidden[type] += 1
            case Unknown(type) if len(self.unknown) < 50 or type in self.unknown:
                self.unknown[type] += 1

    def _active(self) -> None:
        if self.status != "running" and self.ask is None:
            self.set_status("running")

    def _rest(self) -> None:
        """After a message: still waiting for a form, if one is open."""
        if self.status == "running" and any(tool.awaiting for tool in self.tools.values()):
            self.set_status("waiting")

    def _speaker(self, agent: str) -> None:
        if agent.casefold() in {"user", "system", "agent"}:
            return
        detail = f"{agent} is at work"
        if self.ask is None and (self.status, self.detail) != ("running", detail):
            if self.status == "running":
                self.detail = detail
                self._show_status()
            else:
                self.set_status("running", detail)

    def _piece(self, piece: Piece) -> None:
        draft = self._draft
        if draft is None or draft.agent != piece.agent:
            if draft is not None:
                self._closed_early[draft.agent] = draft.id
                self.close_draft()
            self._active()
            message_id = new_id("msg")
            offset = self.channel.append("live", {"id": message_id, "who": piece.agent})
            draft = self._draft = Draft(message_id, piece.agent, offset)
            self.channel.live = (message_id, offset)
        content = piece.content[: MAX_TEXT - draft.size]
        if content:
            draft.parts.append(content)
            draft.size += len(content)
            self.channel.append(DELTA, content)

    def _text(self, said: Said) -> None:
        if said.replay and self._known(said):
            return
        if said.by_user:
            self._user_text(said)
            return
        self._active()
        draft = self._draft
        if draft is not None and draft.agent == said.agent:
            self._finish(draft, said.content, cancelled=said.cancelled)
        else:
            self.close_draft()
            self.message("agent", said.agent, said.content, self._closed_early.pop(said.agent, None), cancelled=said.cancelled)
        self._rest()

    def _known(self, said: Said) -> bool:
        """Whether a replayed message is in the transcript already; counts, so that a repeated text is told apart."""
        if self._missing is None:
            self._missing = self._said.copy()
        key = ("user" if said.by_user else said.agent, said.content)
        if self._missing[key] > 0:
            self._missing[key] -= 1
            return True
        return False

    def _user_text(self, said: Said) -> None:
        if said.content in self._echoes:
            self._echoes.remove(said.content)
        elif said.replay and said.content in self._seeds:
            self.hidden["seed"] += 1
        elif not self._user_spoke and (said.number == 0 or not said.replay):
            self._seeds.add(said.content)
            self.hidden["seed"] += 1
        elif said.content != self._last_user:
            self.message("user", "user", said.content)

    def _acknowledged(self, verdict: Acknowledged) -> None:
        if verdict.accepted or verdict.id not in self._ours:
            return
        if verdict.what == "input":
            self.notice("The assistant was no longer waiting for this message, so it was not delivered.")
        else:
            self.tool_state(verdict.id, "expired")
            self.notice("The assistant was no longer waiting for this answer, so it was not delivered.")

    def _tool(self, tool: Tool) -> None:
        if tool.id in self.tools:
            return
        self.close_draft()
        self.tools[tool.id] = tool
        title = tool.title or tool.component
        row = {
            "app_id": self.channel.app_id,
            "user_id": self.channel.user_id,
            "chat_id": self.channel.chat_id,
            "id": tool.id,
            "component": tool.component,
            "display": tool.display,
            "title": title,
            "payload": tool.payload,
            "awaiting": tool.awaiting,
            "state": "open",
            "created_at": now(),
        }
        item = {"id": tool.id, "component": tool.component, "display": tool.display, "title": title}
        self._last_user = ""
        self.channel.append("tool", item, insert(ChatTool).values(**row))
        self._drop_progress()
        if self.ask is None:
            self.set_status("waiting" if tool.awaiting else "running")

    def _tool_over(self, over: ToolOver) -> None:
        tool = self.tools.get(over.id)
        if tool is None:
            self.hidden["tool end without tool"] += 1
        elif over.dismissed:
            del self.tools[over.id]
            if over.id in self._answers:  # off the screen; what became of it stays the answer
                self.tool_state(over.id, "answered", self._answers[over.id], kept="dismissed")
            else:
                self.tool_state(over.id, "dismissed")
        elif tool.awaiting:
            self.tool_answered(tool)
            self.tool_state(over.id, "answered", over.summary)

    # -- what the person does ----------------------------------------------------------------------------

    def user_said(self, text: str, message_id: str, *, secret: bool = False, queued: bool = False) -> None:
        """Show a text of the person, which the runtime will echo. ``secret`` masks it; ``queued``: it waits to be asked for."""
        self._user_spoke = True
        self._echoes += [text, MASK] if secret else [text]
        self.message("user", "user", MASK if secret else text, message_id, queued=queued)
        if not self.title and not secret:
            first = " ".join(text.split())
            self.set_title(first if len(first) <= _TITLE else first[: _TITLE - 1].rstrip() + "…")

    def answered(self, message_id: str) -> None:
        """The pending question is being answered with this message."""
        if self.ask is not None:
            self._ours.add(self.ask.id)
            self._asked(self.ask.id, message_id)
        self.set_status("running")

    def tool_sent(self, tool: Tool, summary: str) -> None:
        """The person answered a UI tool."""
        self._answers[tool.id] = summary
        self.tool_answered(tool)
        self.tool_state(tool.id, "answered", summary)

    def tool_answered(self, tool: Tool) -> None:
        """A UI tool was answered, here or elsewhere; the run goes on."""
        self.tools[tool.id] = Tool(tool.id, tool.component, tool.display, tool.title, "", False)
        self._ours.add(tool.id)
        self._user_spoke = True
        self._last_user = ""
        if self.ask is None:
            self.set_status("running")

    def tool_state(self, tool_id: str, state: str, summary: str = "", *, kept: str = "") -> None:
        """Show that a tool is answered, dismissed or expired; ``kept`` is the state in the table, if another."""
        where = (col(ChatTool.chat_id) == self.channel.chat_id) & (col(ChatTool.id) == tool_id)
        changes = update(ChatTool).where(where).values(state=kept or state)
        self.channel.append("tool_done", {"id": tool_id, "state": state, "summary": summary}, changes)

    def message(
        self,
        role: str,
        who: str,
        text: str,
        message_id: str | None = None,
        *,
        cancelled: bool = False,
        queued: bool = False,
    ) -> int:
        """Show a whole message; with the id of an earlier one it replaces that. Returns its offset."""
        body: dict[str, Any] = {
            "id": message_id or new_id("msg"),
            "role": role,
            "who": who,
            "text": text,
            "at": now().isoformat(),
        }
        body |= {"cancelled": True} if cancelled else {}
        body |= {"queued": True} if queued else {}
        line = plain(text[:800]) if role == "agent" else " ".join(text[:400].split())
        changes = update(Chat).where(col(Chat.id) == self.channel.chat_id).values(last_text=line[:200], updated_at=now())
        offset = self.channel.append("message", body, changes)
        if role != "notice":
            self._last_user = text if role == "user" else ""
            self._said["user" if role == "user" else who, text] += 1
        self._drop_progress()
        return offset

    def notice(self, text: str) -> None:
        """Tell the person something in plain words."""
        self.message("notice", "", text)

    async def restore(self) -> list[str]:
        """Read back from the log what was open when the process died: the message that was being written, the
        question, the forms. Returns the person's texts that were never sent."""
        queued: dict[str, str] = {}
        async for offset, kind, body in self.channel.rows(-1, self.channel.next_offset):
            if kind == DELTA:
                if self._draft is not None:
                    self._draft.parts.append(body)
                continue
            item = json.loads(body)
            match kind:
                case "live":
                    self._draft = Draft(item["id"], item["who"], offset)
                case "message":
                    if self._draft is not None and self._draft.id == item["id"]:
                        self._draft = None
                    if item.get("queued"):
                        queued[item["id"]] = item["text"]
                case "ask":
                    self.ask = Ask(item["id"], item["prompt"], item["password"])
                case "asked":
                    self.ask = None
                    queued.pop(item.get("by", ""), None)
                case "tool":
                    self.tools[item["id"]] = Tool(item["id"], item["component"], item["display"], item["title"], "", True)
                case "tool_done":
                    self.tools.pop(item["id"], None)
        return list(queued.values())

    # -- ends --------------------------------------------------------------------------------------------

    def close_draft(self) -> None:
        """What is being written ends as it stands."""
        if self._draft is not None:
            self._finish(self._draft, "".join(self._draft.parts))

    def finish(self, status: str, detail: str = "", notice: str = "") -> None:
        """The run is over for us: nothing waits any more."""
        self.close_draft()
        for tool in list(self.tools.values()):
            if tool.awaiting:
                self.tool_state(tool.id, "expired")
        self.tools.clear()
        if self.ask is not None:
            self._asked(self.ask.id, "")
        if notice:
            self.notice(notice)
        self.set_status(status, detail)

    def _asked(self, request_id: str, by: str) -> None:
        if self.ask is not None and self.ask.id == request_id:
            self.ask = None
            self.channel.append("asked", {"id": request_id, "by": by})
            if self.status == "waiting":
                self.set_status("running")

    def _finish(self, draft: Draft, text: str, *, cancelled: bool = False) -> None:
        self._draft = None
        self.channel.live = None
        offset = self.message("agent", draft.agent, text, draft.id, cancelled=cancelled)
        self._compact(col(ChatEvent.offset).between(draft.offset, offset - 1) & col(ChatEvent.kind).in_(("live", DELTA)))

    def _drop_progress(self) -> None:
        if self._progress:
            self._compact(col(ChatEvent.offset).in_(self._progress))
            self._progress = []

    def _compact(self, which: Any) -> None:
        self.channel.later(delete(ChatEvent).where(col(ChatEvent.chat_id) == self.channel.chat_id, which))
