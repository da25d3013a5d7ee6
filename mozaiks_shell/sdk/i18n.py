"""Texts of a plugin in the person's language. Its catalogues are ``locales/<locale>.po`` in its folder.

``t`` and ``tn`` are for components (they give a Var), ``tr`` and ``trn`` for handlers and services (they give a text),
``msg`` marks a text that is declared before anybody is there. Message ids are the English sentences.
"""

from typing import Any

from reflex_base.vars.base import Var

from mozaiks_shell.foundation import i18n as _texts
from mozaiks_shell.foundation.i18n import day, money, month, msg, number
from mozaiks_shell.plugin_host.service import calling
from mozaiks_shell.ui import i18n as _components
from mozaiks_shell.ui.i18n import Text, t_date, t_money, t_number

__all__ = ["day", "money", "month", "msg", "number", "t", "t_date", "t_money", "t_number", "tn", "tr", "trn"]


def _domain() -> str:
    plugin = calling()
    return plugin.name if plugin else ""


def t(text: Text, /, **values: Any) -> Var[str]:
    """A text of a component, in the person's language.

    Args:
        text: The English sentence, or a Var that holds one.
        **values: What stands for the ``{names}`` in it: Vars, texts, numbers.

    Example:
        >>> sdk.t("{count} of {total} done", count=Tasks.done, total=Tasks.all)
    """
    return _components.t(text, domain=_domain(), **values)


def tn(one: str, many: str, count: int | Var[int], /, **values: Any) -> Var[str]:
    """The form of a component's text for ``count`` things, which ``{count}`` shows.

    Example:
        >>> sdk.i18n.tn("{count} task", "{count} tasks", Tasks.open)
    """
    return _components.tn(one, many, count, domain=_domain(), **values)


def tr(text: str, /, **values: Any) -> str:
    """A text in the language of the request or event that runs.

    Example:
        >>> return sdk.notify(sdk.tr("{title} is done.", title=task.title))
    """
    return _texts.tr(text, domain=_domain(), **values)


def trn(one: str, many: str, count: float, /, **values: Any) -> str:
    """The form for ``count`` things; ``{count}`` is filled in.

    Example:
        >>> sdk.i18n.trn("{count} task", "{count} tasks", 1)
        '1 task'
    """
    return _texts.trn(one, many, count, domain=_domain(), **values)
