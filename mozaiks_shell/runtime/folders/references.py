"""Whether the names in a workflow folder lead somewhere: agents, tools, models, expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Protocol

from ..engine.conditions import ExpressionError, compile_expression
from .models import PEOPLE_AND_ENDS, SOURCES, Agent, Handoff, LifecycleTool, Orchestrator, ToolEntry, Variable
from .problems import Where


class At(Protocol):
    """Notes a problem at a place in a file."""

    def __call__(self, name: str, where: Where, text: str, fix: str = "", *, fatal: bool = True) -> None: ...


def check_references(
    at: At,
    orchestrator: Orchestrator,
    agents: Sequence[tuple[Where, Agent]],
    handoffs: Sequence[tuple[Where, Handoff]],
    variables: Sequence[tuple[Where, Variable]],
    tools: Sequence[tuple[Where, ToolEntry]],
    lifecycle: Sequence[tuple[Where, LifecycleTool]],
    outputs: dict[str, Any],
) -> None:
    """Note every name that leads nowhere, through ``at``."""
    names = [agent.name for _, agent in agents]
    speakers = [*names, *PEOPLE_AND_ENDS]

    def agent(file: str, where: Where, name: str | None, allowed: Sequence[str] = speakers) -> None:
        if name is not None and name not in allowed and name.lower() not in (one for one in allowed if one in PEOPLE_AND_ENDS):
            at(file, where, f"there is no agent {name!r}.", _instead(name, allowed))

    agent("orchestrator", ("initial_agent",), orchestrator.initial_agent, names)
    for where, rule in handoffs:
        agent("handoffs", (*where, "source_agent"), rule.source_agent, [*names, "user"])
        agent("handoffs", (*where, "target_agent"), rule.target)
        if rule.handoff_type == "condition" and not rule.by_model:
            _expression(at, (*where, "condition"), rule.condition or "", {variable.name for _, variable in variables})
    for where, entry in tools:
        if not entry.agents:
            at("tools", where, "no agent may call it.", "Name one under 'agent'.")
        for name in entry.agents:
            agent("tools", (*where, "agent"), name, names)
    for where, hook in lifecycle:
        for name in hook.agents:
            agent("tools", (*where, "agent"), name, names)
    for name in outputs:
        agent("structured_outputs", ("registry", name), name, names)
    _variables(at, variables, agent)
    _scripts(at, agents, tools, speakers)


def _instead(name: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(name, allowed, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Define it in agents.yaml, or use one of: {', '.join(allowed)}."


def _expression(at: At, where: Where, text: str, known: set[str]) -> None:
    try:
        used = compile_expression(text).names
    except ExpressionError as error:
        at("handoffs", where, f"{text!r} cannot be understood: {error}.", "Write it like: ${ready} == True and ${count} > 2.")
        return
    for name in sorted(used - known):
        at("handoffs", where, f"no context variable is called {name!r}.", "Define it in context_variables.yaml.", fatal=False)


def _variables(at: At, variables: Sequence[tuple[Where, Variable]], agent: Any) -> None:
    for where, variable in variables:
        source = variable.source
        if source.type == "runtime":
            fix = f"The published runtime takes {', '.join(SOURCES)}; this one reads it as state."
            at("context_variables", (*where, "source", "type"), "'runtime' is no published source type.", fix, fatal=False)
        if source.type == "file" and not source.path:
            at("context_variables", (*where, "source", "path"), "a file source needs a 'path'.")
        for index, trigger in enumerate(source.triggers):
            place = (*where, "source", "triggers", index)
            agent("context_variables", (*place, "agent"), trigger.agent)
            if trigger.match and trigger.match.regex:
                try:
                    re.compile(trigger.match.regex)
                except re.error as error:
                    at("context_variables", (*place, "match", "regex"), f"is no regular expression: {error}.")


def _scripts(
    at: At, agents: Sequence[tuple[Where, Agent]], tools: Sequence[tuple[Where, ToolEntry]], speakers: list[str]
) -> None:
    for where, agent in agents:
        own = [entry for _, entry in tools if agent.name in entry.agents]
        offered = [name for entry in own for name in (entry.name, entry.component) if name]
        for number, turn in enumerate(agent.script):
            for index, step in enumerate(turn):
                place = (*where, "script", number, index)
                if step.call is not None and step.call not in offered:
                    at(
                        "agents",
                        place,
                        f"{agent.name} has no tool {step.call!r}.",
                        f"It has: {', '.join(dict.fromkeys(offered)) or 'none'}.",
                    )
                if step.handoff is not None and step.handoff not in speakers:
                    at("agents", place, f"there is no agent {step.handoff!r}.", _instead(step.handoff, speakers))
