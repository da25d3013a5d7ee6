"""Child workflows inside a run: what a folder's own ``_pack/workflow_graph.json`` says (protocol §2.5, §6).

A trigger names an agent; when that agent answers with a ``PatternSelection`` of several workflows, they run beside the chat,
and the run goes on with their results. Read in all three published forms: ``mid_flight_journeys``, ``journeys`` and
``nested_chats``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .frames import Frame

MOST_CHILDREN = 20  # of one trigger, whatever the graph allows
SPAWN_MODES = ("workflow", "generator_subrun")
ON_PARTIAL_FAILURE = ("resume_with_available", "fail_all", "retry_failed", "prompt_user")


@dataclass(frozen=True)
class Trigger:
    """When children are started, how, and how the run goes on. ``timeout`` is in seconds; None waits without limit."""

    id: str
    agent: str
    description: str = ""
    requires: tuple[str, ...] = ()
    spawn_mode: str = "workflow"
    generator: str = ""
    child_agent: str | None = None
    most: int = MOST_CHILDREN
    timeout: float | None = None
    needs: tuple[str, ...] = ()
    seed: Frame = field(default_factory=dict)
    resume_agent: str | None = None
    merge_mode: str = "concatenate"
    inject_as: str = "child_results"
    on_partial_failure: str = "resume_with_available"
    expects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """One workflow of a plan; ``meta`` is what else the agent told of it."""

    workflow: str
    message: str | None = None
    agent: str | None = None
    meta: Frame = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What an agent's answer asks for."""

    tasks: tuple[Task, ...]
    resume_agent: str | None = None


def triggers_of(graph: Frame | None) -> list[Trigger]:
    """The triggers of a graph; entries without an agent, such as the steps of a sequential journey, are none."""
    for key in ("mid_flight_journeys", "journeys", "nested_chats"):
        entries = (graph or {}).get(key)
        if isinstance(entries, list) and entries:
            return [_trigger(entry) for entry in entries if isinstance(entry, dict) and _word(entry.get("trigger_agent"))]
    return []


def plan_of(output: Frame) -> Plan | None:
    """The workflows an answer asks for, or None when it asks for none."""
    told = output.get("PatternSelection") or output.get("pattern_selection")
    if not isinstance(told, dict) or not told.get("is_multi_workflow"):
        return None
    tasks = tuple(_tasks(told.get("workflows")))
    return Plan(tasks, _word(told.get("resume_agent"))) if tasks else None


def _tasks(rows: Any) -> Iterator[Task]:
    for row in rows if isinstance(rows, list) else []:
        name = _word(row.get("name")) if isinstance(row, dict) else None
        if name:
            meta = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
            described = {"description": row["description"]} if row.get("description") else {}
            yield Task(name, _word(row.get("initial_message")), _word(row.get("initial_agent")), described | meta)


def _trigger(entry: Frame) -> Trigger:
    out, back = _part(entry, "fan_out"), _part(entry, "fan_in")
    agent = _word(entry.get("trigger_agent")) or ""
    mode = (_word(out.get("spawn_mode")) or "").lower()
    partial = (_word(back.get("on_partial_failure")) or "").lower()
    seed = out.get("child_context_seed")
    return Trigger(
        id=_word(entry.get("id")) or f"trigger_{agent}",
        agent=agent,
        description=_word(entry.get("description")) or "",
        requires=_words(entry.get("requires")),
        spawn_mode=mode if mode in SPAWN_MODES else "workflow",
        generator=_word(out.get("generator_workflow")) or "",
        child_agent=_word(out.get("child_initial_agent")),
        most=min(int(_positive(out.get("max_children")) or MOST_CHILDREN), MOST_CHILDREN),
        timeout=_positive(out.get("timeout_seconds")),
        needs=_words(_part(out, "input_contract").get("required")) or _words(entry.get("required_context")),
        seed=dict(seed) if isinstance(seed, dict) else {},
        resume_agent=_word(back.get("resume_agent")),
        merge_mode=(_word(back.get("merge_mode")) or "concatenate").lower(),
        inject_as=_word(back.get("inject_as")) or "child_results",
        on_partial_failure=partial if partial in ON_PARTIAL_FAILURE else "resume_with_available",
        expects=_words(_part(back, "output_contract").get("required")) or _words(entry.get("expected_output_keys")),
    )


def _part(entry: Frame, key: str) -> Frame:
    """The nested part of the newest form; in the older ones its fields stand in the entry itself."""
    part = entry.get(key)
    return entry | part if isinstance(part, dict) else entry


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _word(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _words(value: Any) -> tuple[str, ...]:
    return tuple(word for one in value if (word := _word(one))) if isinstance(value, list) else ()
