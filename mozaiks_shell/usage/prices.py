"""What a model call costs, exactly (F-249).

Amounts are whole pico units (1e-12 of the currency): a price has at most six decimals and is per million tokens, so tokens
times price is always whole, and nothing is ever rounded before it is shown.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final

from mozaiks_shell.appconfig.usage_config import Price, UsageConfig

PICO: Final = 10**12
MICRO: Final = 10**6
_PICO_PER_TOKEN: Final = PICO // 10**6  # pico units of one token at a price of 1 per million


def price_of(model: str, at: datetime, prices: Sequence[Price]) -> Price | None:
    """The price of this model on that day: a full name beats a family, a longer family a shorter one, a later day an earlier.

    None when nobody named it: it is flagged then, and never counted as free.
    """
    day = at.astimezone(UTC).date()
    fitting = [price for price in prices if (price.since is None or price.since <= day) and price.fits(model)]
    if not model or not fitting:
        return None
    return max(
        fitting, key=lambda one: ("*" not in one.model, len(one.model.replace("*", "")), one.since is not None, one.since or day)
    )


def cost(price: Price, prompt_tokens: int, completion_tokens: int, *, cached: bool = False) -> int:
    """Pico units of one call. ``cached``: what was read came from the model's cache."""
    read = price.cached_input if cached and price.cached_input is not None else price.input
    exact = (read * prompt_tokens + price.output * completion_tokens) * _PICO_PER_TOKEN
    return int(exact)


def dearest(config: UsageConfig) -> Price | None:
    """A price no model of the file exceeds: what a budget in money is charged for a model nobody priced."""
    if not config.prices:
        return None
    highest = max(config.prices, key=lambda one: (one.output, one.input))
    return highest.model_copy(update={"input": max(one.input for one in config.prices), "cached_input": None})


def as_decimal(pico: int) -> Decimal:
    """Pico units as an amount of the currency: ``6450000`` is ``Decimal("0.00000645")``."""
    return Decimal(pico).scaleb(-12)


def micro(pico: int) -> int:
    """Whole micro units, rounded up: what budgets in money count in."""
    return -(-pico // MICRO)


def limit_in_micro(limit: Decimal) -> int:
    """A limit of a budget in money, in micro units."""
    return int((limit * MICRO).to_integral_value(ROUND_CEILING))


def plain(amount: Decimal) -> str:
    """For the API and files: no exponent, no needless zeros: ``"0.00000645"``, ``"12"``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
