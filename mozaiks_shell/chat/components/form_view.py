"""``core.form``: fields that are checked while they are filled in and again when they are sent (F-180)."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.forms import Form

from mozaiks_shell.chat.components import labels
from mozaiks_shell.chat.components.fields import TOOL_FIELD
from mozaiks_shell.chat.state import ChatState

rx.asset("chat_tools.css", shared=True)  # read by the script
_NONE: Any = rx.Var("undefined")


class ToolForm(Form):
    """A form whose fields tell by themselves what is wrong with them."""

    library = rx.asset("chat_form.js", shared=True).importable_path
    tag = "ToolForm"

    problem: rx.Var[str]


def tool_form(*children: Any, tool: Any, **props: Any) -> rx.Component:
    """A form that answers a tool; the tool's id travels in a hidden field."""
    hidden = rx.el.input(type="hidden", name=TOOL_FIELD, value=tool["id"], read_only=True)
    return ToolForm.create(hidden, *children, problem=tool["error"], on_submit=ChatState.answer_tool, **props)


def tool_field(tool: Any, field: Any, part: Any = "") -> rx.Component:
    """A field with its label, its help and what is wrong with it."""
    ident = f"{tool['id']}-{part}{field['name']}"
    star = rx.cond(field["required"], rx.el.span("*", aria_hidden="true", class_name="mzc-required"))
    tick = rx.el.label(
        rx.el.input(type="checkbox", default_checked=field["checked"], **_shared(ident, field)),
        rx.el.span(field["label"], star),
        class_name="mzc-tick",
    )
    entry = rx.fragment(rx.el.label(field["label"], star, html_for=ident, class_name="mzc-label"), _control(ident, field))
    drawn = rx.match(
        field["type"],
        ("checkbox", tick),
        ("radio", _group(ident, field, _radio, star)),
        ("checks", _group(ident, field, _check, star)),
        entry,
    )
    return rx.el.div(
        drawn,
        rx.el.p(field["help"], id=f"{ident}-help", class_name="mzc-help"),
        rx.el.p(rx.el.span(field["error"]), rx.el.span(id=f"{ident}-says"), id=f"{ident}-error", class_name="mzc-field-error"),
        class_name="mzc-field",
    )


def _shared(ident: str, field: Any) -> dict[str, Any]:
    told = {
        "aria-describedby": f"{ident}-help {ident}-error",
        "aria-invalid": rx.cond(field["error"] != "", "true", "false"),
        "data-field": ident,
    }
    return {"id": ident, "name": field["name"], "required": field["required"], "custom_attrs": told}


def _if_any(value: Any) -> Any:
    return rx.cond(value != "", value, _NONE)


def _control(ident: str, field: Any) -> rx.Component:
    shared = _shared(ident, field)
    lengths = {"min_length": _if_any(field["min_length"]).to(int), "max_length": _if_any(field["max_length"]).to(int)}
    words = {"default_value": field["value"], "placeholder": field["placeholder"], "class_name": "mz-input"}
    limits = {"min": _if_any(field["min"]), "max": _if_any(field["max"])}

    def box(kind: str, **extra: Any) -> rx.Component:
        return rx.el.input(type=kind, **words, **shared, **extra)

    pattern = {"pattern": _if_any(field["pattern"]), **lengths}
    area = rx.el.textarea(rows="3", **{**words, "class_name": "mz-input mz-textarea"}, **shared, **lengths)
    options = rx.foreach(field["options"], lambda option: rx.el.option(option["label"], value=option["value"]))
    choice = rx.el.select(
        rx.el.option(labels.CHOOSE, value=""), options, default_value=field["value"], class_name="mz-input mz-select", **shared
    )
    return rx.match(
        field["type"],
        ("textarea", area),
        ("select", choice),
        ("number", box("number", step=field["step"], input_mode="decimal", **limits)),
        ("date", box("date", **limits)),
        ("time", box("time", **limits)),
        ("datetime-local", box("datetime-local", **limits)),
        ("email", box("email", auto_complete="email", **pattern)),
        ("url", box("url", **pattern)),
        ("tel", box("tel", auto_complete="tel", **pattern)),
        ("password", box("password", auto_complete="off", **pattern)),
        box("text", **pattern),
    )


def _group(ident: str, field: Any, draw: Any, star: Any) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(field["label"], star, class_name="mzc-label"),
        rx.foreach(field["options"], lambda option: draw(ident, field, option)),
        class_name="mzc-group",
        custom_attrs={"aria-describedby": f"{ident}-help {ident}-error"},
    )


def _radio(ident: str, field: Any, option: Any) -> rx.Component:
    shared = _shared(ident, field)
    shared["id"] = f"{ident}-{option['value']}"
    control = rx.el.input(type="radio", value=option["value"], default_checked=option["value"] == field["value"], **shared)
    return rx.el.label(control, rx.el.span(option["label"]), class_name="mzc-tick")


def _check(ident: str, field: Any, option: Any) -> rx.Component:
    control = rx.el.input(
        type="checkbox",
        name=f"{field['name']}:{option['value']}",
        default_checked=option["chosen"],
        custom_attrs={"data-field": ident, "aria-invalid": rx.cond(field["error"] != "", "true", "false")},
    )
    return rx.el.label(control, rx.el.span(option["label"]), class_name="mzc-tick")
