"""A form that saves itself and never loses what was typed."""

from typing import Any

import reflex as rx

from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit._props import Child, classed


def _edit(edit: rx.Var[dict[str, Any]]) -> tuple[rx.Var[dict[str, Any]]]:
    return (edit,)


class _Autosave(rx.Component):
    library = "$/public" + rx.asset("autosave.js", shared=True)
    tag = "MzAutosave"

    name: rx.Var[str]
    saved: rx.Var[int]
    version: rx.Var[str]
    words: rx.Var[dict[str, str]]

    on_save: rx.EventHandler[_edit]  # type: ignore[type-arg,valid-type]


def autosave(
    *children: Child, name: str | rx.Var[str], on_save: Any, saved: rx.Var[int], version: str | rx.Var[str] = "", **props: Any
) -> rx.Component:
    """A ``<form>`` without a Save button: it calls ``on_save`` when a person pauses, leaves a field, presses Ctrl-S, hides
    the tab or goes to another page, and says beneath how that went.

    What is typed is kept in the browser with every key until the server has it; when the page is opened again after a
    crash or without a connection, it is put back and sent. Controls are uncontrolled: give them ``name`` and
    ``default_value``. Draw the form only once those are there (``rx.cond(Note.ready, ...)``) and give it a ``key``.

    Args:
        *children: Fields.
        name: What is edited, unique in the app: the row's id.
        on_save: Handler of one argument, a dict: ``name``; ``values``, the controls' texts by name; ``turn``, a number
            that grows; ``version``, what the argument below was when the text was typed. Once it is stored, set the Var
            given as ``saved`` to ``turn``; while it is not, the form tries again.
        saved: Var with the ``turn`` stored last, 0 at first.
        version: Says what the typed text is based on, so that the handler can tell a change made elsewhere.
        **props: As for ``rx.el.form``.
    """
    words = {"busy": t("Saving…"), "saved": t("Saved"), "waiting": t("Not saved yet. It is kept in this browser.")}
    return _Autosave.create(
        *children, name=name, on_save=on_save, saved=saved, version=version, words=words, **classed("mz-autosave", props)
    )
