"""How a chat stands when nothing more can be said in it, why, and what can be done next (F-194).

The stream tells a status, or the code it was refused with; the words and the ways out are decided here.
"""

from collections.abc import Sequence
from typing import Final, TypedDict
from urllib.parse import quote

from mozaiks_shell.chat import service
from mozaiks_shell.chat.components.wording import humane, text
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import tr

RELATED: Final = 2  # other workflows that are offered
OVER: Final = frozenset({"completed", "stopped", "interrupted", "failed"})
_KINDS: Final = {
    "TOKEN_BUDGET_EXCEEDED": "budget", "INSUFFICIENT_TOKENS": "budget", "stopped": "budget", "PREREQUISITES_NOT_MET": "first",
    "WORKFLOW_PREREQS_NOT_MET": "first", "AI_DISABLED": "unset", "WORKFLOWS_NOT_CONFIGURED": "unset",
    "WORKFLOW_NOT_FOUND": "unset", "CAPABILITY_NOT_FOUND": "unset", "CAPABILITY_DISABLED": "unset", "completed": "completed",
    "interrupted": "interrupted", "failed": "failed", "RUNTIME_NOT_FOUND": "unset",
    "PLAN_REQUIRED": "plan",
}  # fmt: skip


class StepItem(TypedDict):
    """A way on. ``workflow`` is started anew, else ``href`` is opened; ``file``: it is fetched."""

    label: str
    workflow: str
    href: str
    file: bool
    main: bool


class StandingItem(TypedDict):
    """``kind`` is empty while the chat goes on; else completed, interrupted, failed, budget, first, plan, unset or down."""

    kind: str
    icon: str
    title: str
    text: str
    note: str
    steps: list[StepItem]


NONE: Final = StandingItem(kind="", icon="", title="", text="", note="", steps=[])


async def standing(principal: Principal, chat_id: str, workflow: str, code: str, reason: str) -> StandingItem:
    """The card for a status, or a code that opening the chat was refused with.

    Args:
        chat_id: The chat; empty when none could be opened.
        workflow: Its workflow, or the one that was to be started.
        code: A status of :data:`OVER` or an error code.
        reason: What was told with it.
    """
    kind = _KINDS.get(code, "down")
    icon, title, said = _words(kind)
    reason = text(reason, 500)
    steps: list[StepItem] = []
    others = [] if kind in {"unset", "down"} else await _others(principal, workflow)
    named = [one for one in others if _names(reason, one)] if kind in {"first", "failed"} else []
    steps += [_start(tr("Start {name}", name=one.title or humane(one.workflow)), one.workflow, main=True) for one in named]
    match kind:
        case "completed" | "interrupted" | "failed":
            steps.append(_start(tr("Start again"), workflow, main=not named))
        case "budget":
            steps += [_open(tr("See usage"), "/usage", main=True), _open(tr("See plans"), "/plans")]
        case "plan":
            steps.append(_open(tr("See plans"), "/plans", main=True))
        case "first" if not named:
            steps.append(_open(tr("All chats"), "/chats", main=True))
        case "first" | "down":
            steps.append(_start(tr("Try again"), workflow, main=not named))
        case "unset" if "admin" in principal.roles:
            steps.append(_open(tr("Open administration"), "/admin", main=True))
    if kind == "completed":
        steps += [_start(one.title or humane(one.workflow), one.workflow) for one in others[:RELATED]]
    if chat_id and code in OVER:
        where = f"/api/chats/{quote(chat_id, safe='')}/export?format=markdown"
        steps.append(StepItem(label=tr("Export"), workflow="", href=where, file=True, main=False))
    note = tr("It can still be read; nothing can be added to it.") if chat_id and code in OVER else ""
    return StandingItem(kind=kind, icon=icon, title=title, text=reason or said, note=note, steps=steps)


def _words(kind: str) -> tuple[str, str, str]:
    """Icon, title, and what is said when nobody gave a reason."""
    match kind:
        case "completed":
            return "circle-check", tr("This conversation is complete."), ""
        case "interrupted":
            return "plug", tr("This conversation was interrupted."), ""
        case "failed":
            return "triangle-alert", tr("This run could not go on."), ""
        case "budget":
            return "gauge", tr("Your budget is used up."), ""
        case "first":
            return "list-checks", tr("Something else comes first."), ""
        case "plan":
            return "lock", tr("Your plan does not include this."), ""
        case "unset":
            return "plug", tr("The assistant is not set up."), tr("Ask whoever runs this app.")
    return "cloud", tr("The assistant cannot be reached right now."), tr("Please try again in a moment.")


async def _others(principal: Principal, workflow: str) -> Sequence[service.Launchable]:
    try:
        return [one for one in await service.launchable(principal) if one.allowed and one.workflow != workflow]
    except ShellError:
        return []


def _names(reason: str, one: service.Launchable) -> bool:
    said = reason.casefold()
    return any(name and name.casefold() in said for name in (one.title, one.workflow, humane(one.workflow)))


def _start(label: str, workflow: str, *, main: bool = False) -> StepItem:
    return StepItem(label=label, workflow=workflow or " ", href="", file=False, main=main)


def _open(label: str, href: str, *, main: bool = False) -> StepItem:
    return StepItem(label=label, workflow="", href=href, file=False, main=main)
