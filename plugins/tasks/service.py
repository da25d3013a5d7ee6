"""What can be done with tasks. The page and the API both call these; each sees only the current person's tasks."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import func

from mozaiks_shell import sdk
from mozaiks_shell.sdk import col, db, select
from mozaiks_shell.sdk.errors import Invalid, NotFound

from .models import Task

LONGEST = 200
SHOWN = 500

Show = Literal["all", "open", "done"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tasks the person has."""

    open: int
    done: int


async def find(show: str = "all", search: str = "", limit: int = SHOWN) -> list[Task]:
    """Tasks, open ones first by due date, done ones last by when they were done.

    Args:
        show: ``all``, ``open`` or ``done``.
        search: Words in the title; case does not matter.
        limit: At most this many.
    """
    if show not in {"all", "open", "done"}:
        raise Invalid(sdk.tr("Show all, open or done tasks."))
    query = select(Task)
    if show != "all":
        query = query.where(col(Task.done) == (show == "done"))
    for word in _storable(search).split():
        query = query.where(col(Task.title).icontains(word, autoescape=True))
    query = query.order_by(
        col(Task.done), col(Task.done_at).desc(), col(Task.due).is_(None), col(Task.due), col(Task.created_at).desc()
    )
    async with db.session() as session:
        return list((await session.execute(query.limit(max(1, min(limit, SHOWN))))).scalars())


async def counts() -> Counts:
    """How many tasks are open and done."""
    query = select(Task.done, func.count(col(Task.id))).group_by(col(Task.done))
    async with db.session() as session:
        found = {row[0]: row[1] for row in await session.execute(query)}
    return Counts(found.get(False, 0), found.get(True, 0))


async def create(title: object, due: object = "") -> Task:
    """Add a task.

    Raises:
        Invalid: no title, one that is too long, or something that is not a date.
    """
    task = Task(title=_title(title), due=_date(due))
    async with db.session() as session:
        session.add(task)
    return task


async def get(task_id: object) -> Task:
    """One task.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with db.session() as session:
        task = await session.get(Task, str(task_id))
    if task is None:
        raise NotFound(sdk.tr("There is no such task."))
    return task


async def update(task_id: object, *, title: object = None, due: object = None, done: object = None) -> Task:
    """Change what is given; an empty ``due`` removes the date.

    Raises:
        NotFound, Invalid: as :func:`get` and :func:`create`.
    """
    async with db.session() as session:
        task = await session.get(Task, str(task_id))
        if task is None:
            raise NotFound(sdk.tr("There is no such task."))
        if title is not None:
            task.title = _title(title)
        if due is not None:
            task.due = _date(due)
        if done is not None:
            if not isinstance(done, bool):
                raise Invalid(sdk.tr("A task is done or not: true or false."))
            task.done, task.done_at = done, sdk.now() if done else None
    return task


async def delete(task_id: object) -> None:
    """Remove a task.

    Raises:
        NotFound: as :func:`get`.
    """
    async with db.session() as session:
        task = await session.get(Task, str(task_id))
        if task is None:
            raise NotFound(sdk.tr("There is no such task."))
        await session.delete(task)


def _title(given: object) -> str:
    title = " ".join(_storable(given).split()) if isinstance(given, str) else ""
    if not title:
        raise Invalid(sdk.tr("Give the task a title."))
    if len(title) > LONGEST:
        raise Invalid(sdk.tr("A title may have {most} letters; this one has {count}.", most=LONGEST, count=len(title)))
    return title


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Invalid(sdk.tr("The text holds a character that cannot be stored."))
    return text


def _date(given: object) -> date | None:
    if given is None or given == "":
        return None
    try:
        return date.fromisoformat(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Invalid(sdk.tr("The due date must be a date such as 2026-11-30.")) from None
