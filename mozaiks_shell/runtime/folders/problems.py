"""What is wrong with a workflow folder, for the person who writes it."""

from __future__ import annotations

from dataclasses import dataclass

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake: where it is, what it is, what to do. ``fatal`` ones keep the workflow from being offered."""

    workflow: str
    file: str
    text: str
    fix: str = ""
    line: int | None = None
    where: Where = ()
    fatal: bool = True

    def __str__(self) -> str:
        place = f"{self.workflow}/{self.file}" + (f":{self.line}" if self.line else "")
        inside = f" {spelled(self.where)}:" if self.where else ""
        return f"{place}{inside} {self.text}{' ' + self.fix if self.fix else ''}"


def spelled(where: Where) -> str:
    """``("tools", 0, "agent")`` as ``tools[0].agent``."""
    out = ""
    for part in where:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


class Findings:
    """Collects the problems of one folder."""

    def __init__(self, workflow: str) -> None:
        self.workflow = workflow
        self.all: list[Problem] = []

    @property
    def fatal(self) -> bool:
        """Whether the workflow cannot be offered."""
        return any(problem.fatal for problem in self.all)

    def add(self, file: str, text: str, fix: str = "", *, line: int | None = None, where: Where = (), fatal: bool = True) -> None:
        """Note one problem."""
        self.all.append(Problem(self.workflow, file, text, fix, line, where, fatal))
