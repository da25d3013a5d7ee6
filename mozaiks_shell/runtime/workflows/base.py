"""What a workflow is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..chat import Chat
from ..engine.calls import ToolFailed
from ..frames import Frame
from ..run import Run


@dataclass(frozen=True)
class UiToolSpec:
    """A UI tool a workflow shows: the component type and where it appears."""

    component: str
    display: str
    description: str


Action = Callable[[Chat, Frame], Awaitable[Any]]


@dataclass(frozen=True)
class Workflow:
    """A named async function over a :class:`~mozaiks_shell.runtime.run.Run`."""

    name: str
    title: str
    description: str
    agent: str
    body: Callable[[Run], Awaitable[None]]
    initial_message_to_user: str
    entry_point: bool = False
    ui_tools: tuple[UiToolSpec, ...] = field(default=())
    actions: Mapping[str, Action] = field(default_factory=dict)

    @property
    def takes_a_seed(self) -> bool:
        """Whether a text it is started with becomes its own first message; else it answers the run's first question."""
        return False

    async def act(self, chat: Chat, tool: str, params: Frame) -> Any:
        """Call a tool for an artifact; ``{"artifact_update": {"mode", "payload"}}`` in what it returns changes the artifact.

        Raises:
            ToolFailed: there is none of this name, or it did not work.
        """
        found = self.actions.get(tool)
        if found is None:
            raise ToolFailed("There is no such tool.")
        return await found(chat, params)

    def config(self) -> Frame:
        """The entry of GET /api/workflows (protocol §6). There are no prompts to hide."""
        return {
            "workflow_name": self.name,
            "title": self.title,
            "description": self.description,
            "entry_point": self.entry_point,
            "max_turns": None,
            "human_in_the_loop": True,
            "startup_mode": "AgentDriven",
            "orchestration_pattern": "DefaultPattern",
            "initial_message": None,
            "initial_message_to_user": self.initial_message_to_user,
            "initial_agent": self.agent,
            "agents": [{"name": self.agent}],
            "tools": self.tools(),
            "visual_agents": [],
        }

    def tools(self) -> list[Frame]:
        """Rows of GET /api/workflows/{wf}/tools."""
        return [
            {
                "tool_id": tool.component,
                "fn": tool.component,
                "agent": self.agent,
                "path": None,
                "component": tool.component,
                "mode": tool.display,
                "classification": "ui",
                "tool_type": "UI_Tool",
            }
            for tool in self.ui_tools
        ]

    def ui_tool_rows(self) -> list[Frame]:
        """Rows of GET /api/workflows/{wf}/ui-tools."""
        return [
            {
                "ui_tool_id": tool.component,
                "component": tool.component,
                "mode": tool.display,
                "agent": self.agent,
                "workflow": self.name,
            }
            for tool in self.ui_tools
        ]
