"""The broker's tests talk to a runtime that checks every token as the published one does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mozaiks_shell.broker import keys, tokens
from mozaiks_shell.foundation.settings import get_settings
from tests.broker.strict import StrictUpstream
from tests.chat.conftest import listening
from tests.chat.conftest import sign_up as sign_up  # a fixture


@pytest.fixture
async def upstream(database: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StrictUpstream]:
    """A double of the published runtime, with auth on, that the settings point to."""
    double = StrictUpstream(tokens.jwks)
    async with listening(double.app) as url:
        monkeypatch.setenv("MOZAIKS_AI_URL", url)
        get_settings.cache_clear()
        yield double
    get_settings.cache_clear()
    keys.forget()
