"""The foot of a form that is saved as a whole: it knows whether something was changed, and says how saving went."""

from typing import Any

import reflex as rx

from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit._props import Child, classed

_JS = "$/public" + rx.asset("save_bar.js", shared=True)


class _SaveBar(rx.Component):
    library = _JS
    tag = "MzSaveBar"

    saved: rx.Var[int]
    failed: rx.Var[int]
    words: rx.Var[dict[str, str]]
    clear: rx.Var[bool]
    always: rx.Var[bool]
    reload: rx.Var[bool]


class _LeaveGuard(rx.Component):
    library = _JS
    tag = "MzLeaveGuard"

    words: rx.Var[dict[str, str]]


def save_bar(
    *note: Child,
    saved: int | rx.Var[int],
    failed: int | rx.Var[int],
    label: Text | None = None,
    done: Text | None = None,
    clear: bool = False,
    always: bool = False,
    reload: bool = False,
    **props: Any,
) -> rx.Component:
    """The last child of a ``<form>``: Save, Discard, and a line that says “Unsaved changes” or “Saved”.

    Controls are uncontrolled (``default_value``), so that nothing typed is lost when the server refuses. After a refusal
    the focus goes to the first control with ``aria-invalid``.

    Args:
        *note: A quiet sentence shown while nothing is changed.
        saved: A number that grows with every success.
        failed: A number that grows with every refusal.
        label: What the button says, ``Save`` unless given.
        done: What is said after success, ``Saved`` unless given.
        clear: Empty the form after success (passwords) instead of keeping what was typed.
        always: The button works without a change, too.
        reload: Load the page anew after success, and say there that it is saved. The bar needs an ``id``.
        **props: For the bar.
    """
    words = {
        "save": t("Save") if label is None else label,
        "discard": t("Discard"),
        "dirty": t("Unsaved changes"),
        "busy": t("Saving…"),
        "saved": t("Saved") if done is None else done,
    }
    return _SaveBar.create(
        *note, saved=saved, failed=failed, words=words, clear=clear, always=always, reload=reload, **classed("mz-savebar", props)
    )  # fmt: skip


def leave_guard() -> rx.Component:
    """Asks before one leaves the page with unsaved changes. At most one per page."""
    words = {
        "title": t("Leave without saving?"),
        "text": t("Your changes on this page are not saved yet."),
        "leave": t("Leave"),
        "stay": t("Stay"),
    }
    return _LeaveGuard.create(words=words)
