"""Texts, dates and numbers of components: Vars that the browser shows in the person's language.

``t("Save")`` is what a person reads; the English sentence is the message id (:mod:`mozaiks_shell.foundation.i18n`).
"""

from typing import Any

import reflex as rx
from reflex_base.vars import VarData
from reflex_base.vars.base import LiteralVar, Var

from mozaiks_shell.foundation.i18n import DateStyle

# Without the version that Reflex appends: our own scripts import it by its plain path, and there must be one of it.
I18N_JS = "$/public" + rx.asset("i18n.js", shared=True).partition("?")[0]

Text = str | Var[str]


def _call(function: str, *arguments: Any, result: Any = str) -> Var[Any]:
    parts = [LiteralVar.create(argument) for argument in arguments]
    data = VarData.merge(VarData(imports={I18N_JS: [function]}), *[part._get_all_var_data() for part in parts])
    return Var(f"{function}({', '.join(str(part) for part in parts)})", _var_type=result, _var_data=data)


def t(text: Text, /, *, domain: Text = "", **values: Any) -> Var[str]:
    """A text in the person's language.

    Args:
        text: The English sentence; or a Var that holds one (a title that arrives with State).
        domain: Whose catalogue: a plugin's name, empty for the shell's.
        **values: What stands for the ``{names}`` in it: Vars, texts, numbers.
    """
    return _call("mzT", text, *_more(values, domain))


def tn(one: str, many: str, count: int | Var[int], /, *, domain: Text = "", **values: Any) -> Var[str]:
    """The form of a text for ``count`` things, which ``{count}`` shows: ``tn("{count} chat", "{count} chats", n)``."""
    return _call("mzN", one, many, count, *_more(values, domain))


def _more(values: dict[str, Any], domain: Text) -> list[Any]:
    """The arguments that are only written when they say something."""
    named = isinstance(domain, Var) or bool(domain)
    return [values, domain] if named else [values] if values else []


def t_date(iso: Text, style: DateStyle = "datetime") -> Var[str]:
    """A point in time (ISO 8601; UTC without an offset) in the person's language and time zone."""
    return _call("mzDate", iso, style)


def t_number(value: float | Var[Any]) -> Var[str]:
    """A number as people of the language write it."""
    return _call("mzNumber", value)


def t_money(amount: float | Var[Any], currency: Text) -> Var[str]:
    """An amount in major units (12.5) of an ISO 4217 currency."""
    return _call("mzMoney", amount, currency)


def brand_text(part: str) -> Var[str]:
    """A word of the brand of this app: ``name``, ``tagline``, ``logo``, ``wordmark`` (addresses of images)."""
    return _call("mzBrand", part)


def boot_value(path: str, kind: Any = str) -> Var[Any]:
    """What the served page says of itself, by path (``error.status``); empty text when it does not."""
    return _call("mzBoot", path, result=kind)
