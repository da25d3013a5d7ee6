"""What this month's use costs so far, by model (F-255): the preview of an invoice by the prices of ``usage_config.json``."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from mozaiks_shell.appconfig.usage_config import usage_config
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import meters
from mozaiks_shell.usage.periods import Window, window
from mozaiks_shell.usage.sums import Span, Sum, grouped, total


@dataclass(frozen=True, slots=True)
class Preview:
    """The month in the app's time zone up to now. ``lines`` by model, the dearest first; ``whole`` is their sum.

    ``billed``: the payment service is told of it, so that it comes to be paid.
    """

    month: Window
    currency: str
    lines: list[Sum]
    whole: Sum
    billed: bool

    def described(self) -> dict[str, Any]:
        """For the API: costs as decimal texts."""
        end = self.month.end
        return {
            "from": self.month.start.isoformat(),
            "until": end.isoformat() if end else None,
            "currency": self.currency,
            "billed": self.billed,
            **self.whole.described(),
            "lines": [{"model": one.key, **one.described()} for one in self.lines],
        }


async def preview(scope: Scope) -> Preview:
    """Of one person, or of everybody (admins) when ``scope`` names none."""
    config, zone = usage_config(), ZoneInfo(get_settings().default_timezone)
    month = window("monthly", now(), zone)
    span = Span(month.start, month.end)
    lines = await grouped(scope, span, "model", zone)
    dearest_first = sorted(lines, key=lambda one: (-one.cost, -one.prompt_tokens - one.completion_tokens, one.key))
    billed = await meters.billed(scope.app_id, scope.user_id, config) if scope.user_id else bool(config.meters)
    return Preview(month, config.currency, dearest_first, await total(scope, span), billed)
