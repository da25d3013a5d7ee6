"""What stands in a plugin's place while it is out of service."""

from functools import wraps

import reflex as rx

from mozaiks_shell.plugin_host.state import PluginHealth
from mozaiks_shell.ui.kit import empty_state, page_header
from mozaiks_shell.ui.page import PageFunction


def unless_unavailable(title: str, content: PageFunction) -> PageFunction:
    """A page function that shows ``content``, or says that the plugin is out of service."""

    @wraps(content)
    def render() -> rx.Component:
        out_of_service = empty_state("plug", f"{title} is out of service", "An administrator can see why. Nothing is lost.")
        return rx.cond(
            PluginHealth.unavailable,
            rx.fragment(page_header(title), out_of_service),
            content(),
        )

    return render
