"""What the operator's overview shows: figures, plugins with their reasons, the latest security-relevant acts."""

from typing import Any, ClassVar, TypedDict

from mozaiks_shell.admin.builds_view import STATES as BUILD_STATES
from mozaiks_shell.admin.builds_view import BuildLine, build_lines
from mozaiks_shell.admin.plugins_view import STATES
from mozaiks_shell.audit.service import latest
from mozaiks_shell.chat.feedback import verdicts
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import NotFound
from mozaiks_shell.foundation.i18n import msg, number, percent, tr, trn
from mozaiks_shell.identity.service import find_user
from mozaiks_shell.insights.service import engagement
from mozaiks_shell.plugin_host.service import plugin_reports
from mozaiks_shell.ui.state import ShellState, event
from mozaiks_shell.usage.service import totals

_PLUGINS = 12  # on this page; the plugins' own page has them all
_WORDS = {
    "user.signed_up": msg("Created an account"),
    "user.signed_in": msg("Signed in"),
    "user.sign_in_failed": msg("Failed to sign in"),
    "user.signed_out": msg("Signed out"),
    "subscription.updated": msg("Plan changed"),
    "chat.started": msg("Started a chat"),
    "plugin.failed": msg("Plugin failed"),
    "plugin.enabled": msg("Plugin switched on"),
    "plugin.disabled": msg("Plugin switched off"),
    "plugin.retried": msg("Plugin tried again"),
    "plugins.rescanned": msg("Looked for plugins"),
}


class Figure(TypedDict):
    """A number with its name and what it counts."""

    name: str
    value: str
    help: str


class PluginLine(TypedDict):
    """A plugin as the operator sees it; ``label``, ``tone`` and ``sign`` are its badge's."""

    name: str
    href: str
    version: str
    label: str
    tone: str
    sign: str
    reason: str


class AuditLine(TypedDict):
    """One act: when (ISO 8601), what, by whom (a name, and the account's id)."""

    at: str
    act: str
    actor: str
    actor_id: str


class Overview(ShellState):
    """State of the admin overview."""

    access: ClassVar[Access | None] = Access.role("admin")

    figures: list[Figure] = []
    plugins: list[PluginLine] = []
    builds: list[BuildLine] = []  # empty where there was never one
    acts: list[AuditLine] = []
    loaded: bool = False

    @event
    async def load(self) -> None:
        """Read everything anew; runs on every visit."""
        people = await engagement()
        tokens = await totals(self._me().app_id)
        self.figures = [
            Figure(
                name=tr("People"), value=number(people.total_users), help=tr("{count} new in 7 days", count=people.new_users_7d)
            ),
            Figure(name=tr("Active today"), value=number(people.dau), help=tr("{count} in 7 days", count=people.active_users_7d)),
            Figure(
                name=tr("Active this month"),
                value=number(people.mau),
                help=tr("Daily of monthly: {share}", share=percent(people.stickiness_dau_mau)),
            ),
            Figure(
                name=tr("Tokens"),
                value=number(tokens.prompt_tokens + tokens.completion_tokens),
                help=trn("{count} model call", "{count} model calls", tokens.calls),
            ),
        ]
        ratings = await verdicts(self._me().app_id)
        if rated := ratings["up"] + ratings["down"]:
            told = tr("{up} thumbs up, {down} thumbs down", up=ratings["up"], down=ratings["down"])
            self.figures.append(Figure(name=tr("Helpful answers"), value=percent(ratings["up"] / rated), help=told))
        self.plugins = [
            PluginLine(
                name=report.title,
                href=f"/admin/plugins/{report.name}",
                version=report.version,
                label=tr(STATES[report.state].label),
                tone=STATES[report.state].tone,
                sign=STATES[report.state].icon,
                reason=report.reason or " ".join(note.message for note in report.notes if note.level == "warning"),
            )
            for report in sorted(plugin_reports(), key=lambda one: (STATES[one.state].rank, one.title.lower()))[:_PLUGINS]
        ]
        self.builds = await build_lines(self._me().app_id)
        entries = await latest(20)
        names = {actor_id: await _name(actor_id) for actor_id in {entry.actor_id for entry in entries}}
        self.acts = [
            AuditLine(
                at=entry.at.isoformat(),
                act=_said(entry.act, entry.facts),
                actor=names[entry.actor_id],
                actor_id=entry.actor_id,
            )
            for entry in entries
        ]
        self.loaded = True


def _said(act: str, facts: dict[str, Any]) -> str:
    """What was done, and to which plugin or build."""
    if act == "build.status_changed" and facts.get("status") in BUILD_STATES:
        return tr("Build {name}: {state}", name=facts["build_id"], state=tr(BUILD_STATES[facts["status"]][0]))
    what = facts.get("plugin")
    words = tr(_WORDS.get(act, act.replace(".", " ").replace("_", " ").capitalize()))
    return f"{words}: {what}" if isinstance(what, str) and what else words


async def _name(user_id: str) -> str:
    """What a person is called; the end of the id when the account is gone, a dash for nobody."""
    if not user_id:
        return "–"
    try:
        user = await find_user(user_id)
    except NotFound:
        return f"…{user_id[-8:]}"
    return user.full_name or user.username
