"""CompareOptions: a ranked table beside the conversation that follows what the user says matters."""

from __future__ import annotations

from ..chat import UiTool
from ..frames import Frame
from ..offline import md
from ..run import Run
from .base import UiToolSpec, Workflow
from .compare_data import TOPICS, Criterion, Topic, find_criterion, find_topic, ranked

TABLE = "core.table"


def table(topic: Topic, focus: Criterion | None) -> Frame:
    """The payload of the table, best option first."""
    columns: list[Frame] = [{"key": "rank", "label": "#", "align": "right"}]
    columns.append({"key": "name", "label": topic.noun})
    columns += [{"key": c.key, "label": c.column, "align": "right"} for c in topic.criteria]
    columns.append({"key": "score", "label": "Score", "align": "right"})
    rows: list[Frame] = [
        {"id": option.name, "rank": place, "name": option.name, **option.values, "score": score}
        for place, (option, score) in enumerate(ranked(topic, focus), 1)
    ]
    weight = f"{focus.label} counts most" if focus else "all criteria count the same"
    return {
        "title": f"{topic.title}: {weight}",
        "description": f"Sample figures. Score 0 to 100: {topic.scoring(focus)}.",
        "columns": columns,
        "rows": rows,
        "actions": [
            {"id": "accept", "label": "Accept this ranking", "style": "primary"},
            {"id": "cancel", "label": "Close", "style": "secondary"},
        ],
    }


def accepted(response: Frame) -> bool:
    """Whether the user took the ranking (rather than closing the table)."""
    said = f"{response.get('status', 'success')} {response.get('action', '')}".casefold()
    return not any(word in said for word in ("cancel", "dismiss", "reject", "close"))


def says_yes(text: str) -> bool:
    """Whether an answer accepts the ranking in words."""
    return text.casefold().strip(" .!") in ("accept", "accepted", "yes", "ok", "okay", "done", "looks good")


def chosen(response: Frame, topic: Topic) -> str | None:
    """The option the user picked in the table, if the component let them."""
    data = response.get("data")
    row = data.get("row", data) if isinstance(data, dict) else None
    name = row.get("id") or row.get("name") if isinstance(row, dict) else row
    return name if any(option.name == name for option in topic.options) else None


async def _choose_topic(run: Run) -> Topic:
    offers = " or ".join(f"**{topic.title.lower()}**" for topic in TOPICS)
    await run.say(f"I can compare {offers} for you.")
    while True:
        text = await run.ask(f"What shall I compare: {' or '.join(t.title.lower() for t in TOPICS)}?")
        topic = find_topic(text)
        if topic is not None:
            return topic
        await run.say(f"I have no figures for that, and I will not invent any. I can compare {offers}.")


async def _next(run: Run, tool: UiTool, prompt: str) -> str | Frame:
    """The next thing the user does: an answer in the conversation or a click in the table."""
    if tool.answer.done():  # clicked while the last message was still being written
        return await run.response_of(tool)
    question = run.question(prompt)
    result = await run.either(question, tool)
    run.withdraw(question)
    return result


async def compare_options(run: Run) -> None:
    """Topic, table, criterion, table again, acceptance, summary."""
    topic = await _choose_topic(run)
    choices = ", ".join(c.label for c in topic.criteria)
    focus: Criterion | None = None
    tool = run.show(TABLE, table(topic, None), display="artifact")
    await run.say("Here is the table, with every criterion counting the same.")
    prompt = f"Which criterion matters most to you: {choices}?"
    while True:
        result = await _next(run, tool, prompt)
        if isinstance(result, dict):
            break
        if says_yes(result):
            run.dismiss(tool)
            result = {"status": "success", "action": "accept"}
            break
        wish = find_criterion(topic, result)
        if wish is None:
            await run.say(f"That is not in the table. You can choose from: {choices}.")
            continue
        focus = wish
        run.dismiss(tool)
        tool = run.show(TABLE, table(topic, focus), display="artifact")
        told = f"I sorted the table again: **{focus.label}** now counts most."
        await run.say(f"{told} Accept it in the table, or go on.")
        prompt = f"Another criterion ({choices}), or accept the ranking in the table."
    if not accepted(result):
        await run.say("I closed the table. Nothing was decided.")
        return
    await run.say(summary(topic, focus, chosen(result, topic)))


def summary(topic: Topic, focus: Criterion | None, pick: str | None) -> str:
    """The closing text, from the same figures as the table."""
    order = ranked(topic, focus)
    (best, top), (second, next_score) = order[0], order[1]
    lead = f"**{md(best.name)}** comes first with {top} of 100, ahead of {md(second.name)} with {next_score}."
    why = f"You said that **{focus.label}** matters most" if focus else "All criteria counted the same"
    facts = ", ".join(f"{c.column}: {best.values[c.key]}" for c in topic.criteria)
    text = f"### Result\n\n{lead} {why}.\n\n- {facts}\n"
    if pick and pick != best.name:
        score = next(s for option, s in order if option.name == pick)
        text += f"\nYou picked **{md(pick)}** instead ({score} of 100). That is your call.\n"
    return text + "\nThese are sample figures; check current offers before you sign anything."


WORKFLOW = Workflow(
    name="CompareOptions",
    title="Compare options",
    description="Compare options in a table that follows what matters to you.",
    agent="Analyst",
    body=compare_options,
    initial_message_to_user="What shall I compare?",
    ui_tools=(UiToolSpec(TABLE, "artifact", "The options, ranked"),),
)
