"""``/artifacts/{id}``: an artifact on its own, and the way to the chat it came from (F-011)."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.chat_links import ArtifactLink
from mozaiks_shell.shell.failures import panel
from mozaiks_shell.ui.i18n import t
from mozaiks_shell.ui.kit import button, card, empty_state, icon, link_button, page_header, row, skeleton
from mozaiks_shell.ui.page import page


@page(
    "/artifacts/[artifact_id]",
    title=msg("Artifact"),
    icon="panels-top-left",
    access=Access.signed_in(),
    in_nav=False,
    on_load=ArtifactLink.enter,
    parent="/chat",
)
def artifact() -> rx.Component:
    """What stands behind the open artifact, and when it is closed."""
    missing = panel(
        "compass",
        t("This artifact is not here"),
        t("It may have been deleted, or the link belongs to another account."),
        link_button(t("Your chats"), "/chat", "primary"),
    )
    ways = row(
        button(icon("panels-top-left"), t("Show the artifact"), variant="primary", on_click=ArtifactLink.enter),
        button(icon("message-circle"), t("Open the conversation"), on_click=ArtifactLink.conversation),
        gap=2,
        class_name="mz-panel-actions",
    )
    found = rx.fragment(
        page_header(ArtifactLink.title),
        card(
            empty_state(
                "panels-top-left",
                t("From the chat “{title}”", title=ArtifactLink.chat_title),
                t("It opens over this page, alone or beside its conversation."),
                ways,
            )
        ),
    )
    waiting = rx.fragment(page_header(t("Artifact")), skeleton(4))
    return rx.cond(ArtifactLink.loaded, rx.cond(ArtifactLink.missing["kind"] == "", found, missing), waiting)
