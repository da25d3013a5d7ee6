"""A runtime over HTTP, in the dialect it speaks (F-150), and what its refusals mean to a person (F-152)."""

import asyncio
import math
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mozaiks_shell.broker.adapters.answers import chat_id_in, meta_in, rows_in
from mozaiks_shell.broker.adapters.dialects import FOUNDING, PUBLISHED, Dialect, Name, path, verdict
from mozaiks_shell.broker.adapters.transport import Transport
from mozaiks_shell.foundation.errors import NotFound, ShellError, Unavailable
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import get_settings

log = get_logger("broker")

_REMEMBERED: Final = 512  # chats handed out lately
_LIST_SECONDS: Final = 30.0  # how long the names of workflows are believed
_LIST_AGAIN: Final = 1.0  # how soon after that a name that is not among them is asked for again
_Call = Callable[[Dialect], Awaitable[dict[str, Any]]]


class HttpRuntime:
    """Implements :class:`mozaiks_shell.broker.ports.Runtime`. Keeps its connections; close it at the end."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.transport = Transport(base_url)
        said = get_settings().ai_dialect
        known: dict[str, Dialect] = {"published": PUBLISHED, "founding": FOUNDING}
        self._dialect = known.get(said)
        self._given: OrderedDict[str, str] = OrderedDict()
        self._names: frozenset[str] = frozenset()
        self._listed = -math.inf
        self._listing = asyncio.Lock()

    @property
    def dialect(self) -> Name | None:
        """The dialect that was set or learned; None before the first answer."""
        return self._dialect.name if self._dialect else None

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    async def start(self, app_id: str, workflow: str, user_id: str, token: str, request_id: str) -> str:
        """Make a chat, at first always with ``force_new``: reuse is decided by our own idempotency key, because the runtime
        would also merge two tabs that meant two chats.

        When the connection broke and nobody knows whether the first try arrived, the second one goes without
        ``force_new``: the chat of the first, if there is one, comes back as ``reused``. One that another request was
        given meanwhile is not taken.
        """
        try:
            answer = await self._start(app_id, workflow, user_id, token, request_id, True)
        except Unavailable as error:
            if error.__cause__ is None or not self.transport.circuit.may_pass():
                raise
            await asyncio.sleep(random.uniform(0.1, 0.3))
            answer = await self._start(app_id, workflow, user_id, token, request_id, False)
            if answer.get("reused") is True and self._given.get(chat_id_in(answer), request_id) != request_id:
                answer = await self._start(app_id, workflow, user_id, token, request_id, True)
        chat_id = chat_id_in(answer)
        self._given[chat_id] = request_id
        while len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)
        return chat_id

    async def _start(
        self, app_id: str, workflow: str, user_id: str, token: str, request_id: str, force_new: bool
    ) -> dict[str, Any]:
        async def call(dialect: Dialect) -> dict[str, Any]:
            where, body = dialect.start(app_id, workflow, user_id, request_id, force_new)
            return await self.transport.json("POST", where, token, body)

        return await self._spoken(call)

    async def meta(self, app_id: str, workflow: str, chat_id: str, token: str) -> dict[str, Any]:
        """What the runtime knows of a chat: ``exists``, and ``status`` 0 in progress, 1 completed."""

        async def call(dialect: Dialect) -> dict[str, Any]:
            try:
                return await self.transport.json("GET", dialect.meta(app_id, workflow, chat_id), token, repeat=True)
            except NotFound:
                if self._dialect is FOUNDING:
                    return {"exists": False}
                raise

        return meta_in(await self._spoken(call))

    async def available(self, app_id: str, workflow: str, user_id: str, token: str) -> tuple[bool, str]:
        """Whether the runtime lets this person run the workflow, and its reason if not (F-160).

        A published runtime without the platform part has no such route and gates nothing.
        """

        async def call(dialect: Dialect) -> dict[str, Any]:
            where, params = dialect.eligible(app_id, workflow, user_id)
            try:
                return await self.transport.json("GET", where, token, repeat=True, params=params, wraps=True)
            except NotFound:
                if self._dialect is not None:
                    return {}
                raise

        try:
            answer = await self._spoken(call)
        except NotFound:
            return True, ""
        return verdict(answer, workflow, self.dialect or "published")

    async def workflows(self, token: str) -> dict[str, Any]:
        """Configuration of every workflow by name. The published runtime tells prompts in full here: not for browsers."""
        answer = await self.transport.json("GET", "/api/workflows", token, repeat=True)
        listed = rows_in(answer, "workflows")
        found = {str(one.get("workflow_name") or one.get("name") or one.get("id")): one for one in listed} if listed else answer
        self._names, self._listed = frozenset(found), time.monotonic()
        return found

    async def knows(self, workflow: str, token: str) -> bool:
        """Whether the runtime has this workflow. Its start says 200 to any name, and the run then fails.

        What it has is asked once for everybody, every half minute, and sooner when a workflow seems to be missing. True when
        that cannot be told: it lists none, has no such route, or does not answer.
        """
        if self._believed(workflow):
            return True
        async with self._listing:
            if not self._believed(workflow) and time.monotonic() - self._listed >= _LIST_AGAIN:
                try:
                    await self.workflows(token)
                except Unavailable:
                    return True  # the start itself will say so
                except ShellError:
                    self._names, self._listed = frozenset(), time.monotonic()
        return not self._names or workflow in self._names

    def _believed(self, workflow: str) -> bool:
        recent = time.monotonic() - self._listed < _LIST_SECONDS
        return recent and (not self._names or workflow in self._names)

    async def health(self, token: str) -> dict[str, Any]:
        """GET /api/health."""
        return await self.transport.json("GET", "/api/health", token, repeat=True)

    async def execute(self, body: dict[str, Any], token: str, seconds: float) -> dict[str, Any]:
        """POST /api/workflows/execute. One request, never repeated."""
        return await self.transport.json("POST", "/api/workflows/execute", token, body, seconds=seconds)

    async def say(
        self, app_id: str, workflow: str, chat_id: str, user_id: str, message: str, token: str, seconds: float
    ) -> dict[str, Any]:
        """POST /chat/{app}/{chat}/{user}/input: answer the pending question, or begin a run.

        The published runtime keeps this request open until the run pauses or ends.
        """
        body = {"message": message, "workflow_name": workflow}
        where = path("chat", app_id, chat_id, user_id, "input")
        return await self.transport.json("POST", where, token, body, seconds=seconds, wraps=True)

    async def fetch(self, where: str, token: str, largest: int, seconds: float | None = None) -> tuple[int, bytes]:
        """GET a path of the runtime: status and content, for artifacts. Never another host: ``where`` begins with one slash."""
        if not where.startswith("/") or where.startswith("//"):
            raise ValueError("not a path of the runtime")
        raw = await self.transport.ask("GET", where, token, repeat=True, largest=largest, seconds=seconds)
        return raw.status, raw.body

    async def _spoken(self, call: _Call) -> dict[str, Any]:
        """Call in the dialect that is known; else in both, and remember the one that is there."""
        if self._dialect is not None:
            return await call(self._dialect)
        try:
            answer = await call(PUBLISHED)
        except NotFound as absent:
            try:
                answer = await call(FOUNDING)
            except NotFound:
                raise absent from None
            self._learned(FOUNDING)
            return answer
        self._learned(PUBLISHED)
        return answer

    def _learned(self, dialect: Dialect) -> None:
        if self._dialect is None:
            self._dialect = dialect
            log.info("the runtime's dialect is known", url=self.base_url, dialect=dialect.name)
