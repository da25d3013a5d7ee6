"""Components by name: what an operator's ``navigation.json`` may put on a page of its own (F-027)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.ui.page import PageFunction, _owner, also_forget

log = get_logger("ui")


@dataclass(frozen=True, slots=True)
class Registered:
    """A component a configuration file can name. ``owner`` is ``shell`` or a plugin's name."""

    name: str
    render: PageFunction
    access: Access
    on_load: tuple[Any, ...] = ()
    chat: bool = True
    owner: str = "shell"


_registered: dict[str, Registered] = {}


def register_component(
    name: str, *, access: Access | None = None, on_load: Any | Sequence[Any] = (), chat: bool = True
) -> Callable[[PageFunction], PageFunction]:
    """Let ``navigation.json`` make pages of the decorated function: ``{"path": "/team", "component": "TeamPage"}``.

    Call it while modules are imported, before the app is compiled; the same name again replaces the first.

    Args:
        name: What the file says. The shell's own are ``HomePage``, ``SettingsPage`` and the like.
        access: The least a visitor must have, whatever the file says; signed-in people unless said otherwise.
        on_load: Event handler(s) run on every visit, after the gate.
        chat: False hides the chat bubble on such a page.
    """

    def keep(render: PageFunction) -> PageFunction:
        handlers = tuple(on_load) if isinstance(on_load, list | tuple) else (on_load,)
        owner, _ = _owner.get()
        if (taken := _registered.get(name)) is not None and taken.owner != owner:
            log.warning("component replaced", component=name, by=owner, before=taken.owner)
        _registered[name] = Registered(name, render, access or Access.signed_in(), handlers, chat, owner)
        return render

    return keep


def component_named(name: str) -> Registered | None:
    """The component registered under this name."""
    return _registered.get(name)


def components() -> list[Registered]:
    """Every registered component, by name."""
    return [_registered[name] for name in sorted(_registered)]


def withdraw(owner: str) -> None:
    """Forget every component of this owner."""
    for name in [name for name, one in _registered.items() if one.owner == owner]:
        del _registered[name]


also_forget(withdraw)
