"""The plan catalogue: ``subscription_config.json`` in the shape MozaiksCore reads (F-103)."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from mozaiks_shell.appconfig.fields import Entries, FileModel
from mozaiks_shell.appconfig.live import LiveFile, Report
from mozaiks_shell.appconfig.problems import Location, shown
from mozaiks_shell.foundation.settings import get_settings

FILE = "subscription_config.json"

Cycle = Literal["daily", "weekly", "monthly", "yearly", "lifetime"]
PlanName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]

_OTHER_WORDS = {
    "day": "daily", "week": "weekly", "month": "monthly", "year": "yearly", "annual": "yearly", "annually": "yearly",
    "once": "lifetime", "one_time": "lifetime", "forever": "lifetime", "none": "lifetime", "": "lifetime",
}  # fmt: skip


class Plan(FileModel):
    """One plan. ``price`` is in whole currency units (``9.99``); ``lifetime`` is paid once."""

    name: PlanName = Field(description="Unique; the name in every other file and in the database.")
    display_name: str = Field("", max_length=120, description="Name for people.")
    price: float = Field(0, ge=0, allow_inf_nan=False, description="In whole currency units, `9.99`.")
    currency: Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{3}$")] = Field("USD", description="ISO 4217.")
    billing_cycle: Cycle = Field("monthly", description="How often the price is paid; `lifetime`: once.")
    description: str = Field("", max_length=1000, description="One sentence.")
    features: Annotated[list[str], Entries] = Field([], description="What one gets, in words.")
    plugins_unlocked: Annotated[list[str], Entries] = Field([], description="Plugins the plan opens; `*` for all.")
    plugins: dict[str, Any] = Field({}, description="Plugins and how far the plan opens them; `none` for not at all.")
    stripe_price_id: str = Field("", max_length=200, description="The price at Stripe; never sent to a browser.")
    rank: int = Field(-1, description="Place among the plans, low first; default the order of the file.")

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


class PlanSettings(FileModel):
    """The ``settings`` block. ``trial_plan`` empty or 0 days: no trials."""

    model_config = ConfigDict(frozen=False)

    default_plan: str = Field("", description="Plan of a person who never bought one; default the lowest.")
    trial_plan: str = Field("", description="Plan that can be tried.")
    trial_period_days: int = Field(0, ge=0, le=730, description="Days a trial lasts.")
    show_subscription_status: bool = Field(True, description="Whether a person sees their plan.")
    show_cancel_button: bool = Field(True, description="Whether a person can cancel by themselves.")

    @field_validator("default_plan", "trial_plan", mode="before")
    @classmethod
    def _absent(cls, value: object) -> object:
        return "" if value is None else value


class CatalogueFile(FileModel):
    """`subscription_config.json`."""

    subscription_plans: Annotated[list[Plan], Entries] = Field(min_length=1, description="The plans, lowest first.")
    settings: PlanSettings = Field(default_factory=lambda: PlanSettings.model_validate({}), description="Rules for all plans.")

    @model_validator(mode="before")
    @classmethod
    def _shape(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise ValueError('must be an object with "subscription_plans" and "settings"')
        if "subscription_plans" not in raw and "plans" in raw:
            raise ValueError('has "plans"; this shell reads "subscription_plans": [{"name": …, "price": …}] and "settings"')
        return raw


class Catalogue:
    """The plans that are offered, lowest rank first. ``settings`` names only plans that are there."""

    def __init__(self, plans: list[Plan], settings: PlanSettings) -> None:
        self.subscription_plans = sorted(plans, key=lambda plan: plan.rank)
        self.settings = settings
        self._by_name = {plan.name: plan for plan in self.subscription_plans}

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


def _build(file: CatalogueFile, report: Report) -> Catalogue:
    """Plans that clash with an earlier one are left out; a plan the settings name must be there."""
    kept: list[Plan] = []
    for place, plan in enumerate(file.subscription_plans):
        ranked = plan if plan.rank >= 0 else plan.model_copy(update={"rank": place})
        clash = next((key for one in kept for key in ("name", "rank", "stripe_price_id") if _same(one, ranked, key)), "")
        if clash:
            here: Location = ("subscription_plans", place, clash)
            report("error", here, f"two plans have the same {clash}; this one is left out.", "Change one of the two.")
        else:
            kept.append(ranked)
    names = [plan.name for plan in kept]
    settings = file.settings.model_copy()
    for key in ("default_plan", "trial_plan"):
        if (named := getattr(settings, key)) and named not in names:
            said = f"there is no plan {shown(named, 70)}; the plans are {', '.join(names[:20])}."
            report("error", ("settings", key), said, "Name one of them.")
            setattr(settings, key, "")
    if (wanted := get_settings().default_plan) and wanted not in names:
        said = f"MOZAIKS_DEFAULT_TIER: there is no plan {shown(wanted, 70)}; the plans are {', '.join(names[:20])}."
        report("error", (), said, "Name one of them.")
        wanted = ""
    settings.default_plan = wanted or settings.default_plan or min(kept, key=lambda plan: plan.rank).name
    return Catalogue(kept, settings)


def _same(one: Plan, other: Plan, key: str) -> bool:
    return getattr(one, key) not in ("", None) and getattr(one, key) == getattr(other, key)


PLANS: LiveFile[Catalogue] = LiveFile(FILE, CatalogueFile, build=_build)


def catalogue() -> Catalogue:
    """The plans of this installation as of now; ``MOZAIKS_DEFAULT_TIER`` beats the file's ``default_plan``."""
    return PLANS.current()
