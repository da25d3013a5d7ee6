"""F-093: two plugins with classes of the same names, related to each other by name, are two worlds."""

import importlib

from sqlalchemy import inspect

from mozaiks_shell.identity.models import User as ShellUser

MODELS = """
from mozaiks_shell import sdk
from sqlmodel import Relationship

class User(sdk.Model, table=True):
    __tablename__ = "NAME_user"
    id: str = sdk.Field(default_factory=sdk.new_id, primary_key=True)
    notes: list["Note"] = Relationship(back_populates="writer", sa_relationship_kwargs={"order_by": "Note.id"})

class Note(sdk.Model, table=True):
    __tablename__ = "NAME_note"
    id: str = sdk.Field(default_factory=sdk.new_id, primary_key=True)
    writer_id: str | None = sdk.Field(default=None, foreign_key="NAME_user.id")
    writer: User | None = Relationship(back_populates="notes")
"""


def test_f093_equal_class_names_in_two_plugins(write, load):
    for name in ("one", "two"):
        write(name, {"models.py": MODELS.replace("NAME", name)})
    loaded = load()
    assert all(one.live for one in loaded.values()), {name: one.problem for name, one in loaded.items()}
    for name in ("one", "two"):
        models = importlib.import_module(f"mozaiks_plugins.{name}.models")
        assert inspect(models.User).relationships["notes"].mapper.class_ is models.Note
        assert str(inspect(models.User).relationships["notes"].order_by[0]) == f"{name}_note.id"
        assert inspect(models.Note).relationships["writer"].mapper.class_ is models.User
    assert inspect(ShellUser).local_table.name == "identity_user"
