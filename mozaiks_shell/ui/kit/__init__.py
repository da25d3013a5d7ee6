"""The kit: what every page is built from. Native elements, semantic ``mz-`` classes of ``assets/shell.css``."""

from mozaiks_shell.ui.kit.actions import Variant, button, link, link_button, menu, menu_item
from mozaiks_shell.ui.kit.autosave import autosave
from mozaiks_shell.ui.kit.dialog import close_button, dialog, dialog_button
from mozaiks_shell.ui.kit.forms import checkbox, field, select, switch, text_area, text_input
from mozaiks_shell.ui.kit.icons import icon
from mozaiks_shell.ui.kit.layout import (
    Tone,
    badge,
    card,
    card_row,
    empty_state,
    grid,
    notice,
    page_header,
    row,
    skeleton,
    stack,
    table,
)
from mozaiks_shell.ui.kit.markdown import markdown

__all__ = [
    "Tone", "Variant", "autosave", "badge", "button", "card", "card_row", "checkbox", "close_button", "dialog", "dialog_button",
    "empty_state", "field", "grid", "icon", "link", "link_button", "markdown", "menu", "menu_item", "notice", "page_header",
    "row", "select", "skeleton", "stack", "switch", "table", "text_area", "text_input",
]  # fmt: skip
