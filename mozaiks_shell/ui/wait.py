"""A sentence that counts down until something may be tried again."""

from typing import Any

import reflex as rx


class _Wait(rx.Component):
    library = "$/public" + rx.asset("wait.js", shared=True)
    tag = "MzWait"

    seconds: rx.Var[int]


def wait_left(seconds: int | rx.Var[int]) -> rx.Component:
    """“You can try again in 12 seconds.”, then “You can try again now.” Read aloud once, not every second.

    Args:
        seconds: As the server said when this was drawn (:class:`~mozaiks_shell.foundation.errors.TooMany`).
    """
    shown: Any = _Wait.create(seconds=seconds)
    return rx.el.span(shown, custom_attrs={"aria-live": "off"}, class_name="mz-wait")
