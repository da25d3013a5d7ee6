"""``triggers.json``: which event, or which time, starts which workflow (F-156, F-157)."""

from typing import Annotated, Any, Literal

from pydantic import Field

from mozaiks_shell.appconfig.fields import Entries, FileModel, Ident
from mozaiks_shell.appconfig.live import LiveFile, Report
from mozaiks_shell.appconfig.ui_config import once
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import Cron, cron

FILE = "triggers.json"


class TriggerRule(FileModel):
    """A rule. It has either `on` or `schedule`."""

    id: Ident = Field(description="Unique; stays when the rule changes.")
    enabled: bool = Field(True, description="False: the rule rests.")
    on: str = Field(
        "",
        max_length=200,
        pattern=r"^[A-Za-z0-9_.:-]*$",
        description="Name of the event: `tasks:created`, `subscription.updated`.",
    )
    schedule: str = Field("", max_length=120, description="Or a cron line: `0 9 * * mon-fri`, `@daily`.")
    timezone: str = Field("", max_length=64, description="IANA zone of the cron line; default `MOZAIKS_DEFAULT_TIMEZONE`.")
    when: dict[str, str | int | float | bool | None] = Field(
        {}, max_length=20, description='Only if these facts of the event are so: `{"data.plan": "pro"}`.'
    )
    workflow: str = Field(
        min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Workflow of the runtime."
    )
    data: dict[str, Any] | None = Field(
        None,
        max_length=100,
        description="What the workflow gets; `{data.task_id}`, `{user_id}`, `{event}`, `{at}` are filled in. Default: the "
        "event's data.",
    )
    run_as: Literal["app", "person"] = Field(
        "app", description="`person`: only if the person behind the event may launch the workflow, and on their behalf."
    )
    from_programs: bool = Field(
        False, description="Also for events that a workflow's own call into the app caused. Without it no loop begins."
    )
    max_per_minute: int = Field(60, ge=1, le=6000, description="Calls a minute; what comes above is dropped and logged.")

    @property
    def timing(self) -> Cron | None:
        """When it is due; None for a rule with an event."""
        return cron(self.schedule, self.timezone or get_settings().default_timezone) if self.schedule else None


class TriggersConfig(FileModel):
    """`triggers.json`."""

    triggers: Annotated[list[TriggerRule], Entries] = Field([], description="Rules.")

    def listening(self, event: str) -> list[TriggerRule]:
        """The rules that are in force and name this event."""
        return [one for one in self.triggers if one.enabled and one.on and one.on == event]


def _build(file: TriggersConfig, report: Report) -> TriggersConfig:
    good = []
    for place, rule in enumerate(file.triggers):
        where = ("triggers", place)
        if bool(rule.on) == bool(rule.schedule):
            fix = 'Write "on": "<event>" or "schedule": "<cron line>".'
            report(
                "error", where, "has both an event and a schedule." if rule.on else "has neither an event nor a schedule.", fix
            )
        elif rule.schedule and rule.run_as == "person":
            report("error", (*where, "run_as"), "a schedule has no person.", 'Use "app".')
        elif rule.schedule and (problem := _bad_time(rule)):
            report(
                "error",
                (*where, "timezone" if "zone" in problem else "schedule"),
                f"{problem}.",
                "Five fields: minute, hour, day, month, weekday.",
            )
        else:
            good.append(rule)
            continue
    return TriggersConfig(triggers=once(good, ("triggers",), report) if len(good) == len(file.triggers) else _unique(good))


def _bad_time(rule: TriggerRule) -> str:
    try:
        return "" if rule.timing else "is empty"
    except ValueError as error:
        return str(error)


def _unique(rules: list[TriggerRule]) -> list[TriggerRule]:
    return list({rule.id: rule for rule in reversed(rules)}.values())[::-1]


TRIGGERS: LiveFile[TriggersConfig] = LiveFile(FILE, TriggersConfig, build=_build)


def triggers_config() -> TriggersConfig:
    """The rules as of now."""
    return TRIGGERS.current()
