"""What a chat is made of: messages, questions, UI tools, answers that are being written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from .frames import Frame


@dataclass(frozen=True)
class Message:
    """A stored message; ``index`` is its place in the whole conversation, counting dropped ones too."""

    index: int
    sequence: int
    role: str
    agent: str
    content: str
    timestamp: str
    metadata: Frame | None


@dataclass
class Question:
    """A pending ``chat.input_request``."""

    frame: Frame
    answer: asyncio.Future[str]
    password: bool = False

    @property
    def id(self) -> str:
        """The request id."""
        return str(self.frame["data"]["request_id"])


@dataclass
class UiTool:
    """A shown UI tool that awaits its answer."""

    frame: Frame
    answer: asyncio.Future[Frame]

    @property
    def id(self) -> str:
        """The event id (``corr``)."""
        return str(self.frame["data"]["corr"])

    @property
    def component(self) -> str:
        """The component type, which is also the ``ui_tool_id``."""
        return str(self.frame["data"]["component_type"])

    @property
    def display(self) -> str:
        """``inline`` or ``artifact``."""
        return str(self.frame["data"]["display"])


@dataclass(eq=False)
class Draft:
    """An answer that is being written: the chunks so far and the task that writes it."""

    agent: str
    chunks: list[Frame] = field(default_factory=list)
    size: int = 0
    task: asyncio.Task[None] | None = None
    cancelled: bool = False

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(chunk["data"]["content"] for chunk in self.chunks)
