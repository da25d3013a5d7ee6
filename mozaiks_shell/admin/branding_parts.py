"""The branding page's client-side parts (``branding.js``) as components."""

from typing import Any

import reflex as rx

_JS = "$/public" + rx.asset("branding.js", shared=True)


def _text(value: rx.Var[str]) -> tuple[rx.Var[str]]:
    return (value,)


class ColorInput(rx.Component):
    """A colour as a well and as text; tells at most a few times a second."""

    library = _JS
    tag = "MzColor"

    value: rx.Var[str]
    shown: rx.Var[str]
    ratio: rx.Var[str]
    level: rx.Var[str]
    label: rx.Var[str]
    words: rx.Var[dict[str, str]]
    on_pick: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]


class Look(rx.Component):
    """What is inside wears these tokens; it is a picture, not to be used."""

    library = _JS
    tag = "MzLook"

    look: rx.Var[dict[str, str]]
    faces: rx.Var[list[Any]]
    mode: rx.Var[str]
    label: rx.Var[str]


class TextFile(rx.Component):
    """A button that reads a text file."""

    library = _JS
    tag = "MzTextFile"

    accept: rx.Var[str]
    most: rx.Var[int]
    on_text: rx.EventHandler[_text]  # type: ignore[type-arg,valid-type]
