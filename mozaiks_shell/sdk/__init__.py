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
    ``current_user``: who is here, a ``CurrentUser``. ``auth``: these, ``require_user`` and ``current_plan``.
    ``me``: their name, plan and picture, for components.
Data
    ``db``: ``db.session()`` and ``db.<collection>``, whose documents are ``Record``. ``get_db``, ``get_collection``: older words.
    ``kv``: small state under a key, with an end. ``files``: files of people.
    ``Model``: base of a table with rows of one person. ``SharedModel``: base of a table with rows of the app.
    ``Field``, ``select``, ``col``: SQLModel's. ``new_id``: a sortable unique id. ``now``: the time in UTC.
Plans
    ``entitlements``: features, limits and actions of the plugin's ``entitlements.yaml``.
The command palette
    ``commands``: offer something to do. ``search``: results of the plugin. ``settings``: what a person may set.
Start page
    ``dashboard``: sections of the plugin.
Languages
    ``t``: a text of a component. ``tr``: a text in a handler. ``msg``: mark one for later. ``i18n``: these and more.
Other systems
    ``http``: calls to other servers. ``workflow_client``: MozaiksAI's workflows. ``plugins``: MozaiksPay, MozaiksMarketing.
Time
    ``jobs``: background work and work by the clock.
Telling
    ``events``: publish and subscribe, and tell open tabs. ``notifications``: what a person should see wherever they are.
    ``insights``: count what people do with the plugin.
For others to show
    ``register_component``: parts operators make pages of. ``components``: these, and what agents show in the chat.
The chat
    ``chat``: open and close it. ``slash``: commands that people type in it.
The rest
    ``errors``: what to raise. ``payments``: checkout, status, cancel.

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
from mozaiks_shell.sdk import (
    auth,
    chat,
    commands,
    components,
    dashboard,
    entitlements,
    errors,
    events,
    files,
    http,
    i18n,
    insights,
    jobs,
    kv,
    notifications,
    payments,
    plugins,
    search,
    settings,
    slash,
    workflow_client,
)  # fmt: skip
from mozaiks_shell.sdk.auth import CurrentUser, current_user
from mozaiks_shell.sdk.components import register_component
from mozaiks_shell.sdk.database import Record, db, get_collection, get_db
from mozaiks_shell.sdk.i18n import msg, t, tr
from mozaiks_shell.sdk.me import me
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
    "chat",
    "col",
    "commands",
    "components",
    "current_user",
    "dashboard",
    "db",
    "entitlements",
    "errors",
    "event",
    "events",
    "files",
    "get_collection",
    "get_db",
    "http",
    "i18n",
    "insights",
    "jobs",
    "kv",
    "me",
    "msg",
    "new_id",
    "notifications",
    "notify",
    "now",
    "page",
    "payments",
    "plugins",
    "register_component",
    "rx",
    "search",
    "select",
    "settings",
    "slash",
    "t",
    "tr",
    "ui",
    "workflow_client",
]
