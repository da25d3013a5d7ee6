"""The list: what it shows and what its controls do."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any, TypedDict

from mozaiks_shell import sdk

from . import service
from .models import Note
from .words import excerpt, first_words, folded


class Card(TypedDict):
    """A note in a list. ``when`` is ISO 8601."""

    id: str
    title: str
    excerpt: str
    tags: list[str]
    pinned: bool
    when: str
    path: str


class Tag(TypedDict):
    """A tag and how many notes have it."""

    name: str
    count: int


class Notes(sdk.State):
    """The desk or the archive, narrowed by words and a tag."""

    cards: list[Card] = []
    total: int = 0
    all: int = 0
    tags: list[Tag] = []
    search: str = ""
    tag: str = ""
    archived: bool = False
    limit: int = service.PAGE
    ready: bool = False

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit."""
        await self._read()

    @sdk.event
    async def create(self) -> Any:
        """Begin a note and go there. The palette offers this, too."""
        note = await service.create()
        return sdk.rx.redirect(path_of(note.id))

    @sdk.event
    async def look_for(self, text: str) -> None:
        """Show notes that have these words."""
        if isinstance(text, str):
            self.search, self.limit = text[:200], service.PAGE
            await self._read()

    @sdk.event
    async def choose(self, tag: str) -> None:
        """Show notes with this tag; once more, and all are shown again."""
        self.tag, self.limit = ("" if tag == self.tag else str(tag)), service.PAGE
        await self._read()

    @sdk.event
    async def turn(self, archived: bool) -> None:
        """To the archive, or back to the desk."""
        self.archived, self.tag, self.limit = archived is True, "", service.PAGE
        await self._read()

    @sdk.event
    async def more(self) -> None:
        """Show further notes."""
        self.limit = min(self.limit + service.PAGE, 1000)
        await self._read()

    @sdk.event
    async def pin(self, note_id: str, pinned: bool) -> None:
        """Keep a note at the top, or not."""
        await service.mark(note_id, pinned=pinned)
        await self._read()

    @sdk.event
    async def move(self, note_id: str, archived: bool) -> AsyncIterator[Any]:
        """Into the archive, or out of it."""
        note = await service.mark(note_id, archived=archived)
        yield sdk.notify(
            sdk.tr("“{title}” is in the archive.", title=shown_title(note))
            if archived
            else sdk.tr("“{title}” is back.", title=shown_title(note)),
            "success",
        )
        await self._read()

    async def _read(self) -> None:
        how: dict[str, Any] = {"tag": self.tag, "archived": self.archived}
        words = folded(self.search).split()
        self.cards = [card(note, words) for note in await service.find(self.search, **how, limit=self.limit)]
        self.total = await service.count(self.search, **how)
        self.all = await service.count(archived=self.archived)
        self.tags = [Tag(name=name, count=times) for name, times in (await service.tags(self.archived))[:20]]
        self.ready = True


class Recent(sdk.State):
    """What the start page shows."""

    cards: list[Card] = []

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit of the start page."""
        self.cards = [card(note) for note in await service.find(limit=4)]


def card(note: Note, words: list[str] | None = None) -> Card:
    """A note as a list shows it: the part around the first of the words."""
    return Card(
        id=note.id,
        title=shown_title(note),
        excerpt=excerpt(note.text if note.title or words else first_words(note.text)[1], words or ()),
        tags=note.tag_list,
        pinned=note.pinned,
        when=note.updated_at.replace(tzinfo=UTC).isoformat(),
        path=path_of(note.id),
    )


def shown_title(note: Note) -> str:
    """The title, or the beginning of the text."""
    return note.title or first_words(note.text)[0] or sdk.tr("Untitled")


def path_of(note_id: str) -> str:
    """Where a note is written."""
    return f"/plugins/notes/{note_id}"
