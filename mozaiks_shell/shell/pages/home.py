"""The start page of a signed-in person."""

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.page import page


@page("/", title="Home", icon="house", access=Access.signed_in(), order=0)
def home() -> rx.Component:
    """Greeting and the way to everything."""
    return rx.el.h1("Hello ", Frame.name)
