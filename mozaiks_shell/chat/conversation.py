"""What a person sees of a run: turns upstream values into items of the transcript (protocol §7.4).

The rules in one place. Shown: texts of visible agents, the person's own texts once, questions, UI tools, progress,
plain notices. Not shown: traces of hidden agents, the workflow's seed message, echoes, AG2's own tool calls.
No network here; :mod:`mozaiks_shell.chat.bridge` feeds it and acts on what it says.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Executable, delete, insert, update
from sqlmodel import col

from mozaiks_shell.chat.activity import Activity, Price, unpriced
from mozaiks_shell.chat.draft import Draft
from mozaiks_shell.chat.loss import Choice
from mozaiks_shell.chat.models import Chat, ChatEvent, ChatTool
from mozaiks_shell.chat.protocol import MAX_TEXT
from mozaiks_shell.chat.recent import Recent
from mozaiks_shell.chat.summary import plain
from mozaiks_shell.chat.transcript import Channel
from mozaiks_shell.chat.upstream_frames import (
    Acknowledged,
    Answered,
    Ask,
    Counted,
    Hidden,
    Meta,
    Navigate,
    Oversized,
    Piece,
    Problem,
    Progress,
    Said,
    Speaker,
    Step,
    TimedOutAsk,
    Tool,
    ToolOver,
    Unknown,
    Upstream,
    Usage,
)  # fmt: skip
from mozaiks_shell.chat.writer import DELTA
from mozaiks_shell.foundation import events, outbox
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import new_id

MASK = "•" * 8
_TITLE = 60
_SAME_NOTICE = 20  # so often in a row the same notice is worth showing
_AGENTS = 200  # names that are remembered
_ECHOES = 32  # texts of the person that the runtime has yet to say again


def status_frame(channel: Channel, workflow: str, title: str, status: str, detail: str, who: str = "") -> dict[str, Any]:
    """How the chat stands, for the browser; ``who`` is the agent at work, if people may know it."""
    return {
        "t": "chat",
        "chat": channel.chat_id,
        "workflow": workflow,
        "title": title,
        "status": status,
        "detail": detail,
        "offset": channel.next_offset - 1,
        **({"who": who} if who else {}),
    }


class Conversation:
    """The visible side of one run. Every method that shows something appends to the channel."""

    def __init__(
        self,
        channel: Channel,
        workflow: str,
        title: str,
        label: str,
        may_open: Callable[[str], bool],
        price: Price = unpriced,
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
        self._echoes: list[str] = []
        self._seeds: Recent[str] = Recent(32)
        self._ours: Recent[str] = Recent(500)
        self._sent: dict[str, tuple[str, str]] = {}
        self._known_tools: Recent[str] = Recent(20_000)
        self._answered: Recent[str] = Recent(2000)
        self._expired: set[str] = set()
        self._unsure = ("", "")
        self._numbers: Recent[tuple[int, int]] = Recent(512)
        self._answers: dict[str, str] = {}
        self._user_spoke = False
        self._last_user = ""
        self._turn = ""  # id of the person's text that is being answered
        self._said: Counter[int] = Counter()
        self._missing: Counter[int] | None = None
        self._activity = Activity(channel, price)
        self._who = ""
        self._heard: set[str] = set()
        self._concealed: set[str] = set()
        self._same_notice = ("", 0)

    # -- status ------------------------------------------------------------------------------------------

    def set_status(self, status: str, detail: str = "", *along: Executable) -> None:
        """Change the status, in the table and on screen; statements ``along`` are part of the same transaction."""
        if (self.status, self.detail) == (status, detail):
            if along:
                self.channel.write(*along)
            return
        self.status, self.detail = status, detail
        self._who = self._who if status == "running" else ""
        changes = update(Chat).where(col(Chat.id) == self.channel.chat_id)
        self._show_status(changes.values(status=status, detail=detail[:500], updated_at=now()), *along)

    def set_title(self, title: str) -> None:
        """Give the chat a name."""
        self.title = title
        self._show_status(update(Chat).where(col(Chat.id) == self.channel.chat_id).values(title=title))

    def _show_status(self, *statements: Executable) -> None:
        title = self.title or self._label
        frame = status_frame(self.channel, self.workflow, title, self.status, self.detail, self._who)
        self.channel.tell(frame, *statements)

    # -- upstream ----------------------------------------------------------------------------------------

    def take(self, value: Upstream) -> None:
        """Show what this value means to a person, if anything."""
        if self._missing is not None and not (isinstance(value, Said) and value.replay):
            self._missing = None
        match value:
            case Meta():
                self._attached()
            case Piece():
                self._piece(value)
            case Said():
                self._text(value)
            case Speaker(agent):
                self._speaker(agent)
            case Ask():
                self._question(value)
            case Answered(request_id):
                self._user_spoke = True
                self._answered.add(request_id)
                self._asked(request_id, "")
            case TimedOutAsk(request_id):
                self._answered.add(request_id)
                self._asked(request_id, "", expired=True)
            case Acknowledged():
                self._acknowledged(value)
            case Tool():
                self._tool(value)
            case Oversized(id, component, title):
                if self._known_tools.add(id):
                    self.notice(tr("“{title}” is too large to be shown.", title=title or component))
            case ToolOver():
                self._tool_over(value)
            case Progress():
                if self._activity.progress(value):
                    self._active()
            case Step(agent=agent):
                if agent not in self._concealed:
                    self._activity.step(value)
            case Counted(tokens):
                self._activity.counted(tokens)
            case Navigate(path):
                if self._may_open(path):
                    self.channel.append("navigate", {"path": path})
                else:
                    self.hidden["chat.navigate refused"] += 1
            case Problem(_, message, fatal):
                self.close_draft()
                self._problem(message)
                if fatal:
                    self.set_status("failed", message)
            case Hidden(type, agent):
                self.hidden[type] += 1
                self._concealed |= {agent} if agent and len(self._concealed) < _AGENTS else set()
            case Unknown(type) if len(self.unknown) < 50 or type in self.unknown:
                self.unknown[type] += 1

    def _attached(self) -> None:
        """A socket was opened: its numbers begin anew, and the message that is being written is told from its beginning."""
        self._numbers = Recent(512)
        if self._draft is not None:
            self._draft.again = "".join(self._draft.parts)

    def _question(self, ask: Ask) -> None:
        if ask.id in self._answered or (self.ask is not None and self.ask.id == ask.id):
            self.hidden["question told again"] += 1
            return
        self.close_draft()
        self._activity.said()
        if self.ask is not None:
            self._asked(self.ask.id, "")  # withdrawn: the contract has no frame for it
        self.ask = ask
        self.channel.append("ask", ask.body())
        self.set_status("waiting")

    def _problem(self, message: str) -> None:
        last, times = self._same_notice
        self._same_notice = (message, times + 1 if message == last else 1)
        if self._same_notice[1] <= _SAME_NOTICE:
            self.notice(message)
        else:
            self.hidden["same problem again"] += 1

    def _active(self) -> None:
        if self.status != "running" and self.ask is None:
            self.set_status("running")

    def _rest(self) -> None:
        """After a message: still waiting for a form, if one is open."""
        if self.status == "running" and any(tool.awaiting for tool in self.tools.values()):
            self.set_status("waiting")

    def _speaker(self, agent: str) -> None:
        """An agent is at work. Named only where it was heard before and never hidden: nobody else tells of hidden ones."""
        if agent.casefold() in {"user", "system", "agent"} or self.ask is not None:
            return
        known = agent if agent in self._heard and agent not in self._concealed else ""
        if self.status != "running":
            self._who = known
            self.set_status("running")
        elif known != self._who:
            self._who = known
            self._show_status()

    def used(self, usage: Usage) -> None:
        """A call of the model was measured."""
        self._activity.used(usage)

    def _piece(self, piece: Piece) -> None:
        draft = self._draft
        if draft is None or draft.agent != piece.agent:
            if draft is not None:
                self._closed_early[draft.agent] = draft.id
                self.close_draft()
            self._activity.said()
            self._active()
            message_id = new_id("msg")
            offset = self.channel.append("live", {"id": message_id, "who": piece.agent})
            draft = self._draft = Draft(message_id, piece.agent, offset)
            self.channel.live = (message_id, offset)
        content = self._new_of(draft, piece.content)[: MAX_TEXT - draft.size]
        if content:
            draft.parts.append(content)
            draft.size += len(content)
            self.channel.append(DELTA, content)

    def _new_of(self, draft: Draft, content: str) -> str:
        """What of this piece was not seen before the connection was made anew."""
        if not draft.again:
            return content
        if draft.again.startswith(content):
            draft.again = draft.again[len(content) :]
            return ""
        seen, draft.again = draft.again, ""
        return content.removeprefix(seen)

    def _text(self, said: Said) -> None:
        if said.replay and self._known(said):
            return
        if said.replay or said.sequence is None or self._numbers.add((said.sequence, _mark(said.agent, said.content))):
            self._new_text(said)
        else:
            self.hidden["message told again"] += 1

    def _new_text(self, said: Said) -> None:
        if said.by_user:
            self._user_text(said)
            return
        self._activity.said()
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
        key = _mark("user" if said.by_user else said.agent, said.content)
        if self._missing[key] > 0:
            self._missing[key] -= 1
            return True
        return False

    def _user_text(self, said: Said) -> None:
        if said.content in self._echoes:
            self._echoes.remove(said.content)
        elif said.replay and (said.content in self._seeds or said.number == 0):
            self.hidden["seed"] += 1
        elif not self._user_spoke and not said.replay:
            self._seeds.add(said.content)
            self.hidden["seed"] += 1
        elif said.content != self._last_user:
            self.message("user", "user", said.content)

    def _acknowledged(self, verdict: Acknowledged) -> None:
        if verdict.accepted or verdict.id not in self._ours:
            return
        if verdict.what == "input":
            self.undelivered(*self._sent.pop(verdict.id, ("", "")))
            self.notice(tr("The assistant was no longer waiting for this message, so it was not delivered."))
        else:
            self.tool_state(verdict.id, "expired")
            self.notice(tr("The assistant was no longer waiting for this answer, so it was not delivered."))

    def _tool(self, tool: Tool) -> None:
        again = not self._known_tools.add(tool.id)
        if again and tool.id not in self._expired:
            self.hidden["tool told again"] += 1
            return
        self._expired.discard(tool.id)
        self.close_draft()
        self._activity.said()
        self.tools[tool.id] = replace(tool, payload="")
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
        where = (col(ChatTool.chat_id) == self.channel.chat_id) & (col(ChatTool.id) == tool.id)
        change = update(ChatTool).where(where).values(state="open") if again else insert(ChatTool).values(**row)
        self.channel.append("tool", item, change)
        self._activity.drop()
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

    # -- a lost connection ---------------------------------------------------------------------------------

    def offer(self, choice: Choice) -> None:
        """Let the person choose what becomes of a lost run. Item ``choice``: ``id``, ``reason``, ``options``."""
        self.channel.append("choice", {"id": new_id("cho"), **choice.body()})

    def chosen(self, option: str, chat_id: str = "") -> None:
        """The person chose. Item ``chosen``: ``option``, and ``chat`` where it goes on, if elsewhere."""
        self.channel.append("chosen", {"option": option, "chat": chat_id})

    # -- what the person does ----------------------------------------------------------------------------

    def user_said(self, text: str, message_id: str, *, secret: bool = False, queued: bool = False, label: str = "") -> None:
        """Show a text of the person, which the runtime will echo. ``secret`` masks it; ``queued``: it waits to be asked for.

        ``label`` is what it is shown as, if it was chosen from answers.
        """
        self._user_spoke = True
        self._echoes = [*self._echoes, text, *([MASK] if secret else [])][-_ECHOES:]
        self.message("user", "user", MASK if secret else text, message_id, queued=queued, shown="" if secret else label)
        if not self.title and not secret:
            first = " ".join((label or text).split())
            self.set_title(first if len(first) <= _TITLE else first[: _TITLE - 1].rstrip() + "…")

    def undelivered(self, message_id: str, text: str) -> None:
        """Mark a text of the person as not delivered. It stays in the conversation, so that it can be sent again."""
        if message_id:
            self.message("user", "user", text, message_id, undelivered=True)

    def answers(self, turn: str) -> bool:
        """Whether the answer to this text of the person is being written, as far as we know."""
        return self.ask is None and self._turn in {"", turn}

    def answered(self, message_id: str, text: str = "") -> None:
        """The pending question is being answered with this message; ``text`` as it is shown."""
        if self.ask is not None:
            self._ours.add(self.ask.id)
            self._answered.add(self.ask.id)
            self._sent = {self.ask.id: (message_id, text)}
            self._asked(self.ask.id, message_id)
        self._turn = message_id
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
        undelivered: bool = False,
        shown: str = "",
    ) -> int:
        """Show a whole message; with the id of an earlier one it replaces that. Returns its offset.

        ``shown`` is what people read instead of the text that was sent.
        """
        body: dict[str, Any] = {
            "id": message_id or new_id("msg"),
            "role": role,
            "who": who,
            "text": shown or text,
            "at": now().isoformat(),
        }
        body |= {"sent": text} if shown not in ("", text) else {}
        body |= {"cancelled": True} if cancelled else {}
        body |= {"queued": True} if queued else {}
        body |= {"undelivered": True} if undelivered else {}
        line = plain(text[:800]) if role == "agent" else " ".join((shown or text)[:400].split())
        changes = update(Chat).where(col(Chat.id) == self.channel.chat_id).values(last_text=line[:200], updated_at=now())
        offset = self.channel.append("message", body, changes)
        if role == "agent" and len(self._heard) < _AGENTS:
            self._heard.add(who)
        if role == "user" and not (queued or undelivered):
            self._turn = str(body["id"])
        if role != "notice" and not undelivered:
            self._last_user = text if role == "user" else ""
            self._said[_mark("user" if role == "user" else who, text)] += 1
            self._same_notice = ("", 0)
        self._activity.drop()
        return offset

    def notice(self, text: str) -> None:
        """Tell the person something in plain words."""
        self.message("notice", "", text)

    async def restore(self) -> list[str]:
        """Read back from the log what was open when the process died: the message that was being written, the
        question, the forms. Returns the person's texts that were never sent."""
        queued: dict[str, str] = {}
        said: dict[str, str] = {}
        async for offset, kind, body in self.channel.rows(-1, self.channel.next_offset):
            if kind == DELTA:
                if self._draft is not None:
                    self._draft.parts.append(body)
                continue
            item = json.loads(body)
            match kind:
                case "live":
                    self._draft = Draft(item["id"], item["who"], offset, restored=True)
                case "message":
                    if self._draft is not None and self._draft.id == item["id"]:
                        self._draft = None
                    if item.get("queued"):
                        queued[item["id"]] = item["text"]
                    if item["role"] == "user" and item["text"] != MASK:
                        said[item["id"]] = item.get("sent", item["text"])
                    self._remember(item)
                case "ask":
                    self.ask = Ask.of(item)
                case "asked":
                    self.ask = None
                    if item.get("by"):
                        self._answered.add(item["id"])
                        self._unsure = (item["id"], said.get(item["by"], ""))
                    queued.pop(item.get("by", ""), None)
                case "tool":
                    self.tools[item["id"]] = Tool(item["id"], item["component"], item["display"], item["title"], "", True)
                    self._known_tools.add(item["id"])
                case "tool_done":
                    self.tools.pop(item["id"], None)
                    if item["state"] == "expired":
                        self._expired.add(item["id"])
                case _:
                    self._activity.restore(kind, item)
        return list(queued.values())

    def unheard(self, ask: Ask) -> str:
        """The answer to a question that the runtime asks again: written down before the process died, perhaps never sent."""
        asked, text = self._unsure
        if asked != ask.id:
            return ""
        self._unsure = ("", "")
        return text

    def _remember(self, item: dict[str, Any]) -> None:
        if item["role"] == "notice":
            return
        by_user = item["role"] == "user"
        self._heard |= set() if by_user else {item["who"]}
        self._user_spoke = self._user_spoke or by_user
        sent = item.get("sent", item["text"])
        self._last_user = sent if by_user else ""
        self._said[_mark("user" if by_user else item["who"], sent)] += 1

    # -- ends --------------------------------------------------------------------------------------------

    def close_draft(self) -> None:
        """What is being written ends as it stands."""
        if self._draft is not None:
            self._finish(self._draft, "".join(self._draft.parts))

    def finish(self, status: str, detail: str = "", notice: str = "") -> events.Event:
        """The run is over for us: nothing waits any more. Returns the event that is kept with it, to be told once it is."""
        self.close_draft()
        self._activity.finished()
        for tool in list(self.tools.values()):
            if tool.awaiting:
                self._expired.add(tool.id)
                self.tool_state(tool.id, "expired")
        self.tools.clear()
        if self.ask is not None:
            self._asked(self.ask.id, "")
        if notice:
            self.notice(notice)
        ended = {"chat_id": self.channel.chat_id, "workflow": self.workflow, "status": status}
        event, keep = outbox.lasting(events.Event("chat.ended", self.channel.app_id, self.channel.user_id, ended))
        self.set_status(status, detail, keep)
        return event

    def _asked(self, request_id: str, by: str, *, expired: bool = False) -> None:
        if self.ask is not None and self.ask.id == request_id:
            self.ask = None
            self.channel.append("asked", {"id": request_id, "by": by} | ({"state": "expired"} if expired else {}))
            if self.status == "waiting":
                self.set_status("running")

    def _finish(self, draft: Draft, text: str, *, cancelled: bool = False) -> None:
        self._draft = None
        self.channel.live = None
        offset = self.message("agent", draft.agent, text, draft.id, cancelled=cancelled)
        if draft.restored:  # whoever comes back with a part of it is sent what it lacks, and the pieces tell what that is
            return
        self._compact(col(ChatEvent.offset).between(draft.offset, offset - 1) & col(ChatEvent.kind).in_(("live", DELTA)))

    def _compact(self, which: Any) -> None:
        self.channel.later(delete(ChatEvent).where(col(ChatEvent.chat_id) == self.channel.chat_id, which))


def _mark(who: str, text: str) -> int:
    """A message in eight bytes: whether it was said before is asked of thousands."""
    return hash((who, text))
