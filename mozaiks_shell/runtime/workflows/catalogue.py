"""Every workflow the runtime offers: its own, and those of the folders; kept up with the files."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from ..config import RuntimeConfig
from ..folders import Problem, Shelf, guests_in
from .base import Workflow
from .folder import EngineName, from_definition, without_entry_point

log = logging.getLogger(__name__)
SAMPLES = Path(__file__).parent.parent / "samples"
POLL_SECONDS = 1.0


class Catalogue(Mapping[str, Workflow]):
    """Workflows by name. Reading is instant; files are read in :meth:`refresh` only."""

    def __init__(
        self,
        own: Mapping[str, Workflow],
        roots: Sequence[Path],
        engine: EngineName = "auto",
        delay_ms: float = 0.0,
        guests: Callable[[], Mapping[str, Path]] = dict,
    ) -> None:
        self._own, self._engine, self._delay_ms = dict(own), engine, delay_ms
        self._shelf = Shelf(roots, guests, own)
        self._made: dict[int, Workflow] = {}
        self._workflows: dict[str, Workflow] = dict(own)

    def __getitem__(self, name: str) -> Workflow:
        return self._workflows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._workflows)

    def __len__(self) -> int:
        return len(self._workflows)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong in the folders: fatal ones keep a workflow from being offered."""
        return self._shelf.problems

    def refresh(self) -> bool:
        """Look at the files; whether something changed. Blocking: imports tool files."""
        changed = self._shelf.refresh()
        if not changed:
            return False
        found: dict[str, Workflow] = {}
        made: dict[int, Workflow] = {}
        for one in self._shelf.usable():
            assert one.definition is not None
            workflow = self._made.get(id(one)) or from_definition(one.definition, self._engine, self._delay_ms)
            if one.guest and workflow.entry_point:  # what people meet first is the operator's choice
                workflow = without_entry_point(workflow)
            made[id(one)] = workflow
            found[one.definition.name] = workflow
        first = next((name for name, workflow in found.items() if workflow.entry_point), None)
        own = {name: without_entry_point(one) if first else one for name, one in self._own.items() if name not in found}
        self._made, self._workflows = made, own | found
        return True

    async def watch(self, every: float = POLL_SECONDS) -> None:
        """Follow the files until cancelled. A run goes on with what it began with; the next one gets the new files."""
        while True:
            await asyncio.sleep(every)
            try:
                if await asyncio.to_thread(self.refresh):
                    log.info("workflow folders read anew: %s", ", ".join(self._workflows))
            except Exception:
                log.exception("workflow folders cannot be read")


def catalogue(config: RuntimeConfig) -> Catalogue:
    """The catalogue of one process, its folders read once. An operator's folder counts before a sample of the same name;
    what plugins bring comes beside them and replaces nothing.
    """
    from . import REGISTRY

    roots = [Path(config.workflows_path)] if config.workflows_path else []
    listed = Path(config.plugin_workflows) if config.plugin_workflows else None
    guests = partial(guests_in, listed) if listed is not None else dict
    roots = [*roots, *([SAMPLES] if config.sample_workflows else [])]
    offered = Catalogue(REGISTRY, roots, config.engine, config.token_delay_ms, guests)
    offered.refresh()
    return offered
