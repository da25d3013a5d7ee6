"""Keeps the embedded runtime alive as a child process (D11, F-164). The child is a program, not a library: it gets
its settings as one JSON line on stdin, says where it listens in one line on stdout, and ends when stdin does."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any

from mozaiks_shell.broker import tokens
from mozaiks_shell.broker.ports import PLUGIN_WORKFLOWS
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import ROOT, Settings, get_settings

log = get_logger("broker")

_READY_WITHIN = 30.0  # seconds
_STOP_WITHIN = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STABLE_AFTER = 60.0  # a child that lived this long starts the back-off anew


class EmbeddedRuntime:
    """The child and the task that restarts it.

    Args:
        port: Port this process serves on, where the child asks for new keys.
        changed: Called when it listens, and when it does no more.
    """

    def __init__(
        self,
        port: int,
        changed: Callable[[], None] = lambda: None,
        command: tuple[str, ...] = (sys.executable, "-m", "mozaiks_shell.runtime"),
    ) -> None:
        self._port, self._changed, self._command = port, changed, command
        self.address = ""  # where it listens, without a trailing slash; empty while it does not
        self._child: Process | None = None
        self._keeper = asyncio.create_task(self._keep(), name="embedded runtime")
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Process id of the child that runs now."""
        return self._child.pid if self._child and self._child.returncode is None else None

    async def stop(self) -> None:
        """End the child, first by closing its stdin."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            began = loop.time()
            try:
                await self._live()
            except Exception as error:  # noqa: BLE001 - whatever it is: who keeps the child must not die
                log.error("embedded runtime cannot be started", error=f"{type(error).__name__}: {error}")
            pause = _FIRST_PAUSE if loop.time() - began > _STABLE_AFTER else min(pause * 2, _LONGEST_PAUSE)
            self.restarts += 1
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        """One life of the child: from start to end."""
        published = await tokens.jwks()
        config = json.dumps(_config(published, self._port)).encode() + b"\n"
        child = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE, cwd=ROOT)
        self._child = child
        assert child.stdin and child.stdout
        try:
            child.stdin.write(config)
            self.address = await self._told(child)
            self._changed()
            log.info("embedded runtime is up", url=self.address, pid=child.pid)
            while await child.stdout.read(65536):
                pass  # nothing more is expected; an unread pipe would block the child
            await child.wait()
            log.error("embedded runtime ended", exit_code=child.returncode)
        except (TimeoutError, ValueError, ConnectionError) as error:
            log.error("embedded runtime did not start", error=repr(error), exit_code=child.returncode)
        finally:
            self.address = ""
            self._changed()
            await _end(child)

    async def _told(self, child: Process) -> str:
        assert child.stdout
        async with asyncio.timeout(_READY_WITHIN):
            line = await child.stdout.readline()
        ready = json.loads(line or b"{}")
        if not (isinstance(ready, dict) and ready.get("ready") is True and isinstance(ready.get("url"), str)):
            raise ValueError("no ready line")
        return str(ready["url"]).rstrip("/")


async def _end(child: Process) -> None:
    if child.stdin and not child.stdin.is_closing():
        child.stdin.close()
    for step in (child.terminate, child.kill):
        if child.returncode is not None:
            return
        try:
            async with asyncio.timeout(_STOP_WITHIN):
                await child.wait()
            return
        except TimeoutError:
            if child.returncode is None:
                step()
    await child.wait()


def _config(published: dict[str, Any], port: int) -> dict[str, Any]:
    """What the child is told. It may outlive a key, so it also knows where to ask for new ones."""
    settings = get_settings()
    everywhere = settings.host in {"", "0.0.0.0", "::", "localhost"}
    host = "127.0.0.1" if everywhere else f"[{settings.host}]" if ":" in settings.host else settings.host
    where = {"host": "127.0.0.1", "port": 0, "jwks": published, "jwks_url": f"http://{host}:{port}/.well-known/jwks.json"}
    return where | shared_config(settings)


def shared_config(settings: Settings) -> dict[str, Any]:
    """What a runtime is told wherever it runs: the rules of its tokens, its model, its database, its folders."""
    return {
        "issuer": settings.execution_token_issuer,
        "audience": settings.execution_token_audience,
        "scope": settings.execution_token_scope,
        "openai_base_url": settings.openai_base_url or None,
        "openai_api_key": settings.openai_api_key.get_secret_value() or None,
        "openai_model": settings.openai_model,
        "database_url": settings.sql_url,
        "retention_days": settings.chat_retention_days,
        "workflows_path": str(settings.workflows_path),
        "plugin_workflows": str(settings.data_dir / PLUGIN_WORKFLOWS),
        "engine": settings.runtime_engine,
        "sample_workflows": settings.runtime_samples,
        "uploads_path": str(settings.data_dir / "runtime_uploads"),
    }
