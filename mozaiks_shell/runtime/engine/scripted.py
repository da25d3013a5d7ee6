"""Agents without a language model: they follow their ``script``, else what the definition makes sensible.

Nothing here pretends to think. Without a script an agent says once what it would do, calls each of its tools once with
values made from their schemas and the person's words, and then says what came back.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..folders.loader import Tool
from ..folders.models import PEOPLE_AND_ENDS, USER, Agent, Step
from ..folders.signatures import schema_of
from ..folders.structured import example, example_of
from ..streaming import words
from .session import Session, new_call_id

_SLOT = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_LONGEST_TOLD = 600


class Scripted:
    """One run's worth of memory: how far each agent is."""

    def __init__(self) -> None:
        self._turns: dict[str, int] = {}
        self._called: set[tuple[str, str]] = set()
        self._heard: dict[str, int] = {}

    async def turn(self, session: Session, agent: Agent) -> None:
        """The next turn of the script; after its end, and without one, the canned plan."""
        number = self._turns.get(agent.name, 0)
        self._turns[agent.name] = number + 1
        if number < len(agent.script):
            for step in agent.script[number]:
                await self._step(session, agent, step)
                if session.stopped or session.chosen:
                    return
            return
        await self._canned(session, agent, number)

    # -- a script ----------------------------------------------------------------------------------------

    async def _step(self, session: Session, agent: Agent, step: Step) -> None:
        def fill(value: Any) -> Any:
            return filled(value, session)

        if step.say is not None:
            await self._say(session, agent, str(fill(step.say)))
        elif step.ask is not None:
            text = await session.ask(str(fill(step.ask)))
            if step.into:
                session.set_variable(step.into, text)
        elif step.call is not None:
            await self._call(session, agent, step.call, fill(step.arguments), step.into)
        elif step.set is not None:
            for name, value in step.set.items():
                session.set_variable(name, fill(value))
        elif step.output is not None:
            await self._output(session, agent, fill(step.output))
        elif step.handoff is not None:
            low = step.handoff.lower()
            session.chosen = low if low in PEOPLE_AND_ENDS else step.handoff

    async def _say(self, session: Session, agent: Agent, text: str) -> None:
        await session.speak(agent, words(text, session.delay_ms))

    async def _call(self, session: Session, agent: Agent, name: str, arguments: dict[str, Any], into: str | None = None) -> str:
        self._called.add((agent.name, name))
        content = await session.calls.model(agent, name, arguments, new_call_id())
        if into:
            session.set_variable(into, _loaded(content))
        return content

    async def _output(self, session: Session, agent: Agent, output: dict[str, Any]) -> None:
        text = json.dumps(output, ensure_ascii=False, default=str)
        await session.speak(agent, words(text, 0))
        structured = session.structured(agent, text)
        if structured is not None:
            await session.use_output(agent, structured)
        elif session.output_of(agent) is not None:
            raise ScriptError(f"{agent.name}: the script's output does not fit its model")

    # -- the canned plan ---------------------------------------------------------------------------------

    async def _canned(self, session: Session, agent: Agent, number: int) -> None:
        said = session.last_user_text
        model = session.output_of(agent)
        if model is not None:
            await self._output(session, agent, example(model, said))
            return
        tools = [tool for tool in session.definition.tools_of(agent.name) if (agent.name, tool.name) not in self._called]
        if number == 0 and not said and session.human:
            if not session.greeted:
                await self._say(session, agent, _introduction(agent, session.definition.name))
            return
        for tool in tools:
            content = await self._call(session, agent, tool.name, arguments_for(tool, said))
            await self._say(session, agent, _report(tool, content))
            if session.stopped:
                return
        if tools:
            return
        if self._heard.get(agent.name) == len(session.lines_of_user):
            session.chosen = USER  # nothing new: agents without a model do not talk among themselves
            return
        self._heard[agent.name] = len(session.lines_of_user)
        await self._say(session, agent, _echo(agent, said))


class ScriptError(Exception):
    """A script contradicts its own definition; the run ends with a log entry."""


def filled(value: Any, session: Session) -> Any:
    """``{{name}}`` replaced by context variables and ``{{user_text}}``; a value that is one slot keeps its type."""
    if isinstance(value, dict):
        return {key: filled(one, session) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, session) for one in value]
    if not isinstance(value, str):
        return value
    if whole := _SLOT.fullmatch(value.strip()):
        return _slot(whole[1], session)
    return _SLOT.sub(lambda match: _text(_slot(match[1], session)), value)


def _slot(name: str, session: Session) -> Any:
    if name == "user_text":
        return session.last_user_text
    found: Any = session.context
    for part in name.split("."):
        found = found.get(part) if hasattr(found, "get") else None
    return found


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def arguments_for(tool: Tool, said: str) -> dict[str, Any]:
    """Arguments that fit the tool, texts being what the person said; optional ones are left out."""
    if tool.arguments is None:
        return {"title": tool.name, "message": said} if said else {"title": tool.name}
    schema = schema_of(tool.arguments)
    needed = set(schema.get("required", ()))
    properties = {name: one for name, one in schema.get("properties", {}).items() if name in needed}
    return {name: example_of(one, schema.get("$defs", {}), said, name) for name, one in properties.items()}


def _loaded(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def _introduction(agent: Agent, workflow: str) -> str:
    role = next((line.strip(" -*") for line in agent.prompt.splitlines() if line.strip() and not line.startswith("[")), "")
    told = f" My task: {role}" if role else ""
    return (
        f"I am **{agent.name}** of {workflow}. No language model is connected, so I follow the workflow as it is written.{told}"
    )


def _report(tool: Tool, content: str) -> str:
    result = _loaded(content)
    if isinstance(result, dict):
        if result.get("status") == "error":
            return f"**{tool.name}** did not work: {result.get('message') or 'no reason given'}."
        told = next((result[key] for key in ("message", "greeting", "summary", "result", "text") if result.get(key)), None)
        return _text(told) if told else f"**{tool.name}** is done."
    return _text(result)[:_LONGEST_TOLD] or f"**{tool.name}** is done."


def _echo(agent: Agent, said: str) -> str:
    noted = f"I noted: {said[:_LONGEST_TOLD]}\n\n" if said else ""
    return f"{noted}Without a language model there is nothing more **{agent.name}** can do here."
