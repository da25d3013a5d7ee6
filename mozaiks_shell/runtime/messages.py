"""What clients may send: WebSocket frames (protocol §2.3) and HTTP bodies (protocol §1.2).

A frame that fits none of the models is a ``SCHEMA_VALIDATION_FAILED``. Client frames are flat: fields sit
beside ``type``. Unknown extra fields are ignored, as published.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

Name = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(max_length=32_000)]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class UiUser(_Lenient):
    """The signed-in person, as the shell tells it."""

    name: str = ""


class UiPlan(_Lenient):
    """The person's plan."""

    name: str = ""
    title: str = ""


class UiPage(_Lenient):
    """A page the person may open."""

    title: str
    path: str
    description: str = ""


class UiWorkflow(_Lenient):
    """A workflow the person may start."""

    name: str
    title: str = ""


class UiContext(_Lenient):
    """What the shell knows about the screen; sent as ``context`` with user.input.submit."""

    user: UiUser = UiUser()
    plan: UiPlan = UiPlan()
    pages: list[UiPage] = []
    workflows: list[UiWorkflow] = []

    @classmethod
    def read(cls, raw: dict[str, Any] | None) -> UiContext | None:
        """The context, or None when there is none in this shape (hosts may send any object)."""
        if not raw:
            return None
        try:
            return cls.model_validate(raw)
        except ValidationError:
            return None


class Submit(_Lenient):
    """Text from the user, with or without the id of the question it answers."""

    type: Literal["user.input.submit"]
    chat_id: Name
    text: Text = Field(validation_alias=AliasChoices("text", "user_input"))
    request_id: Name | None = None
    input_request_id: Name | None = None
    context: dict[str, Any] | None = Field(default=None, validation_alias=AliasChoices("context", "ui_context"))

    @property
    def answers(self) -> str | None:
        """The id of the question this answers; clients use either name."""
        return self.request_id or self.input_request_id


class UiToolResponse(_Lenient):
    """The answer of a UI tool, in both documented spellings; ``eventId`` is the ``corr`` of its tool_call."""

    type: Literal["ui_tool_response", "ui.tool.response"]
    event_id: Name = Field(validation_alias=AliasChoices("eventId", "event_id", "ui_tool_id"))
    response: dict[str, Any] = Field(validation_alias=AliasChoices("response", "response_data"))


class Resume(_Lenient):
    """Replay from the message after ``lastClientIndex``; -1 means nothing was seen."""

    type: Literal["client.resume"]
    chat_id: Name
    last_index: StrictInt = Field(alias="lastClientIndex", ge=-1)


class EnterGeneralMode(_Lenient):
    """Switch this socket to ask mode."""

    type: Literal["chat.enter_general_mode"]


class StartGeneralChat(_Lenient):
    """Begin a new ask thread."""

    type: Literal["chat.start_general_chat"]


class SwitchWorkflow(_Lenient):
    """Leave ask mode for the workflow of this socket."""

    type: Literal["chat.switch_workflow"]
    chat_id: Name


class StartWorkflow(_Lenient):
    """Start another workflow beside this one."""

    type: Literal["chat.start_workflow"]
    workflow_name: Name
    initial_message: Text | None = None
    auto_run: bool = True
    initial_agent: Name | None = None


class BatchRun(_Lenient):
    """One workflow of a batch."""

    workflow_name: Name
    initial_message: Text | None = None
    initial_agent: Name | None = None
    label: Name | None = None


class StartWorkflowBatch(_Lenient):
    """Start several workflows beside this one."""

    type: Literal["chat.start_workflow_batch"]
    runs: list[BatchRun] = Field(min_length=1, max_length=10)
    auto_run: bool = True
    activate_first: bool = False


class Cancel(_Lenient):
    """Stop the answer that is being written."""

    type: Literal["user.cancel"]
    chat_id: Name


class ArtifactAction(_Lenient):
    """Call a tool for an artifact that is shown."""

    type: Literal["artifact.action", "chat.artifact_action"]
    action_id: Name
    artifact_id: Name
    tool: Name
    params: dict[str, Any] = {}


ClientFrame = (
    ArtifactAction
    | Submit
    | UiToolResponse
    | Resume
    | EnterGeneralMode
    | StartGeneralChat
    | SwitchWorkflow
    | StartWorkflow
    | StartWorkflowBatch
    | Cancel
)
_FRAMES: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])


def parse_frame(raw: object) -> ClientFrame | None:
    """The typed frame, or None when it does not fit the contract."""
    try:
        return _FRAMES.validate_python(raw)
    except ValidationError:
        return None


class StartBody(_Lenient):
    """POST /api/chats/{app}/{wf}/start."""

    user_id: Name | None = None
    client_request_id: str | None = Field(default=None, max_length=256)
    force_new: bool = False


class ChatInputBody(_Lenient):
    """POST /chat/{app}/{chat}/{user}/input."""

    message: Text
    workflow_name: Name | None = None
    context: dict[str, Any] | None = None


class UserInputBody(_Lenient):
    """POST /api/user-input/submit."""

    input_request_id: Name
    user_input: Text


class UiToolBody(_Lenient):
    """POST /api/ui-tool/submit."""

    event_id: Name
    response_data: dict[str, Any]


class ComponentAction(_Lenient):
    """POST /chat/{app}/{chat}/component_action."""

    component_id: Name
    action_type: Name
    action_data: dict[str, Any] = {}


class OAuthCompleted(_Lenient):
    """POST /api/realtime/oauth/completed; the field names are the webhook's."""

    chatSessionId: Name
    appId: Name
    userId: Name
    platform: Name
    success: bool
    correlationId: str | None = Field(default=None, max_length=256)
    accountId: str | None = Field(default=None, max_length=256)
    accountName: str | None = Field(default=None, max_length=256)
    error: str | None = Field(default=None, max_length=2000)
    timestampUtc: str | None = Field(default=None, max_length=64)
