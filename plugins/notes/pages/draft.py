"""What an agent shows to have a note kept (F-185): ``notes.draft``, whose payload has a ``title`` and a ``text``.

The person sees it in the conversation, changes what they like, and keeps it; the agent hears that it was accepted.
"""

from typing import Any

from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, t, ui

from .. import service


class Draft(sdk.State):
    """Keeps drafts that an agent wrote."""

    problem: str = ""

    @sdk.event
    async def keep(self, form: dict[str, Any]) -> Any:
        """Make it a note and tell the agent."""
        given = form if isinstance(form, dict) else {}
        try:
            note = await service.create(given.get("title", ""), given.get("text", ""))
        except sdk.errors.Invalid as error:
            self.problem = error.message
            return None
        self.problem = ""
        said = sdk.tr("“{title}” is in your notes.", title=note.title or sdk.tr("Untitled"))
        return [sdk.components.answer(str(given.get("draft", "")), "accept"), sdk.notify(said, "success")]


@sdk.components.tool("notes.draft")
def draft(tool: Any) -> rx.Component:
    """A note that is not kept yet."""
    words = tool["payload"].to(dict[str, str])
    return rx.el.form(
        rx.el.input(type="hidden", name="draft", value=tool["id"], read_only=True),
        rx.el.fieldset(
            ui.stack(
                ui.row(ui.icon("notebook-pen"), rx.el.strong(t("Draft of a note"))),
                ui.text_input(name="title", aria_label=t("Title"), default_value=words["title"], max_length=200),
                ui.text_area(name="text", aria_label=t("Text"), default_value=words["text"], rows="4"),
                rx.cond(Draft.problem != "", rx.el.p(Draft.problem, role="alert", class_name="mz-error")),
                rx.el.div(
                    ui.button(t("Keep this note"), type="submit", variant="primary"),
                    ui.button(t("Not now"), variant="ghost", on_click=sdk.components.answer(tool, "dismiss")),
                    class_name="flex gap-2",
                ),
                gap=3,
            ),
            disabled=~tool["open"].to(bool),
        ),
        on_submit=Draft.keep,
        aria_label=t("Draft of a note"),
    )
