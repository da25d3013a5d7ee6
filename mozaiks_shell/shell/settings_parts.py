"""The settings area's parts: its navigation and cards, and the client-side pieces of ``settings_parts.js``."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import reflex as rx

from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.frame_parts import NavLink
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.shell.waiting import outline
from mozaiks_shell.ui.i18n import Text, brand_text, t
from mozaiks_shell.ui.kit import icon, page_header, skeleton
from mozaiks_shell.ui.kit._props import Child, classed, given
from mozaiks_shell.ui.kit.save_bar import leave_guard
from mozaiks_shell.ui.page import page_at

_JS = "$/public" + rx.asset("settings_parts.js", shared=True)

# The pages every installation has. What files and plugins add comes after them, from State.
PAGES: Final = (
    ("/settings", msg("General"), "sliders-horizontal"),
    ("/profile", msg("Profile"), "user-round"),
    ("/settings/security", msg("Security"), "shield"),
    ("/settings/data", msg("Data & account"), "database"),
)


class Picture(rx.Component):
    """Choosing one's picture; see ``MzPicture``."""

    library = _JS
    tag = "MzPicture"

    src: rx.Var[str]
    url: rx.Var[str]
    words: rx.Var[dict[str, str]]
    on_done: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]
    on_remove: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]


class _TimeZones(rx.Component):
    library = _JS
    tag = "MzTimeZones"

    name: rx.Var[str]
    value: rx.Var[str]
    fallback: rx.Var[str]
    form: rx.Var[str]
    disabled: rx.Var[bool]
    words: rx.Var[dict[str, str]]
    regions: rx.Var[dict[str, str]]


class RegionSample(rx.Component):
    """How dates and numbers look with the values of two controls of the form around it, given by name."""

    library = _JS
    tag = "MzRegionSample"

    locale: rx.Var[str]
    timezone: rx.Var[str]


class _Navigation(rx.Component):
    library = _JS
    tag = "MzSettingsNav"

    count: rx.Var[int]


class ThemeNow(rx.Component):
    """Puts a named theme on the page, or takes it off, as soon as State says so."""

    library = _JS
    tag = "MzThemeNow"

    theme: rx.Var[str]
    ready: rx.Var[bool]


class Leave(rx.Component):
    """Goes to an address of the server, with a page load, as soon as ``to`` is one."""

    library = _JS
    tag = "MzLeave"

    to: rx.Var[str]


def time_zones(*, value: Text, unset: Text = "", **props: Any) -> rx.Component:
    """A native choice of time zones; this device's comes first. An empty value is ``unset``, or the device's own."""
    words = {
        "automatic": t("Automatic"),
        "unset": unset,
        "here": t("This device"),
    }
    regions = {
        "Africa": t("Africa"), "America": t("Americas"), "Antarctica": t("Antarctica"), "Arctic": t("Arctic"), "Asia": t("Asia"),
        "Atlantic": t("Atlantic"), "Australia": t("Australia"), "Europe": t("Europe"), "Indian": t("Indian Ocean"),
        "Pacific": t("Pacific"),
    }  # fmt: skip
    return _TimeZones.create(value=value, words=words, regions=regions, **classed("mz-input mz-select", props))


def picture_choice(*fallback: Child, src: Text, id: str, on_done: Any, on_remove: Any) -> rx.Component:
    """One's own picture: seen, chosen, dropped, removed. ``fallback`` stands in while there is none."""
    words = {
        "choose": t("Upload picture"),
        "change": t("Change picture"),
        "remove": t("Remove"),
        "help": t("Choose a file or drop it here. It is cut to a square."),
        "busy": t("Uploading the picture…"),
        "type": t("Choose a JPEG, PNG, WebP or GIF picture."),
        "size": t("This file is larger than 25 MB. Choose a smaller one."),
        "broken": t("This file cannot be read as a picture. Choose another one."),
        "failed": t("The picture could not be uploaded. Try again."),
    }
    return Picture.create(
        *fallback, src=src, id=id, url="/api/avatar", words=words, on_done=on_done, on_remove=on_remove, class_name="mz-picture"
    )


def error_of(errors: Any, name: Text) -> rx.Var[str]:
    """What is wrong with a control, of a Var with messages by name; empty when nothing is."""
    found = errors[name]
    return rx.cond(found, found, "").to(str)


def settings_area(title: Child, description: Child, *content: Child) -> rx.Component:
    """A page of the settings area: the area's own navigation beside the content."""
    own = rx.el.ul(*[_entry(path, t(name), sign) for path, name, sign in PAGES])
    name = {"aria-label": t("Settings")}
    more = rx.cond(
        _count(SettingsPages.links) > 0,
        rx.el.div(
            rx.el.h2(brand_text("name"), class_name="mz-set-heading mz-truncate"),
            rx.el.ul(rx.foreach(SettingsPages.links, lambda link: _entry(link["path"], link["title"], link["icon"]))),
            class_name="mz-set-more",
        ),
        rx.fragment(),
    )
    return rx.el.div(
        _Navigation.create(own, more, count=_count(SettingsPages.links), custom_attrs=name, class_name="mz-set-nav"),
        rx.el.div(page_header(title, description), *content, class_name="mz-set-body"),
        leave_guard(),
        class_name="mz-set",
    )


def _count(items: Any) -> Any:
    return items.length()


def _entry(path: Text, title: Text, sign: Any) -> rx.Component:
    label = rx.el.span(title, class_name="mz-truncate")
    return rx.el.li(NavLink.create(icon(sign, 16), label, to=path, exact=True, class_name="mz-set-link"))


def _text(text: Child) -> rx.Component:
    said = rx.el.p(text, class_name="mz-set-text")
    return rx.cond(text, said, rx.fragment()) if isinstance(text, rx.Var) else said


def settings_card(
    *body: Child, title: Child, text: Child = "", foot: Child = None, actions: Sequence[Child] = (), **props: Any
) -> rx.Component:  # fmt: skip
    """A titled group of settings; ``foot`` is the strip at its lower edge. No landmark: files name groups as they like."""
    words: list[Child] = [rx.el.h2(title, class_name="mz-set-title")]
    if given(text):
        words.append(_text(text))
    head = rx.el.header(rx.el.div(*words, class_name="mz-set-words"), *actions, class_name="mz-set-head")
    inner = rx.el.div(*body, class_name="mz-set-inner") if body else None
    return rx.el.section(
        *[one for one in (head, inner, foot) if one is not None], role="group", aria_label=title, **classed("mz-set-card", props)
    )  # fmt: skip


def _waiting(path: str, name: str) -> rx.Component:
    page = page_at(path)
    return settings_area(t(name), t(page.description if page else ""), settings_card(skeleton(5), title=t(name)))


for _path, _name, _ in PAGES:
    outline(_path)(partial(_waiting, _path, _name))
