"""Modal dialogs on the native ``<dialog>``: focus is trapped and returned, Esc closes."""

from typing import Any

import reflex as rx

from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit._props import Child, classed
from mozaiks_shell.ui.kit.actions import Variant, button
from mozaiks_shell.ui.kit.icons import icon
from mozaiks_shell.ui.kit.layout import row


class _Dialog(rx.Component):
    library = "$/public" + rx.asset("dialog.js", shared=True)
    tag = "MzDialog"

    open: rx.Var[bool]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]


def dialog(
    *children: Child, id: str, title: Child, actions: list[Child] | None = None, open: Any = None, **props: Any
) -> rx.Component:  # fmt: skip
    """A modal dialog.

    Without ``open`` the browser runs it alone: :func:`dialog_button` opens it, :func:`close_button` closes it.
    With ``open`` (a Var) State decides; give ``on_close`` too, it runs after Esc and a click outside.

    Args:
        *children: The content.
        id: Unique on the page.
        title: Its heading and accessible name.
        actions: Buttons at the foot, the main one last.
        open: Var that shows and hides it.
        **props: ``on_close``, ``class_name``, ...
    """
    if open is not None:
        props["open"] = open
    head = rx.el.div(
        rx.el.h2(title, id=f"{id}-title", class_name="mz-card-title"),
        close_button(id, icon("x"), variant="ghost", small=True, aria_label=t("Close")),
        class_name="mz-card-head",
    )
    foot = [row(*actions, gap=2, class_name="mz-dialog-foot")] if actions else []
    return _Dialog.create(
        head, *children, *foot, id=id, custom_attrs={"aria-labelledby": f"{id}-title"}, **classed("mz-dialog", props)
    )


def dialog_button(id: str, *children: Child, variant: Variant = "secondary", **props: Any) -> rx.Component:
    """A button that opens the dialog with this id."""
    return button(*children, variant=variant, custom_attrs={"commandfor": id, "command": "show-modal"}, **props)


def close_button(id: str, *children: Child, variant: Variant = "secondary", **props: Any) -> rx.Component:
    """A button that closes the dialog with this id; its ``on_click`` runs too."""
    return button(*children, variant=variant, custom_attrs={"commandfor": id, "command": "close"}, **props)
