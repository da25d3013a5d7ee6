"""Prerequisites from ``_pack/workflow_graph.json`` (protocol §6): what has to be finished before what.

A gate is open once the same user has any completed run of the required workflow in the same app.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .frames import Frame

log = logging.getLogger(__name__)
_REQUIRED = ("required", "")


@dataclass(frozen=True)
class Pack:
    """The graph as read; an empty one gates nothing."""

    workflows: tuple[Frame, ...] = ()
    gates: tuple[Frame, ...] = ()

    def gates_of(self, workflow: str) -> list[Frame]:
        """The required gates in front of a workflow."""
        return [gate for gate in self.gates if gate["to"] == workflow]

    def required(self, workflow: str) -> set[str]:
        """The workflows somebody must have completed."""
        return {str(gate["from"]) for gate in self.gates_of(workflow)}

    def blocked(self, workflow: str, completed: Iterable[str]) -> str | None:
        """Why the workflow may not be started, or None when it may."""
        done = set(completed)
        return next((str(gate["reason"]) for gate in self.gates_of(workflow) if gate["from"] not in done), None)


class Packs:
    """The global graph; read anew when the file changes."""

    def __init__(self, workflows_path: str | None, pack_path: str | None) -> None:
        self._root = Path(workflows_path) if workflows_path else None
        self._file = Path(pack_path) if pack_path else self._root / "_pack" / "workflow_graph.json" if self._root else None
        self._read: tuple[int, Pack] = (-1, Pack())

    @property
    def current(self) -> Pack:
        """The graph as the file is now. A file that cannot be read is logged, and the last good one stays."""
        if self._file is None:
            return Pack()
        try:
            changed = self._file.stat().st_mtime_ns
        except OSError:
            return Pack()
        if changed != self._read[0]:
            try:
                self._read = changed, parse_pack(json.loads(self._file.read_text("utf-8")))
            except (OSError, ValueError) as error:
                log.error("%s cannot be used: %s", self._file, error)
                self._read = changed, self._read[1]
        return self._read[1]

    def has_children(self, workflow: str) -> bool:
        """Whether the workflow brings a pack of its own, which may start child chats."""
        return self._root is not None and (self._root / workflow / "_pack" / "workflow_graph.json").is_file()


def parse_pack(raw: Any) -> Pack:
    """The graph behind a parsed file.

    Raises:
        ValueError: what is wrong with it.
    """
    if not isinstance(raw, dict):
        raise ValueError("must be an object")
    workflows = tuple(w for w in _rows(raw, "workflows") if isinstance(w.get("id"), str))
    gates = [_gate(g.get("from"), g.get("to"), g.get("reason"), g) for g in _rows(raw, "gates") if _is_required(g)]
    for workflow in workflows:
        for needed in workflow.get("dependencies") or workflow.get("requires") or []:
            told = needed if isinstance(needed, dict) else {"id": needed}
            if _is_required(told):
                source = {"_implicit": True, "_source": "workflow.dependencies"}
                needs = told.get("id") or told.get("workflow") or told.get("from")
                gates.append(_gate(needs, workflow["id"], told.get("reason"), told, source))
    for journey in _rows(raw, "journeys"):
        if journey.get("enforce_step_gating"):
            gates += _steps(journey)
    known: dict[tuple[str, str], Frame] = {}
    for gate in gates:
        if gate is not None:
            known.setdefault((gate["from"], gate["to"]), gate)
    return Pack(workflows, tuple(known.values()))


def _steps(journey: Frame) -> list[Frame | None]:
    gates, before = [], list[str]()
    for step in journey.get("steps") or []:
        names = [_name(one) for one in step] if isinstance(step, list) else [_name(step)]
        source = {"_implicit": True, "_source": f"journey.{journey.get('id')}"}
        gates += [_gate(earlier, name, None, {}, source) for name in names for earlier in before]
        before = [name for name in names if name]
    return gates


def _name(step: Any) -> str:
    value = step.get("workflow") or step.get("workflow_name") or step.get("id") if isinstance(step, dict) else step
    return value if isinstance(value, str) else ""


def _rows(raw: Frame, key: str) -> list[Frame]:
    value = raw.get(key) or []
    if not isinstance(value, list):
        raise ValueError(f"{key} must be a list")
    return [row for row in value if isinstance(row, dict)]


def _is_required(gate: Frame) -> bool:
    return str(gate.get("gating") or "").lower() in _REQUIRED


def _gate(needs: Any, workflow: Any, reason: Any, told: Frame, extra: Frame | None = None) -> Frame | None:
    if not (isinstance(needs, str) and needs and isinstance(workflow, str) and workflow):
        return None
    said = reason if isinstance(reason, str) and reason else f"Please complete {needs} first."
    head = {"from": needs, "to": workflow, "gating": "required", "scope": told.get("scope") or "app", "reason": said}
    return head | (extra or {})
