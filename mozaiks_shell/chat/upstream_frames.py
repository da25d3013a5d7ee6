"""What the published runtime's frames come to: one typed value each (:mod:`.protocol` reads them)."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from mozaiks_shell.chat.artifact_frames import ArtifactNews


@dataclass(frozen=True, slots=True)
class Meta:
    """First frame: the chat the server really attached us to. ``completed`` is its status 1; ids it did not tell are empty."""

    chat_id: str
    completed: bool
    app_id: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks next."""

    agent: str


@dataclass(frozen=True, slots=True)
class Piece:
    """An increment of a message that is being written."""

    agent: str
    content: str


@dataclass(frozen=True, slots=True)
class Said:
    """A whole message. ``number`` is its place in the conversation where the frame tells one (0 is the first).

    ``sequence`` is the server's own count, which begins anew with every life of the server.
    """

    agent: str
    content: str
    number: int | None
    replay: bool
    cancelled: bool
    sequence: int | None = None

    @property
    def by_user(self) -> bool:
        """Whether it is a text of the person (or the workflow's seed, which speaks as the person)."""
        return self.agent.casefold() in {"user", "userproxy", "user_proxy"}


@dataclass(frozen=True, slots=True)
class Ask:
    """The run waits for a text. ``prompt`` is empty when the runtime sent its stock sentence.

    ``choices`` are (label, text to send) where the runtime offers some; ``file``: it asks for a file.
    """

    id: str
    prompt: str
    password: bool
    choices: tuple[tuple[str, str], ...] = ()
    file: bool = False

    def label(self, text: str) -> str:
        """What the person chose, as they saw it; a text of their own as it is."""
        return next((label for label, value in self.choices if value == text), text)

    def body(self) -> dict[str, Any]:
        """The question as the log keeps it."""
        told: dict[str, Any] = {"id": self.id, "prompt": self.prompt, "password": self.password}
        told |= {"choices": [{"label": label, "value": value} for label, value in self.choices]} if self.choices else {}
        return told | ({"file": True} if self.file else {})

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Ask":
        """The question behind :meth:`body`."""
        choices = tuple((str(one["label"]), str(one["value"])) for one in body.get("choices", ()))
        return cls(body["id"], body["prompt"], body["password"], choices, bool(body.get("file")))


@dataclass(frozen=True, slots=True)
class Answered:
    """A question was answered, by us or by somebody else."""

    id: str


@dataclass(frozen=True, slots=True)
class TimedOutAsk:
    """A question waits no longer."""

    id: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The verdict on something we sent. ``what`` is ``input`` or ``tool``."""

    what: str
    id: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A UI tool to show. ``payload`` is JSON text of an object."""

    id: str
    component: str
    display: str
    title: str
    payload: str
    awaiting: bool


@dataclass(frozen=True, slots=True)
class Oversized:
    """A UI tool that is too large to be stored or shown. One that awaits an answer holds up its run until it gets one."""

    id: str
    component: str
    title: str
    awaiting: bool


@dataclass(frozen=True, slots=True)
class ToolOver:
    """A UI tool is done (``dismissed`` False) or goes off the screen."""

    id: str
    dismissed: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A tool tells how far it is, 0 to 100."""

    id: str
    percent: float
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A tool that runs by itself begins (``state`` running) or is over (done, failed)."""

    id: str
    name: str
    state: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """The runtime sums up the tokens of the conversation so far."""

    tokens: int


@dataclass(frozen=True, slots=True)
class Navigate:
    """The run asks to open a page. Not validated yet."""

    path: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model call."""

    event_id: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something went wrong over there. ``message`` is fit for a person; ``fatal`` means the run broke."""

    code: str
    message: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class Spawned:
    """Chats that the run started beside its own: ids and workflows. Whose they are where the frame says so.

    ``awaited``: the run goes on when they have ended.
    """

    chats: tuple[tuple[str, str], ...]
    app_id: str = ""
    user_id: str = ""
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Child:
    """One of the chats that the run waits for has ended, ``done`` of ``total``."""

    chat_id: str
    done: int
    total: int
    good: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on with the results of the chats it waited for."""

    good: int
    failed: int


@dataclass(frozen=True, slots=True)
class Late:
    """The chats that the run waits for take longer than planned; it goes on waiting."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over. ``certain`` False is AG2's own last event, which an error may still follow."""

    certain: bool


@dataclass(frozen=True, slots=True)
class Hidden:
    """Known, and not for people: noise, heartbeats, texts of hidden agents (``agent`` is then its name)."""

    type: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No frame of the contract."""

    type: str


@dataclass(frozen=True, slots=True)
class Agui:
    """A frame of the AG-UI family, not understood yet; ``name`` without ``agui.``."""

    name: str
    data: dict[str, Any]


Upstream: TypeAlias = (
    Meta | Speaker | Piece | Said | Ask | Answered | TimedOutAsk | Acknowledged | Tool | Oversized | ToolOver | Progress | Step
    | Navigate | Usage | Counted | Agui | ArtifactNews
    | Problem | Spawned | Child | Resumed | Late | Ended | Hidden | Unknown
)  # fmt: skip
