"""Generated forms: a card for a section of ``settings_config.json`` or of a plugin, every field type of F-223."""

from typing import Any

import reflex as rx

from mozaiks_shell.shell.settings_parts import picture_choice, settings_card, time_zones
from mozaiks_shell.shell.settings_password import password_fields
from mozaiks_shell.shell.settings_profile import Profile
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.shell.settings_theme import theme_choice
from mozaiks_shell.shell.settings_views import Choice, FieldView
from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import icon
from mozaiks_shell.ui.kit.save_bar import save_bar


def generated_sections() -> rx.Component:
    """A card for every generated section of the page one is on."""
    return rx.foreach(SettingsPages.cards, _section)


def _section(section: Any) -> rx.Component:
    form = "set-form-" + section["id"].to(str)
    body = rx.el.div(
        rx.foreach(
            section["fields"].to(list[FieldView]),
            lambda one: form_field(
                one, form, SettingsPages.errors[section["id"].to(str) + ":" + one["name"].to(str)], top=section["bare"]
            ),
        ),
        _general(SettingsPages.errors[section["id"].to(str) + ":"]),
        class_name="mz-form",
    )
    bar = rx.cond(
        section["writable"],
        rx.el.form(
            rx.el.input(type="hidden", name="section", value=section["id"], read_only=True),
            save_bar(
                saved=_count(SettingsPages.saved, section),
                failed=_count(SettingsPages.failed, section),
                reload=section["reload"].to(bool),
                id=form + "-bar",
            ),
            id=form,
            on_submit=SettingsPages.save,
            no_validate=True,
        ),
        rx.fragment(),
    )
    return rx.cond(
        section["bare"],
        rx.el.section(
            rx.el.div(body, class_name="mz-set-inner"), bar, role="group", aria_label=section["title"], class_name="mz-set-card"
        ),
        settings_card(body, title=section["title"], text=section["text"], foot=bar),
    )


def _count(counts: Any, section: Any) -> rx.Var[int]:
    return counts[section["id"]].to(int)


def _general(error: Any) -> rx.Component:
    return rx.cond(error, rx.el.p(error, class_name="mz-error", role="alert"), rx.fragment())


def form_field(one: Any, form: Text, error: Any, top: Any = False) -> rx.Component:
    """One field, whatever its kind.

    Args:
        one: A :class:`FieldView` as a Var.
        form: Id of the form it belongs to; the control may stand outside of it.
        error: What is wrong with it; empty for nothing.
        top: No heading stands between the page's and this group's.
    """
    group = {"class_name": "mz-set-group"}
    level = rx.cond(top, rx.el.h2(one["heading"], **group), rx.el.h3(one["heading"], **group))
    heading = rx.cond(one["heading"] != "", level, rx.fragment())
    control = rx.match(
        one["kind"],
        ("toggle", _toggle(one, form, error)),
        ("textarea", _labelled(one, error, _textarea(one, form, error))),
        ("select", _labelled(one, error, _select(one, form, error))),
        ("timezone", _labelled(one, error, _zones(one, form, error))),
        ("theme-selector", _block(one, theme_choice("set-theme"))),
        ("image", _block(one, _picture())),
        ("password-change", _block(one, password_fields("set-"))),
        _labelled(one, error, _input(one, form, error)),
    )
    return rx.el.div(heading, control, class_name="mz-set-field", key=one["key"])


def _said(one: Any, error: Any) -> dict[str, Any]:
    """What every control of the form says of itself to screen readers."""
    key = one["key"].to(str)
    return {
        "aria-invalid": rx.cond(error, "true", "false"),
        "aria-describedby": rx.cond(one["help"] != "", key + "-help ", "") + rx.cond(error, key + "-error", ""),
    }


def _common(one: Any, form: Text, error: Any) -> dict[str, Any]:
    return {
        "id": one["key"],
        "name": one["name"],
        "form": form,
        "aria_required": rx.cond(one["required"], "true", "false"),
        "custom_attrs": _said(one, error),
    }


def _input(one: Any, form: Text, error: Any) -> rx.Component:
    bounds = {"min": _or_none(one["minimum"]), "max": _or_none(one["maximum"]), "step": _or_none(one["step"])}
    common = _common(one, form, error)
    common["custom_attrs"] |= bounds
    return rx.el.input(
        type=rx.match(one["kind"], ("email", "email"), ("number", "number"), ("date", "date"), "text"),
        default_value=one["value"],
        read_only=~one["editable"].to(bool),
        placeholder=one["placeholder"],
        max_length=one["longest"],
        auto_complete=rx.cond(one["kind"] == "email", "email", "off"),
        class_name="mz-input",
        **common,
    )


def _or_none(text: Any) -> rx.Var[Any]:
    return rx.cond(text != "", text, rx.Var("undefined"))


def _textarea(one: Any, form: Text, error: Any) -> rx.Component:
    return rx.el.textarea(
        default_value=one["value"],
        read_only=~one["editable"].to(bool),
        placeholder=one["placeholder"],
        max_length=one["longest"],
        class_name="mz-input mz-textarea",
        **_common(one, form, error),
    )


def _select(one: Any, form: Text, error: Any) -> rx.Component:
    return rx.el.select(
        rx.foreach(one["options"].to(list[Choice]), lambda choice: rx.el.option(choice["label"], value=choice["value"])),
        default_value=one["value"],
        disabled=~one["editable"].to(bool),
        key=one["key"].to(str) + one["value"].to(str),
        class_name="mz-input mz-select",
        **_common(one, form, error),
    )


def _zones(one: Any, form: Text, error: Any) -> rx.Component:
    return time_zones(value=one["value"], unset=one["unset"], disabled=~one["editable"].to(bool), **_common(one, form, error))


def _toggle(one: Any, form: Text, error: Any) -> rx.Component:
    control = rx.el.input(
        type="checkbox",
        role="switch",
        default_checked=one["on"],
        disabled=~one["editable"].to(bool),
        class_name="mz-switch",
        **_common(one, form, error),
    )
    words = rx.el.span(
        rx.el.label(one["label"], html_for=one["key"], class_name="mz-label"),
        _help(one),
        _error(one, error),
        class_name="mz-set-toggle-words",
    )
    return rx.el.div(words, control, class_name="mz-set-toggle")


def _labelled(one: Any, error: Any, control: rx.Component) -> rx.Component:
    fixed = rx.cond(
        one["editable"], rx.fragment(), rx.el.span(icon("lock", 12, label=t("cannot be changed")), class_name="mz-muted")
    )  # fmt: skip
    star = rx.el.span("*", aria_hidden="true", class_name="mz-star")
    needed = rx.cond(one["required"].to(bool) & one["editable"].to(bool), star, rx.fragment())
    label = rx.el.label(one["label"], " ", fixed, needed, html_for=one["key"], class_name="mz-label")
    return rx.el.div(label, control, _help(one), _error(one, error), class_name="mz-field")


def _block(one: Any, content: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.p(one["label"], class_name="mz-label"),
        content,
        _help(one),
        role="group",
        aria_label=one["label"],
        class_name="mz-field",
    )


def _help(one: Any) -> rx.Component:
    text = rx.el.p(one["help"], id=one["key"].to(str) + "-help", class_name="mz-help")
    return rx.cond(one["help"] != "", text, rx.fragment())


def _error(one: Any, error: Any) -> rx.Component:
    text = rx.el.p(error, id=one["key"].to(str) + "-error", class_name="mz-error", role="alert")
    return rx.cond(error, text, rx.fragment())


def _picture() -> rx.Component:
    return picture_choice(
        rx.cond(Profile.initials != "", Profile.initials, icon("user-round", 28)),
        src=Profile.avatar,
        id="set-picture",
        on_done=Profile.refresh,
        on_remove=Profile.remove_picture,
    )
