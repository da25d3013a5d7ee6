"""Calling tools: arguments checked, results shown, nothing a tool does ends the run."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from .. import frames
from ..folders.loader import Tool
from ..folders.models import Agent
from ..frames import Frame
from ..journal import PastDiffers
from . import helpers, wire
from .context import response_value, triggers

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger(__name__)
LONGEST_RESULT = 60_000


class ToolFailed(Exception):
    """A tool did not work; the message is for the agent and for people."""


class Calls:
    """The tools of one session. It is also the :class:`~.helpers.Host` its tools talk to."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._chat = session.chat
        self._speaking = session.definition.initial_agent

    async def model(self, agent: Agent, name: str, arguments: dict[str, Any] | str, call_id: str) -> str:
        """A call an agent asked for, with the frames around it. Returns what the agent is told; never raises for the tool."""
        session = self._session
        self._chat.emit(wire.native_tool_call())
        self._chat.emit(frames.run_start())
        self._chat.emit(wire.unknown("ExecuteFunctionEvent"))
        failed = False
        try:
            result = await self._called(agent, name, arguments)
        except ToolFailed as error:
            failed, result = True, {"status": "error", "message": str(error)}
            self._chat.emit(frames.failure(f"{name}: {error}", "TOOL_FAILED"))
        content = wire.json_text(result)[:LONGEST_RESULT]
        self._chat.emit(wire.unknown("ExecutedFunctionEvent"))
        self._chat.emit(wire.tool_result(call_id, content, failed=failed))
        self._chat.emit(frames.run_start())
        session.note_tool(name, content)
        return content

    async def auto(self, agent: Agent, tool: Tool, output: BaseModel) -> None:
        """A structured answer becomes a call (``auto_tool_mode``)."""
        arguments = output.model_dump(mode="json")
        call_id = f"auto_{uuid.uuid4().hex[:12]}"
        message = str(arguments.get("agent_message") or "")
        self._chat.emit(wire.auto_tool_call(call_id, tool.name, agent.name, arguments, message))
        failed = False
        try:
            result = await self._called(agent, tool.name, arguments)
        except ToolFailed as error:
            failed, result = True, {"status": "error", "message": str(error)}
            self._chat.emit(frames.failure(f"{tool.name}: {error}", "TOOL_FAILED"))
        content = wire.json_text(result)[:LONGEST_RESULT]
        self._chat.emit(wire.auto_tool_response(call_id, tool.name, agent.name, content, failed=failed))
        self._session.note_tool(tool.name, content)

    async def lifecycle(self, tool: Tool, trigger: str) -> None:
        """A tool the runtime calls by itself; a failing one is told and passed over."""
        try:
            await self._invoke(tool, {})
        except ToolFailed as error:
            log.warning("%s tool %s of %s: %s", trigger, tool.name, self._session.definition.name, error)
            self._chat.emit(frames.failure(f"{tool.name} ({trigger}): {error}", "LIFECYCLE_TOOL_FAILED"))

    async def _called(self, agent: Agent, name: str, arguments: dict[str, Any] | str) -> Any:
        self._speaking = agent.name
        offered = self._session.definition.tools_of(agent.name)
        tool = next((one for one in offered if name in (one.name, one.entry.component)), None)
        if tool is None:
            raise ToolFailed(f"{agent.name} has no tool of this name")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except ValueError:
                raise ToolFailed("the arguments are not JSON") from None
        if not isinstance(arguments, dict):
            raise ToolFailed("the arguments must be an object")
        if tool.function is None:
            return await self.show_and_wait(tool.entry.component or name, arguments, tool.entry.display)
        return await self._invoke(tool, arguments)

    async def _invoke(self, tool: Tool, arguments: dict[str, Any]) -> Any:
        """Run the function, once: after a restart a finished call is remembered, its changes of the context too.

        One that showed something is run again, and what it showed is answered already.
        """
        journal, context = self._chat.journal, self._session.context
        if journal.replaying and journal.steps[journal.at].kind == "once":
            done, recalled = self._chat.recall("once")["value"], True
        else:
            before = copy.deepcopy(dict(context))
            try:
                outcome: dict[str, Any] = {"result": await self._run(tool, arguments)}
            except ToolFailed as error:
                outcome = {"failed": str(error)}
            outcome = json.loads(json.dumps(outcome, ensure_ascii=False, default=str))
            changed = {key: value for key, value in context.items() if key not in before or before[key] != value}
            outcome["context"] = json.loads(json.dumps(changed, ensure_ascii=False, default=str))

            async def remember() -> dict[str, Any]:
                return outcome

            done = await self._chat.once(remember)
            recalled = False
        if recalled:
            context.update(done["context"])
        if "failed" in done:
            raise ToolFailed(done["failed"])
        return done["result"]

    async def _run(self, tool: Tool, arguments: dict[str, Any]) -> Any:
        return await call(tool, arguments, self._session.context, self._session.definition.name)

    # -- what tools ask for ------------------------------------------------------------------------------

    async def show_and_wait(self, component: str, payload: dict[str, Any], display: str | None) -> dict[str, Any]:
        """Show a component as the agent whose tool runs, and wait without limit (protocol §2.6)."""
        owner = next((tool for tool in self._session.definition.tools if tool.entry.component == component), None)
        display = display or (owner.entry.display if owner else "inline")
        try:
            payload = json.loads(json.dumps(payload, ensure_ascii=False, default=str))
        except (TypeError, ValueError) as error:
            raise helpers.UIToolError(f"the payload is not JSON: {error}") from None
        speaker = self._speaking if not owner or self._speaking in owner.entry.agents else owner.entry.agents[0]
        shown = self._chat.show(component, payload, display, speaker)
        response: Frame = dict(await shown.answer)
        if display == "inline":
            status = response.get("status")
            self._chat.emit(frames.ui_tool_complete(shown.id, component, status if isinstance(status, str) else "success"))
        names = {component, owner.name} if owner else {component}
        for variable, trigger in triggers(self._session.definition.variables, "ui_response"):
            if trigger.tool in names and (value := response_value(response, trigger.response_key)) is not None:
                self._session.set_variable(variable.name, value)
        return response | {"ui_event_id": shown.id}

    def progress(self, tool: str, percent: float, message: str, corr: str | None) -> None:
        """Tell how far a tool is."""
        self._chat.emit(wire.tool_progress(self._chat.chat_id, tool, percent, message, corr))


async def call(tool: Tool, arguments: dict[str, Any], context: Any, workflow: str) -> Any:
    """Call the function of a tool; a sync one in a thread, so that none blocks the runtime.

    Raises:
        ToolFailed: the arguments do not fit, or it did not work.
    """
    assert tool.function is not None
    try:
        checked = tool.arguments.model_validate(arguments) if tool.arguments else None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:8])
        raise ToolFailed(f"the arguments do not fit: {wrong}") from None
    given = {name: getattr(checked, name) for name in type(checked).model_fields} if checked else {}
    given |= (checked.model_extra or {}) if checked else {}
    if tool.wants_context:
        given["context_variables"] = context
    try:
        if inspect.iscoroutinefunction(tool.function):
            return await tool.function(**given)
        result = await asyncio.to_thread(tool.function, **given)
        return await result if inspect.isawaitable(result) else result
    except (asyncio.CancelledError, PastDiffers):
        raise
    except (Exception, SystemExit) as error:
        log.warning("tool %s of %s failed", tool.name, workflow, exc_info=error)
        raise ToolFailed(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from None
