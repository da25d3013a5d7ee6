"""Languages: which one this request or event speaks, gettext catalogues, dates and numbers (Babel).

Message ids are the English sentences. A catalogue is one ``<locale>.po`` file in a domain's folder: the shell's own
domain is ``""`` (``mozaiks_shell/locales``), a plugin's is its name (``plugins/<name>/locales``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import date, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.core import negotiate_locale
from babel.lists import format_list
from babel.messages.pofile import read_po

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.locales import LOCALES, PLURALS, SOURCE
from mozaiks_shell.foundation.settings import get_settings

Catalogue = Mapping[str, str | Sequence[str]]
DateStyle = Literal["date", "time", "datetime", "relative"]

COOKIE: Final = "mozaiks_locale"
SERVER_ONLY: Final = "server"  # the comment of a text that no page looks up itself

_FOLDERS: dict[str, Path] = {"": Path(__file__).parents[1] / "locales"}
_PLACE = re.compile(r"\{(\w+)\}")
_locale: ContextVar[str] = ContextVar("mozaiks_locale", default=SOURCE)
_timezone: ContextVar[str] = ContextVar("mozaiks_timezone", default="")


def offered() -> dict[str, str]:
    """The languages of this installation: code -> name in that language."""
    return {code: LOCALES[code] for code in get_settings().locales}


def current_locale() -> str:
    """Language of the request or event that runs; the source language outside of one."""
    return _locale.get()


def speak(locale: str, timezone: str = "") -> None:
    """Set language and IANA time zone for the rest of this request or event. Called by the gates."""
    _locale.set(locale)
    _timezone.set(timezone)


def direction(locale: str) -> Literal["ltr", "rtl"]:
    """Writing direction, as of the ``dir`` attribute."""
    return "rtl" if Locale.parse(locale).text_direction == "rtl" else "ltr"


def choose(chosen: str = "", cookie: str = "", accept: str = "") -> str:
    """The language to speak: the person's choice, else this browser's cookie, else what the browser accepts (RFC 9110
    §12.5.4), else the operator's default; always one that is offered."""
    available = list(offered())
    for wish in (chosen, cookie):
        if wish in available:
            return wish
    return negotiate_locale(_accepted(accept), available, sep="-") or get_settings().default_locale


def _accepted(header: str) -> list[str]:
    wishes: list[tuple[float, str]] = []
    for part in header[:500].split(",")[:20]:
        tag, _, quality = part.strip().partition(";")
        weight = quality.strip().removeprefix("q=")
        if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}", tag):
            wishes.append((float(weight) if re.fullmatch(r"[01](?:\.\d{1,3})?", weight) else 1.0, tag))
    ranked = [tag for weight, tag in sorted(wishes, key=lambda one: -one[0]) if weight > 0]
    return [form for tag in ranked for form in (tag, tag.partition("-")[0].lower())]


def add_catalogues(domain: str, folder: Path) -> None:
    """Let ``folder/<locale>.po`` translate the messages of ``domain`` (a plugin's name)."""
    _FOLDERS[domain] = folder


def domains() -> list[str]:
    """Every domain with a folder of catalogues."""
    return list(_FOLDERS)


def catalogue(domain: str, locale: str) -> Catalogue:
    """Message id -> translation (a list of plural forms for counted ones). Empty for the source language, for an
    unknown domain, and where there is no file; a message without translation is left out."""
    folder = _FOLDERS.get(domain)
    file = folder / f"{locale}.po" if folder else None
    if file is None or locale == SOURCE or not file.is_file():
        return {}
    return _read(file, file.stat().st_mtime_ns)[0]


def browser_catalogue(domain: str, locale: str) -> Catalogue:
    """The part of :func:`catalogue` that pages look up themselves."""
    folder = _FOLDERS[domain]
    return _read(folder / f"{locale}.po", (folder / f"{locale}.po").stat().st_mtime_ns)[1] if catalogue(domain, locale) else {}


@lru_cache(maxsize=256)
def _read(file: Path, _: int) -> tuple[Catalogue, Catalogue]:
    with file.open("rb") as source:
        messages = read_po(source, locale=file.stem)
    found: dict[str, str | Sequence[str]] = {}
    shown: dict[str, str | Sequence[str]] = {}
    for message in messages:
        key = message.id[0] if isinstance(message.id, list | tuple) else message.id
        forms = [message.string] if isinstance(message.string, str) else list(message.string or [])
        if key and all(forms) and not message.fuzzy:
            found[key] = forms[0] if isinstance(message.id, str) else forms
            if SERVER_ONLY not in message.auto_comments:
                shown[key] = found[key]
    return found, shown


def msg(text: str) -> str:
    """Mark a text for translation where no request runs (a page's title); it is translated where it is shown."""
    return text


def tr(text: str, /, *, domain: str = "", **values: Any) -> str:
    """``text`` in the current language, its ``{names}`` filled with ``values`` (numbers in the language's form)."""
    return translate(text, values, domain=domain, locale=current_locale())


def trn(one: str, many: str, count: float, /, *, domain: str = "", **values: Any) -> str:
    """The form for ``count`` things; ``{count}`` is filled in."""
    return translate_counted(one, many, count, values, domain=domain, locale=current_locale())


def translate(text: str, values: Mapping[str, Any], *, domain: str, locale: str) -> str:
    """:func:`tr` for a given language."""
    found = _said(text, domain, locale) or text
    return fill(found if isinstance(found, str) else found[-1], values, locale)


def translate_counted(
    one: str, many: str, count: float, values: Mapping[str, Any], *, domain: str, locale: str
) -> str:  # fmt: skip
    """:func:`trn` for a given language."""
    forms = _said(one, domain, locale)
    if forms is None or isinstance(forms, str):
        chosen = one if Locale.parse(SOURCE).plural_form(count) == "one" else many
    else:
        category, order = Locale.parse(locale).plural_form(count), PLURALS[locale]
        chosen = forms[min(order.index(category) if category in order else len(order) - 1, len(forms) - 1)]
    return fill(chosen, {"count": count, **values}, locale)


def _said(text: str, domain: str, locale: str) -> str | Sequence[str] | None:
    """What the domain's catalogue says, else the shell's, else any plugin's: titles travel without their domain."""
    for name in (domain, *_FOLDERS):
        if found := catalogue(name, locale).get(text):
            return found
    return None


def fill(text: str, values: Mapping[str, Any], locale: str) -> str:
    """Put values at their ``{names}``. Right-to-left languages get each text value isolated (Unicode UAX #9), so that
    a Latin name does not turn the sentence around."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            return found[0]
        one = values[name]
        if isinstance(one, int | float) and not isinstance(one, bool):
            return number(one, locale)
        return f"\u2068{one}\u2069" if direction(locale) == "rtl" else str(one)

    return _PLACE.sub(value, text)


def placeholders(text: str) -> set[str]:
    """The ``{names}`` in a text."""
    return set(_PLACE.findall(text))


def number(value: float, locale: str = "") -> str:
    """``1234.5`` as people of the language write it, with at most three decimals."""
    return numbers.format_decimal(value, locale=locale or current_locale())


def percent(share: float, locale: str = "") -> str:
    """``0.25`` as 25 %."""
    return numbers.format_percent(share, locale=locale or current_locale())


def money(amount: float, currency: str, locale: str = "") -> str:
    """An amount in major units (12.5) and its ISO 4217 currency; without cents where there are none."""
    shown = numbers.format_currency(amount, currency.upper(), locale=locale or current_locale())
    return re.sub(r"[.,]00(?!\d)", "", shown) if float(amount).is_integer() else shown


def moment(value: datetime, style: DateStyle = "datetime", locale: str = "", timezone: str = "") -> str:
    """A point in time in the person's language and time zone; a naive one is taken as UTC."""
    locale, zone = locale or current_locale(), _zone(timezone or _timezone.get())
    aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo("UTC"))
    if style == "relative":
        return dates.format_timedelta(aware - now(), add_direction=True, locale=locale)
    if style == "date":
        return dates.format_date(aware.astimezone(zone), format="medium", locale=locale)
    form = {"time": dates.format_time, "datetime": dates.format_datetime}[style]
    return form(aware, format="short", tzinfo=zone, locale=locale)


def day(value: date, locale: str = "") -> str:
    """A day in few letters: ``30 Nov``, with the year when it is not this one."""
    skeleton = "MMMd" if value.year == now().year else "yMMMd"
    return dates.format_skeleton(skeleton, value, locale=locale or current_locale())


def month(value: date, locale: str = "") -> str:
    """A month in few letters: ``Nov``, with the year when it is not this one."""
    skeleton = "MMM" if value.year == now().year else "yMMM"
    return dates.format_skeleton(skeleton, value, locale=locale or current_locale())


def _zone(name: str) -> tzinfo:
    return ZoneInfo(name) if name else ZoneInfo(get_settings().default_timezone)


def joined(texts: Iterable[str], *, locale: str = "") -> str:
    """``a, b and c`` in the language."""
    return format_list(list(texts), locale=locale or current_locale())
