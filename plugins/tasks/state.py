"""What the page shows and what its controls do."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, TypedDict

from mozaiks_shell import sdk

from . import service
from .models import Task


class Line(TypedDict):
    """A task as the page shows it. ``when`` is ``Today``, ``Tomorrow`` or a date; ``late`` an open task of the past."""

    id: str
    title: str
    done: bool
    due: str
    when: str
    late: bool


class Tasks(sdk.State):
    """The list, its filter, and the task that is being edited or deleted. ``edited`` is the one edited last: its
    button has the focus again."""

    lines: list[Line] = []
    open: int = 0
    done: int = 0
    show: str = "open"
    search: str = ""
    ready: bool = False
    added: int = 0
    add_error: str = ""
    editing: str = ""
    edited: str = ""
    edit_error: str = ""
    deleting: str = ""
    deleting_title: str = ""

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit."""
        await self._read()

    @sdk.event
    async def add(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Add the task in the form; on a mistake the form stays as it is."""
        try:
            await service.create(form.get("title"), form.get("due"))
        except sdk.errors.Invalid as error:
            self.add_error = error.message
            yield sdk.rx.set_focus("task-title")
            return
        self.add_error = ""
        self.added += 1
        if self.show == "done":
            self.show = "all"
        await self._read()
        yield sdk.rx.set_focus("task-title")

    @sdk.event
    async def toggle(self, task_id: str, done: bool) -> None:
        """Mark as done, or not."""
        await service.update(task_id, done=done)
        await self._read()

    @sdk.event
    async def filter(self, show: str) -> None:
        """Show all, open or done tasks."""
        if show in {"all", "open", "done"}:
            self.show = show
            await self._read()

    @sdk.event
    async def look_for(self, text: str) -> None:
        """Show tasks whose title has these words."""
        if isinstance(text, str):
            self.search = text[:100]
            await self._read()

    @sdk.event
    def edit(self, task_id: str) -> None:
        """Turn a line into a form."""
        self.editing, self.edit_error = str(task_id), ""

    @sdk.event
    def stop_editing(self) -> None:
        """Turn it back."""
        self.edited, self.editing, self.edit_error = self.editing, "", ""

    @sdk.event
    async def save(self, form: dict[str, Any]) -> None:
        """Keep what was edited."""
        try:
            await service.update(self.editing, title=form.get("title", ""), due=form.get("due", ""))
        except sdk.errors.Invalid as error:
            self.edit_error = error.message
            return
        await self._read()
        self.edited, self.editing, self.edit_error = self.editing, "", ""

    @sdk.event
    async def ask_to_delete(self, task_id: str) -> None:
        """Open the question."""
        task = await service.get(task_id)
        self.deleting, self.deleting_title = task.id, task.title

    @sdk.event
    def keep(self) -> None:
        """Close the question."""
        self.deleting = ""

    @sdk.event
    async def delete(self) -> AsyncIterator[Any]:
        """Delete the task the question was about."""
        task_id, self.deleting = self.deleting, ""
        try:
            await service.delete(task_id)
        except sdk.errors.NotFound:
            pass  # deleted in another tab: what was wanted is the case
        else:
            yield sdk.notify(sdk.tr("Task deleted."), "success")
        await self._read()
        yield sdk.rx.set_focus("task-title")

    async def _read(self) -> None:
        counted = await service.counts()
        self.open, self.done = counted.open, counted.done
        self.edited = ""
        self.lines = [_line(task) for task in await service.find(self.show, self.search)]
        self.ready = True


def _line(task: Task) -> Line:
    due = task.due
    today = sdk.now().date()
    return Line(
        id=task.id,
        title=task.title,
        done=task.done,
        due=due.isoformat() if due else "",
        when=_when(due, today) if due else "",
        late=bool(due and due < today and not task.done),
    )


def _when(due: date, today: date) -> str:
    near = {-1: sdk.tr("Yesterday"), 0: sdk.tr("Today"), 1: sdk.tr("Tomorrow")}
    return near.get((due - today).days) or sdk.i18n.day(due)
