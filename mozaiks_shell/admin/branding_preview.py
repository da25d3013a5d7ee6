"""A small product in the draft's look: every ground, every ink, every control the shell has."""

from typing import Any, Final

import reflex as rx

from mozaiks_shell.admin.branding_parts import Look
from mozaiks_shell.admin.branding_state import Branding
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import badge, button, icon, notice, stack

draft: Final[Any] = Branding  # in components its attributes are Vars


def previews() -> rx.Component:
    """Both appearances beside each other."""
    return rx.el.div(
        Look.create(_product(), look=draft.light, faces=draft.faces, mode="light", label=t("Light")),
        Look.create(_product(), look=draft.dark, faces=draft.faces, mode="dark", label=t("Dark")),
        class_name="mz-looks",
        role="group",
        aria_label=t("Branding"),
        tab_index=0,  # narrow screens scroll from one to the other
    )


def _product() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.img(src=draft.logo_url, alt="", class_name="mz-logo"),
            rx.el.span(draft.name, class_name="mz-preview-name mz-truncate"),
            rx.el.span(icon("user", 14), class_name="mz-face"),
            class_name="mz-preview-bar",
        ),
        rx.el.div(_menu(), _page(), class_name="mz-preview-frame"),
    )


def _menu() -> rx.Component:
    def entry(name: str, label: rx.Var[str], here: bool = False) -> rx.Component:
        return rx.el.span(
            icon(name, 15),
            rx.el.span(label, class_name="mz-truncate"),
            class_name="mz-preview-entry",
            data_here=str(here).lower(),
        )

    return rx.el.div(
        entry("house", t("Home"), here=True),
        entry("list-checks", t("Tasks")),
        entry("settings", t("Settings")),
        class_name="mz-preview-menu",
    )


def _page() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.p(t("Good morning, Ada"), class_name="mz-preview-title"),
            rx.el.p(draft.tagline, class_name="mz-muted mz-small"),
        ),
        rx.el.div(
            button(icon("plus", 15), t("New task"), variant="primary", small=True),
            button(t("Import"), small=True),
            button(t("Delete"), variant="danger", small=True),
            class_name="mz-preview-row",
        ),
        rx.el.div(
            rx.el.span(t("Title"), class_name="mz-label"),
            rx.el.span(t("Call the print shop"), class_name="mz-input mz-preview-input"),
            rx.el.span(t("Shown to your team."), class_name="mz-help"),
            class_name="mz-field",
        ),
        rx.el.div(
            stack(
                rx.el.div(
                    rx.el.span(t("Weekly report"), class_name="mz-strong"),
                    rx.el.span(class_name="mz-preview-switch"),
                    class_name="mz-preview-line",
                ),
                rx.el.p(
                    t("A card with quiet text and"),
                    " ",
                    rx.el.span(t("a link"), class_name="mz-link"),
                    ".",
                    class_name="mz-muted mz-small",
                ),
                rx.el.div(
                    badge(t("New"), tone="accent"),
                    badge(t("Done"), tone="success"),
                    badge(t("Due"), tone="warning"),
                    badge(t("Late"), tone="danger"),
                    class_name="mz-preview-row",
                ),
                gap=2,
            ),
            class_name="mz-card mz-preview-card",
        ),
        notice(t("Saved."), tone="success"),
        rx.el.div(
            rx.el.span(icon("user", 14), t("Profile"), class_name="mz-menu-item"),
            rx.el.span(icon("log-out", 14), t("Sign out"), class_name="mz-menu-item"),
            class_name="mz-preview-popover",
        ),
        class_name="mz-preview-page",
    )
