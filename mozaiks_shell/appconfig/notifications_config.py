"""``notifications_config.json``: kinds of notifications that plugins send, for the preferences of people (F-087, F-211)."""

from typing import Annotated

from pydantic import Field

from mozaiks_shell.appconfig.fields import Entries, FileModel, Icon, Ident, Label, MaybeIdent, Sentence, part
from mozaiks_shell.appconfig.live import LiveFile
from mozaiks_shell.appconfig.settings_config import Channel


class NotificationKind(FileModel):
    """A kind of notification. A person can switch it off."""

    id: Ident = Field(description="Unique in its plugin; the `type` that `sdk.notifications.send` names.")
    label: Label = Field("", description="Name people see; default the id.")
    description: Sentence = Field("", description="When it comes.")
    category: MaybeIdent = Field("", description="Id of its group.")
    default_enabled: bool | None = Field(None, description="How it stands until a person chooses; default the file's.")
    channels: Annotated[list[Channel], Entries] = Field(["in_app"], description="How it may come: `in_app`, `email`, `push`.")


class NotificationCategory(FileModel):
    """A group of kinds."""

    id: Ident = Field(description="Unique.")
    name: Label = Field("", description="Heading; default the id.")
    description: Sentence = Field("", description="Sentence beneath it.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")


class PluginNotifications(FileModel):
    """The kinds of one plugin; they replace those of the same id in its manifest."""

    display_name: Label = Field("", description="Name of the plugin here; default its own.")
    notifications: Annotated[list[NotificationKind], Entries] = Field([], description="Kinds.")


class NotificationSettings(FileModel):
    """What counts where a kind says nothing."""

    default_enabled: bool = Field(True, description="How kinds stand until a person chooses.")


class NotificationsConfig(FileModel):
    """`notifications_config.json`."""

    enabled: bool = Field(True, description="False: plugins send no notifications at all.")
    channels: Annotated[list[Channel], Entries] = Field(["in_app"], description="Channels of this installation.")
    categories: Annotated[list[NotificationCategory], Entries] = Field([], description="Groups of kinds.")
    settings: NotificationSettings = part(NotificationSettings, "What counts where a kind says nothing.")
    plugins: dict[str, PluginNotifications] = Field({}, max_length=200, description="Kinds by the name of their plugin.")


NOTIFICATIONS: LiveFile[NotificationsConfig] = LiveFile("notifications_config.json", NotificationsConfig)


def notifications_config(app_id: str = "") -> NotificationsConfig:
    """``notifications_config.json`` of this app as of now."""
    return NOTIFICATIONS.current(app_id)
