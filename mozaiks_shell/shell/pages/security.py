"""Security: one's password, and where one is signed in."""

from typing import Any

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.settings_parts import Leave, settings_area, settings_card
from mozaiks_shell.shell.settings_password import password_form
from mozaiks_shell.shell.settings_security import Security
from mozaiks_shell.shell.settings_state import SettingsPages
from mozaiks_shell.ui.i18n import t, t_date
from mozaiks_shell.ui.kit import badge, button, dialog, icon, row, skeleton
from mozaiks_shell.ui.page import page

_DESCRIPTION = msg("Your password, and every place where you are signed in.")


@page(
    "/settings/security",
    title=msg("Security"),
    icon="shield",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=910,
    in_nav=False,
    parent="/settings",
    keywords="password sessions devices sign out",
    on_load=(SettingsPages.load, Security.load),
)
def security() -> rx.Component:
    """Password card, session card."""
    return settings_area(
        t("Security"),
        t(_DESCRIPTION),
        rx.cond(
            Security.ready,
            rx.fragment(password_form(), _sessions(), _question()),
            rx.fragment(
                settings_card(skeleton(4), title=t("Password")),
                settings_card(skeleton(4), title=t("Sessions")),
            ),
        ),
        Leave.create(to=Security.leave),
    )


def _sessions() -> rx.Component:
    lines = rx.el.ul(
        rx.foreach(Security.sessions, _line), class_name="mz-set-list", id="mz-sessions", tab_index=-1, aria_label=t("Sessions")
    )
    lines_there: Any = Security.sessions
    several = lines_there.length() > 1
    acts = rx.el.div(
        rx.cond(
            several,
            button(t("Sign out other sessions"), on_click=Security.ask("others"), small=True),
            rx.el.p(t("You are signed in nowhere else."), class_name="mz-help"),
        ),
        rx.el.div(class_name="mz-grow"),
        button(icon("log-out", 14), t("Sign out everywhere"), variant="danger", on_click=Security.ask("everywhere"), small=True),
        class_name="mz-set-foot",
    )
    text = t("Browsers and programs that act in your name. End those you do not know, and change your password.")
    return settings_card(lines, title=t("Sessions"), text=text, foot=acts, class_name="mz-set-flush")


def _line(line: Any) -> rx.Component:
    here = rx.cond(line["current"], badge(t("This device"), "success"), rx.fragment())
    program = rx.cond(line["token"], badge(t("Access token")), rx.fragment())
    seen = rx.cond(line["current"], t("Active now"), t("Last active {when}", when=t_date(line["seen"], "relative")))
    facts = rx.el.p(
        rx.el.span(seen, title=t_date(line["seen"])),
        rx.el.span(t("Signed in {when}", when=t_date(line["since"], "date"))),
        rx.cond(line["ip"] != "", rx.el.span(rx.el.bdi(line["ip"]), class_name="mz-set-ip"), rx.fragment()),
        class_name="mz-set-facts",
    )
    signs = [(name, icon(name, 18)) for name in ("monitor", "laptop", "smartphone", "tablet", "key-round")]
    end = rx.cond(
        line["current"],
        rx.fragment(),
        button(
            t("Sign out"),
            small=True,
            on_click=Security.end(line["id"]),
            aria_label=t("Sign out {device}", device=line["device"]),
        ),
    )
    return rx.el.li(
        rx.el.span(rx.match(line["icon"], *signs, icon("globe", 18)), class_name="mz-set-sign"),
        rx.el.div(rx.el.p(rx.el.span(line["device"], class_name="mz-strong"), here, program, class_name="mz-set-name"), facts),
        end,
        key=line["id"],
        class_name="mz-set-line",
    )


def _question() -> rx.Component:
    everywhere = Security.asking == "everywhere"
    others_text = t("Every session but this one ends at once. What is typed there and not saved is lost.")
    all_text = t("Every session ends at once, this one included. You come to the sign-in page.")
    return dialog(
        rx.el.p(rx.cond(everywhere, all_text, others_text), class_name="mz-dialog-text"),
        row(
            button(t("Cancel"), on_click=Security.ask("")),
            rx.cond(
                everywhere,
                button(t("Sign out everywhere"), variant="danger", on_click=Security.sign_out_everywhere),
                button(t("Sign out other sessions"), variant="danger", on_click=Security.sign_out_others),
            ),
            gap=2,
            class_name="mz-dialog-foot",
        ),
        id="mz-sign-out",
        title=rx.cond(everywhere, t("Sign out everywhere?"), t("Sign out other sessions?")),
        open=Security.asking != "",
        on_close=Security.ask(""),
    )
