"""A plugin installed for a test, and what can be done with it."""

import asyncio
import importlib
import inspect
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import httpx
import pytest
import reflex as rx
from fastapi import FastAPI

from mozaiks_shell.billing import ledger
from mozaiks_shell.billing.ports import Truth
from mozaiks_shell.foundation import clock, db
from mozaiks_shell.foundation import events as _bus
from mozaiks_shell.foundation.access import Principal, current_principal, set_principal
from mozaiks_shell.foundation.db import Scope, system_session
from mozaiks_shell.foundation.events import Event
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.hosting.problems import install
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.models import User
from mozaiks_shell.plugin_host import loader, registry, routes, service
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.startup import start_plugins
from mozaiks_shell.sdk.testing.browser_tab import Tab
from mozaiks_shell.sdk.testing.person import Person
from mozaiks_shell.shell.commands import Result
from mozaiks_shell.shell.settings_values import read_settings, write_settings
from mozaiks_shell.shell.slots import dashboard
from mozaiks_shell.ui.page import Page, page_at, pages
from mozaiks_shell.ui.state import ShellState

_ORIGIN = "http://localhost:3000"


class Recorder(list[Event]):
    """Events in the order they were published."""

    def named(self, name: str) -> list[Event]:
        """Those of this full name: ``tasks:created``."""
        return [event for event in self if event.name == name]

    @property
    def names(self) -> list[str]:
        """The names, in order."""
        return [event.name for event in self]


class _Session(httpx.Auth):
    """A session's cookie on every request; another session when the clock was moved, so that none is too old."""

    def __init__(self, account: User) -> None:
        self.account, self.opened, self.found = account, datetime.min.replace(tzinfo=UTC), ""

    async def secret(self) -> str:
        if abs(clock.now() - self.opened) > timedelta(minutes=5):
            self.found, self.opened = await identity.open_session(self.account), clock.now()
        return self.found

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers.setdefault("cookie", f"{identity.cookie_name()}={await self.secret()}")
        yield request


class InstalledPlugin:
    """The plugin under test, loaded and migrated. Nobody is signed in until :meth:`user` or :meth:`as_user`."""

    def __init__(self, name: str, stack: AsyncExitStack | None = None) -> None:
        self.name = name
        self.events = Recorder()
        self._stack = stack or AsyncExitStack()
        self._api: Any = None

    def as_user(self, name: str, *roles: str) -> None:
        """Go on as this person (no roles: an ordinary user), who has no account. An empty name signs out."""
        held = frozenset(roles or ("user",))
        app = get_settings().app_id
        set_principal(Principal(f"usr_{name}", app, name.title(), f"{name}@example.com", held, f"ses_{name}") if name else None)

    async def user(self, name: str, *roles: str, plan: str = "") -> Person:
        """Make an account (once), sign it in, and go on as this person.

        Args:
            name: Their user name; the id is ``usr_<name>``.
            *roles: An ordinary user without any.
            plan: Of the catalogue; the default plan without.
        """
        async with system_session() as session:
            account = await session.get(User, f"usr_{name}")
            if account is None:
                account = User(
                    id=f"usr_{name}", username=name, email=f"{name}@example.com", full_name=name.title(),
                    roles=",".join(roles or ("user",)),
                )  # fmt: skip
                session.add(account)
        signed_in = _Session(account)
        principal = await identity.resolve(await signed_in.secret())
        assert principal is not None
        set_principal(principal)
        if plan:
            await self.plan(plan)
        web = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._gated()),
            base_url=_ORIGIN,
            headers={"origin": _ORIGIN},
            auth=signed_in,
        )
        await self._stack.enter_async_context(web)
        return Person(principal, web)

    async def plan(self, name: str, status: str = "active") -> None:
        """Give the current person this plan.

        Raises:
            LookupError: the catalogue has no such plan, or nobody is signed in.
        """
        from mozaiks_shell.appconfig.service import catalogue

        if catalogue().get(name) is None:
            raise LookupError(f"the catalogue has no plan {name!r}")
        scope = Scope(self._me().app_id, self._me().user_id)
        await ledger.write(scope, await ledger.read(scope), Truth(name, status, None, False), provider="manual", actor="test")

    async def settings(self, **changes: Any) -> dict[str, Any]:
        """Change the current person's settings of the plugin, as its form does; what counts now.

        Raises:
            Invalid: as the form's.
        """
        if changes:
            return await write_settings(self._me(), changes, self.name)
        return await read_settings(self._me(), self.name)

    def module(self, name: str) -> Any:
        """One of the plugin's modules: ``module("service")``, ``module("pages.note")``."""
        return importlib.import_module(f"{registry.live(self.name).module}.{name}")

    async def execute(self, **data: Any) -> dict[str, Any]:
        """What ``POST /api/execute/<name>`` with this body runs, as the current person.

        Raises:
            ShellError: what the API would answer as a problem.
        """
        return await service.execute(self.name, data, current_principal())

    def pages(self) -> list[Page]:
        """The plugin's declared pages."""
        return [one for one in pages() if one.owner == self.name]

    def render(self, path: str = "") -> str:
        """The page at this address (the front page without) as the compiler will write it: texts can be found in it.

        Raises:
            LookupError: the plugin has no such page. Whatever its function raises.
        """
        found = page_at(path or f"/plugins/{self.name}")
        if found is None or found.owner != self.name:
            raise LookupError(f"{self.name} has no page at {path}; it has {', '.join(one.route for one in self.pages())}")
        return _written(inspect.unwrap(found.render)())  # what stands around it is the shell's

    def sections(self) -> dict[str, str]:
        """The plugin's sections of the start page as the compiler will write them, by name."""
        return {one.name: _written(inspect.unwrap(one.render)()) for one in dashboard.pieces() if one.owner == self.name}

    async def search(self, text: str) -> list[Result]:
        """What the plugin's search providers give the palette for this text, as the current person."""
        from mozaiks_shell.shell import commands

        found: list[Result] = []
        for provider in [one for one in commands._providers.values() if one.owner == self.name]:
            answers = await provider.find(text, self._me())
            found += [one if isinstance(one, Result) else Result(**one) for one in answers]
        return found

    def tab(self, form: type[ShellState] | str, path: str = "", query: str = "") -> Tab:
        """A tab of the current person at one of the plugin's States.

        Args:
            form: The class, or where it is: ``"state.Tasks"``, ``"pages.note.Desk"``.
            path: The address, for handlers that read it. Default: the front page.
            query: ``done=1``.
        """
        if isinstance(form, str):
            module, _, name = form.rpartition(".")
            form = getattr(self.module(module), name)
        return Tab(form, current_principal(), path or f"/plugins/{self.name}", query)  # type: ignore[arg-type]

    def state(self, form: type[ShellState]) -> Any:
        """A fresh instance of one of its State classes, past the gate. Run handlers with :meth:`send`. Prefer :meth:`tab`."""
        return form(_reflex_internal_init=True)  # type: ignore[call-arg]

    async def send(self, state: Any, handler: str, *arguments: Any) -> list[Any]:
        """Run a handler of a State as the browser's event would, and return what it yields or returns.

        A handler that is not declared with ``@sdk.event`` or begins with ``_`` cannot be reached.
        """
        answer = type(state).event_handlers[handler].fn(state, *arguments)
        if hasattr(answer, "__aiter__"):
            return [one async for one in answer]
        if asyncio.iscoroutine(answer):
            answer = await answer
        return list(answer) if hasattr(answer, "__next__") else [answer]

    def api(self) -> FastAPI:
        """The plugin host's HTTP API with this plugin's routes, for ``httpx.ASGITransport``."""
        api = FastAPI()
        install(api)
        api.include_router(routes.router)
        routes.mount_plugins(api)
        return api

    def _gated(self) -> Any:
        self._api = self._api or Gatekeeper(self.api(), get_settings(), lambda: "default-src 'self'")
        return self._api

    def _me(self) -> Principal:
        person = current_principal()
        if person is None:
            raise LookupError("nobody is signed in: await app.user(name) first")
        return person


def _written(component: Any) -> str:
    drawn = component if isinstance(component, rx.Component) else rx.fragment(component)
    parts, waiting = [str(drawn)], [drawn]
    while waiting:
        one = waiting.pop()
        waiting += [child for child in getattr(one, "children", ()) if isinstance(child, rx.Component)]
    return "".join(parts)


@lru_cache(maxsize=1)
def _template() -> Path:
    """A migrated SQLite file, made once per process."""
    folder = Path(mkdtemp(prefix="mozaiks-test-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOZAIKS_DATA_DIR", str(folder))
        patch.delenv("DATABASE_URL", raising=False)
        get_settings.cache_clear()
        upgrade(get_settings())
    get_settings.cache_clear()
    return folder / "mozaiks.db"


@asynccontextmanager
async def installed(folder: Path) -> AsyncIterator[InstalledPlugin]:
    """Load one plugin against a temporary database, and take every trace away afterwards.

    Raises:
        PluginProblem: it would go to quarantine; the message says why.
    """
    template = await asyncio.to_thread(_template)
    with TemporaryDirectory() as data, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOZAIKS_DATA_DIR", data)
        patch.setenv("MOZAIKS_PLUGINS_PATH", str(folder.parent))
        patch.delenv("DATABASE_URL", raising=False)
        get_settings.cache_clear()
        one = InstalledPlugin(folder.name, stack := AsyncExitStack())

        async def note(event: Event) -> None:
            one.events.append(event)

        try:
            settings = get_settings()
            await asyncio.to_thread(shutil.copy, template, settings.data_dir / "mozaiks.db")
            plugin = loader.load(next(found for found in discover(settings) if found.name == folder.name))
            stop = await start_plugins(settings)
            stack.push_async_callback(stop)
            if plugin.problem is not None:
                raise plugin.problem
            _bus._listeners["*"].append(note)
            yield one
        finally:
            set_principal(None)
            if note in _bus._listeners["*"]:
                _bus._listeners["*"].remove(note)
            await stack.aclose()
            loader.unload(folder.name)
            await db.dispose()
            get_settings.cache_clear()


def plugin_fixture(folder: Path) -> Any:
    """A pytest fixture that gives each test the plugin in this folder as an :class:`InstalledPlugin`."""

    @pytest.fixture
    async def plugin() -> AsyncIterator[InstalledPlugin]:
        async with installed(folder) as one:
            yield one

    return plugin
