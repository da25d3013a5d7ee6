"""A browser tab without a browser: event handlers run as a person, through the gate that guards the real ones."""

import inspect
from typing import Any
from urllib.parse import unquote

import reflex as rx
import wrapt
from reflex.istate.data import RouterData
from reflex_base.event import EventHandler, EventSpec

from mozaiks_shell.billing.service import authorize
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.errors import Forbidden, NotSignedIn, PlanNeeded, RoleNeeded
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.shell.event_gate import declared_access
from mozaiks_shell.shell.state import Notices
from mozaiks_shell.ui.state import ShellState


class _Locked(wrapt.ObjectProxy):
    """What a background handler gets: ``async with self`` opens it."""

    async def __aenter__(self) -> "_Locked":
        return self

    async def __aexit__(self, *_: Any) -> None:
        return None


class Tab:
    """One State in one person's tab. Handlers are methods, vars are attributes.

        tasks = app.tab(Tasks)
        await tasks.load()
        await tasks.add({"title": "Milk"})
        assert tasks.lines[0]["title"] == "Milk" and tasks.notices == []

    A handler of the plugin that the called one yields or returns runs at once, as in the browser. What a handler raises is
    raised here.

    Attributes:
        yielded: What the last call yielded or returned besides, in order.
        notices: What ``sdk.notify`` told the person, since the tab was opened.
        went_to: Where ``rx.redirect`` sent them last.
        downloads: Names of the files ``rx.download`` gave them.
    """

    def __init__(self, form: type[ShellState], person: Principal | None, path: str = "/", query: str = "") -> None:
        self._person = person
        root = _tree()
        root.get_substate(ShellState.get_full_name().split("."))._owner = person.session_id if person else ""
        self._state: Any = root.get_substate(form.get_full_name().split("."))
        self.visit(path, query)
        self.yielded: list[Any] = []
        self.notices: list[str] = []
        self.downloads: list[str] = []
        self.went_to = ""

    @property
    def state(self) -> Any:
        """The State itself."""
        return self._state

    @property
    def vars(self) -> dict[str, Any]:
        """The State's own vars, computed ones included, as the browser has them: without the ``_private`` ones."""
        form = type(self._state)
        return {name: getattr(self._state, name) for name in [*form.base_vars, *form.computed_vars]}

    def visit(self, path: str, query: str = "") -> None:
        """Be at this address; call the page's ``on_load`` handler yourself."""
        address = f"http://localhost{path}{'?' + query if query else ''}"
        root = self._state._get_root_state()
        root.router = RouterData.from_router_data(
            {"pathname": path, "asPath": f"{path}{'?' + query if query else ''}", "query": {}, "headers": {"origin": "http://localhost"},
             "url": address}
        )  # fmt: skip

    async def send(self, handler: str, *arguments: Any) -> list[Any]:
        """Run a handler by name; what it yields or returns.

        Raises:
            AttributeError: the State has no such event handler.
            NotSignedIn, RoleNeeded, PlanNeeded, Forbidden: the gate refused it.
            Invalid: the arguments hold text that cannot be stored.
        """
        state = self._state
        known = type(state).event_handlers
        if handler not in known:
            raise AttributeError(f"{type(state).__name__} has no event handler {handler!r}; it has {', '.join(sorted(known))}")
        set_principal(self._person)
        await _pass(f"{type(state).get_full_name()}.{handler}", self._person)
        checked(list(arguments))
        self.yielded = await self._run(known[handler], arguments)
        return self.yielded

    async def _run(self, handler: EventHandler, arguments: tuple[Any, ...], depth: int = 0) -> list[Any]:
        state = self._state
        if handler.state is not None:
            state = state._get_root_state().get_substate(handler.state.get_full_name().split("."))
        answer: Any = handler.fn(_Locked(state) if handler.is_background else state, *arguments)
        told: list[Any] = []
        if hasattr(answer, "__aiter__"):
            async for one in answer:
                told += await self._follow(one, depth)
        else:
            if inspect.isawaitable(answer):
                answer = await answer
            for one in answer if inspect.isgenerator(answer) else [answer]:
                told += await self._follow(one, depth)
        return told

    async def _follow(self, one: Any, depth: int) -> list[Any]:
        """Note what goes to the browser, run what is a handler of the plugin."""
        if one is None:
            return []
        if isinstance(one, list | tuple):
            return [each for item in one for each in await self._follow(item, depth)]
        handler = one if isinstance(one, EventHandler) else one.handler if isinstance(one, EventSpec) else None
        given = _given(one) if isinstance(one, EventSpec) else {}
        if handler is not None:
            name = handler.fn.__qualname__.rpartition(".")[2]
            if name == "_redirect":
                self.went_to = str(given.get("path", ""))
            elif name == "_download":
                self.downloads.append(str(given.get("filename", "")))
            elif handler.state is not None and handler.state is Notices and name == "push":
                self.notices.append(str(given.get("text", "")))
            elif handler.state is not None and depth < 20:
                return await self._run(handler, tuple(given.values()), depth + 1)
        return [one]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in type(self._state).event_handlers:

            async def call(*arguments: Any) -> list[Any]:
                return await self.send(name, *arguments)

            return call
        return getattr(self._state, name)


def _tree() -> Any:
    """All States of a tab, as a new tab has them."""
    return rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]


async def _pass(event: str, person: Principal | None) -> None:
    """Ask the gate, as :class:`~mozaiks_shell.shell.event_gate.EventGate` does."""
    access = declared_access(event)
    if access is None:
        raise Forbidden(f"{event} declares no access, so nobody may call it.")
    decision = await authorize(person, access)
    if decision.allowed:
        return
    kinds: dict[str, type[Exception]] = {"sign_in": NotSignedIn, "role": RoleNeeded, "plan": PlanNeeded}
    raise kinds[decision.reason](f"{event} is not for this person: {decision.needed or 'sign in'}.")


def _given(spec: EventSpec) -> dict[str, Any]:
    """The literal arguments of an event."""
    found = {}
    for name, value in spec.args:
        literal = getattr(value, "_var_value", None)
        text = str(value)
        found[str(name)] = literal if literal is not None else unquote(text.strip('"')) if text.startswith('"') else text
    return found
