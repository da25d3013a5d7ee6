"""Folders of MozaiksAI workflows and the graph that registers them (F-161, F-284).

The runtime that runs them, embedded or not, is a program of its own; the shell makes the folder, keeps
``_pack/workflow_graph.json`` in step and lists the workflow among what people may launch.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from mozaiks_shell.cli.scaffold import filled, write

GRAPH: Final = "_pack/workflow_graph.json"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,59}")


class GraphProblem(ValueError):
    """The graph cannot be used; the message names the file."""


def scaffold_workflow(root: Path, name: str, specs: Path | None = None) -> list[Path]:
    """Write ``root/<Name>/``, register it in the graph, and list it for people.

    Args:
        root: The folder of workflows.
        name: ``trip-planner``, ``trip_planner`` or ``TripPlanner``.
        specs: Folder for the capability's file; None lists it nowhere.

    Returns:
        The files written.

    Raises:
        ValueError: no name of a workflow, or the folder exists.
        GraphProblem: the graph is there and cannot be read.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a workflow: use 2 to 60 letters, digits, - and _, a letter first.")
    parts = [part for part in re.split(r"[-_]+|(?<=[a-z0-9])(?=[A-Z])", name) if part]
    workflow, title = "".join(part[:1].upper() + part[1:] for part in parts), " ".join(parts).lower().capitalize()
    graph = read_graph(root)
    files = write(root / workflow, filled("workflow", {"workflow": workflow, "title": title}, []))
    files.append(add_to_graph(root, graph, workflow, title))
    spec = specs / f"{'_'.join(parts).lower()}.json" if specs is not None else None
    if spec is not None and not spec.exists():
        told = {
            "id": "_".join(parts).lower(),
            "display_name": title,
            "description": f"What {title.lower()} does, in one sentence.",
            "icon": "workflow",
            "workflow_id": workflow,
            "enabled": True,
            "visibility": "user",
            "allowed_plans": [],
        }
        spec.parent.mkdir(parents=True, exist_ok=True)
        spec.write_text(json.dumps({"capability": told}, indent=2, ensure_ascii=False) + "\n", "utf-8")
        files.append(spec)
    return files


def read_graph(root: Path) -> dict[str, Any]:
    """The graph of these workflows; an empty one when there is no file.

    Raises:
        GraphProblem: not JSON, or ``workflows`` is no list of objects with an id.
    """
    file = root / GRAPH
    if not file.is_file():
        return {"workflows": [], "gates": [], "journeys": []}
    try:
        graph = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise GraphProblem(f"{file} is not JSON: {error}.") from error
    listed = graph.get("workflows") if isinstance(graph, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in listed):
        raise GraphProblem(f"{file} needs a list of workflows, each with an id.")
    return dict(graph)


def add_to_graph(root: Path, graph: dict[str, Any], workflow: str, description: str = "") -> Path:
    """Register a workflow, if it is not; what else stands in the file is kept."""
    if workflow not in {one["id"] for one in graph["workflows"]}:
        graph["workflows"].append({"id": workflow, "type": "primary", "description": description or workflow, "dependencies": []})
    file = root / GRAPH
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(graph, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return file


def folders(root: Path) -> list[str]:
    """The workflows that have a folder with an orchestrator."""
    found = [one.name for one in root.iterdir() if (one / "orchestrator.yaml").is_file()] if root.is_dir() else []
    return sorted(found)
