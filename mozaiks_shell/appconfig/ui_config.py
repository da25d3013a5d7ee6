"""``ui.json``: chat modes, header, profile menu, notifications, footer, dashboard (F-012 to F-015, F-028)."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mozaiks_shell.appconfig.fields import (
    Colour,
    Entries,
    FileModel,
    Icon,
    Ident,
    Label,
    Length,
    Link,
    MaybeIdent,
    Sentence,
    Word,
    part,
)
from mozaiks_shell.appconfig.live import LiveFile, Report
from mozaiks_shell.appconfig.problems import Location

Role = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")]


class ChatMode(FileModel):
    """How one chat mode is named and tinted."""

    tint: Colour | None = Field(None, description="Accent colour of this mode.")
    label: Label = Field("", description="Name of the mode.")
    greeting: Sentence = Field("", description="What an empty chat of this mode says.")


class ChatModes(FileModel):
    """The two chat modes."""

    ask: ChatMode = part(ChatMode, "Questions and answers.")
    workflow: ChatMode = part(ChatMode, "A workflow beside the chat.")


class Chat(FileModel):
    """The chat pane."""

    modes: ChatModes = part(ChatModes, "Names and tints of the modes.")
    bubbleRadius: Length | None = Field(None, description="Corner radius of messages.")


class Logo(FileModel):
    """The brand in the header."""

    src: Icon = Field("", description="Logo, a file below assets/; default the brand's.")
    wordmark: Icon = Field("", description="Image of the name; replaces the name in text.")
    alt: Label = Field("", description="What a screen reader says.")
    href: Link = Field("", description="Where a click leads; default the start page.")


class ActionItem(FileModel):
    """An entry of a header action's menu."""

    id: MaybeIdent = Field("", description="Unique within its menu.")
    label: Label = Field("", description="Name.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    href: Link = Field("", description="Where it leads.")


class HeaderAction(FileModel):
    """A button of the header. `discover` opens the list of all pages and workflows."""

    id: Ident = Field(description="Unique.")
    label: Label = Field("", description="Name.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    variant: Word = Field("", description="Look: `gradient`, `primary`, `secondary`, `ghost`.")
    visible: bool = Field(True, description="False removes the button.")
    href: Link = Field("", description="Where it leads.")
    items: Annotated[list[ActionItem], Entries] = Field([], description="Entries of its menu.")


class Header(FileModel):
    """The header."""

    logo: Logo = part(Logo, "The brand.")
    actions: Annotated[list[HeaderAction], Entries] = Field([], description="Buttons.")


class MenuItem(FileModel):
    """An entry of the profile menu."""

    id: Ident = Field(description="Unique.")
    type: Literal["item", "divider"] = Field("item", description="`divider` is a line.")
    label: Label = Field("", description="Name.")
    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    action: Literal["navigate", "signout", "custom"] = Field("navigate", description="`signout` ends the session.")
    href: Link = Field("", description="Where `navigate` leads.")
    variant: Word = Field("", description="Look: `danger` warns.")
    requiresRole: Role = Field("", description="Only for people with this role.")


class Profile(FileModel):
    """The profile menu."""

    icon: Icon = Field("", description="Shown without a picture or initials.")
    show: bool = Field(True, description="False removes the menu.")
    defaultLabel: Label = Field("", description="Stands for a person without a name.")
    sublabel: Label = Field("", description="Second line beneath the name.")
    menu: Annotated[list[MenuItem], Entries] = Field([], description="Entries.")


class Notifications(FileModel):
    """The bell."""

    icon: Icon = Field("", description="Lucide name, or a file below assets/.")
    show: bool = Field(True, description="False removes it.")
    emptyText: Sentence = Field("", description="What an empty list says.")


class FooterLink(FileModel):
    """A link of the footer."""

    label: Label = Field(min_length=1, description="Name.")
    href: Link = Field(min_length=1, description="Where it leads.")
    external: bool = Field(False, description="Opens in a new tab; http and https addresses always do.")


class Footer(FileModel):
    """The footer."""

    links: Annotated[list[FooterLink], Entries] = Field([], description="Links.")
    visible: bool = Field(True, description="False removes the footer.")
    poweredBy: Label = Field("", description="Line beside the links.")


class DashboardSection(FileModel):
    """A section of the start page, by the name it is registered under."""

    id: Ident = Field(description="Name of the section.")
    title: Label = Field("", description="Another heading.")
    visible: bool = Field(True, description="False leaves it out.")

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return [{"id": name, **(one if isinstance(one, dict) else {"visible": one})} for name, one in value.items()]
    return value


class Dashboard(FileModel):
    """The start page."""

    sections: Annotated[list[DashboardSection], BeforeValidator(_listed), Entries] | None = Field(
        None, description="Sections in their order, by name or as objects; without it all of them in their own order."
    )


class UiConfig(FileModel):
    """`ui.json`."""

    version: str | int | float = Field("", description="Free; not read.")
    chat: Chat = part(Chat, "The chat pane.")
    header: Header = part(Header, "The header.")
    profile: Profile = part(Profile, "The profile menu.")
    notifications: Notifications = part(Notifications, "The bell.")
    footer: Footer = part(Footer, "The footer.")
    dashboard: Dashboard = part(Dashboard, "The start page.")


def _build(file: UiConfig, report: Report) -> UiConfig:
    """Second entries of one id are left out; entries that do nothing are named."""
    header = file.header.model_copy(update={"actions": once(file.header.actions, ("header", "actions"), report)})
    profile = file.profile.model_copy(update={"menu": once(file.profile.menu, ("profile", "menu"), report)})
    for place, item in enumerate(file.profile.menu):
        here = ("profile", "menu", place)
        if item.type == "item" and not item.label:
            report("warning", here, "has no label; its id is shown.", 'Add "label".')
        if item.type == "item" and item.action == "navigate" and not item.href:
            report("warning", here, "leads nowhere.", 'Add "href", or choose the action "signout" or "custom".')
    for place, action in enumerate(file.header.actions):
        if action.visible and action.id != "discover" and not action.href and not action.items:
            report("hint", ("header", "actions", place), "does nothing until a plugin answers its id.", 'Add "href" or "items".')
    dashboard = file.dashboard
    if dashboard.sections is not None:
        dashboard = dashboard.model_copy(update={"sections": once(dashboard.sections, ("dashboard", "sections"), report)})
    return file.model_copy(update={"header": header, "profile": profile, "dashboard": dashboard})


def once(entries: list[Any], where: Location, report: Report) -> list[Any]:
    """The entries without those whose id an earlier one has; each of these is an error."""
    seen: dict[str, int] = {}
    for place, one in enumerate(entries):
        if one.id in seen:
            first = report.path((*where, seen[one.id], "id"))
            message = f"the id {one.id!r} is used before at {first}; this entry is left out."
            report("error", (*where, place, "id"), message, "Give one of the two another id.")
        seen.setdefault(one.id, place)
    return [entries[place] for place in seen.values()]


UI: LiveFile[UiConfig] = LiveFile("ui.json", UiConfig, build=_build)


def ui_config(app_id: str = "") -> UiConfig:
    """``ui.json`` of this app as of now."""
    return UI.current(app_id)
