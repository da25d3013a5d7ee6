"""The upstream side of a chat: one WebSocket to the runtime, owned by the server and open while browsers come and go.

A published runtime is never connected to again on a guess (protocol §2.8): when the connection is lost, it is asked over
HTTP how the run stands, and the person is told the truth and chooses (:mod:`.loss`). Only a runtime that has none of the
defects, as the embedded one, is reconnected to by itself.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update
from sqlmodel import col
from websockets.exceptions import WebSocketException

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat import first_text, loss, protocol
from mozaiks_shell.chat import upstream_line as lines
from mozaiks_shell.chat.agui import Dialect
from mozaiks_shell.chat.artifact_frames import ActionTold, Change
from mozaiks_shell.chat.artifacts import Artifacts
from mozaiks_shell.chat.attachment import refusal
from mozaiks_shell.chat.background import background
from mozaiks_shell.chat.budget_end import open_bridges
from mozaiks_shell.chat.conversation import MASK, Conversation
from mozaiks_shell.chat.meter import Meter
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.once import Once
from mozaiks_shell.chat.outcomes import CannotStop, NotListening, Outcome, RunEnded
from mozaiks_shell.chat.recent import Recent
from mozaiks_shell.chat.spawned import Children
from mozaiks_shell.chat.transcript import Transcript
from mozaiks_shell.chat.upstream_frames import (
    Ask,
    Child,
    Ended,
    Hidden,
    Late,
    Meta,
    Oversized,
    Piece,
    Problem,
    Resumed,
    Said,
    Spawned,
    Speaker,
    Tool,
    Upstream,
    Usage,
)  # fmt: skip
from mozaiks_shell.chat.upstream_line import Line, LineLost, why_not_opened
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import ShellError, Unavailable
from mozaiks_shell.foundation.i18n import joined, msg, tr
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")

_GRACE, _FAILED_GRACE = 0.3, 3.0  # after AG2's last event an error may follow; after a fatal error the run may go on
_POLL_FIRST, _POLL_LONGEST = 15.0, 300.0
_CANCEL_WINDOW, _CUT_WITHIN = (
    5.0,
    3.0,
)  # the second: seconds the runtime has to stop writing, and to tell what it cost, when the budget is used up
_QUEUED_AT_MOST = 5
_ASK_AGAIN = (1.0, 3.0)  # seconds between questions how a lost run stands, while nobody answers
_AGAIN = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between tries to connect to a runtime that takes it
_SENT_LATER = msg("Your message will be sent as soon as the agent asks.")
_NO_ANSWER = msg("The assistant's server does not answer at the moment. It may be busy; nothing is lost.")
_OUR_FAULT = msg("Something went wrong on our side.")
_LOST = msg("The connection to the run was lost.")
_UNSEEN = msg("It was done before this conversation was opened. What was said in it is not shown by the assistant's server.")
_SIGNS_OF_LIFE = (Piece, Said, Ask, Tool)
_SIGNS_OF_A_RUN = (Piece, Ask, Tool, Speaker, Oversized)


@dataclass(frozen=True, slots=True)
class _Queued:
    text: str
    message_id: str


Context = Callable[[Principal], Awaitable[dict[str, Any]]]


class Bridge:
    """A run that is watched. Made by :class:`mozaiks_shell.chat.runs.Runs`, which forgets it when it is over."""

    def __init__(
        self, principal: Principal, chat: KnownChat, conversation: Conversation, transcript: Transcript, context: Context
    ) -> None:
        self.principal = principal
        self.chat = chat
        self.conversation = conversation
        self.channel = conversation.channel
        self._transcript = transcript
        self._context = context
        self.given: dict[str, Any] = {}  # what the run was started with; the published start call has no place for it
        self._line: Line | None = None
        self._queue: deque[_Queued] = deque()
        self._said_ids: Recent[str] = Recent(2000)
        self._meter = Meter(conversation.channel, chat.workflow)
        self._ending: asyncio.TimerHandle | None = None
        self._expected: Outcome | None = None
        self._cancel_sent = 0.0
        self._stoppable = True
        self._mode = "workflow"  # as far as the runtime knows; a connection begins in it
        self._heard = False  # since the last look
        self._over = Once()
        self._outcome: Outcome | None = None
        self._closing = False
        self._left = Once()
        self._working = False  # the workflow was seen at work on this connection
        self._waits_for_text: bool | None = None  # whether it begins only with a text of the person (UserDriven)
        self._over_http: asyncio.Task[None] | None = None
        self._cut: asyncio.Task[None] | None = None
        self._at_rest: Once | None = None  # while a cut is waited for: nothing is written any more, and what was is measured
        self._partial = False
        self._children = Children()
        self._dialect = Dialect()
        self.artifacts = Artifacts(self)
        self._only_looking = False  # at a run that was done before anybody watched: what it said is all there is

    @property
    def over(self) -> bool:
        """Whether the run has ended for us."""
        return self._outcome is not None

    # -- life --------------------------------------------------------------------------------------------

    async def open(self, *, fresh: bool = True) -> None:
        """Connect and wait for the first frame, which usually says which chat we are attached to.

        Args:
            fresh: The chat was made just now. Any other one is asked about first: connecting to a completed chat runs
                the whole workflow again, and to one that holds messages may break the runtime (protocol §2.1, §2.8).

        Raises:
            Unavailable: refused, unreachable or silent; the chat's status tells why.
            RunEnded: the run is completed, or must not be connected to.
        """
        if not fresh:
            await self._demand_safe()
        try:
            await self._connect()
        except (ShellError, LineLost, OSError, TimeoutError, WebSocketException) as error:
            reason = why_not_opened(error)
            log.warning("upstream not opened", chat=self.chat.chat_id, reason=reason, error=type(error).__name__)
            if not fresh:  # it had begun, or might have: that it cannot be reached now is no failure of it
                self._outcome = self._outcome or Outcome("interrupted", reason, reason, loss.choice(loss.Standing("unknown")))
            self._outcome = self._outcome or Outcome("failed", reason)
            await self._shut()
            raise Unavailable(self._outcome.detail, code="RUN_NOT_OPENED", chat_id=self.chat.chat_id) from None
        open_bridges.add(self)

    async def _demand_safe(self) -> None:
        standing = await loss.how_it_stands(self.principal, self.chat)
        unseen = standing.state == "completed" and self.channel.next_offset == 0
        if unseen and loss.shows_completed():
            self._only_looking = True
        elif standing.state == "completed":
            self._outcome = Outcome("completed", "", tr(_UNSEEN) if unseen else "")
        elif standing.state == "running" and not (standing.empty or loss.may_reconnect()):
            reason = tr("This run was begun elsewhere and is at work already, so it was not connected to from here.")
            self._outcome = Outcome("interrupted", reason, reason, loss.choice(standing))
        if self._outcome is not None:
            await self._shut()
            raise RunEnded(self._outcome.detail or tr("This run has ended."), chat_id=self.chat.chat_id)

    async def _connect(self) -> None:
        session = await broker.connect(self.principal, self.chat)
        self._working, self._mode = False, "workflow"
        async with asyncio.timeout(lines.OPEN_WITHIN):
            self._line = await Line.open(session.ws_url, session.token)
            await self._hear(await self._line.receive())
        if self._outcome is not None:
            raise LineLost(self._outcome.detail)

    async def run(self) -> None:
        """Read until the run is over or the connection is lost, then say how it ended."""
        try:
            while self._outcome is None and not self._closing and self.channel.broken is None:
                lost = await self._follow()
                if self._outcome is None and not self._closing and self.channel.broken is None:
                    self._outcome = await self._afterwards(lost)
        finally:
            await self._shut()

    async def _follow(self) -> LineLost:
        """Read the open connection until it is gone or the run is over."""
        line = self._line
        assert line is not None
        works = (self._read(line), self._watch(), line.watch(self._answers_http, self._silent))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait([*tasks, self._over.future()], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except LineLost as lost:
            return lost
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return LineLost()

    async def close(self) -> None:
        """Let go of the run because the process ends. What is shown stays as it stands."""
        self._closing = True
        self._left.set()
        if self._line is not None:
            await self._line.close(1001)

    async def _read(self, line: Line) -> None:
        while self._outcome is None and self.channel.broken is None:
            await self._hear(await line.receive())
            self._heard = True
            await self._transcript.breathe()

    async def _hear(self, raw: bytes) -> None:
        """Take one frame. One that breaks us is counted and left out: it must not cost the run."""
        value, chat_id = protocol.read_addressed(raw)
        for one in self._dialect.read(value):
            await self._understand(one, chat_id)

    async def _understand(self, value: Upstream, chat_id: str) -> None:
        if isinstance(value, Spawned):
            await self._spawned(value)
            return
        if chat_id and chat_id != self.chat.runtime_chat_id and not isinstance(value, Meta | Usage):
            self.conversation.hidden["frame of another chat"] += 1
            return
        try:
            if isinstance(value, ActionTold | Change):
                await self.artifacts.hear(value)
                return
            if isinstance(value, Meta):
                await self._attached(value)
            self._take(value, chat_id)
            if isinstance(value, Ask) and (text := self.conversation.unheard(value)):
                await self._demand_budget()
                await self._submit(text, value)
            elif isinstance(value, Ask) and self._queue:
                await self._deliver()
            elif isinstance(value, Oversized) and value.awaiting:
                refusal = {"status": "error", "error": "The payload is too large to be shown.", "data": {}}
                await self._send(protocol.tool_response(self.chat.runtime_chat_id, value.id, value.component, refusal))
        except ShellError as error:
            log.info("frame without effect", chat=self.chat.chat_id, code=error.code)
        except Exception:
            self.conversation.hidden["frame that failed"] += 1
            log.exception("frame failed", chat=self.chat.chat_id, frame=type(value).__name__)

    def _take(self, value: Upstream, chat_id: str = "") -> None:
        if isinstance(value, _SIGNS_OF_A_RUN) or (isinstance(value, Hidden) and value.type == "chat.run_start"):
            self._working = True
        match value:
            case Ended(certain):
                self._end_soon(0.0 if certain else _GRACE, Outcome("completed"))
            case Problem("SCHEMA_VALIDATION_FAILED") if self._just_cancelled():
                self._stoppable = False
                self._rests()
                if self._cut is None:
                    self.conversation.notice(
                        tr("This assistant cannot be stopped: its server has no way to. It goes on by itself.")
                    )
            case Problem(code, message) if self.artifacts.refused(code, message):
                pass
            case Usage():
                child = self._children.workflows.get(chat_id, "")
                if self._meter.measured(value, chat_id if child else "", child) and not child:
                    self.conversation.used(value)
                if self._partial:
                    self._rests()
            case Hidden("chat.resume_boundary") if self._only_looking:
                self._end_soon(_GRACE, Outcome("completed"))
            case Child() | Resumed() | Late():
                self._children.tell(value, self.conversation)
            case _:
                if isinstance(value, Problem) and value.fatal:
                    self._end_soon(_FAILED_GRACE, Outcome("failed", value.message))
                elif self._ending is not None and isinstance(value, _SIGNS_OF_LIFE):
                    self._ending.cancel()
                    self._ending = self._expected = None
                self.conversation.take(value)
                if isinstance(value, Piece):
                    self._meter.writes(len(value.content))
                elif isinstance(value, Said) and value.cancelled:
                    self._partial = True
                elif isinstance(value, Ask):
                    self._rests()

    def _end_soon(self, seconds: float, outcome: Outcome) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._expected = outcome
        if seconds == 0.0:
            self._end(outcome)
        else:
            self._ending = asyncio.get_running_loop().call_later(seconds, self._end, outcome)

    def _end(self, outcome: Outcome) -> None:
        if self._outcome is None:
            self._outcome = outcome
            self._over.set()

    # -- when the connection is gone ---------------------------------------------------------------------

    async def _afterwards(self, lost: LineLost) -> Outcome | None:
        """What became of the run after the connection was lost; None when it goes on on a new one."""
        if self._expected is not None:
            return self._expected
        before = self.conversation.status
        standing = await self._ask_how_it_stands()
        if standing.state == "running" and loss.may_reconnect() and not lost.oversized and not self._closing:
            failure = await self._reconnect(before)
            if failure is None or self._outcome is not None:
                return self._outcome
            standing = failure
        if standing.state == "completed":
            return Outcome("completed")
        told = lost.told or tr(_LOST)
        notice = f"{told} {tr('What had arrived is kept.')}"
        return Outcome("interrupted", told, notice, loss.choice(standing, oversized=lost.oversized))

    async def _ask_how_it_stands(self) -> loss.Standing:
        """The answer, with some patience for a runtime that is just coming back."""
        standing = await loss.how_it_stands(self.principal, self.chat)
        for pause in _ASK_AGAIN:
            if standing.state != "unknown" or self._closing:
                break
            self.conversation.set_status("connecting", tr("The connection was lost. Asking how the run stands…"))
            await self._pause(pause)
            standing = await loss.how_it_stands(self.principal, self.chat)
        return standing

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until we are told to let go."""
        await self._left.wait(seconds)

    async def _reconnect(self, before: str) -> loss.Standing | None:
        """Connect to a runtime that takes it again, with back-off (F-187). None: done, and a chat that was waiting
        ``before`` waits again; else how the run stands."""
        self.conversation.set_status("connecting", tr("The connection was lost. Connecting again…"))
        standing = loss.Standing("unknown")
        for pause in _AGAIN:
            await self._pause(pause)
            standing = await loss.how_it_stands(self.principal, self.chat)
            if standing.state in {"completed", "gone"} or self._closing or self._outcome is not None:
                return standing
            try:
                await self._connect()
            except (ShellError, LineLost, OSError, TimeoutError, WebSocketException) as error:
                log.info("upstream not reopened", chat=self.chat.chat_id, error=type(error).__name__)
            else:
                if self.conversation.ask is not None or before == "waiting":
                    self.conversation.set_status(before)
                return None
        return standing

    async def _answers_http(self) -> bool:
        return (await loss.how_it_stands(self.principal, self.chat)).state != "unknown"

    def _silent(self, silent: bool) -> None:
        told = tr(_NO_ANSWER)
        if silent or self.conversation.detail == told:
            self.conversation.set_status(self.conversation.status, told if silent else "")

    async def _watch(self) -> None:
        """Completion without a frame (protocol §0 fact 8): while nothing comes, ask how the run stands."""
        silent, pause = 0.0, _POLL_FIRST
        while True:
            self._heard = False
            await asyncio.sleep(_POLL_FIRST)
            silent += _POLL_FIRST
            if self._heard:
                silent, pause = 0.0, _POLL_FIRST
            elif silent >= pause:
                silent, pause = 0.0, min(pause * 2, _POLL_LONGEST)
                await self.poll()

    async def poll(self) -> None:
        """Ask the runtime once; a run it calls completed is completed here."""
        if (await loss.how_it_stands(self.principal, self.chat)).state == "completed":
            self._end(Outcome("completed"))

    async def _shut(self) -> None:
        open_bridges.discard(self)
        for timer in (self._ending, self._over_http, self._cut if self._cut is not asyncio.current_task() else None):
            if timer is not None:
                timer.cancel()
        if not self._closing:  # else the next start of the app finds the chat and says what became of it
            outcome = self._outcome or Outcome("failed", tr(_OUR_FAULT), f"{tr(_OUR_FAULT)} {tr('What had arrived is kept.')}")
            undelivered = [f"“{one.text}”" for one in self._queue]
            self._queue.clear()
            if undelivered:
                self.conversation.notice(
                    tr("Not sent, because the run ended before the agent asked: {texts}", texts=joined(undelivered))
                )
            self.artifacts.over()
            self._meter.tell(self.conversation.finish(outcome.status, outcome.detail, outcome.notice))
            if outcome.choice is not None:
                self.conversation.offer(outcome.choice)
        if self._line is not None:
            await self._line.close()

    # -- which chat --------------------------------------------------------------------------------------

    async def _attached(self, meta: Meta) -> None:
        """Follow the runtime to the chat it attached us to (protocol §0 fact 4), unless it is not ours to follow."""
        if meta.chat_id and meta.chat_id != self.chat.runtime_chat_id:
            log.warning("runtime chose another chat", asked=self.chat.runtime_chat_id, got=meta.chat_id)
        refused = await refusal(self.principal, self.chat, meta)
        if refused is not None:
            self._end(refused)
            return
        if meta.chat_id and meta.chat_id != self.chat.runtime_chat_id:
            self.chat = replace(self.chat, runtime_chat_id=meta.chat_id)
            change = update(Chat).where(col(Chat.id) == self.chat.chat_id)
            self.channel.write(change.values(runtime_chat_id=meta.chat_id))
        self._meter.begin()  # what is being written is told from its beginning
        if self.conversation.status == "connecting":
            self.conversation.set_status("running")

    async def _spawned(self, value: Spawned) -> None:
        """Chats the run started beside this one are this person's from now on (F-189)."""
        try:
            await self._children.take_over(self.principal, self.chat, value, self.conversation)
        except Exception:
            self.conversation.hidden["frame that failed"] += 1
            log.exception("spawned chat not taken over", chat=self.chat.chat_id)

    # -- tokens ------------------------------------------------------------------------------------------

    def exhausted(self, reason: str) -> None:
        """The budget is used up: have the runtime stop, keep what was written, and end the chat as stopped (F-253)."""
        if self._cut is None and self._outcome is None and self._line is not None:
            self._cut = background(self._cut_off(reason))

    async def _cut_off(self, reason: str) -> None:
        told = reason or tr("The token budget is used up.")
        if self._stoppable:
            self._cancel_sent, self._partial = time.monotonic(), False
            self._at_rest = Once()
            try:
                await self._send(protocol.cancel(self.chat.runtime_chat_id))
                if self.conversation.ask is None:
                    await self._at_rest.wait(_CUT_WITHIN)
            except RunEnded:
                pass
        kept = tr("What was written so far is kept.")
        if not self._stoppable:
            kept += " " + tr("The assistant's server has no way to stop; what it still does is not shown.")
        self._end(Outcome("stopped", told, f"{told} {kept}"))

    # -- what the person does ----------------------------------------------------------------------------

    async def say(self, text: str, message_id: str) -> None:
        """Answer the pending question with this text, begin a run that waits for one, or keep it until the run asks.

        A text that answers nothing is never sent over the socket: the published runtime would store and echo it, and
        no agent would see it (protocol §0 fact 6). A repeated id does nothing.

        Raises:
            RunEnded: there is no run any more.
            NotListening: too much is waiting already.
        """
        await self._demand_budget()
        if message_id in self._said_ids:
            return
        ask = self.conversation.ask
        if ask is None and len(self._queue) >= _QUEUED_AT_MOST:
            raise NotListening(tr("The agent is busy. Please wait until it asks."))
        self._said_ids.add(message_id)
        if ask is None and await self._begins_with_text():
            self.conversation.user_said(text, message_id)
            await self.channel.settled()
            self._over_http = background(self._say_over_http(text, message_id))
        elif self.conversation.ask is not None:
            await self._answer(text, message_id)
        else:
            self._queue.append(_Queued(text, message_id))
            self.conversation.user_said(text, message_id, queued=True)
            self.conversation.set_status(self.conversation.status, tr(_SENT_LATER))

    async def turn_to(self, mode: str) -> None:
        """Tell the runtime that the person went to the assistant (``ask``) or came back (``workflow``), if it is news to it.

        Their texts go on as they did: what answers no question of this run is never sent over this socket.

        Raises:
            RunEnded: there is no run any more.
        """
        if mode != self._mode:
            self._demand_run()
            await self._send(protocol.mode_told(self.chat.runtime_chat_id, mode))
            self._mode = mode

    async def _begins_with_text(self) -> bool:
        """Whether nothing runs, and the workflow begins with a text over the HTTP input route."""
        if self._working or self._over_http is not None:
            return False
        if self._waits_for_text is None:
            self._waits_for_text = await first_text.waited_for(self.principal, self.chat)
        return bool(self._waits_for_text) and not self._working and self._over_http is None and self.conversation.ask is None

    async def _say_over_http(self, text: str, message_id: str) -> None:
        self.conversation.set_status("running")
        refused = await first_text.send(self.principal, self.chat, text)
        if refused is not None and self._outcome is None and not self._working:
            self.conversation.undelivered(message_id, text)
            self.conversation.notice(tr("This was not delivered: {reason}", reason=refused.message))
            self._over_http = None  # the next text may try again

    async def _answer(self, text: str, message_id: str, *, shown: bool = False) -> None:
        ask = self.conversation.ask
        assert ask is not None
        if not shown:
            self.conversation.user_said(text, message_id, secret=ask.password, label=ask.label(text))
        self.conversation.answered(message_id, MASK if ask.password else text)
        await self.channel.settled()
        await self._submit(text, ask)

    async def _submit(self, text: str, ask: Ask) -> None:
        context = await self._context(self.principal)
        if self.given:
            context = {**context, "input": self.given}
        await self._send(protocol.submit(self.chat.runtime_chat_id, text, ask.id, context))

    async def _deliver(self) -> None:
        """The run asks and a text waits: send it. A password question gets no text that was meant for something else."""
        try:
            await self._demand_budget()  # else it stays, and is told to be undelivered
            ask = self.conversation.ask
            if ask is not None and not ask.password and self._queue:
                one = self._queue.popleft()
                await self._answer(one.text, one.message_id, shown=True)
        except ShellError as error:
            log.warning("queued message not delivered", chat=self.chat.chat_id, code=error.code)

    async def answer_tool(self, tool: Tool, response: dict[str, Any], summary: str) -> None:
        """Send the answer of a UI tool and show it as answered. The caller made sure that it happens once."""
        await self._demand_budget()
        self.conversation.tool_sent(tool, summary)
        await self.channel.settled()
        await self._send(protocol.tool_response(self.chat.runtime_chat_id, tool.id, tool.component, response))

    async def send_frame(self, frame: str) -> None:
        """Send a frame, if the run may go on and spend."""
        await self._demand_budget()
        await self._send(frame)

    async def stop(self, turn: str = "") -> None:
        """Ask the runtime to stop writing; with ``turn`` only the answer to that text, if it is still being written.

        Raises:
            RunEnded: there is no run any more.
            CannotStop: this runtime said before that it cannot.
        """
        self._demand_run()
        if turn and not self.conversation.answers(turn):
            return
        if not self._stoppable:
            raise CannotStop(tr("This assistant cannot be stopped."))
        self._cancel_sent = time.monotonic()
        await self._send(protocol.cancel(self.chat.runtime_chat_id))

    def _rests(self) -> None:
        if self._at_rest is not None:
            self._at_rest.set()

    def _just_cancelled(self) -> bool:
        recent = self._cancel_sent and time.monotonic() - self._cancel_sent < _CANCEL_WINDOW
        self._cancel_sent = 0.0
        return bool(recent)

    async def _demand_budget(self) -> None:
        """Before the runtime may go on, what it measured counts: nobody overtakes the ledger (F-253)."""
        await self._meter.counted()
        if self._cut is not None:
            raise RunEnded(tr("The token budget is used up."))
        self._demand_run()

    def _demand_run(self) -> None:
        if self._outcome is not None or self._line is None:
            raise RunEnded(tr("This run has ended. Start a new chat to go on."))

    async def _send(self, frame: str) -> None:
        assert self._line is not None
        try:
            await self._line.send(frame)
        except LineLost:
            raise RunEnded(tr("The connection to the run was lost, so this was not delivered.")) from None


__all__ = ["Bridge", "CannotStop", "NotListening", "RunEnded"]
