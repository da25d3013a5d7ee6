"""The workflows this runtime offers: one module each, and the registry."""

from __future__ import annotations

from . import assistant, compare_options, project_brief
from .base import Workflow

REGISTRY: dict[str, Workflow] = {
    workflow.name: workflow for workflow in (assistant.WORKFLOW, project_brief.WORKFLOW, compare_options.WORKFLOW)
}

__all__ = ["REGISTRY", "Workflow"]
