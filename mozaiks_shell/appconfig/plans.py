"""The plan catalogue: ``subscription_config.json`` in the shape MozaiksCore reads (F-103)."""

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, field_validator, model_validator

from mozaiks_shell.appconfig.loader import ConfigError, load, path_of
from mozaiks_shell.foundation.settings import get_settings

FILE = "subscription_config.json"

Cycle = Literal["daily", "weekly", "monthly", "yearly", "lifetime"]
PlanName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]

_OTHER_WORDS = {
    "day": "daily", "week": "weekly", "month": "monthly", "year": "yearly", "annual": "yearly", "annually": "yearly",
    "once": "lifetime", "one_time": "lifetime", "forever": "lifetime", "none": "lifetime", "": "lifetime",
}  # fmt: skip


class Plan(BaseModel):
    """One plan. ``price`` is in whole currency units (``9.99``); ``lifetime`` is paid once."""

    model_config = ConfigDict(frozen=True)

    name: PlanName
    display_name: str = ""
    price: float = Field(0, ge=0, allow_inf_nan=False)
    currency: Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{3}$")] = "USD"
    billing_cycle: Cycle = "monthly"
    description: str = ""
    features: list[str] = []
    plugins_unlocked: list[str] = []
    plugins: dict[str, Any] = {}
    stripe_price_id: str = ""
    rank: int = -1

    @field_validator("billing_cycle", mode="before")
    @classmethod
    def _cycle(cls, value: object) -> object:
        word = "" if value is None else str(value).strip().lower().replace("-", "_")
        return _OTHER_WORDS.get(word, word)

    @field_validator("stripe_price_id", "display_name", "description", mode="before")
    @classmethod
    def _absent(cls, value: object) -> object:
        return "" if value is None else value

    @property
    def title(self) -> str:
        """The name for people."""
        return self.display_name or self.name.replace("_", " ").replace("-", " ").title()

    def names(self, plugin: str) -> bool:
        """True when the file unlocks this plugin for this plan by name."""
        return plugin in self.plugins_unlocked or self.plugins.get(plugin) not in (None, False, "", "none", "locked")

    def unlocks(self, plugin: str) -> bool:
        """True when this plan opens the plugin, by name or with ``*``."""
        return "*" in self.plugins_unlocked or self.names(plugin)


class PlanSettings(BaseModel):
    """The ``settings`` block. ``trial_plan`` empty or 0 days: no trials."""

    default_plan: str = ""
    trial_plan: str = ""
    trial_period_days: int = Field(0, ge=0, le=730)
    show_subscription_status: bool = True
    show_cancel_button: bool = True

    @field_validator("default_plan", "trial_plan", mode="before")
    @classmethod
    def _absent(cls, value: object) -> object:
        return "" if value is None else value


class Catalogue(BaseModel):
    """Every plan, lowest rank first once loaded."""

    subscription_plans: list[Plan] = Field(min_length=1)
    settings: PlanSettings = Field(default_factory=lambda: PlanSettings.model_validate({}))
    _by_name: dict[str, Plan] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _shape(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise ValueError('must be an object with "subscription_plans" and "settings"')
        if "subscription_plans" not in raw and "plans" in raw:
            raise ValueError('has "plans"; this shell reads "subscription_plans": [{"name": …, "price": …}] and "settings"')
        return raw

    @model_validator(mode="after")
    def _consistent(self) -> "Catalogue":
        ranked = enumerate(self.subscription_plans)
        plans = [plan if plan.rank >= 0 else plan.model_copy(update={"rank": place}) for place, plan in ranked]
        self.subscription_plans = sorted(plans, key=lambda plan: plan.rank)
        self._by_name = {plan.name: plan for plan in self.subscription_plans}
        if len(self._by_name) < len(plans):
            raise ValueError("subscription_plans: two plans have the same name")
        if len({plan.rank for plan in plans}) < len(plans):
            raise ValueError("subscription_plans: two plans have the same rank")
        prices = [plan.stripe_price_id for plan in plans if plan.stripe_price_id]
        if len(set(prices)) < len(prices):
            raise ValueError("subscription_plans: two plans have the same stripe_price_id")
        for key in ("default_plan", "trial_plan"):
            named = getattr(self.settings, key)
            if named and named not in self._by_name:
                raise ValueError(f"settings.{key}: there is no plan {named!r}; the plans are {', '.join(self._by_name)}")
        if not self.settings.default_plan:
            self.settings.default_plan = self.subscription_plans[0].name
        return self

    def get(self, name: str) -> Plan | None:
        """The plan of this name."""
        return self._by_name.get(name)

    @property
    def default(self) -> Plan:
        """What a person has who never bought anything."""
        return self._by_name[self.settings.default_plan]

    def by_price(self, price_id: str) -> Plan | None:
        """The plan sold under this Stripe price."""
        return next((plan for plan in self.subscription_plans if price_id and plan.stripe_price_id == price_id), None)

    def lowest(self, names: tuple[str, ...]) -> Plan | None:
        """The lowest-ranked of these plans; None when the catalogue knows none of them."""
        return next((plan for plan in self.subscription_plans if plan.name in names), None)

    def mentions(self, plugin: str) -> bool:
        """True when any plan unlocks the plugin by name: then only such plans (or ``*``) open it."""
        return any(plan.names(plugin) for plan in self.subscription_plans)

    def public(self) -> dict[str, Any]:
        """The catalogue for anyone to read: no price ids (F-104)."""
        plans = [{**plan.model_dump(exclude={"stripe_price_id"}), "display_name": plan.title} for plan in self.subscription_plans]
        return {"subscription_plans": plans, "settings": self.settings.model_dump()}


@lru_cache(maxsize=8)
def _read(path: str, default_plan: str) -> Catalogue:
    found = load(FILE, Catalogue)
    if default_plan:
        if found.get(default_plan) is None:
            known = ", ".join(plan.name for plan in found.subscription_plans)
            raise ConfigError(path_of(FILE), [f"MOZAIKS_DEFAULT_TIER: there is no plan {default_plan!r}; the plans are {known}"])
        found.settings.default_plan = default_plan
    return found


def catalogue() -> Catalogue:
    """The plans of this installation, read once per process; ``MOZAIKS_DEFAULT_TIER`` beats the file's ``default_plan``.

    Raises:
        ConfigError: the file is unusable; names the file and the JSON path.
    """
    return _read(str(path_of(FILE)), get_settings().default_plan)
