"""What an agent has written of a message so far."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Draft:
    """The message that is being written."""

    id: str
    agent: str
    offset: int
    parts: list[str] = field(default_factory=list)
    size: int = 0
    again: str = ""  # after a reconnect: what the runtime will tell once more
    restored: bool = False  # the process that began it is gone
