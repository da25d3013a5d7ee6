"""Reads one workflow folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .code import ToolFileError, ToolFiles
from .models import (
    Agent,
    Handoff,
    LifecycleTool,
    Orchestrator,
    Part,
    StructuredOutputs,
    ToolEntry,
    Variable,
)
from .problems import Findings, Problem, Where
from .references import check_references
from .signatures import arguments_model, takes_context
from .structured import Models, Shapeless
from .yaml_lines import Document, Unreadable, read

SECTIONS = ("agents", "handoffs", "context_variables", "structured_outputs", "hooks")
FILES = ("orchestrator", *SECTIONS, "tools", "ui_config")
GRAPH = "_pack/workflow_graph.json"
P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Tool:
    """A tool ready to be called. Without ``function`` it shows its component with its arguments."""

    entry: ToolEntry
    function: Callable[..., Any] | None
    arguments: type[BaseModel] | None
    wants_context: bool = False

    @property
    def name(self) -> str:
        """What a model calls it by."""
        return self.entry.name


@dataclass(frozen=True)
class Definition:
    """A workflow as its folder defines it. ``merged`` is the object ``GET /api/workflows`` returns;
    ``views`` are the context variables an agent's model is told, where that is limited."""

    name: str
    folder: Path
    orchestrator: Orchestrator
    agents: dict[str, Agent]
    handoffs: list[Handoff]
    variables: list[Variable]
    tools: list[Tool]
    lifecycle: list[tuple[LifecycleTool, Tool]]
    outputs: dict[str, type[BaseModel]]
    visual_agents: list[str] | None
    merged: dict[str, Any]
    graph: dict[str, Any] | None = None
    views: dict[str, list[str]] = field(default_factory=dict)

    @property
    def initial_agent(self) -> str:
        """Who begins."""
        return self.orchestrator.initial_agent or next(iter(self.agents))

    def tools_of(self, agent: str) -> list[Tool]:
        """What an agent may call."""
        return [tool for tool in self.tools if agent in tool.entry.agents]

    def visible(self, agent: str) -> bool:
        """Whether people see what an agent writes; names are compared as the published runtime does."""
        if not self.visual_agents:
            return True
        return _plain(agent) in {_plain(name) for name in self.visual_agents}


def _plain(name: str) -> str:
    return name.lower().replace("agent", "").replace(" ", "")


@dataclass
class Loaded:
    """What came of a folder: a definition, or reasons why not. Warnings stand beside a definition. ``guest`` says where a
    folder that is not the operator's comes from: ``crm/workflows``.
    """

    name: str
    definition: Definition | None
    problems: list[Problem]
    files: ToolFiles | None = field(default=None, repr=False)
    guest: str = ""


def load_folder(folder: Path, guest: str = "") -> Loaded:
    """Read ``folder``. Never raises for what is inside it."""
    reading = _Reading(folder, guest)
    try:
        definition = reading.definition()
    except Exception as error:  # noqa: BLE001 - one workflow must not keep the others from loading
        reading.found.add("", f"cannot be loaded: {type(error).__name__}: {error}")
        definition = None
    ready = None if reading.found.fatal else definition
    return Loaded(folder.name, ready, reading.found.all, reading.code, guest)


class _Reading:
    """One pass over one folder."""

    def __init__(self, folder: Path, guest: str = "") -> None:
        self.folder = folder
        self.found = Findings(f"{guest}/{folder.name}" if guest else folder.name)
        self.code = ToolFiles(folder)
        self.documents: dict[str, Document] = {}

    def definition(self) -> Definition | None:
        for name in FILES:
            self._read(name)
        if "orchestrator" not in self.documents:
            if not self.found.fatal:
                self.found.add("orchestrator.yaml", "is missing.", "Every workflow folder needs one.")
            return None
        orchestrator = self._parse("orchestrator", Orchestrator, self._raw("orchestrator"), ())
        agents = self._parse_list("agents", Agent, "agents", named=True)
        handoffs = self._parse_list("handoffs", Handoff, "handoff_rules")
        variables = self._parse_list("context_variables", Variable, "definitions", named=True)
        entries = self._parse_list("tools", ToolEntry, "tools")
        lifecycle = self._parse_list("tools", LifecycleTool, "lifecycle_tools")
        outputs = self._outputs()
        visual = self._visual_agents()
        views = self._views(agents, variables)
        graph = self._graph()
        if not agents and not self.found.fatal:
            self.found.add("agents.yaml", "defines no agent.", "Add at least one under 'agents'.")
        if orchestrator is None or self.found.fatal:
            return None
        name = orchestrator.workflow_name or self.folder.name
        if name != self.folder.name:
            fix = f"Rename the folder to {name!r}, or the workflow to {self.folder.name!r}."
            self._at("orchestrator", ("workflow_name",), f"is {name!r}, the folder is {self.folder.name!r}.", fix)
        by_name = {agent.name: agent for _, agent in agents}
        check_references(self._at, orchestrator, agents, handoffs, variables, entries, lifecycle, outputs)
        tools = [self._tool(where, entry) for where, entry in entries]
        hooks = [(entry, self._tool(where, entry)) for where, entry in lifecycle]
        return Definition(
            name=name,
            folder=self.folder,
            orchestrator=orchestrator,
            agents=by_name,
            handoffs=[rule for _, rule in handoffs],
            variables=[variable for _, variable in variables],
            tools=tools,
            lifecycle=hooks,
            outputs={agent: model for agent, model in outputs.items() if model is not None},
            visual_agents=visual,
            merged=self._merged(),
            graph=graph,
            views=views,
        )

    # -- files -------------------------------------------------------------------------------------------

    def _read(self, name: str) -> None:
        file = self.folder / f"{name}.yaml"
        if not file.exists():
            return
        try:
            document = read(file)
        except Unreadable as error:
            self.found.add(file.name, str(error), error.fix, line=error.line)
            return
        for where, line in document.twice:
            self.found.add(file.name, "stands twice; the last one counts.", "Remove one.", line=line, where=where, fatal=False)
        if not isinstance(document.raw, dict):
            self.found.add(file.name, "must be a mapping (key: value).", line=1)
            return
        self.documents[name] = document

    def _raw(self, name: str) -> dict[str, Any]:
        """The content of a file; published files may nest it once more under their own name."""
        document = self.documents.get(name)
        raw: dict[str, Any] = document.raw if document else {}
        inner = raw.get(name)
        return inner if name not in ("agents", "tools") and isinstance(inner, dict) else raw

    def _base(self, name: str) -> Where:
        document = self.documents.get(name)
        return (name,) if document and self._raw(name) is not document.raw else ()

    def _at(self, name: str, where: Where, text: str, fix: str = "", *, fatal: bool = True) -> None:
        where = (*self._base(name), *where)
        document = self.documents.get(name)
        line = document.line(where) if document else None
        self.found.add(f"{name}.yaml", text, fix, line=line, where=where, fatal=fatal)

    # -- shapes ------------------------------------------------------------------------------------------

    def _parse(self, name: str, model: type[P], raw: Any, where: Where) -> P | None:
        try:
            part = model.model_validate(raw)
        except ValidationError as error:
            for one in error.errors():
                place = tuple(step for step in one["loc"] if isinstance(step, int) or _is_key(step))
                text = one["msg"].removeprefix("Value error, ")
                given = f" (it is {one['input']!r:.60})" if isinstance(one["input"], (str, int, float, bool)) else ""
                self._at(name, (*where, *place), f"{text}{given}.", _advice(one))
            return None
        self._unknown_keys(name, part, where)
        return part

    def _unknown_keys(self, name: str, part: Part, where: Where) -> None:
        known = list(type(part).model_fields)
        for key in part.model_extra or {}:
            near = get_close_matches(key, known, 1)
            if near:
                self._at(name, (*where, key), "is not a known key.", f"Did you mean {near[0]!r}?", fatal=False)

    def _parse_list(self, name: str, model: type[P], key: str, *, named: bool = False) -> list[tuple[Where, P]]:
        """Entries under ``key``: a list, or (``named``) a mapping from name to entry."""
        raw = self._raw(name).get(key)
        where: Where = (key,)
        if named and isinstance(raw, dict) and isinstance(raw.get(key), (list, dict)):
            raw, where = raw[key], (key, key)
        if raw is None:
            return []
        if named and isinstance(raw, dict):
            items: list[tuple[Where, Any]] = [
                ((*where, name_), {"name": name_, **one} if isinstance(one, dict) else one) for name_, one in raw.items()
            ]
        elif isinstance(raw, list):
            items = [((*where, index), one) for index, one in enumerate(raw)]
        else:
            self._at(name, where, "must be a list.")
            return []
        parsed: list[tuple[Where, P]] = []
        names: set[str] = set()
        for place, one in items:
            part = self._parse(name, model, one, place)
            if part is None:
                continue
            called = getattr(part, "name", "") if named else ""
            if called and called in names:
                self._at(name, (*place, "name"), f"{called!r} is defined twice.", "Names must differ.")
                continue
            names.add(called)
            parsed.append((place, part))
        return parsed

    def _outputs(self) -> dict[str, type[BaseModel] | None]:
        raw = self._raw("structured_outputs")
        registry = raw.get("registry")
        if isinstance(registry, list):  # the older spelling: a list of {agent, agent_definition}
            raw = {**raw, "registry": {str(o.get("agent")): o.get("agent_definition") for o in registry if isinstance(o, dict)}}
        part = self._parse("structured_outputs", StructuredOutputs, raw, ())
        out: dict[str, type[BaseModel] | None] = {}
        if part is None:
            return out
        models = Models(part.models)
        for name in part.models:
            try:
                models.build(name)
            except Shapeless as error:
                self._at("structured_outputs", ("models", *error.where), f"{error}.")
        for agent, model in part.registry.items():
            out[agent] = None
            if model is None:
                continue
            if model not in part.models:
                fix = f"Define it under models, or use one of: {', '.join(part.models) or 'none'}."
                self._at("structured_outputs", ("registry", agent), f"there is no model {model!r}.", fix)
                continue
            try:
                built = models.build(model)
            except Shapeless:
                continue  # told above
            if isinstance(built, type) and issubclass(built, BaseModel):
                out[agent] = built
            else:
                self._at("structured_outputs", ("registry", agent), f"{model!r} is no model with fields.")
        return out

    def _visual_agents(self) -> list[str] | None:
        listed = self._raw("ui_config").get("visual_agents")
        if listed is None:
            return None
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            self._at("ui_config", ("visual_agents",), "must be a list of agent names.")
            return None
        return listed

    def _views(self, agents: list[tuple[Where, Agent]], variables: list[tuple[Where, Variable]]) -> dict[str, list[str]]:
        """Which variables an agent's model is told; agents that are not listed are told all."""
        raw = self._raw("context_variables").get("agents")
        out: dict[str, list[str]] = {}
        names, known = {agent.name for _, agent in agents}, {variable.name for _, variable in variables}
        for name, view in raw.items() if isinstance(raw, dict) else ():
            listed = view.get("variables") if isinstance(view, dict) else view
            if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
                self._at("context_variables", ("agents", name), "needs a list of 'variables'.")
                continue
            if name not in names:
                self._at("context_variables", ("agents", name), f"there is no agent {name!r}.", fatal=False)
            for one in [one for one in listed if one not in known]:
                fix = "Define it under definitions."
                self._at("context_variables", ("agents", name), f"no context variable is called {one!r}.", fix, fatal=False)
            out[name] = listed
        return out

    def _graph(self) -> dict[str, Any] | None:
        file = self.folder / GRAPH
        if not file.is_file():
            return None
        try:
            graph = json.loads(file.read_text("utf-8-sig"))
        except (OSError, ValueError) as error:
            line = error.lineno if isinstance(error, json.JSONDecodeError) else None
            self.found.add(GRAPH, f"is not JSON: {error}.", line=line)
            return None
        if not isinstance(graph, dict):
            self.found.add(GRAPH, "must be an object.", line=1)
            return None
        return graph

    # -- tools -------------------------------------------------------------------------------------------

    def _tool(self, where: Where, entry: ToolEntry) -> Tool:
        empty = Tool(entry, None, None)
        if not entry.file and not entry.function and entry.is_ui and entry.component:
            return empty
        if not entry.file or not entry.function:
            missing = "file" if not entry.file else "function"
            self._at("tools", (*where, missing), f"{missing!r} is missing.", "A tool names its Python file and its function.")
            return empty
        path = self.code.find(entry.file)
        if path is None:
            fix = f"Put it at {self.folder.name}/tools/{entry.file}."
            self._at("tools", (*where, "file"), f"there is no file {entry.file!r}.", fix)
            return empty
        try:
            function = self.code.function(path, entry.function)
            return Tool(entry, function, arguments_model(function, entry.function), takes_context(function))
        except ToolFileError as error:
            self._at("tools", (*where, "function"), f"{entry.file} {error}.")
        except (ValueError, TypeError) as error:
            self._at("tools", (*where, "function"), f"{entry.file}:{entry.function} has no usable signature: {error}.")
        return empty

    def _merged(self) -> dict[str, Any]:
        """The published rules: orchestrator, tools and ui_config at the root, the others under their name."""
        merged: dict[str, Any] = dict(self._raw("orchestrator"))
        for name in SECTIONS:
            if name in self.documents and self.documents[name].raw:
                merged[name] = self.documents[name].raw
        tools = self._raw("tools")
        merged |= {key: tools[key] for key in ("tools", "lifecycle_tools") if isinstance(tools.get(key), list)}
        merged |= self._raw("ui_config")
        return merged


def _is_key(step: str) -> bool:
    return step.replace("_", "").isalnum() and not step.startswith(("function-", "list["))


def _advice(error: Any) -> str:
    match error["type"]:
        case "missing":
            return "Add it."
        case "string_type":
            return "Put it in quotes."
        case "extra_forbidden":
            return "Remove it, or check its spelling."
    return ""
