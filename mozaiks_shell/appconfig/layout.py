"""Where the sidebar and the header stand: the ``layout`` part of ``branding.json`` (F-016)."""

from typing import Any, Literal

from pydantic import Field

from mozaiks_shell.appconfig.fields import FileModel, part
from mozaiks_shell.appconfig.live import LiveFile


class SidebarLayout(FileModel):
    """The sidebar."""

    position: Literal["left", "right"] = Field("left", description="Side of the page; mirrored in right-to-left languages.")
    collapsible: bool = Field(True, description="Whether a person can collapse it to icons.")
    defaultCollapsed: bool = Field(False, description="How it stands until a person chooses.")


class HeaderLayout(FileModel):
    """The header."""

    visible: bool = Field(True, description="False removes it.")
    sticky: bool = Field(True, description="Whether it stays in place while the page scrolls.")


class Layout(FileModel):
    """The `layout` part."""

    sidebar: SidebarLayout = part(SidebarLayout, "The sidebar.")
    header: HeaderLayout = part(HeaderLayout, "The header.")


class BrandingLayout(FileModel):
    """`branding.json` as far as the layout goes; ``app`` and ``theme`` are read by the brand."""

    version: str | int | float = Field("", description="Free; not read.")
    app: Any = Field(None, description="Name, tagline, logo, favicon.")
    theme: Any = Field(None, description="Mode and colours.")
    layout: Layout = part(Layout, "Where the sidebar and the header stand.")


LAYOUT: LiveFile[Layout] = LiveFile("branding.json", BrandingLayout, build=lambda file, _: file.layout)


def layout(app_id: str = "") -> Layout:
    """The layout of this app as of now. It counts whatever the brand is read from."""
    return LAYOUT.current(app_id)
