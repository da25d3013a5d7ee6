"""The plugin's table."""

from datetime import datetime

from sqlalchemy import DateTime, Text

from mozaiks_shell import sdk


class Note(sdk.Model, table=True):
    """A note of one person.

    Attributes:
        tags: ``,home,garden,``: small letters, with a comma before, between and after.
        folded: Title, tags and text without case and accents, for searching.
        revision: Grows with every change of the words, so that a change made elsewhere is noticed.
    """

    __tablename__ = "notes_note"

    id: str = sdk.Field(default_factory=lambda: sdk.new_id("note"), primary_key=True, max_length=64)
    title: str = sdk.Field(default="", max_length=200)
    text: str = sdk.Field(default="", sa_type=Text)
    tags: str = sdk.Field(default="", max_length=400)
    folded: str = sdk.Field(default="", sa_type=Text)
    pinned: bool = False
    archived: bool = False
    revision: int = 1
    created_at: datetime = sdk.Field(default_factory=sdk.now, sa_type=DateTime(timezone=True))
    updated_at: datetime = sdk.Field(default_factory=sdk.now, sa_type=DateTime(timezone=True))

    @property
    def tag_list(self) -> list[str]:
        """The tags, one by one."""
        return [tag for tag in self.tags.split(",") if tag]

    @property
    def blank(self) -> bool:
        """True while nothing is written in it."""
        return not (self.title or self.text or self.tags)
