"""``settings_config.json``: the sections and fields of the settings and profile pages (F-222 to F-225)."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from mozaiks_shell.appconfig.fields import Entries, FileModel, Icon, Ident, Label, Sentence
from mozaiks_shell.appconfig.live import LiveFile, Report
from mozaiks_shell.appconfig.problems import Location

FieldType = Literal[
    "text", "email", "textarea", "password-change", "toggle", "theme-selector", "select", "image", "plugin-settings",
    "locale-selector", "timezone-selector",
]  # fmt: skip

# Kinds that are not a value in the preferences: who keeps them instead.
SPECIAL: Final = frozenset({"password-change", "image", "plugin-settings"})

PluginName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")]
Channel = Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z0-9_-]*$")]


Order = Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]


class Option(FileModel):
    """A choice of a `select`."""

    value: Annotated[str, Field(max_length=200)] = Field(description="What is stored.")
    label: Label = Field("", description="What people see; default the value.")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"value": value, "label": value} if isinstance(value, str) else value

    @field_validator("value", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class SettingsField(FileModel):
    """A field. `required`, `editable` and `options` are enforced on the server too."""

    id: Ident = Field(description="Unique; the name under which the value is stored.")
    label: Label = Field("", description="Name people see.")
    type: FieldType = Field("text", description="Kind of field.")
    required: bool = Field(False, description="May not be empty.")
    editable: bool = Field(True, description="False shows the value only.")
    visible: bool = Field(True, description="False leaves it out.")
    options: Annotated[list[Option], Entries] = Field([], description="Choices of a `select`.")
    plugin: PluginName = Field("", description="Plugin whose settings a `plugin-settings` field shows.")
    category: Label = Field("", description="Group of a notification.")
    description: Sentence = Field("", description="Help beneath the field.")
    default_enabled: bool = Field(False, description="How a `toggle` stands until a person chooses.")
    channels: Annotated[list[Channel], Entries] = Field([], description="Channels of a notification: `in_app`, `email`, `push`.")
    placeholder: Label = Field("", description="Hint inside an empty text field.")
    max_length: int = Field(500, ge=1, le=10_000, description="Most characters of a text.")


class PluginNotification(SettingsField):
    """A notification of a plugin (F-225); only people who may use the plugin see it."""

    plugin: Annotated[PluginName, Field(min_length=1)] = Field(description="Name of the plugin.")
    type: FieldType = Field("toggle", description="Kind of field.")
    default_enabled: bool = Field(True, description="How it stands until a person chooses.")


class Section(FileModel):
    """A section of the page."""

    id: Ident = Field(description="Unique.")
    title: Label = Field("", description="Heading.")
    description: Sentence = Field("", description="Sentence beneath the heading.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    order: Order = Field(100, description="Position, small first.")
    visible: bool = Field(True, description="False leaves it out.")
    editable: bool = Field(True, description="False shows all its fields only.")
    fields: Annotated[list[SettingsField], Entries] = Field([], description="Fields.")
    plugin_notification_fields: Annotated[list[PluginNotification], Entries] = Field([], description="Notifications of plugins.")


class SettingsConfig(FileModel):
    """`settings_config.json`: sections, or the bare `{app_name, version, settings}` with which the packaged sections count."""

    app_name: Label = Field("", description="Read and not needed.")
    version: str | int | float = Field("", description="Free; not read.")
    settings: dict[str, Any] = Field({}, max_length=200, description="First values of the app-level settings.")
    profile_sections: Annotated[list[Section], Entries] | None = Field(None, description="Sections; else the packaged ones.")

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections in their order, without invisible ones."""
        shown = [one for one in self.profile_sections or [] if one.visible]
        return tuple(sorted(shown, key=lambda one: one.order))

    def field(self, id: str) -> SettingsField | None:
        """The field of this id, whichever section it is in; sections and fields that are not visible do not count."""
        every = [one for section in self.sections for one in (*section.fields, *section.plugin_notification_fields)]
        return next((one for one in every if one.id == id and one.visible), None)


def _build(file: SettingsConfig, report: Report) -> SettingsConfig:
    if file.profile_sections is None:
        packaged = [] if SETTINGS.path() is None else _packaged()
        return file.model_copy(update={"profile_sections": packaged})
    sections: dict[str, Location] = {}
    fields: dict[str, Location] = {}
    kept: list[Section] = []
    for place, section in enumerate(file.profile_sections):
        here: Location = ("profile_sections", place)
        if _taken(section.id, here, sections, report):
            continue
        lists = {
            name: [
                one
                for number, one in enumerate(getattr(section, name))
                if not _taken(one.id, (*here, name, number), fields, report) and _whole(one, (*here, name, number), report)
            ]
            for name in ("fields", "plugin_notification_fields")
        }
        kept.append(section.model_copy(update=lists))
    return file.model_copy(update={"profile_sections": kept})


def _taken(id: str, here: Location, seen: dict[str, Location], report: Report) -> bool:
    if (before := seen.get(id)) is not None:
        message = f"the id {id!r} is used before at {report.path((*before, 'id'))}; this entry is left out."
        report("error", (*here, "id"), message, "Give one of the two another id.")
        return True
    seen[id] = here
    return False


def _whole(field: SettingsField, here: Location, report: Report) -> bool:
    if field.type == "select" and not field.options:
        report("error", here, "is a select without options; left out.", 'Add "options": [{"value": …, "label": …}].')
        return False
    if field.type == "plugin-settings" and not field.plugin:
        report("error", here, "does not say whose settings it shows; left out.", 'Add "plugin".')
        return False
    if not field.label:
        report("warning", here, "has no label; its id is shown.", 'Add "label".')
    return True


def _packaged() -> list[Section]:
    from mozaiks_shell.appconfig.loader import DEFAULTS

    return list(SettingsConfig.model_validate_json((DEFAULTS / SETTINGS.name).read_text("utf-8")).profile_sections or [])


SETTINGS: LiveFile[SettingsConfig] = LiveFile("settings_config.json", SettingsConfig, build=_build)


def settings_config(app_id: str = "") -> SettingsConfig:
    """``settings_config.json`` of this app as of now."""
    return SETTINGS.current(app_id)
