"""What the operator's overview shows: figures, plugins with their reasons, the latest security-relevant acts."""

from typing import ClassVar, TypedDict

from mozaiks_shell.audit.service import latest
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.identity.service import find_user
from mozaiks_shell.insights.service import engagement
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.ui.state import ShellState, event
from mozaiks_shell.usage.service import totals

_WORDS = {
    "user.signed_up": "Created an account",
    "user.signed_in": "Signed in",
    "user.sign_in_failed": "Failed to sign in",
    "user.signed_out": "Signed out",
    "subscription.updated": "Plan changed",
    "chat.started": "Started a chat",
}


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
    """One act: when (UTC), what, by whom (a name, and the account's id)."""

    at: str
    act: str
    actor: str
    actor_id: str


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
            Figure(name="Active this month", value=f"{people.mau:,}", help=f"Stickiness {people.stickiness_dau_mau:.0%}"),
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
        entries = await latest(20)
        names = {actor_id: await _name(actor_id) for actor_id in {entry.actor_id for entry in entries}}
        self.acts = [
            AuditLine(
                at=f"{entry.at:%Y-%m-%d %H:%M}",
                act=_WORDS.get(entry.act, entry.act.replace(".", " ").replace("_", " ").capitalize()),
                actor=names[entry.actor_id],
                actor_id=entry.actor_id,
            )
            for entry in entries
        ]
        self.loaded = True


async def _name(user_id: str) -> str:
    """What a person is called; the end of the id when the account is gone, a dash for nobody."""
    if not user_id:
        return "–"
    try:
        user = await find_user(user_id)
    except NotFound:
        return f"…{user_id[-8:]}"
    return user.full_name or user.username
