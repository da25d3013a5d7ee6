"""A workflow folder as one of the runtime's workflows."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..chat import Chat
from ..engine.ag2 import Ag2Engine
from ..engine.ag2 import available as ag2_available
from ..engine.calls import ToolFailed, call
from ..engine.context import ContextVariables
from ..engine.openai import OpenAIEngine
from ..engine.scripted import Scripted
from ..engine.session import Engine, Session
from ..folders.loader import Definition, Tool
from ..folders.models import ToolEntry
from ..frames import Frame
from ..llm import LanguageModel
from ..run import Run
from .base import UiToolSpec, Workflow

EngineName = Literal["auto", "scripted", "openai", "ag2"]


@dataclass(frozen=True)
class FolderWorkflow(Workflow):
    """Offers what :class:`Workflow` offers, from a :class:`Definition`."""

    definition: Definition | None = None

    @property
    def takes_a_seed(self) -> bool:
        """As published, unless a text of its person begins it."""
        return self.definition is not None and self.definition.orchestrator.startup_mode != "UserDriven"

    async def act(self, chat: Chat, tool: str, params: Frame) -> Any:
        """As of any workflow: the folder's tools that have a function. What they set in the context reaches the run."""
        assert self.definition is not None
        named = (one for one in self.definition.tools if tool in (one.name, one.entry.function, one.entry.component))
        found = next((one for one in named if one.function is not None), None)
        if found is None:
            raise ToolFailed("There is no such tool.")
        own = {"chat_id": chat.chat_id, "app_id": chat.app_id, "user_id": chat.user_id, "workflow_name": self.name}
        context = ContextVariables(chat.variables | own)
        result = await call(found, params, context, self.name)
        news = {key: value for key, value in context.items() if key not in own and chat.variables.get(key) != value}
        if news:
            chat.set_variables(json.loads(json.dumps(news, ensure_ascii=False, default=str)))
        return result

    def config(self) -> Frame:
        """The merged object of the folder's files."""
        assert self.definition is not None
        return self.definition.merged | {"workflow_name": self.name}

    def tools(self) -> list[Frame]:
        """Rows of GET /api/workflows/{wf}/tools."""
        assert self.definition is not None
        return [self._row(tool) for tool in self.definition.tools]

    def ui_tool_rows(self) -> list[Frame]:
        """Rows of GET /api/workflows/{wf}/ui-tools."""
        assert self.definition is not None
        entries = [(tool.entry, agent) for tool in self.definition.tools if tool.entry.is_ui for agent in tool.entry.agents]
        return [
            {
                "ui_tool_id": entry.component or entry.name,
                "component": entry.component,
                "mode": entry.display,
                "agent": agent,
                "workflow": self.name,
            }
            for entry, agent in entries
        ]

    def _row(self, tool: Tool) -> Frame:
        entry: ToolEntry = tool.entry
        stem = (entry.file or "").replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
        agents = entry.agents
        return {
            "tool_id": entry.component if entry.is_ui and entry.component else entry.name,
            "fn": entry.function,
            "agent": agents[0] if len(agents) == 1 else agents,
            "path": f"workflows.{self.name}.tools.{stem}:{entry.function}" if stem else None,
            "component": entry.component,
            "mode": entry.display if entry.is_ui else None,
            "classification": "ui" if entry.is_ui else "agent",
            "tool_type": entry.tool_type or ("UI_Tool" if entry.is_ui else "Agent_Tool"),
        }


def from_definition(definition: Definition, engine: EngineName, delay_ms: float) -> FolderWorkflow:
    """The workflow of a definition; ``engine`` is what thinks for its agents."""

    async def body(run: Run) -> None:
        await Session(run, definition, choose(engine, run.assistant.model), delay_ms).play()

    told = definition.orchestrator
    return FolderWorkflow(
        name=definition.name,
        title=told.title or definition.name,
        description=told.description,
        agent=definition.initial_agent,
        body=body,
        initial_message_to_user=told.initial_message_to_user or "",
        entry_point=told.entry_point,
        ui_tools=tuple(_spec(tool.entry) for tool in definition.tools if tool.entry.is_ui),
        definition=definition,
    )


def _spec(entry: ToolEntry) -> UiToolSpec:
    return UiToolSpec(entry.component or entry.name, entry.display, entry.description)


def choose(name: EngineName, model: LanguageModel | None) -> Engine:
    """The engine for one run. Without a language model agents are scripted, whatever is wished; ``auto`` prefers AG2."""
    if model is None or name == "scripted":
        return Scripted()
    if name == "ag2" or (name == "auto" and ag2_available()):
        return Ag2Engine(model)
    return OpenAIEngine(model)


def without_entry_point(workflow: Workflow) -> Workflow:
    """The same workflow, not offered first."""
    return replace(workflow, entry_point=False)
