"""The shapes of the files in a workflow folder (protocol §6).

Unknown keys are allowed, as the format grows; the loader mentions them. ``script`` is an addition of this runtime: what
an agent says and does when no language model is connected.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

USER, TERMINATE = "user", "terminate"
PEOPLE_AND_ENDS = (USER, TERMINATE)

Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(str.strip)]


def _flag(value: object) -> object:
    words = {"always": True, "never": False, "": False}
    return words.get(value.strip().lower(), value) if isinstance(value, str) else False if value is None else value


Flag = Annotated[bool, BeforeValidator(_flag)]


class Part(BaseModel):
    """Any object of a file."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class Orchestrator(Part):
    """``orchestrator.yaml``: how a run begins and goes on."""

    workflow_name: Name | None = None
    title: str = ""
    description: str = ""
    entry_point: Flag = False
    max_turns: Annotated[int, Field(ge=1, le=10_000)] | None = None
    human_in_the_loop: Flag = True
    startup_mode: Literal["AgentDriven", "UserDriven", "BackendOnly"] = "AgentDriven"
    orchestration_pattern: str = "DefaultPattern"
    initial_message_to_user: str | None = None
    initial_message: str | None = None
    initial_agent: Name | None = None
    runtime_extensions: list[Any] | None = None


class PromptSection(Part):
    """One paragraph of an agent's prompt."""

    id: str | None = None
    heading: str = ""
    content: str = ""


STEP_KEYS = ("say", "ask", "call", "set", "output", "handoff")


class Step(Part):
    """One step of a script; exactly one of the verbs. ``with`` are the arguments of ``call``."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    say: str | None = None
    ask: str | None = None
    call: str | None = None
    set: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    handoff: str | None = None
    into: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")

    @model_validator(mode="after")
    def _one_verb(self) -> Step:
        told = [key for key in STEP_KEYS if getattr(self, key) is not None]
        if len(told) != 1:
            raise ValueError(f"a step needs exactly one of: {', '.join(STEP_KEYS)}")
        return self


def _turn(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Turn = Annotated[list[Step], BeforeValidator(_turn)]


class Agent(Part):
    """One entry of ``agents.yaml``."""

    name: Name
    prompt_sections: list[PromptSection] = []
    system_message: str | None = None
    max_consecutive_auto_reply: Annotated[int, Field(ge=1, le=10_000)] | None = None
    auto_tool_mode: Flag = False
    structured_outputs_required: Flag = False
    image_generation_enabled: Flag = False
    script: list[Turn] = []

    @property
    def prompt(self) -> str:
        """The system message: the sections with their headings, else ``system_message``."""
        parts = [f"{section.heading}\n{section.content}".strip() for section in self.prompt_sections]
        return "\n\n".join(part for part in parts if part) or (self.system_message or "").strip()


class Handoff(Part):
    """One rule of ``handoffs.yaml``."""

    source_agent: Name
    target_agent: Name
    handoff_type: Literal["after_work", "condition"] = "after_work"
    condition_type: Literal["expression", "string_llm", "string", "llm"] | None = None
    condition_scope: str | None = None
    condition: str | None = None
    transition_target: str | None = None

    @model_validator(mode="after")
    def _has_condition(self) -> Handoff:
        if self.handoff_type == "condition" and not (self.condition or "").strip():
            raise ValueError("a rule of type condition needs a 'condition'")
        return self

    @property
    def target(self) -> str:
        """Who is next: an agent's name, ``user`` or ``terminate``."""
        special = {"reverttousertarget": USER, "terminatetarget": TERMINATE, "staytarget": self.source_agent}
        name = special.get((self.transition_target or "").strip().lower(), self.target_agent)
        return name.lower() if name.lower() in PEOPLE_AND_ENDS else name

    @property
    def by_model(self) -> bool:
        """Whether a language model decides."""
        return self.handoff_type == "condition" and self.condition_type in ("string_llm", "string", "llm")


class Match(Part):
    """When a trigger fires: on text that equals, contains or matches."""

    equals: str | None = None
    contains: str | None = None
    regex: str | None = None

    @model_validator(mode="after")
    def _some(self) -> Match:
        if not (self.equals or self.contains or self.regex):
            raise ValueError("needs one of: equals, contains, regex")
        return self


class Trigger(Part):
    """What sets a state variable."""

    type: Literal["agent_text", "user_text", "ui_response"]
    agent: str | None = None
    match: Match | None = None
    tool: str | None = None
    response_key: str | None = None
    ui_hidden: Flag = False
    value: Any = True

    @model_validator(mode="after")
    def _complete(self) -> Trigger:
        if self.type == "agent_text" and not (self.agent and self.match):
            raise ValueError("an agent_text trigger needs 'agent' and 'match'")
        if self.type == "user_text" and not self.match:
            raise ValueError("a user_text trigger needs 'match'")
        if self.type == "ui_response" and not self.tool:
            raise ValueError("a ui_response trigger needs 'tool'")
        return self


SOURCES = ("config", "data_reference", "data_entity", "computed", "state", "external", "file")


class Source(Part):
    """Where a context variable comes from."""

    type: Literal["config", "data_reference", "data_entity", "computed", "state", "external", "file", "runtime"] = "state"
    default: Any = None
    required: Flag = False
    path: str | None = None
    format: Literal["json", "yaml", "text"] = "text"
    triggers: list[Trigger] = []


class Variable(Part):
    """One context variable."""

    name: Name
    type: str | None = None
    description: str | None = None
    source: Source = Source()


class UiPlace(Part):
    """Which component a UI tool shows, and where."""

    component: str | None = None
    mode: Literal["inline", "artifact", "view", "fullscreen"] | None = None


class ToolEntry(Part):
    """One tool of ``tools.yaml``. A UI tool may do without a file: its arguments are the component's payload then."""

    agent: Name | list[Name] | None = None
    file: str | None = None
    function: str | None = None
    description: str = ""
    tool_type: Literal["UI_Tool", "Agent_Tool"] | None = None
    auto_invoke: Flag = False
    ui: UiPlace | None = None

    @property
    def agents(self) -> list[str]:
        """Who may call it."""
        return [self.agent] if isinstance(self.agent, str) else list(self.agent or [])

    @property
    def component(self) -> str | None:
        """The component it shows, if any."""
        return self.ui.component if self.ui else None

    @property
    def display(self) -> str:
        """Where the component is shown."""
        return (self.ui.mode if self.ui else None) or "inline"

    @property
    def is_ui(self) -> bool:
        """Whether it is a UI tool."""
        return self.tool_type == "UI_Tool" or (self.tool_type is None and self.component is not None)

    @property
    def name(self) -> str:
        """The name a model calls it by; models take no dots."""
        return self.function or re.sub(r"[^A-Za-z0-9_-]", "_", self.component or "")


TRIGGERS = ("before_chat", "after_chat", "before_agent", "after_agent")


class LifecycleTool(ToolEntry):
    """A tool the runtime calls by itself."""

    trigger: Literal["before_chat", "after_chat", "before_agent", "after_agent"]


class StructuredOutputs(Part):
    """``structured_outputs.yaml``: models as written, and which agent answers with which."""

    models: dict[str, Any] = {}
    registry: dict[str, str | None] = {}
