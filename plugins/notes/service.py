"""What can be done with notes. Pages, API and palette all call these; each sees only the current person's notes."""

from collections import Counter
from typing import Any

from sqlalchemy import func

from mozaiks_shell import sdk
from mozaiks_shell.sdk import col, db, select
from mozaiks_shell.sdk.errors import Invalid, NotFound

from .models import Note
from .words import folded, tags_in

LONGEST_TITLE = 200
LONGEST_TEXT = 100_000
PAGE = 60


async def find(search: str = "", *, tag: str = "", archived: bool = False, limit: int = PAGE) -> list[Note]:
    """Notes that have all the words and the tag; pinned ones first, then those changed last.

    Args:
        search: Words in title, tags or text; case and accents do not matter.
        tag: Only notes with this tag.
        archived: The archive instead of the desk.
        limit: At most this many.
    """
    query = _matching(search, tag, archived)
    if words := folded(_storable(search)).split():
        titled = [func.lower(col(Note.title)).contains(word, autoescape=True) for word in words]
        query = query.order_by(*[match.desc() for match in titled])
    query = query.order_by(col(Note.pinned).desc(), col(Note.updated_at).desc(), col(Note.id).desc())
    async with db.session() as session:
        return list((await session.execute(query.limit(max(1, limit)))).scalars())


async def count(search: str = "", *, tag: str = "", archived: bool = False) -> int:
    """How many :func:`find` would give without a limit."""
    query = _matching(search, tag, archived).with_only_columns(func.count(col(Note.id)))
    async with db.session() as session:
        return int((await session.execute(query)).scalar_one())


async def tags(archived: bool = False) -> list[tuple[str, int]]:
    """The tags in use and how often, the most used first."""
    query = select(Note.tags).where(col(Note.archived) == archived, col(Note.tags) != "")
    async with db.session() as session:
        used = Counter(tag for line in (await session.execute(query)).scalars() for tag in line.split(",") if tag)
    return sorted(used.items(), key=lambda one: (-one[1], one[0]))


async def get(note_id: object) -> Note:
    """One note.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with db.session() as session:
        return await _found(session, note_id)


async def create(title: object = "", text: object = "", tags: object = "") -> Note:
    """Write a note down; without words, a blank one that was begun before is taken up again.

    Raises:
        Invalid: too long, or a character that cannot be stored.
    """
    note = _worded(Note(), title, text, tags)
    async with db.session() as session:
        if note.blank:
            begun = (await session.execute(select(Note).where(_is_blank()))).scalars().first()
            if begun is not None:
                return begun
        session.add(note)
        if not note.blank:
            await sdk.events.publish("created", within=session, note_id=note.id)
    return note


async def rewrite(note_id: object, *, title: object, text: object, tags: object, revision: object = None) -> tuple[Note, bool]:
    """Change the words. A text is never lost: when the note was changed elsewhere since ``revision``, or deleted, the words
    become a note of their own.

    Returns:
        The note that now has the words, and whether it is the one that was meant.

    Raises:
        Invalid: as :func:`create`.
    """
    async with db.session() as session:
        note = await session.get(Note, str(note_id))
        if note is not None and revision in (None, "", note.revision, str(note.revision)):
            before = (note.title, note.text, note.tags)
            _worded(note, title, text, tags)
            if before != (note.title, note.text, note.tags):
                note.revision += 1
                note.updated_at = sdk.now()
            return note, True
        written = _worded(Note(), title, text, tags)
        if note is not None and (note.title, note.text, note.tags) == (written.title, written.text, written.tags):
            return note, True
        session.add(written)
    return written, False


async def mark(note_id: object, *, pinned: bool | None = None, archived: bool | None = None) -> Note:
    """Pin a note or put it into the archive, or undo that. What goes to the archive is no longer pinned.

    Raises:
        NotFound: as :func:`get`. Invalid: neither true nor false.
    """
    if not all(isinstance(one, bool | None) for one in (pinned, archived)):
        raise Invalid(sdk.tr("A mark is set or not: true or false."))
    async with db.session() as session:
        note = await _found(session, note_id)
        note.archived = note.archived if archived is None else archived
        note.pinned = (note.pinned if pinned is None else pinned) and not note.archived
    return note


async def delete(note_id: object) -> None:
    """Delete a note for good.

    Raises:
        NotFound: as :func:`get`.
    """
    async with db.session() as session:
        await session.delete(await _found(session, note_id))


async def everything() -> list[Note]:
    """All notes, archived ones too, oldest first: for the export."""
    async with db.session() as session:
        query = select(Note).where(~_is_blank()).order_by(col(Note.created_at), col(Note.id))
        return list((await session.execute(query)).scalars())


async def _found(session: Any, note_id: object) -> Note:
    note = await session.get(Note, str(note_id))
    if note is None:
        raise NotFound(sdk.tr("There is no such note."))
    return note


def _matching(search: str, tag: str, archived: bool) -> Any:
    query = select(Note).where(col(Note.archived) == archived, ~_is_blank())
    for word in folded(_storable(search)).split():
        query = query.where(col(Note.folded).contains(word, autoescape=True))
    return query.where(col(Note.tags).contains(f",{tag},", autoescape=True)) if tag else query


def _is_blank() -> Any:
    return (col(Note.title) == "") & (col(Note.text) == "") & (col(Note.tags) == "")


def _worded(note: Note, title: object, text: object, tags: object) -> Note:
    note.title = " ".join(_storable(title).split())
    note.text = _storable(text).replace("\r\n", "\n")
    if len(note.title) > LONGEST_TITLE:
        raise Invalid(sdk.tr("A title may have {most} letters; this one has {count}.", most=LONGEST_TITLE, count=len(note.title)))
    if len(note.text) > LONGEST_TEXT:
        raise Invalid(sdk.tr("A note may have {most} letters; this one has {count}.", most=LONGEST_TEXT, count=len(note.text)))
    found = tags_in([_storable(one) for one in tags] if isinstance(tags, list) else _storable(tags))
    note.tags = f",{','.join(found)}," if found else ""
    note.folded = folded(f"{note.title}\n{note.tags}\n{note.text}")
    return note


def _storable(text: object) -> str:
    if not isinstance(text, str):
        raise Invalid(sdk.tr("Title, text and tags are texts."))
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Invalid(sdk.tr("The text holds a character that cannot be stored."))
    return text
