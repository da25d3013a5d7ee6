"""F-253: plain clients in direct mode, with the shell on a real socket and a token engine beside it."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import service as usage

APP = "dev-app"


@pytest.fixture
async def counting(database, monkeypatch, tmp_path) -> AsyncIterator:
    """Call with ``usage_config.json``, before the shell starts; the token engine runs beside it."""
    folder = tmp_path / "budgets"
    folder.mkdir()

    def configure(**content) -> None:
        (folder / "usage_config.json").write_text(json.dumps(content))
        monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
        monkeypatch.setenv("MOZAIKS_AI_STARTS_PER_USER", "1000")
        monkeypatch.setenv("MOZAIKS_AI_STARTS_PER_APP", "1000")
        monkeypatch.setenv("WEBSOCKET_MAX_CONNECTIONS_PER_USER", "50")
        get_settings.cache_clear()

    stop = await usage.start_usage()
    yield configure
    await stop()


async def start(url, person, **body):
    async with httpx.AsyncClient(base_url=url, headers={"cookie": person.cookie, "origin": get_settings().origin}) as web:
        return await web.post("/api/workflows/start", json={"workflow_name": "Assistant", **body}, timeout=60)


@pytest.mark.parametrize(("enforcement", "counted"), [("hard", True), ("soft", True), ("warn", False), ("none", False)])
async def test_f253_direct_clients_of_people_under_a_budget_are_led_over_the_socket_that_counts(
    ada, shell, upstream, counting, monkeypatch, enforcement, counted
):
    monkeypatch.setenv("MOZAIKS_DIRECT_RUNTIME", "true")
    counting(budgets={"default": {"limit": 1000, "enforcement": enforcement}})
    async with shell() as running:
        answer = (await start(running.url, ada)).json()
        launched = (await start(running.url, ada, chat_id=answer["chat_id"])).json()
    for one in (answer, launched):
        assert (one["runtime_token"] == "") is counted
        where = get_settings().origin.replace("http", "ws") if counted else get_settings().ai_url.replace("http", "ws")
        assert one["runtime_ws_url"] == f"{where}/ws/Assistant/{APP}/{answer['chat_id']}/{ada.principal.user_id}"
