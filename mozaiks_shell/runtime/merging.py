"""What becomes of the results of child workflows (``merge_mode``): one text, and data for the parent's context."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .frames import Frame

PREVIEW, SUMMARY = 500, 4000  # characters that clients and the context get
_BETWEEN = "\n\n---\n\n"


@dataclass(frozen=True)
class Result:
    """How one child ended: its last text, its data, and why it failed if it did."""

    task: str
    workflow: str
    text: str = ""
    data: Frame = field(default_factory=dict)
    success: bool = True
    error: str = ""


@dataclass(frozen=True)
class Merged:
    """All of them together."""

    summary: str
    data: Frame


def merge(mode: str, results: Sequence[Result]) -> Merged:
    """Results, in the order of the plan, as ``mode`` wants them; an unknown mode concatenates, as published."""
    return _MODES.get(mode, _concatenate)(results)


def _good(results: Sequence[Result]) -> list[Result]:
    return [one for one in results if one.success]


def _concatenate(results: Sequence[Result]) -> Merged:
    sections = []
    for one in results:
        told = one.text or (f"**Error:** {one.error}" if one.error else "(no output)")
        sections.append(f"### {one.workflow} ({one.task}) {'✅' if one.success else '❌'}\n{told}")
    footer = f"**Summary:** {len(_good(results))}/{len(results)} sub-tasks completed successfully."
    return Merged(
        "## Sub-task Results\n\n" + _BETWEEN.join(sections) + f"\n\n---\n{footer}",
        {one.task: one.data for one in results if one.data},
    )


def _structured(results: Sequence[Result]) -> Merged:
    data: Frame = {}
    for one in results:
        entry: Frame = {"workflow_name": one.workflow, "success": one.success}
        if one.data or one.text:
            entry["data"] = one.data or {"_text": one.text}
        if one.error:
            entry["error"] = one.error
        data[one.task] = entry
    told = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    head = f"Merged results from {len(results)} sub-tasks ({len(_good(results))} succeeded):"
    return Merged(f"{head}\n```json\n{told}\n```", data)


def _collect_all(results: Sequence[Result]) -> Merged:
    summary = f"Collected {len(_good(results))}/{len(results)} child results (raw collect_all mode)."
    return Merged(summary, {one.task: one.data for one in results})


def _deep_merge(results: Sequence[Result]) -> Merged:
    data: Frame = {}
    for one in results:
        _overlay(data, one.data)
    return Merged(f"Deep-merged {len(_good(results))}/{len(results)} child outputs into {len(data)} top-level keys.", data)


def _overlay(base: Frame, top: Frame) -> None:
    for key, value in top.items():
        if isinstance(value, dict):
            inner = base.get(key)
            base[key] = dict(inner) if isinstance(inner, dict) else {}
            _overlay(base[key], value)
        else:
            base[key] = value


def _first_success(results: Sequence[Result]) -> Merged:
    winner = next(iter(_good(results)), None)
    if winner is None:
        return Merged(f"No child succeeded out of {len(results)}.", {})
    told = f"Selected first successful child: {winner.workflow} ({winner.task}) out of {len(results)} candidates."
    return Merged(told, dict(winner.data))


def _majority_vote(results: Sequence[Result]) -> Merged:
    good = _good(results)
    if not good:
        return Merged(f"No successful children to vote on (0/{len(results)}).", {})
    votes = Counter(_canonical(one.data) for one in good)
    winner = max(good, key=lambda one: votes[_canonical(one.data)])  # of a tie the first
    told = f"Majority vote: {votes[_canonical(winner.data)]}/{len(good)} successful children agreed (total: {len(results)})."
    return Merged(f"{told} Winner from task {winner.task}.", dict(winner.data))


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=str)


_MODES: dict[str, Callable[[Sequence[Result]], Merged]] = {
    "concatenate": _concatenate,
    "structured": _structured,
    "collect_all": _collect_all,
    "deep_merge": _deep_merge,
    "first_success": _first_success,
    "majority_vote": _majority_vote,
}
