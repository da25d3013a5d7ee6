"""The command palette (Ctrl-K, Cmd-K), its button, and the list of shortcuts (``?``).

Every page carries only what listens for the keys; the dialogs are a chunk of their own, fetched before they are needed.
"""

from typing import Any, Final

import reflex as rx
from reflex_base.components.component import NoSSRComponent
from reflex_base.utils.format import to_title_case
from reflex_base.utils.memo_paths import library_and_symbol
from reflex_base.vars.base import Var
from reflex_base.vars.function import ArgsFunctionOperation

from mozaiks_shell.chat.state import ChatState
from mozaiks_shell.shell import shortcuts
from mozaiks_shell.shell.palette_state import Palette, baked_commands
from mozaiks_shell.shell.state import Frame, FrameMenus
from mozaiks_shell.shell.triggers import Triggers
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import icon
from mozaiks_shell.ui.kit.icons import named_icon
from mozaiks_shell.ui.page import page_at

_CODE: Final = {
    name: rx.asset(name, shared=True).importable_path
    for name in ("palette_keys.js", "palette_rank.js", "palette_sheet.js", "palette.js")
}  # fmt: skip
# Drawings of the palette's own lines, which a name that arrives with State may not mean.
_GLYPHS: Final = (
    "arrow-left", "chevron-right", "file", "keyboard", "languages", "lock", "log-out", "message-circle", "monitor", "moon",
    "panel-left", "search", "square-pen", "sun", "sun-moon", "x",
)  # fmt: skip


def _text(value: rx.Var[str]) -> tuple[rx.Var[str]]:
    return (value,)


class PaletteHost(rx.Component):
    """Listens for the keys; mounts its children when somebody is about to use them."""

    library = _CODE["palette_keys.js"]
    tag = "MzPaletteHost"

    nav: rx.Var[list[Any]]
    top: rx.Var[list[Any]]
    core: rx.Var[dict[str, str]]
    commands: rx.Var[list[dict[str, Any]]]
    signed_in: rx.Var[bool]
    ready: rx.Var[bool]

    on_run: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]
    on_trigger: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]


class PaletteDialogs(rx.Component):
    """Palette and list of shortcuts."""

    library = _CODE["palette.js"]
    tag = "MzPaletteDialogs"

    nav: rx.Var[list[Any]]
    top: rx.Var[list[Any]]
    core: rx.Var[dict[str, str]]
    words: rx.Var[dict[str, str]]
    plans: rx.Var[bool]
    items: rx.Var[list[Any]]
    found: rx.Var[dict[str, Any]]
    loaded: rx.Var[bool]
    chat: rx.Var[bool]
    glyphs: rx.Var[dict[str, Any]]
    icon_of: rx.Var[Any]

    on_open: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]
    on_search: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]
    on_run: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]
    on_trigger: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]
    on_chat: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]
    on_start: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]
    on_open_chat: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]
    on_theme: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]


@rx.memo
def palette_dialogs() -> rx.Component:
    """The dialogs with everything they are fed from."""
    drawn = ArgsFunctionOperation.create(
        ("mzName",), Var.create(named_icon(name=Var("mzName", _var_type=str), size=Var.create(17)))
    )
    return PaletteDialogs.create(
        nav=FrameMenus.nav,
        top=FrameMenus.top,
        core=shortcuts.CORE,
        words=Palette.words,
        plans=page_at("/plans") is not None,
        items=Palette.items,
        found=Palette.found,
        loaded=Palette.loaded,
        chat=Palette.chat,
        glyphs=Var.create({name: icon(name, 17) for name in _GLYPHS}),
        icon_of=drawn,
        on_open=Palette.load,
        on_search=Palette.search,
        on_run=Palette.run,
        on_trigger=Triggers.run,
        on_chat=Palette.resume,
        on_start=ChatState.new_chat,
        on_open_chat=ChatState.open_widget,
        on_theme=Palette.theme,
    )


_LIBRARY, _SYMBOL = library_and_symbol(__name__, to_title_case("palette_dialogs"))


class LazyDialogs(NoSSRComponent):
    """Loads the compiled :func:`palette_dialogs` with a dynamic import instead of a static one."""

    library = _LIBRARY
    tag = _SYMBOL


def command_palette(_: bool) -> rx.Component:
    """For ``App(extra_app_wraps=...)``: the listener first, the rest of the page after it (Reflex appends it)."""
    shortcuts.warn()
    return rx.fragment(
        PaletteHost.create(
            LazyDialogs.create(),
            nav=FrameMenus.nav,
            top=FrameMenus.top,
            core=shortcuts.CORE,
            commands=baked_commands(),
            signed_in=Frame.signed_in,
            ready=Frame.ready,
            on_run=Palette.run,
            on_trigger=Triggers.run,
        )
    )


def palette_button() -> rx.Component:
    """Opens the palette; looks like a quiet search field, where it is narrow like an icon. For the header."""
    keys = rx.el.span(
        rx.el.kbd("⌘K", class_name="mz-only-apple"), rx.el.kbd("Ctrl K", class_name="mz-not-apple"),
        class_name="mz-search-keys", aria_hidden="true",
    )  # fmt: skip
    return rx.el.button(
        icon("search", 16),
        rx.el.span(t("Search or jump to…"), class_name="mz-search-words mz-truncate"),
        keys,
        type="button",
        class_name="mz-search",
        aria_haspopup="dialog",
        aria_keyshortcuts="Control+K Meta+K",
        custom_attrs={"data-mz-palette": "palette"},
    )


def shortcuts_button(*children: Any, **props: Any) -> rx.Component:
    """Anything that opens the list of shortcuts, a line of a menu for example."""
    attributes = {**props.pop("custom_attrs", {}), "data-mz-palette": "keys"}
    return rx.el.button(*children, type="button", custom_attrs=attributes, **props)
