"""Assistant: the open conversation every app has. Ends only when the user types ``exit``."""

from __future__ import annotations

from collections import deque

from ..assistant import NAME, Turn
from ..run import Run
from .base import Workflow

_TURNS_KEPT = 80


async def converse(run: Run) -> None:
    """Greet, then answer for ever. A stopped or failed answer leads back to the question."""
    turns: deque[Turn] = deque(maxlen=_TURNS_KEPT)
    greeting = await run.say(run.assistant.greeting)
    turns.append(Turn("assistant", greeting.text))
    while True:
        text = await run.ask("Ask me anything, or type 'exit' to end the conversation.")
        if not text.strip():
            continue
        turns.append(Turn("user", text))
        reply = run.assistant.reply(list(turns), run.context)
        answer = await run.stream(reply.source, meter=reply.meter)
        if answer.text:
            turns.append(Turn("assistant", answer.text))
        elif answer.error:
            turns.pop()  # the model never saw an answer; do not let it answer twice next time
        if reply.path and not answer.cancelled:
            run.navigate(reply.path)


WORKFLOW = Workflow(
    name="Assistant",
    title="Assistant",
    description="Ask about the app, find your way around, or talk freely when a language model is connected.",
    agent=NAME,
    body=converse,
    initial_message_to_user="Hello! What can I do for you?",
    entry_point=True,
)
