"""The menu of languages: a form that the browser itself sends, so that the page comes back in the chosen one."""

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

from mozaiks_shell.foundation.i18n import direction, offered
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import icon, menu


class NativeForm(BaseHTML):
    """A plain form, sent by the browser itself; Reflex's own never lets it."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def language_menu(id: str = "mz-language") -> rx.Component:
    """A button in the header that opens the list of offered languages, each in its own name. Nothing when there is one."""
    languages = offered()
    if len(languages) < 2:
        return rx.fragment()
    items = [
        rx.el.button(
            name,
            type="submit",
            name="locale",
            value=code,
            class_name="mz-menu-item",
            custom_attrs={"lang": code, "dir": direction(code)},
        )
        for code, name in languages.items()
    ]
    form = NativeForm.create(*items, action="/auth/locale", method="post", class_name="mz-languages")
    return menu(icon("languages", 17), form, id=id, label=t("Language"), class_name="mz-menu-narrow")
