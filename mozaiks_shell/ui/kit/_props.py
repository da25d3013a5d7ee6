"""Small helpers the kit's functions share."""

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

Child = rx.Component | Var[Any] | str | int | float | None


def given(child: Child) -> bool:
    """Whether there is anything to show: a Var may have something any time."""
    return isinstance(child, Var) or (child is not None and child != "")


def classed(base: str, props: dict[str, Any]) -> dict[str, Any]:
    """The props with the kit's classes in front of the caller's ``class_name``."""
    own = props.pop("class_name", "")
    return {**props, "class_name": [base, *own] if isinstance(own, list) else [base, own] if given(own) else base}


def attributes(props: dict[str, Any], **extra: str | Var[Any]) -> dict[str, Any]:
    """The props with further raw HTML attributes, for those Reflex has no prop for."""
    return {**props, "custom_attrs": {**props.get("custom_attrs", {}), **extra}}
