"""The upstream side of a chat: one WebSocket to the runtime, owned by the server and open while browsers come and go.

It is never reopened on its own: reconnecting can hang or corrupt published runtimes (protocol §2.8). When it is
lost, the runtime is asked over HTTP how the run stands and the person is told the truth.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import col
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat import protocol
from mozaiks_shell.chat.conversation import Conversation
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.chat.protocol import Ask, Ended, Meta, Piece, Problem, Said, Tool, Upstream, Usage
from mozaiks_shell.chat.transcript import Transcript
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, ShellError, Unavailable
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("chat")

MAX_FRAME: Final = 8 * 1024 * 1024
_OPEN_WITHIN = 15.0  # seconds for the handshake and the first frame
_QUEUE = 64  # frames read ahead of us; beyond that TCP slows the runtime down
_GRACE = 0.3  # after AG2's last event an error may still follow
_FAILED_GRACE = 3.0  # after a fatal error the run may still go on
_POLL_FIRST, _POLL_LONGEST = 15.0, 300.0
_CANCEL_WINDOW = 5.0
_QUEUED_AT_MOST = 5
_SENT_LATER = "Your message will be sent as soon as the agent asks."
_OUR_FAULT = "Something went wrong on our side."
_SIGNS_OF_LIFE = (Piece, Said, Ask, Tool)

# The library would log the address of the handshake, and with it the token, when somebody turns on debug logs.
_QUIET = logging.getLogger("mozaiks_shell.chat.upstream")
_QUIET.setLevel(logging.WARNING)
_tasks: set[asyncio.Task[Any]] = set()


def _background(work: Coroutine[Any, Any, Any]) -> None:
    """Run something nobody waits for, and keep it from being collected meanwhile."""
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _explain(error: Exception) -> str:
    """Why the socket could not be opened, in words for a person."""
    if isinstance(error, ShellError):
        return error.message
    if isinstance(error, InvalidStatus) and error.response.status_code == 403:
        # Published runtimes answer every refusal of the handshake alike (protocol §0 fact 3).
        return "The assistant's server refused this conversation: it does not accept this app's credentials for it."
    if isinstance(error, InvalidStatus):
        return f"The assistant's server refused the connection (HTTP {error.response.status_code})."
    if isinstance(error, TimeoutError):
        return "The assistant's server did not answer in time."
    return "The assistant is not reachable right now. Please try again in a moment."


class NotListening(Conflict):
    code = "NOT_LISTENING"


class RunEnded(Conflict):
    code = "RUN_ENDED"


class CannotStop(Conflict):
    code = "CANNOT_STOP"


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
        self._socket: ClientConnection | None = None
        self._queue: deque[_Queued] = deque()
        self._said_ids: set[str] = set()
        self._usage_seen: set[str] = set()
        self._usage_turn = asyncio.Lock()  # keeps the order in which the runtime measured
        self._ending: asyncio.TimerHandle | None = None
        self._expected: tuple[str, str, str] | None = None
        self._cancel_sent = 0.0
        self._stoppable = True
        self._heard = asyncio.Event()
        self._over = asyncio.Event()
        self._outcome: tuple[str, str, str] | None = None
        self._closing = False

    @property
    def over(self) -> bool:
        """Whether the run has ended for us."""
        return self._outcome is not None

    # -- life --------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and wait for the first frame, which usually says which chat we are attached to.

        Raises:
            Unavailable: refused, unreachable or silent; the chat's status tells why.
        """
        try:
            session = await broker.connect(self.principal, self.chat)
            async with asyncio.timeout(_OPEN_WITHIN):
                self._socket = await connect(
                    f"{session.ws_url}?access_token={session.token}",
                    max_size=MAX_FRAME,
                    max_queue=_QUEUE,
                    compression=None,
                    open_timeout=_OPEN_WITHIN,
                    close_timeout=2,
                    ping_interval=60,
                    ping_timeout=None,  # a runtime busy in an agent answers late; that is no reason to give a run up
                    user_agent_header="mozaiks-shell",
                    proxy=None,
                    logger=_QUIET,
                )
                self._take(protocol.read(await self._socket.recv(decode=False)))
        except (ShellError, OSError, TimeoutError, WebSocketException) as error:
            reason = _explain(error)
            log.warning("upstream not opened", chat=self.chat.chat_id, reason=reason, error=type(error).__name__)
            self._outcome = ("failed", reason, "")
            await self._shut()
            raise Unavailable(reason, code="RUN_NOT_OPENED", chat_id=self.chat.chat_id) from None

    async def run(self) -> None:
        """Read until the run is over or the connection is lost, then say how it ended."""
        tasks = [asyncio.create_task(work) for work in (self._read(), self._over.wait(), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._outcome is None and not self._closing:
                self._outcome = await self._verdict()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._shut()

    async def close(self) -> None:
        """Let go of the run because the process ends. What is shown stays as it stands."""
        self._closing = True
        if self._socket is not None:
            await self._socket.close(1001)

    async def _read(self) -> None:
        socket = self._socket
        assert socket is not None
        try:
            while self._outcome is None and self.channel.broken is None:
                raw = await socket.recv(decode=False)
                self._heard.set()
                value = protocol.read(raw)
                self._take(value)
                if isinstance(value, Ask) and self._queue:
                    await self._deliver()
                await self._transcript.breathe()
        except ConnectionClosed as error:
            log.info("upstream closed", chat=self.chat.chat_id, code=error.rcvd.code if error.rcvd else None)

    def _take(self, value: Upstream) -> None:
        match value:
            case Ended(certain):
                self._end_soon(0.0 if certain else _GRACE, ("completed", "", ""))
            case Problem("SCHEMA_VALIDATION_FAILED") if self._just_cancelled():
                self._stoppable = False
                self.conversation.notice("This assistant cannot be stopped: its server has no way to. It goes on by itself.")
            case Meta():
                self._attached(value)
            case Usage():
                self._usage(value)
            case _:
                if isinstance(value, Problem) and value.fatal:
                    self._end_soon(_FAILED_GRACE, ("failed", value.message, ""))
                elif self._ending is not None and isinstance(value, _SIGNS_OF_LIFE):
                    self._ending.cancel()
                    self._ending = self._expected = None
                self.conversation.take(value)

    def _end_soon(self, seconds: float, outcome: tuple[str, str, str]) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._expected = outcome
        if seconds == 0.0:
            self._end(outcome)
        else:
            self._ending = asyncio.get_running_loop().call_later(seconds, self._end, outcome)

    def _end(self, outcome: tuple[str, str, str]) -> None:
        if self._outcome is None:
            self._outcome = outcome
            self._over.set()

    async def _verdict(self) -> tuple[str, str, str]:
        """How the run stands after the connection was lost, as far as the runtime can be asked."""
        if self._expected is not None:
            return self._expected
        try:
            status = await broker.runtime_status(self.principal, self.chat)
        except ShellError:
            status = None
        if status == 1:
            return ("completed", "", "")
        lost = "The connection to the run was lost."
        return ("interrupted", lost, f"{lost} What had arrived is kept.")

    async def _watch(self) -> None:
        """Completion without a frame (protocol §0 fact 8): while nothing comes, ask how the run stands."""
        pause = _POLL_FIRST
        while True:
            self._heard.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._heard.wait()
                pause = _POLL_FIRST
                await asyncio.sleep(pause)
            except TimeoutError:
                pause = min(pause * 2, _POLL_LONGEST)
                await self.poll()

    async def poll(self) -> None:
        """Ask the runtime once; a run it calls completed is completed here."""
        try:
            if await broker.runtime_status(self.principal, self.chat) == 1:
                self._end(("completed", "", ""))
        except ShellError as error:
            log.info("run status unknown", chat=self.chat.chat_id, code=error.code)

    async def _shut(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        if not self._closing:  # else the next start of the app finds the chat and says what became of it
            status, detail, notice = self._outcome or ("failed", _OUR_FAULT, f"{_OUR_FAULT} What had arrived is kept.")
            undelivered = [f"“{one.text}”" for one in self._queue]
            self._queue.clear()
            if undelivered:
                self.conversation.notice(f"Not sent, because the run ended before the agent asked: {', '.join(undelivered)}")
            self.conversation.finish(status, detail, notice)
        if self._socket is not None:
            await self._socket.close()

    def _attached(self, meta: Meta) -> None:
        """Follow the runtime to the chat it attached us to (protocol §0 fact 4)."""
        if meta.chat_id and meta.chat_id != self.chat.runtime_chat_id:
            log.warning("runtime chose another chat", asked=self.chat.runtime_chat_id, got=meta.chat_id)
            self.chat = replace(self.chat, runtime_chat_id=meta.chat_id)
            change = update(Chat).where(col(Chat.id) == self.chat.chat_id)
            self.channel.write(change.values(runtime_chat_id=meta.chat_id))
        if self.conversation.status == "connecting":
            self.conversation.set_status("running")

    def _usage(self, usage: Usage) -> None:
        if usage.event_id in self._usage_seen:
            return
        self._usage_seen.add(usage.event_id)
        data = {**usage.data, "chat_id": self.chat.chat_id, "workflow": self.chat.workflow}
        _background(self._tell_usage(events.Event("chat.usage", self.principal.app_id, self.principal.user_id, data)))

    async def _tell_usage(self, event: events.Event) -> None:
        async with self._usage_turn:
            await events.publish(event)

    # -- what the person does ----------------------------------------------------------------------------

    async def say(self, text: str, message_id: str) -> None:
        """Answer the pending question with this text, or keep it until the run asks. A repeated id does nothing.

        Raises:
            RunEnded: there is no run any more.
            NotListening: too much is waiting already.
        """
        self._demand_run()
        if message_id in self._said_ids:
            return
        ask = self.conversation.ask
        if ask is None and len(self._queue) >= _QUEUED_AT_MOST:
            raise NotListening("The agent is busy. Please wait until it asks.")
        self._said_ids.add(message_id)
        if ask is None:
            self._queue.append(_Queued(text, message_id))
            self.conversation.user_said(text, message_id, queued=True)
            self.conversation.set_status(self.conversation.status, _SENT_LATER)
        else:
            await self._answer(text, message_id)

    async def _answer(self, text: str, message_id: str, *, shown: bool = False) -> None:
        ask = self.conversation.ask
        assert ask is not None
        if not shown:
            self.conversation.user_said(text, message_id, secret=ask.password)
        self.conversation.answered(message_id)
        await self.channel.settled()
        await self._send(protocol.submit(self.chat.runtime_chat_id, text, ask.id, await self._context(self.principal)))

    async def _deliver(self) -> None:
        """The run asks and a text waits: send it. A password question gets no text that was meant for something else."""
        ask = self.conversation.ask
        if ask is not None and not ask.password:
            one = self._queue.popleft()
            try:
                await self._answer(one.text, one.message_id, shown=True)
            except ShellError as error:
                log.warning("queued message not delivered", chat=self.chat.chat_id, code=error.code)

    async def answer_tool(self, tool: Tool, response: dict[str, Any], summary: str) -> None:
        """Send the answer of a UI tool and show it as answered. The caller made sure that it happens once."""
        self._demand_run()
        self.conversation.tool_sent(tool, summary)
        await self.channel.settled()
        await self._send(protocol.tool_response(self.chat.runtime_chat_id, tool.id, tool.component, response))

    async def stop(self) -> None:
        """Ask the runtime to stop writing.

        Raises:
            RunEnded: there is no run any more.
            CannotStop: this runtime said before that it cannot.
        """
        self._demand_run()
        if not self._stoppable:
            raise CannotStop("This assistant cannot be stopped.")
        self._cancel_sent = asyncio.get_running_loop().time()
        await self._send(protocol.cancel(self.chat.runtime_chat_id))

    def _just_cancelled(self) -> bool:
        recent = self._cancel_sent and asyncio.get_running_loop().time() - self._cancel_sent < _CANCEL_WINDOW
        self._cancel_sent = 0.0
        return bool(recent)

    def _demand_run(self) -> None:
        if self._outcome is not None or self._socket is None:
            raise RunEnded("This run has ended. Start a new chat to go on.")

    async def _send(self, frame: str) -> None:
        assert self._socket is not None
        try:
            await self._socket.send(frame)
        except ConnectionClosed:
            raise RunEnded("The connection to the run was lost, so this was not delivered.") from None
