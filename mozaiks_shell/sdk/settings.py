"""``settings``: what a person may set of the plugin. A pydantic model becomes a form on the settings page.

Fields in the manifest's ``"settings"`` need no code at all, ``settings.py`` may read and judge them
(:mod:`mozaiks_shell.plugin_host.own_settings`), and a panel may be drawn by the plugin itself.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import reflex as rx
from pydantic import BaseModel

from mozaiks_shell.foundation.access import Access, Principal, current_principal
from mozaiks_shell.foundation.errors import NotSignedIn
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.plugin_host import own_settings as _own_settings
from mozaiks_shell.plugin_host.service import calling, loading
from mozaiks_shell.shell.settings_models import model_of, register_settings
from mozaiks_shell.shell.settings_values import read_settings, write_settings
from mozaiks_shell.shell.slots import plugin_settings

Model = TypeVar("Model", bound=BaseModel)


def form(model: type[Model]) -> type[Model]:
    """Decorator: the fields of this pydantic model are the plugin's settings, each with a default.

    ``bool`` is a switch, ``Literal`` and ``Enum`` a choice, ``int`` and ``float`` a number, ``date`` a date, ``str`` a text.
    ``Field(title=..., description=...)`` label it. What is stored is judged by the model.

    Raises:
        ValueError: a field has no default, or no form can show it.

    Example:
        >>> @sdk.settings.form
        ... class TaskSettings(BaseModel):
        ...     show_done: bool = Field(False, title="Show what is done")
    """
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.settings.form may only be used while the plugin is imported")
    register_settings(plugin.name, model)
    return model


def panel(
    title: str = "", *, order: int = 100, access: Access | None = None, on_load: Any | Sequence[Any] = ()
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Decorator: put what the function returns on the settings page, in a card of the plugin's own (F-084).

    Use it for what no form can do, such as a connection to another service. What breaks in it stays in its card.

    Args:
        title: Heading of the card. Default: the plugin's name.
        order: Position among the plugins' panels, small first.
        access: Who sees it. Default: the manifest's ``access``.
        on_load: Event handler(s) run when the settings of plugins are opened.

    Example:
        >>> @sdk.settings.panel(on_load=Calendar.load)
        ... def calendar_panel():
        ...     return sdk.ui.button("Connect a calendar", on_click=Calendar.connect)
    """
    plugin = loading()
    if plugin is None:
        raise RuntimeError("sdk.settings.panel may only be used while the plugin is imported")
    _own_settings.declare_form(plugin.name)
    handlers = tuple(on_load) if isinstance(on_load, list | tuple) else (on_load,)
    said = title or plugin.manifest.title
    return plugin_settings.section(said, name=said, order=order, access=access, on_load=handlers)


async def read(model: type[Model]) -> Model:
    """The settings of the person on whose behalf this runs.

    Raises:
        NotSignedIn: nobody is signed in.

    Example:
        >>> chosen = await sdk.settings.read(TaskSettings)
    """
    name, person = _whose(model)
    return model(**await read_settings(person, name))


async def save(model: type[Model], **changes: Any) -> Model:
    """Change some of the person's settings, and return all of them; None goes back to the default.

    Raises:
        NotSignedIn: nobody is signed in.
        Invalid: the model refuses a value; nothing is changed.

    Example:
        >>> await sdk.settings.save(TaskSettings, show_done=True)
    """
    name, person = _whose(model)
    return model(**await write_settings(person, changes, name))


def _whose(model: type[BaseModel]) -> tuple[str, Principal]:
    """The plugin whose form this is, and the person."""
    plugin, person = calling(3), current_principal()
    if person is None:
        raise NotSignedIn(tr("Sign in to continue."))
    if plugin is None or model_of(plugin.name) is not model:
        raise RuntimeError(f"{getattr(model, '__name__', model)} is not this plugin's sdk.settings.form")
    return plugin.name, person


__all__ = ["form", "panel", "read", "save"]
