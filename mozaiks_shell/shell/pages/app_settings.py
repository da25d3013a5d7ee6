"""App settings: what an administrator sets for everybody (F-227)."""

from typing import Any

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.app_settings_state import AppDefaults
from mozaiks_shell.shell.forms import form_field
from mozaiks_shell.shell.settings_parts import error_of, settings_card
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import page_header, skeleton
from mozaiks_shell.ui.kit.save_bar import leave_guard, save_bar
from mozaiks_shell.ui.page import page

_FORM = "app-settings"
_DESCRIPTION = msg("What counts for everybody who has chosen nothing themselves. A choice of one's own always wins.")


@page(
    "/admin/settings",
    title=msg("App settings"),
    icon="sliders-horizontal",
    access=Access.role("admin"),
    description=_DESCRIPTION,
    order=955,
    parent="/admin",
    keywords="defaults theme language time zone operator",
    on_load=AppDefaults.load,
)
def app_settings() -> rx.Component:
    """What every app has, then what the file adds, in one form."""
    fields: Any = AppDefaults.fields
    lines = rx.foreach(fields, lambda one: form_field(one, _FORM, error_of(AppDefaults.errors, one["name"])))
    form = rx.el.form(
        save_bar(
            t("Takes effect for each person with the next page they open."), saved=AppDefaults.saved, failed=AppDefaults.failed
        ),
        id=_FORM,
        on_submit=AppDefaults.save,
        no_validate=True,
    )
    general = error_of(AppDefaults.errors, "")
    problem = rx.cond(general, rx.el.p(general, class_name="mz-error", role="alert"), rx.fragment())
    card = settings_card(rx.el.div(lines, problem, class_name="mz-form"), title=t("Defaults"), foot=form)
    return rx.fragment(
        page_header(t("App settings"), t(_DESCRIPTION)),
        rx.el.div(rx.cond(AppDefaults.ready, card, settings_card(skeleton(5), title=t("Defaults"))), class_name="mz-set-body"),
        leave_guard(),
    )
