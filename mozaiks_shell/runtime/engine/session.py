"""One run of a workflow folder: who speaks, what they may call, who is next (protocol §2.6, §6)."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from .. import frames
from ..folders.loader import Definition
from ..folders.models import TERMINATE, USER, Agent
from ..frames import Frame
from ..run import Run
from ..streaming import Answer, AnswerError, Meter, words, write
from . import helpers, wire
from .calls import Calls
from .conditions import compile_expression
from .context import ContextVariables, first_values, matches, triggers
from .fan import Fan, inherited

log = logging.getLogger(__name__)

MOST_TURNS = 200  # without max_turns: a group that talks to itself for ever is ended
AUTO_REPLIES = 20  # turns in a row without a person, unless the agent says otherwise
PROMPT = "Type your answer, or 'exit' to end the conversation."


@dataclass(frozen=True)
class Line:
    """One thing that was said; ``speaker`` is an agent, ``user``, or ``tool``."""

    speaker: str
    content: str


class Engine(Protocol):
    """What thinks for the agents of one run."""

    async def turn(self, session: Session, agent: Agent) -> None:
        """Let ``agent`` have its turn: speak through ``session.speak``, call tools through ``session.calls``, choose a
        hand-off by setting ``session.chosen``. Errors of a model are told by ``session.speak``; others end the run."""


class Session:
    """The state of one run, and the loop over its turns."""

    def __init__(self, run: Run, definition: Definition, engine: Engine, delay_ms: float) -> None:
        self.run, self.chat, self.definition, self.engine = run, run.chat, definition, engine
        self.delay_ms = delay_ms
        self.lines: list[Line] = []
        self.chosen: str | None = None
        self.stopped = False
        self.greeted = False
        self._acted: dict[str, Any] = {}
        self.context = ContextVariables(first_values(definition.variables, definition.folder))
        own = {"chat_id": self.chat.chat_id, "app_id": self.chat.app_id, "user_id": self.chat.user_id}
        self.context.update(inherited(self.chat.family) | own | {"workflow_name": definition.name})
        wanted = self.chat.family.get("initial_agent")
        self.first = wanted if wanted in definition.agents else definition.initial_agent
        self.fan = Fan(self)
        self.calls = Calls(self)
        told = definition.orchestrator
        self.human = told.human_in_the_loop and told.startup_mode != "BackendOnly"
        self._asked_by = self.first

    # -- the loop ----------------------------------------------------------------------------------------

    async def play(self) -> None:
        """Run to the end: ``exit``, a hand-off to ``terminate``, ``max_turns``, or nobody left to speak."""
        helpers.HOST.set(self.calls)
        await self._lifecycle("before_chat")
        try:
            await self._turns(await self._opening())
        finally:
            await self._lifecycle("after_chat")
            if self.chat.family:
                self.chat.result = {"data": self.fan.inheritance()}

    async def _opening(self) -> str:
        told = self.definition.orchestrator
        first = self.first
        started_by_text = bool(self.run.backlog)
        if self.seed and told.startup_mode != "UserDriven":
            self.chat.emit(frames.select_speaker(USER), keep=False)
            self._tell("user", USER, self.seed, {"seed": True})
            self.lines.append(Line(USER, self.seed))
            self.chat.emit(frames.run_start())
        if told.initial_message_to_user and not started_by_text:
            self.greeted = True
            await self.speak(self.agent(first), words(told.initial_message_to_user, self.delay_ms))
        if not self.human and started_by_text:
            await self.ask("")  # a run the back end started with a text
        return USER if told.startup_mode == "UserDriven" and self.human else first

    async def _turns(self, speaker: str) -> None:
        limit = self.definition.orchestrator.max_turns or MOST_TURNS
        alone: dict[str, int] = {}
        for _ in range(limit):
            if speaker == USER:
                speaker = await self._ask_user()
                alone.clear()
            self._take_actions()
            if speaker == TERMINATE:
                return
            agent = self.agent(speaker)
            early = self._handoff(agent.name, before=True)
            if early is not None and early != agent.name:
                speaker = early
                continue
            await self._agent_turn(agent)
            alone[agent.name] = alone.get(agent.name, 0) + 1
            speaker = self._next(agent)
            self.chat.emit(wire.unknown("AfterWorksTransitionEvent"))
            if speaker not in (USER, TERMINATE) and alone[agent.name] >= (agent.max_consecutive_auto_reply or AUTO_REPLIES):
                speaker = USER if self.human else TERMINATE
            if speaker != TERMINATE:
                self.chat.emit(frames.run_start())
        log.info("workflow %s reached its %d turns in chat %s", self.definition.name, limit, self.chat.chat_id)

    async def _agent_turn(self, agent: Agent) -> None:
        self.chosen, self.stopped = None, False
        await self._lifecycle("before_agent", agent.name)
        await self.engine.turn(self, agent)
        await self._lifecycle("after_agent", agent.name)

    def _next(self, agent: Agent) -> str:
        """Whose turn it is now; ``user`` without a person to ask means the end."""
        target = USER if self.stopped else self.chosen or self._handoff(agent.name) or (USER if self.human else TERMINATE)
        if target == USER:
            self._asked_by = agent.name
            return USER if self.human else TERMINATE
        return target

    def _handoff(self, source: str, *, before: bool = False) -> str | None:
        rules = [rule for rule in self.definition.handoffs if rule.source_agent.lower() == source.lower()]
        for rule in rules:
            if rule.handoff_type != "condition" or rule.by_model or (rule.condition_scope == "pre") != before:
                continue
            if compile_expression(rule.condition or "").true_for(self.context):
                return rule.target
        return None if before else next((rule.target for rule in rules if rule.handoff_type == "after_work"), None)

    async def _ask_user(self) -> str:
        await self.ask(PROMPT)
        self.chat.emit(wire.unknown("AfterWorksTransitionEvent"))
        self.chat.emit(frames.run_start())
        self._take_actions()
        target = self._handoff(USER)
        return self._asked_by if target in (None, USER) else target or TERMINATE

    def _take_actions(self) -> None:
        """What component actions set, for variables the workflow defines; a repeated run takes what it took then."""
        journal = self.chat.journal
        if journal.replaying:
            value = journal.steps[journal.at].body.get("value") if journal.steps[journal.at].kind == "once" else None
            if isinstance(value, dict) and "component" in value:
                self.context.update(self.chat.recall("once")["value"]["component"])
            return
        defined = {variable.name for variable in self.definition.variables}
        news = {key: value for key, value in self.chat.variables.items() if key in defined and self._acted.get(key) != value}
        if news:
            self._acted.update(news)
            self.chat.note("once", {"value": {"component": news}})
            for key, value in news.items():
                self.set_variable(key, value)

    # -- what engines use --------------------------------------------------------------------------------

    def agent(self, name: str) -> Agent:
        """An agent by its name."""
        return self.definition.agents[name]

    @property
    def seed(self) -> str | None:
        """The run's own first message; a child may have got one from its parent."""
        given: str | None = self.chat.family.get("initial_message")
        return given or self.definition.orchestrator.initial_message

    def output_of(self, agent: Agent) -> type[BaseModel] | None:
        """The model an agent's answers must fit, if any."""
        return self.definition.outputs.get(agent.name)

    def choices(self, agent: Agent) -> dict[str, str]:
        """Hand-offs a model decides: target to condition."""
        rules = self.definition.handoffs
        return {rule.target: rule.condition or "" for rule in rules if rule.source_agent == agent.name and rule.by_model}

    @property
    def last_user_text(self) -> str:
        """What the person said last; empty before that."""
        return next(reversed(self.lines_of_user), "")

    @property
    def lines_of_user(self) -> list[str]:
        """What the person said, the workflow's own first message left out."""
        seed = self.definition.orchestrator.initial_message
        return [line.content for line in self.lines if line.speaker == USER and line.content != seed]

    async def ask(self, prompt: str) -> str:
        """Ask the person and wait. Raises RunExit on ``exit``."""
        text = await self.run.ask(prompt)
        self.lines.append(Line(USER, text))
        for variable, trigger in triggers(self.definition.variables, "user_text"):
            if matches(trigger.match, text):
                self.set_variable(variable.name, trigger.value)
        return text

    async def speak(self, agent: Agent, source: AsyncIterator[str], meter: Meter | None = None) -> Answer:
        """Say ``source`` as it comes. Hidden agents leave a trace only; structured answers and possible signals are held
        back until they are complete. An empty answer shows nothing but its usage."""
        visible = self.definition.visible(agent.name)
        signals = [t for _, t in triggers(self.definition.variables, "agent_text") if t.agent == agent.name and t.ui_hidden]
        held = not visible or bool(signals) or self.output_of(agent) is not None
        past = self.chat.recall("said", "failed")
        if past is not None:  # said before this process began
            extra = past.get("extra") or {}
            error = AnswerError(past["code"], past["message"]) if "code" in past else None
            answer = Answer(past.get("content", ""), bool(extra.get("cancelled")), error)
        else:
            told = False

            def finish(text: str, extra: Frame) -> None:
                nonlocal told
                told = True
                self._show(agent, text, extra, visible, any(matches(trigger.match, text) for trigger in signals))

            meter = meter or Meter(prompt_text=self.last_user_text)
            answer = await write(self.chat, agent.name, source, meter, finish, held=held, lazy=True, announce=visible)
            if not told:
                failed = answer.error and {"code": answer.error.code, "message": answer.error.message}
                self.chat.note("failed" if failed else "said", failed or {"content": "", "extra": None})
        self.stopped = self.stopped or answer.cancelled or answer.error is not None
        if answer.text:
            self._heard(agent, answer.text)
        return answer

    def _show(self, agent: Agent, text: str, extra: Frame, visible: bool, signal: bool) -> None:
        structured = self.structured(agent, text)
        hidden = "ui_hidden_trigger" if signal else "auto_tool_mode" if agent.auto_tool_mode and structured is not None else ""
        hidden = hidden or ("" if visible else "non_visual_agent")
        if hidden:
            self.chat.note("said", {"content": text, "extra": extra})
            wire.trace(self.chat, agent.name, text, hidden)
            return
        flags: Frame = {"is_tool_agent": bool(self.definition.tools_of(agent.name))}
        shown = text
        if structured is not None:
            flags |= {"is_structured_capable": True, "structured_output": structured.model_dump(mode="json")}
            flags["structured_schema"] = type(structured).__name__
            shown = str(getattr(structured, "agent_message", None) or text)
        self.chat.note("said", {"content": text, "extra": extra})
        wire.say(self.chat, "assistant", agent.name, shown, extra, flags=flags)

    def _tell(self, role: str, agent: str, content: str, metadata: Frame) -> None:
        if self.chat.recall("said") is None:
            self.chat.note("said", {"content": content, "extra": metadata})
            wire.say(self.chat, role, agent, content, metadata)

    def _heard(self, agent: Agent, text: str) -> None:
        self.lines.append(Line(agent.name, text))
        for variable, trigger in triggers(self.definition.variables, "agent_text"):
            if trigger.agent == agent.name and matches(trigger.match, text):
                self.set_variable(variable.name, trigger.value)

    def structured(self, agent: Agent, text: str) -> BaseModel | None:
        """The answer as its model, or None when the agent has none or the text does not fit."""
        try:
            return self.validated(agent, text)
        except ValueError:
            return None

    def validated(self, agent: Agent, text: str) -> BaseModel | None:
        """Like :meth:`structured`, but says what is wrong. Raises ValueError with one line per mistake."""
        model = self.output_of(agent)
        if model is None:
            return None
        try:
            return model.model_validate(json.loads(_bare(text)))
        except ValidationError as error:
            raise ValueError("\n".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:8])) from None
        except ValueError:
            raise ValueError(f"The answer must be one JSON object of the model {model.__name__}.") from None

    async def use_output(self, agent: Agent, output: BaseModel) -> None:
        """In ``auto_tool_mode`` a structured answer is the arguments of the agent's tool; one may start child workflows."""
        offered = self.definition.tools_of(agent.name)
        tool = next((one for one in offered if one.entry.auto_invoke), offered[0] if offered else None)
        if agent.auto_tool_mode and tool is not None:
            await self.calls.auto(agent, tool, output)
        await self.fan.use(agent, output)

    def note_tool(self, name: str, content: str) -> None:
        """Remember a tool's result for the agents that speak later."""
        self.lines.append(Line("tool", f"{name} returned: {content}"))

    def note_children(self, summary: str) -> None:
        """Remember what child workflows came to."""
        self.lines.append(Line("workflows", summary))

    def set_variable(self, name: str, value: Any) -> None:
        """A trigger or a script sets a variable; clients hear of it."""
        if self.context.get(name) != value:
            self.context[name] = value
            self.chat.emit(wire.context_update(name, value))

    async def _lifecycle(self, trigger: str, agent: str | None = None) -> None:
        for hook, tool in self.definition.lifecycle:
            if hook.trigger == trigger and (agent is None or not hook.agents or agent in hook.agents):
                await self.calls.lifecycle(tool, trigger)


def new_call_id() -> str:
    """An id like the published runtime's."""
    return f"call_{uuid.uuid4().hex[:12]}"


def _bare(text: str) -> str:
    """JSON that a model wrapped in a Markdown fence, without the fence."""
    text = text.strip()
    if text.startswith("```"):
        text = text.removeprefix("```json").removeprefix("```").removesuffix("```")
    return text
