"""F-247: what a run measured is on disk before anybody acts on it, so no death of the process loses a token."""

import os
import signal
from datetime import timedelta

from mozaiks_shell.foundation import clock, outbox
from mozaiks_shell.foundation.db import Scope
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.usage import service as usage
from tests.chat.conftest import Shell
from tests.chat.test_restart import worker
from tests.live import free_port


async def test_f247_a_process_killed_right_after_the_frame_loses_no_usage(upstream, ada):
    """Nobody in that process listens: it dies between the frame and the ledger."""

    async def play(line):
        await line.meta()
        for number in (1, 2, 2):
            await line.send(
                "chat.usage_delta", event_id=f"e{number}", agent_name="A", model_name="m", prompt_tokens=10 * number,
                completion_tokens=number, total_tokens=11 * number, cached=False, duration_sec=0.5, invocation_id="inv",
            )  # fmt: skip
        await line.text("After the bill.")
        await line.idle()

    upstream.plays = [play]
    port = free_port()
    async with worker(port) as process, Shell(f"http://127.0.0.1:{port}").browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(lambda: tab.messages() == [("agent", "Helper", "After the bill.")])
        chat = tab.chat["chat"]
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    app_id, person = get_settings().app_id, ada.principal.user_id
    assert (await usage.totals(app_id)).calls == 0
    later = clock.now() + timedelta(minutes=1)
    clock.use(lambda: later)
    try:
        assert await outbox.redeliver(app_id, "chat.usage") == 0
    finally:
        clock.use(None)
    found = await usage.total(Scope(app_id, person), usage.Span(), chat_id=chat)
    assert (found.prompt_tokens, found.completion_tokens, found.calls) == (30, 3, 2)


async def test_f247_and_when_nobody_dies_the_ledger_has_it_at_once_and_nothing_waits(upstream, shell, ada):
    async def play(line):
        await line.meta()
        await line.send("chat.usage_delta", event_id="e9", prompt_tokens=4, completion_tokens=1, total_tokens=5)
        await line.ask("r1")
        await line.idle()

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
    app_id = get_settings().app_id
    assert await usage.totals(app_id, ada.principal.user_id) == usage.Totals(4, 1, 1)
    later = clock.now() + timedelta(minutes=1)
    clock.use(lambda: later)
    try:
        assert await outbox.redeliver(app_id, "chat.usage") == 0
    finally:
        clock.use(None)
