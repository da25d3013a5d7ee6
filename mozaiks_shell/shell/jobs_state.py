"""State of the page of one's long-running jobs (F-155)."""

from typing import Any, ClassVar, Final, TypedDict
from urllib.parse import quote

from mozaiks_shell.broker import jobs
from mozaiks_shell.broker import service as broker
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.ui.state import ShellState, event

STATES: Final = {
    "pending": (msg("Not started yet"), "neutral", "clock"),
    "running": (msg("Running"), "accent", "loader"),
    "waiting_for_input": (msg("Needs an answer"), "warning", "message-circle-question-mark"),
    "done": (msg("Done"), "success", "circle-check"),
    "failed": (msg("Failed"), "danger", "octagon-x"),
    "timed_out": (msg("Timed out"), "danger", "timer-off"),
    "cancelled": (msg("Cancelled"), "neutral", "ban"),
}
_OPEN: Final = {"pending", "running", "waiting_for_input"}


class File(TypedDict):
    """Something that was made, with its address."""

    name: str
    href: str


class JobRow(TypedDict):
    """A job. ``label``, ``tone`` and ``sign`` are its badge's; ``text`` is why it is so; times are ISO 8601, empty when not yet.

    ``open``: it has not ended. ``steps``: messages in its chat so far.
    """

    id: str
    title: str
    workflow: str
    state: str
    label: str
    tone: str
    sign: str
    text: str
    began: str
    ended: str
    until: str
    open: bool
    steps: int
    chat: str
    files: list[File]


class Jobs(ShellState):
    """One's jobs, newest first."""

    access: ClassVar[Access | None] = Access.signed_in()

    loaded: bool = False
    rows: list[JobRow] = []
    doomed: str = ""
    problem: str = ""

    @event
    async def enter(self) -> None:
        """Read everything anew; runs on every visit."""
        self.doomed = self.problem = ""
        await self._read()

    @event
    async def refresh(self) -> None:
        """A job has changed."""
        await self._read()

    @event
    def doom(self, job_id: str) -> None:
        """Ask whether a job is to be cancelled; empty: it is not."""
        self.doomed = job_id[:64] if isinstance(job_id, str) else ""

    @event
    async def cancel(self) -> None:
        """Wait no longer for the job that was asked about."""
        job_id, self.doomed, self.problem = self.doomed, "", ""
        try:
            await jobs.cancel(self._me(), job_id)
        except ShellError as error:
            self.problem = error.message
        await self._read()

    async def _read(self) -> None:
        names = {one.workflow_id: one.display_name for one in broker.capabilities()}
        self.rows = [_row(one, names) for one in await jobs.listing(self._me())]
        self.loaded = True


def _row(job: dict[str, Any], names: dict[str, str]) -> JobRow:
    label, tone, sign = STATES[job["state"]]
    ended, name = job["state"] not in _OPEN, names.get(job["workflow_name"], job["workflow_name"])
    where = f"/api/ai/jobs/{job['id']}/artifacts/"
    return JobRow(
        id=job["id"],
        title=job["title"] or name,
        workflow=tr(name),
        state=job["state"],
        label=tr(label),
        tone=tone,
        sign=sign,
        text="" if job["state"] == "done" else job["error"],
        began=job["created_at"] or "",
        ended=job["finished_at"] or "",
        until="" if ended else job["deadline"] or "",
        open=not ended,
        steps=job["steps"],
        chat=f"/chat?chat_id={quote(job['chat_id'], safe='')}" if job["chat_id"] else "",
        files=[File(name=one["name"], href=where + quote(one["name"], safe="")) for one in job["artifacts"]],
    )
