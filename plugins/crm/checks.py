"""What people typed, checked: every function gives the clean value or raises ``Invalid`` with a sentence for them."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from mozaiks_shell import sdk
from mozaiks_shell.sdk.errors import Invalid

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WEB = re.compile(r"https?://[\w-]+(\.[\w-]+)+(:\d+)?([/?#][^\s<>\"']*)?")
MOST = 10**13  # hundredths


def text(given: object, most: int) -> str:
    """One line of at most so many letters."""
    line = " ".join(given.split()) if isinstance(given, str) else ""
    if "\x00" in line or any("\ud800" <= letter <= "\udfff" for letter in line):
        raise Invalid(sdk.tr("The text holds a character that cannot be stored."))
    if len(line) > most:
        raise Invalid(sdk.tr("At most {most} letters; this has {count}.", most=most, count=len(line)))
    return line


def name(given: object, most: int = 120) -> str:
    """A line that is not empty."""
    if not (found := text(given, most)):
        raise Invalid(sdk.tr("Give it a name."))
    return found


def email(given: object) -> str:
    """An e-mail address, or nothing."""
    found = text(given, 254)
    if found and not _EMAIL.fullmatch(found):
        raise Invalid(sdk.tr("{text} is no e-mail address.", text=found))
    return found


def website(given: object) -> str:
    """An address of the web, or nothing; ``example.com`` will do."""
    found = text(given, 300)
    if found and "://" not in found:
        found = f"https://{found}"
    if found and not _WEB.fullmatch(found):
        raise Invalid(sdk.tr("{text} is no web address.", text=found))
    return found


def amount(given: object) -> int:
    """An amount as people write it (``1,234.50``, ``1.234,50``, ``1200``), in hundredths."""
    written = re.sub(r"[\s'’\u00a0\u202f]", "", str(given if given is not None else ""))
    if match := re.fullmatch(r"(.*)[.,](\d{1,2})", written):  # the last sign with one or two digits behind is the decimal one
        written = re.sub(r"[.,]", "", match[1]) + "." + match[2]
    else:
        written = re.sub(r"[.,]", "", written)
    try:
        found = Decimal(written or "0")
        hundredths = int(found * 100) if found.is_finite() else -1
    except InvalidOperation:
        hundredths = -1
    if not 0 <= hundredths <= MOST:
        raise Invalid(sdk.tr("The amount must be a number such as 1200 or 99.50."))
    return hundredths


def day(given: object) -> date | None:
    """A date, or nothing."""
    if given is None or given == "":
        return None
    try:
        return date.fromisoformat(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Invalid(sdk.tr("The date must be one such as 2026-11-30.")) from None
