"""ProjectBrief: a form in the conversation, a brief written from its values, one follow-up question."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..frames import Frame
from ..offline import md
from ..run import Run
from .base import UiToolSpec, Workflow

FORM = "core.form"
Kind = Literal["website", "mobile_app", "campaign", "research"]
KINDS: dict[str, str] = {
    "website": "Website",
    "mobile_app": "Mobile app",
    "campaign": "Marketing campaign",
    "research": "Research study",
}
PLANS: dict[str, tuple[str, ...]] = {
    "website": ("Agree on the page map and who writes what", "Design the two hardest pages first",
                "Build, with real content from the first week", "Check speed and accessibility, then launch"),
    "mobile_app": ("Choose the one task the app must make easy",
                   "Click through a paper prototype with five people",
                   "Build that task for one platform", "Beta test, fix, submit to the stores"),
    "campaign": ("Name the audience and the single message", "Pick two channels and set a budget for each",
                 "Produce the material and have it proofread",
                 "Run, measure weekly, move money to what works"),
    "research": ("Write the question and what would answer it", "Choose the method and recruit participants",
                 "Collect the data, keeping a log", "Analyse, have the findings challenged, publish"),
}  # fmt: skip
QUESTIONS: dict[str, str] = {
    "website": "Who is the most important visitor, and what should they do on the site?",
    "mobile_app": "On which platform should it appear first, and why?",
    "campaign": "Which number tells you the campaign worked?",
    "research": "Who will act on the findings?",
}


class Brief(BaseModel):
    """What the form returns."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=120)
    kind: Kind
    deadline: date | None = None
    notes: str = Field(default="", max_length=4000)

    @field_validator("deadline", mode="before")
    @classmethod
    def _empty_date(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("notes", mode="before")
    @classmethod
    def _no_notes(cls, value: object) -> object:
        return "" if value is None else value


def form(values: Frame | None = None, error: str | None = None) -> Frame:
    """The payload of the form; ``values`` and ``error`` when it is shown again."""
    options = [{"value": value, "label": label} for value, label in KINDS.items()]
    return {
        "title": "Your project",
        "description": "Four answers are enough for a first brief.",
        "fields": [
            {"name": "name", "label": "Project name", "type": "text", "required": True,
             "placeholder": "e.g. Spring relaunch"},
            {"name": "kind", "label": "Kind of project", "type": "select", "required": True,
             "options": options},
            {"name": "deadline", "label": "Deadline", "type": "date", "required": False,
             "help": "Leave empty if there is none."},
            {"name": "notes", "label": "Notes", "type": "textarea", "required": False,
             "placeholder": "Anything that must not be forgotten"},
        ],
        "submit_label": "Write the brief",
        "cancel_label": "Not now",
        "values": values or {},
        "error": error,
    }  # fmt: skip


def values_of(response: Frame) -> Frame | None:
    """The form values of a response, or None when the user cancelled."""
    status = str(response.get("status", "success")).casefold()
    action = str(response.get("action", "")).casefold()
    if status in ("cancelled", "canceled", "cancel", "dismissed") or action in ("cancel", "dismiss"):
        return None
    data = response.get("data")
    inner: Any = data.get("values", data) if isinstance(data, dict) else response.get("values", response)
    return inner if isinstance(inner, dict) else {}


def write_brief(brief: Brief, today: date) -> str:
    """The brief in Markdown; every value of the form is used."""
    kind = KINDS[brief.kind]
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(PLANS[brief.kind], 1))
    parts = [f"## {md(brief.name)}", f"**Kind:** {kind}  \n**Deadline:** {_deadline(brief.deadline, today)}"]
    parts.append(f"### Plan\n\n{steps}")
    if brief.notes:
        quoted = "\n".join(f"> {md(line)}" for line in brief.notes.splitlines() if line.strip())
        parts.append(f"### Keep in mind\n\n{quoted}")
    return "\n\n".join(parts)


def _deadline(deadline: date | None, today: date) -> str:
    if deadline is None:
        return "none set"
    days = (deadline - today).days
    told = f"{deadline.day} {deadline:%B %Y}"
    if days < 0:
        return f"{told} (this date has passed)"
    if days == 0:
        return f"{told} (today)"
    pace = f", about {days // len(PLANS['website'])} days per step" if days >= 8 else ""
    return f"{told} ({days} day{'s' if days != 1 else ''} left{pace})"


def _problems(error: ValidationError) -> str:
    needs = {"name": "a project name", "kind": "the kind of project"}
    needs |= {"deadline": "a valid date", "notes": "shorter notes"}
    wrong = dict.fromkeys(needs[str(e["loc"][0])] for e in error.errors())
    return "I still need " + " and ".join(wrong) + "."


async def write_project_brief(run: Run) -> None:
    """Form, brief, follow-up, end."""
    await run.say("Let us write a short project brief. Please fill in the form.")
    payload = form()
    while True:
        values = values_of(await run.ui_tool(FORM, payload, display="inline"))
        if values is None:
            await run.say("No problem, nothing was written. Start this workflow again when you are ready.")
            return
        try:
            brief = Brief.model_validate(values)
            break
        except ValidationError as error:
            problem = _problems(error)
            await run.say(problem)
            payload = form(values, problem)
    await run.say(write_brief(brief, datetime.now(UTC).date()))
    answer = (await run.ask(QUESTIONS[brief.kind])).strip()
    if answer:
        closing = (
            f"Thank you. I added that to **{md(brief.name)}**:\n\n> {md(answer)}\n\n"
            f"Your first step: {PLANS[brief.kind][0].lower()}. Good luck!"
        )
    else:
        closing = f"Fine, we leave that open. Your first step: {PLANS[brief.kind][0].lower()}. Good luck!"
    await run.say(closing)


WORKFLOW = Workflow(
    name="ProjectBrief",
    title="Project brief",
    description="Answer a short form and get a project brief with a plan.",
    agent="Planner",
    body=write_project_brief,
    initial_message_to_user="Let us write a short project brief.",
    ui_tools=(UiToolSpec(FORM, "inline", "Name, kind, deadline and notes of the project"),),
)
