"""What the operator's overview shows: figures, plugins with their reasons, the latest security-relevant acts."""

from typing import ClassVar, TypedDict

from mozaiks_shell.audit.service import latest
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.insights.service import engagement
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.ui.state import ShellState, event
from mozaiks_shell.usage.service import totals


class Figure(TypedDict):
    """A number with its name and what it counts."""

    name: str
    value: str
    help: str


class PluginLine(TypedDict):
    """A plugin as the operator sees it; ``tone`` colours the badge."""

    name: str
    version: str
    state: str
    tone: str
    reason: str


class AuditLine(TypedDict):
    """One act: when (UTC), what, by whom."""

    at: str
    act: str
    actor: str


class Overview(ShellState):
    """State of the admin overview."""

    access: ClassVar[Access | None] = Access.role("admin")

    figures: list[Figure] = []
    plugins: list[PluginLine] = []
    acts: list[AuditLine] = []
    loaded: bool = False

    @event
    async def load(self) -> None:
        """Read everything anew; runs on every visit."""
        people = await engagement()
        tokens = await totals(self._me().app_id)
        self.figures = [
            Figure(name="People", value=f"{people.total_users:,}", help=f"{people.new_users_7d:,} new in 7 days"),
            Figure(name="Active today", value=f"{people.dau:,}", help=f"{people.active_users_7d:,} in 7 days"),
            Figure(name="Active this month", value=f"{people.mau:,}", help=f"stickiness {people.stickiness_dau_mau:.0%}"),
            Figure(
                name="Tokens",
                value=f"{tokens.prompt_tokens + tokens.completion_tokens:,}",
                help=f"{tokens.calls:,} model calls",
            ),
        ]
        self.plugins = [
            PluginLine(
                name=report.title,
                version=report.version,
                state=report.state,
                tone={"loaded": "success", "quarantined": "danger"}.get(report.state, "neutral"),
                reason=report.reason,
            )
            for report in plugin_reports()
        ]
        self.acts = [
            AuditLine(at=f"{entry.at:%Y-%m-%d %H:%M}", act=entry.act.replace(".", " ").replace("_", " "), actor=entry.actor_id)
            for entry in await latest(20)
        ]
        self.loaded = True
