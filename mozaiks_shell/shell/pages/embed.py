"""``/embed``: the chat alone, for a frame in another site's page (F-196; docs/decisions/0013-embedding.md)."""

import reflex as rx

from mozaiks_shell.chat.components.embed import Embedding, embedded
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.page import page


@page("/embed", title=msg("Chat"), icon="message-circle", access=Access.public(), in_nav=False, on_load=Embedding.enter)
def embed() -> rx.Component:
    """Nothing but the chat."""
    return embedded()
