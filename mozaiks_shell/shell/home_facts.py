"""The facts behind the sections of the start page, each asked for one person."""

import asyncio
from datetime import datetime, timedelta
from typing import Final, TypedDict
from zoneinfo import ZoneInfo

from mozaiks_shell.appconfig.brand import brand_file
from mozaiks_shell.appconfig.loader import DEFAULTS, path_of
from mozaiks_shell.appconfig.service import catalogue
from mozaiks_shell.billing import service as billing
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.state import process
from mozaiks_shell.insights.service import engagement
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.shell.navigation import menu_for
from mozaiks_shell.shell.slots import Piece
from mozaiks_shell.usage.service import between, totals

_MOST: Final = 6
_LEFT_OUT: Final = {"/", "/sign-in", "/register"}
_FEATURES: Final = 4
DAYS: Final = 14


class Action(TypedDict):
    """A tile: a page one may open, in the person's language."""

    title: str
    text: str
    path: str
    icon: str


class Step(TypedDict):
    """Something an administrator does once."""

    title: str
    text: str
    done: bool


class Day(TypedDict):
    """A bar: the tokens of one day, and their height in percent of the tallest."""

    date: str
    tokens: int
    share: int


class Spent(TypedDict):
    """Tokens of one person: of the last days, of the calendar month, of all times, and the model calls behind them."""

    total: int
    calls: int
    month: int
    days: list[Day]


class PlanCard(TypedDict):
    """The plan that counts. ``state`` is empty, trial, renews, ends or overdue; ``until`` its date (ISO 8601)."""

    title: str
    state: str
    until: str
    features: list[str]
    more: int


class Figure(TypedDict):
    """A number with its name and what it counts."""

    name: str
    value: int
    help: str
    count: int


class Standing(TypedDict):
    """How the installation does; ``broken`` are titles of plugins in quarantine."""

    figures: list[Figure]
    broken: list[str]


def available(piece: Piece, principal: Principal) -> bool:
    """False for a section about something this installation has turned off."""
    settings = get_settings()
    if piece.owner != "shell":
        return True
    if piece.name in {"recent_chats", "agents", "usage"}:
        return settings.ai_enabled
    return piece.name != "budget" or settings.billing_provider != "none"


async def actions_for(principal: Principal) -> list[Action]:
    """The first pages of this person's menu, plugins before the shell's own."""
    places = [one for one in (await menu_for(principal)).places if one.entry["kind"] == "page" and one.entry["gate"] == "ok"]
    found = [one for one in places if one.entry["path"] not in _LEFT_OUT and one.entry["depth"] == 0]
    found.sort(key=lambda one: not one.plugin)
    return [
        Action(
            title=tr(one.entry["title"], domain=one.entry["domain"]),
            text=tr(one.description, domain=one.entry["domain"]),
            path=one.entry["path"],
            icon=one.entry["icon"],
        )
        for one in found[:_MOST]
    ]


async def spent_by(principal: Principal, at: datetime | None = None) -> Spent:
    """Tokens of this person; days and months begin where they live."""
    zone = ZoneInfo(principal.timezone or get_settings().default_timezone)
    today = (at or now()).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [today - timedelta(days=back) for back in range(DAYS - 1, -2, -1)]
    first = today.replace(day=1)
    sums, days, month = await asyncio.gather(
        totals(principal.app_id, principal.user_id),
        between(principal.app_id, principal.user_id, starts),
        between(principal.app_id, principal.user_id, [first, today + timedelta(days=1)]),
    )
    highest = max(days) or 1
    bars = [
        Day(date=f"{start:%Y-%m-%dT12:00:00}", tokens=tokens, share=max(round(100 * tokens / highest), 4 if tokens else 0))
        for start, tokens in zip(starts, days, strict=False)
    ]
    return Spent(total=sums.prompt_tokens + sums.completion_tokens, calls=sums.calls, month=month[0], days=bars)


async def plan_for(principal: Principal) -> PlanCard:
    """The plan, what becomes of it, and the first things it includes."""
    view = await billing.plan_of(principal)
    plan = catalogue().get(view.name)
    features = plan.features if plan else []
    if view.status == "past_due":
        state, until = "overdue", view.ends_at
    elif view.trial_ends is not None:
        state, until = "trial", view.trial_ends
    elif view.renews_at is not None:
        state, until = "renews", view.renews_at
    else:
        state, until = ("ends" if view.ends_at else ""), view.ends_at
    return PlanCard(
        title=view.title,
        state=state,
        until=until.isoformat() if until else "",
        features=features[:_FEATURES],
        more=max(0, len(features) - _FEATURES),
    )


async def overview_for(principal: Principal) -> Standing:
    """People, activity and tokens of the whole app, for administrators."""
    people, tokens = await asyncio.gather(engagement(), totals(principal.app_id))
    return Standing(
        figures=[
            Figure(name=msg("People"), value=people.total_users, help=msg("{count} new in 7 days"), count=people.new_users_7d),
            Figure(name=msg("Active today"), value=people.dau, help=msg("{count} in 7 days"), count=people.active_users_7d),
            Figure(
                name=msg("Tokens"),
                value=tokens.prompt_tokens + tokens.completion_tokens,
                help=msg("{count} model calls"),
                count=tokens.calls,
            ),
        ],
        broken=[report.title for report in plugin_reports() if report.state == "quarantined"],
    )


async def first_steps(_: Principal) -> list[Step]:
    """What a fresh installation still runs on: packaged defaults that an operator wants to replace. Empty when all is done."""
    steps = [
        Step(
            title=msg("Make it yours"),
            text=msg("Put brand.json with your name, logo and colours into MOZAIKS_CONFIGS_PATH."),
            done=brand_file().parent != DEFAULTS,
        ),
        Step(
            title=msg("Add a plugin"),
            text=msg("A folder in plugins/ becomes a page: mozaiks-shell new plugin makes one."),
            done=process.plugins_loaded > 0,
        ),
        Step(
            title=msg("Connect a runtime"),
            text=msg("The embedded runtime answers now. MOZAIKS_AI_URL connects your own MozaiksAI."),
            done=bool(get_settings().ai_url),
        ),
        Step(
            title=msg("Define your plans"),
            text=msg("subscription_config.json in MOZAIKS_CONFIGS_PATH lists plans and what they open."),
            done=path_of("subscription_config.json").parent != DEFAULTS,
        ),
    ]
    return [] if all(step["done"] for step in steps) else steps
