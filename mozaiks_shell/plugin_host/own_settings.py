"""What a plugin brings for its settings besides the manifest's fields: ``settings.py``, a typed form, a panel (F-083, F-084).

``settings.py`` may define either function or both, plain or ``async``; each may take fewer arguments::

    def get_settings(user_id, settings): ...      # gets what the shell keeps for this person, returns what counts
    def save_settings(user_id, settings): ...     # gets all values as they would count from now on

``save_settings`` raises ``sdk.errors.Invalid`` to refuse; a dict that it returns is stored instead of what was sent, so that
a plugin which keeps its settings elsewhere returns ``{}`` and answers from ``get_settings``.
"""

import inspect
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import checked
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.errors import PluginFailed
from mozaiks_shell.plugin_host.execution import call
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.ui.page import also_forget

_READ: Final = "get_settings"
_WRITE: Final = "save_settings"
_modules: dict[str, ModuleType] = {}
_forms: set[str] = set()


def keep(plugin: str, module: ModuleType) -> None:
    """Remember a plugin's ``settings.py``."""
    _modules[plugin] = module


def declare_form(plugin: str) -> None:
    """The plugin has a typed form (``sdk.settings.form``) or a panel of its own."""
    _forms.add(plugin)


def forget(plugin: str) -> None:
    """It was taken out of the process."""
    _modules.pop(plugin, None)
    _forms.discard(plugin)


def has_form(plugin: str) -> bool:
    """Whether people find something of this plugin on the settings page."""
    found = registry.find(plugin)
    return plugin in _forms or bool(found and found.manifest.settings)


async def shown(plugin: str, user_id: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """What counts for a person: what ``get_settings`` makes of what is stored; that itself for a plugin without one.

    Raises:
        PluginFailed, TimedOut, Unavailable: the function raised, took too long, is busy, or answered no dict of JSON values.
        ShellError: as the function raised.
    """
    answer = await _ask(plugin, _READ, user_id, dict(stored))
    return dict(stored) if answer is None else {**stored, **_plain(plugin, answer)}


async def saved(plugin: str, user_id: str, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be stored: ``changes``, or what ``save_settings`` returns for all values as they would count.

    Raises:
        ShellError: as the function raised, ``Invalid`` above all; else as :func:`shown`.
    """
    answer = await _ask(plugin, _WRITE, user_id, {**before, **changes})
    return dict(changes) if answer is None or answer is True else _plain(plugin, answer)


def has_own(plugin: str) -> bool:
    """Whether ``settings.py`` has a word in what is stored."""
    return callable(getattr(_modules.get(plugin), _WRITE, None))


async def _ask(name: str, function: str, user_id: str, values: dict[str, Any]) -> Any:
    plugin: Plugin | None = registry.find(name)
    found = getattr(_modules.get(name), function, None)
    if plugin is None or not callable(found):
        return None
    most = len([one for one in inspect.signature(found).parameters.values() if one.kind is not one.KEYWORD_ONLY])
    return await call(plugin, "execute", found, *(user_id, values)[:most])


def _plain(plugin: str, answer: Any) -> dict[str, Any]:
    try:
        if isinstance(answer, dict):
            return dict(checked(json.loads(json.dumps(answer, allow_nan=False))))
    except (TypeError, ValueError):
        pass
    title = found.manifest.title if (found := registry.find(plugin)) else plugin
    raise PluginFailed(tr("The plugin {name} gave no usable answer.", name=title), code="PLUGIN_BAD_ANSWER")


also_forget(forget)
