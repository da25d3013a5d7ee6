"""The one import surface of a plugin (house rule 4).

    from mozaiks_shell import sdk

    class Counter(sdk.State):
        n: int = 0

        @sdk.event
        def add(self):
            self.n += 1

    @sdk.page()
    def counter():
        return sdk.ui.button("Add ", Counter.n, on_click=Counter.add)

Pages
    ``page``: declare a page. ``State``: base of its State. ``event``: mark a handler. ``Access``: who may.
    ``ui``: the shell's kit. ``rx``: Reflex. ``notify``: a message to the person, returned or yielded by a handler.
People
    ``current_user``: who is here, a ``CurrentUser``. ``auth``: ``require_user`` and ``current_user``.
Data
    ``db``: ``db.session()`` and ``db.<collection>``, whose documents are ``Record``.
    ``Model``: base of a table with rows of one person. ``SharedModel``: base of a table with rows of the app.
    ``Field``, ``select``, ``col``: SQLModel's. ``new_id``: a sortable unique id. ``now``: the time in UTC.
The rest
    ``errors``: what to raise. ``events``: publish and subscribe. ``payments``: checkout, status, cancel.

Every name in ``__all__`` stays; a new major version of the plugin contract would be needed to drop one (F-300).
``docs/plugin-tutorial.md`` builds a plugin from nothing. :mod:`mozaiks_shell.sdk.testing` tests one.
"""

import reflex as rx
from sqlmodel import Field, col, select

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import AppRow as SharedModel
from mozaiks_shell.foundation.db import UserRow as Model
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.sdk import auth, errors, events, payments
from mozaiks_shell.sdk.auth import CurrentUser, current_user
from mozaiks_shell.sdk.database import Record, db
from mozaiks_shell.sdk.pages import page
from mozaiks_shell.shell.state import notify
from mozaiks_shell.ui import kit as ui
from mozaiks_shell.ui.state import ShellState as State
from mozaiks_shell.ui.state import event

__all__ = [
    "Access",
    "CurrentUser",
    "Field",
    "Model",
    "Record",
    "SharedModel",
    "State",
    "auth",
    "col",
    "current_user",
    "db",
    "errors",
    "event",
    "events",
    "new_id",
    "notify",
    "now",
    "page",
    "payments",
    "rx",
    "select",
    "ui",
]
