"""Agents that think with AG2 (``pip install "mozaiks-shell[runtime]"``)."""

from __future__ import annotations

from importlib.util import find_spec

from ..folders.models import Agent
from ..llm import LanguageModel
from .session import Session


def available() -> bool:
    """Whether AG2 and its OpenAI client are installed."""
    return find_spec("ag2") is not None and find_spec("openai") is not None


class Ag2Engine:
    """Thinks for every agent through AG2's own loop of model calls and tool calls."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    async def turn(self, session: Session, agent: Agent) -> None:
        """One turn, run by AG2."""
        from .ag2_turn import Turn  # AG2 takes a second to import, and is not there for everybody

        await Turn(session, agent, self._model).play()
