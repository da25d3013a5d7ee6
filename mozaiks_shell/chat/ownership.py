"""One owner per chat (D4): the process that has the chat's lease writes its log; every line of it is fenced.

The fence is checked inside the transaction that writes, so a process that lost the chat while it was frozen writes nothing.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, update
from sqlmodel import col

from mozaiks_shell.chat.writer import Entry
from mozaiks_shell.foundation.models import Lease

CHAT: Final = "chat:"
START: Final = "start:"
PLACE: Final = "socket:"
_STATUS = '{"t":"chat"'


class Fenced(ValueError):
    """Another process has the chat now; what this one wanted to write is not written."""


def lease_of(chat_id: str) -> str:
    """The name of a chat's lease."""
    return CHAT + chat_id


def start_lease(user_id: str, workflow: str) -> str:
    """The name of the lease under which a person's chat of a workflow is started, one at a time."""
    return f"{START}{user_id}:{workflow}"


def prepare(entry: Entry) -> None:
    """Give an entry the fence of its chat, and a status frame to the processes that follow the chat."""
    entry.fence = entry.channel.fence
    if entry.fence and entry.offset < 0 and entry.body.startswith(_STATUS):
        mine = (col(Lease.name) == lease_of(entry.channel.chat_id), col(Lease.fence) == entry.fence)
        entry.statements = (*entry.statements, update(Lease).where(*mine).values(note=entry.body))


def guard(connection: Connection, batch: Sequence[Entry]) -> None:
    """Whether every entry is written by the owner of its chat. The rows stay locked until the transaction ends.

    It comes after the inserts: from the first of them on SQLite lets no other process take the chat.

    Raises:
        Fenced: one is not.
    """
    fences = {(lease_of(entry.channel.chat_id), entry.fence) for entry in batch if entry.fence}
    if not fences:
        return
    names = sorted({name for name, _ in fences})
    sqlite = connection.dialect.name == "sqlite"
    marks = ",".join(["?" if sqlite else "%s"] * len(names))
    query = f"SELECT name, fence FROM shell_lease WHERE name IN ({marks})" + ("" if sqlite else " ORDER BY name FOR SHARE")
    now = {(row[0], row[1]) for row in connection.exec_driver_sql(query, tuple(names))}
    if lost := fences - now:
        raise Fenced(f"written by another process: {', '.join(sorted(name for name, _ in lost)[:5])}")
