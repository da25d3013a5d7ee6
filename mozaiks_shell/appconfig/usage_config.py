"""``usage_config.json``: what tokens cost, how many may be spent, what is billed by use (F-249, F-253, F-255).

Without the file nothing is priced, limited or billed; tokens are counted all the same.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, field_validator

from mozaiks_shell.appconfig.fields import Entries, FileModel
from mozaiks_shell.appconfig.live import LiveFile, Report

FILE: Final = "usage_config.json"

Unit = Literal["tokens", "money"]
Period = Literal["daily", "monthly", "never"]
Enforcement = Literal["hard", "soft", "warn", "none"]
Counted = Literal["tokens", "input_tokens", "output_tokens", "calls", "cost_micros"]
# At most 6 decimals: then tokens x price is a whole number of pico units (1e-12), and sums are exact.
Amount = Annotated[Decimal, Field(ge=0, le=100_000, max_digits=12, decimal_places=6, allow_inf_nan=False)]
_MODEL = r"^[A-Za-z0-9*][A-Za-z0-9*_.:/@+ -]{0,127}$"
ModelName = Annotated[str, StringConstraints(pattern=_MODEL)]
PlanName = Annotated[str, StringConstraints(max_length=64)]


def fits(pattern: str, model: str) -> bool:
    """Whether the name of a model is one that ``pattern`` means; ``*`` stands for any text."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), model, re.IGNORECASE) is not None


class Price(FileModel):
    """What a model costs per million tokens, as numbers or as texts (`"0.15"`)."""

    model: str = Field(
        pattern=_MODEL, description="Name of the model; `*` stands for any text: `gpt-4o*`. The longest name counts."
    )
    input: Amount = Field(description="Per million tokens that are read.")
    output: Amount = Field(description="Per million tokens that are written.")
    cached_input: Amount | None = Field(None, description="Per million tokens read from the model's cache; default `input`.")
    since: date | None = Field(None, description="First day (UTC) of this price; default always. The latest counts.")

    def fits(self, model: str) -> bool:
        """Whether the price is meant for this model."""
        return fits(self.model, model)


class TokenBudget(FileModel):
    """How much may be spent in a period."""

    limit: Annotated[Decimal, Field(ge=-1, le=1_000_000_000_000, decimal_places=6, allow_inf_nan=False)] = Field(
        description="In tokens, or in units of the currency (at most 1,000,000). `-1`: no limit."
    )
    unit: Unit = Field("tokens", description="What is limited: `tokens`, or `money` by the prices of this file.")
    period: Period = Field(
        "monthly", description="When it starts again, at midnight in `MOZAIKS_DEFAULT_TIMEZONE`; `never`: not."
    )
    enforcement: Enforcement = Field(
        "hard",
        description="At the limit. `hard`: no run starts and running ones are stopped. `soft`: no run starts. "
        "`warn`: people are told. `none`: nothing happens.",
    )
    resets_on: int = Field(
        1, ge=1, le=31, description="Day of the month on which a monthly budget starts; short months: the last."
    )

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self.limit >= 0


class Budgets(FileModel):
    """Whose spending is limited. The budget of a person comes from `people`, else from `plans`, else it is `default`."""

    app: TokenBudget | None = Field(None, description="All people of the app together.")
    default: TokenBudget | None = Field(None, description="A person whose plan is not named.")
    plans: dict[PlanName, TokenBudget] = Field({}, max_length=200, description="A person of this plan.")
    people: dict[Annotated[str, StringConstraints(max_length=64)], TokenBudget] = Field(
        {}, max_length=2000, description="The person with this user id."
    )


class Meter(FileModel):
    """A meter of the payment service that is told what customers use."""

    event_name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$", description="The meter's `event_name` at the payment service."
    )
    counts: Counted = Field(
        "tokens",
        description="What is told: `tokens` in both directions, `input_tokens`, `output_tokens`, `calls` of models, or "
        "`cost_micros`: the cost by the prices of this file in millionths of the currency.",
    )
    models: list[ModelName] = Field([], max_length=200, description="Only calls of these models, `*` as above; empty: of all.")
    plans: list[PlanName] = Field([], max_length=200, description="Only people of these plans; empty: every paying customer.")

    def wants(self, model: str, plan: str) -> bool:
        """Whether a call of this model by somebody of this plan is told."""
        return (not self.plans or plan in self.plans) and (not self.models or any(fits(one, model) for one in self.models))


class UsageConfig(FileModel):
    """`usage_config.json`."""

    currency: Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{3}$")] = Field(
        "USD", description="ISO 4217, of all prices."
    )
    prices: Annotated[list[Price], Entries] = Field(
        [], description="What models cost; a model nobody names has no price and is flagged."
    )
    budgets: Budgets = Field(default_factory=lambda: Budgets.model_validate({}), description="What may be spent.")
    meters: list[Meter] = Field(
        [],
        max_length=50,
        description="What is billed by use: reported every hour to the payment service, for people who are its customers.",
    )
    reserve_tokens: int = Field(
        2000,
        ge=1,
        le=1_000_000,
        description="Tokens put aside for each run, so that runs side by side cannot overspend together.",
    )

    @field_validator("budgets", mode="before")
    @classmethod
    def _absent(cls, value: object) -> object:
        return {} if value is None else value


def _build(file: UsageConfig, report: Report) -> UsageConfig:
    every = [(("budgets", name), budget) for name in ("app", "default") if (budget := getattr(file.budgets, name)) is not None]
    for name in ("plans", "people"):
        every += [(("budgets", name, key), budget) for key, budget in getattr(file.budgets, name).items()]  # type: ignore[misc]
    for where, budget in every:
        if budget.unit == "money" and not file.prices:
            report(
                "error", (*where, "unit"), "there are no prices, so money cannot be counted.", 'Add "prices", or use "tokens".'
            )
        elif budget.unit == "money" and budget.limit > 1_000_000:
            report("error", (*where, "limit"), "is more than 1,000,000.", "Choose a smaller limit, or -1 for none.")
        elif budget.unit == "tokens" and budget.limit != budget.limit.to_integral_value():
            report("error", (*where, "limit"), "is no whole number of tokens.", "Remove the decimals.")
    seen: set[tuple[str, date | None]] = set()
    for place, price in enumerate(file.prices):
        key = (price.model.lower(), price.since)
        if key in seen:
            report("warning", ("prices", place, "model"), f"{price.model} has two prices from the same day; the first counts.")
        seen.add(key)
    for place, meter in enumerate(file.meters):
        if meter.counts == "cost_micros" and not file.prices:
            report("error", ("meters", place, "counts"), "there are no prices, so nothing costs anything.", 'Add "prices".')
        if any(meter.event_name == other.event_name for other in file.meters[:place]):
            said = f"{meter.event_name} is named twice; a call that fits both is counted twice."
            report("warning", ("meters", place, "event_name"), said, "Make sure that no model and plan fits both.")
    return file


USAGE: LiveFile[UsageConfig] = LiveFile(FILE, UsageConfig, build=_build)


def usage_config() -> UsageConfig:
    """Prices and budgets as of now."""
    return USAGE.current()
