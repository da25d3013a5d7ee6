"""Form controls: native elements with a visible label, a help line and an error line."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import reflex as rx

from mozaiks_shell.ui.kit._props import Child, attributes, classed, given

_ids = count(1)
Option = str | tuple[str, Child]


def text_input(**props: Any) -> rx.Component:
    """A one-line text box; ``type`` is ``text`` unless given. Uncontrolled: prefer ``default_value`` and ``on_submit``."""
    props.setdefault("type", "text")
    return rx.el.input(**classed("mz-input", props))


def text_area(**props: Any) -> rx.Component:
    """A box for several lines."""
    return rx.el.textarea(**classed("mz-input mz-textarea", props))


def select(options: Sequence[Option] | rx.Var[Any], **props: Any) -> rx.Component:
    """A native choice.

    Args:
        options: Values, or ``(value, label)`` pairs; a Var of a list of strings works too.
        **props: As for ``rx.el.select``.
    """
    lines: list[Child]
    if isinstance(options, rx.Var):
        lines = [rx.foreach(options, lambda one: rx.el.option(one, value=one))]
    else:
        pairs = [(one, one) if isinstance(one, str) else one for one in options]
        lines = [rx.el.option(label, value=value) for value, label in pairs]
    return rx.el.select(*lines, **classed("mz-input mz-select", props))


def checkbox(label: Child, **props: Any) -> rx.Component:
    """A check box with its label; the whole line is the target."""
    return rx.el.label(rx.el.input(type="checkbox", **props), rx.el.span(label), class_name="mz-check")


def switch(label: Child, **props: Any) -> rx.Component:
    """An on/off switch for a setting that applies at once."""
    control = rx.el.input(type="checkbox", role="switch", **classed("mz-switch", props))
    return rx.el.label(control, rx.el.span(label), class_name="mz-check")


def field(label: Child, control: rx.Component, help: Child = "", error: str | rx.Var[str] = "") -> rx.Component:
    """A control with its label above and help and error beneath, tied together for screen readers.

    Args:
        label: The visible name.
        control: One of :func:`text_input`, :func:`text_area`, :func:`select`; gets an ``id`` when it has none.
        help: A quiet sentence beneath.
        error: What is wrong; a Var may be empty and fill later.
    """
    identity = control.id or f"mz-field-{next(_ids)}"
    control.id = identity
    described: list[Child] = []
    parts: list[Child] = [rx.el.label(label, html_for=identity, class_name="mz-label"), control]
    if given(help):
        parts.append(rx.el.p(help, id=f"{identity}-help", class_name="mz-help"))
        described.append(f"{identity}-help")
    if given(error):
        message = rx.el.p(error, id=f"{identity}-error", class_name="mz-error", role="alert")
        parts.append(rx.cond(error != "", message, rx.fragment()) if isinstance(error, rx.Var) else message)
        described.append(f"{identity}-error")
        invalid = rx.cond(error != "", "true", "false") if isinstance(error, rx.Var) else "true"
        control.custom_attrs = attributes({"custom_attrs": control.custom_attrs}, **{"aria-invalid": invalid})["custom_attrs"]
    if described:
        by = " ".join(str(one) for one in described)
        control.custom_attrs = attributes({"custom_attrs": control.custom_attrs}, **{"aria-describedby": by})["custom_attrs"]
    return rx.el.div(*parts, class_name="mz-field")
