"""Lets a page hear what the server tells this person's open tabs (see :mod:`mozaiks_shell.foundation.live`)."""

from typing import Any

import reflex as rx


def _told(action: rx.Var[str], data: rx.Var[dict[str, Any]]) -> tuple[rx.Var[str], rx.Var[dict[str, Any]]]:
    return action, data


class _Live(rx.Component):
    library = "$/public" + rx.asset("live.js", shared=True)
    tag = "MzLive"

    kind: rx.Var[str]
    again: rx.Var[bool]

    on_frame: rx.EventHandler[_told]  # type: ignore[type-arg, valid-type]


def live(kind: str, on_frame: Any, *, again: bool = True) -> rx.Component:
    """An invisible component that runs ``on_frame(action, data)`` for every frame of this type.

    Args:
        kind: ``tasks_update``, ``notification``.
        on_frame: Event handler; it may take both arguments, only the action, or none.
        again: Also after the connection was lost and is back, with the action ``reconnected``.
    """
    return _Live.create(kind=kind, again=again, on_frame=on_frame)
