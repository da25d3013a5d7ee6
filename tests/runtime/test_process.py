"""The child process: its ready line, its refusals, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from mozaiks_shell.broker import runtime_process
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.runtime.config import checked_config
from tests.live import free_port
from tests.runtime.conftest import ISSUER, ROOT, Runtime


def test_ready_line_then_end_with_the_parent(launcher: Any) -> None:
    process = launcher(json.dumps({"port": 0}) + "\n")
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    assert httpx.get(ready["url"] + "/api/health").json()["status"] == "healthy"
    process.stdin.close()
    assert process.wait(60) == 0


async def test_it_ends_although_sockets_are_open(spawn: Any, user: str) -> None:
    runtime = spawn(token_delay_ms=500)
    async with runtime.chat("Assistant", user) as wire:
        await wire.until("chat.print")
        runtime.process.stdin.close()
        assert runtime.process.wait(60) == 0


def test_a_parent_that_dies_before_configuring(launcher: Any) -> None:
    process = launcher("bad")
    process.stdin.close()
    assert process.wait(60) == 2


def test_bad_configuration_is_one_clear_line(launcher: Any, keys: Any) -> None:
    cases = {
        "bad": "bad configuration: line: Invalid JSON",
        '{"port": "bad"}': "port: Input should be a valid integer",
        '{"prot": 1, "x": "bad"}': "prot: Extra inputs are not permitted",
        '{"openai_base_url": "bad"}': "openai_base_url: ",
        '{"jwks": {"keys": ["bad"]}, "issuer": "i", "audience": "a"}': "jwks",
        '{"jwks_url": "https://bad.test/jwks"}': "issuer and audience are required",
    }
    for line, expected in cases.items():
        process = launcher(line + "\n")
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2, line
        assert len(errors.strip().splitlines()) == 1, errors
        assert expected in errors


def test_secrets_stay_out_of_error_lines(launcher: Any) -> None:
    process = launcher('{"openai_api_key": "sk-secret", "port": "bad"}\n')
    _, errors = process.communicate(timeout=60)
    assert "sk-secret" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_quietly(launcher: Any, number: int) -> None:
    process = launcher(json.dumps({"port": 0, "openai_model": "bad"}) + "\n")
    process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors


def test_a_taken_port_is_reported(launcher: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = launcher(json.dumps({"port": taken.getsockname()[1], "openai_model": "bad"}) + "\n")
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1" in errors


async def test_one_command_runs_it_on_the_settings(tmp_path: Path, keys: Any, user: str, http_server: Any) -> None:
    """``mozaiks-shell runtime``: host, port, database and keys by settings; it makes its tables itself."""

    def jwks(request: Any, _: bytes) -> None:
        body = json.dumps(keys.jwks).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    settings = {
        "MOZAIKS_RUNTIME_JWKS_URL": http_server(jwks) + "/jwks.json",
        "MOZAIKS_RUNTIME_PORT": str(free_port()),
        "MOZAIKS_RUNTIME_SAMPLES": "true",
        "MOZAIKS_RUNTIME_ENGINE": "scripted",
        "MOZAIKS_EXECUTION_TOKEN_ISSUER": ISSUER,
        "MOZAIKS_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shell.db'}",
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-m", "mozaiks_shell.cli", "runtime"]
    pipes = {"stdout": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    process = await asyncio.to_thread(subprocess.Popen, command, cwd=ROOT, env=settings, text=True, **pipes)
    try:
        runtime = Runtime(process, keys, auth=True)
        assert runtime.url.endswith(settings["MOZAIKS_RUNTIME_PORT"])
        assert runtime.request("GET", "/api/health", headers={}).status_code == 401
        assert runtime.request("GET", "/api/health").json()["mongodb"] == "connected"
        assert "HelloWorld" in runtime.request("GET", "/api/workflows").json()
        async with runtime.chat("Assistant", user) as wire:
            await wire.until("chat.input_request")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)


def test_what_the_shell_tells_its_child_is_understood(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOZAIKS_RUNTIME_ENGINE", "scripted")
    keys_at = {}
    for host in ("127.0.0.1", "0.0.0.0", "10.0.0.7", "::1"):
        monkeypatch.setenv("HOST", host)
        get_settings.cache_clear()
        config = checked_config(runtime_process._config({"keys": []}, 4711))
        keys_at[host] = config.jwks_url.removesuffix("/.well-known/jwks.json")
    assert list(keys_at.values()) == [
        "http://127.0.0.1:4711",
        "http://127.0.0.1:4711",
        "http://10.0.0.7:4711",
        "http://[::1]:4711",
    ]
    assert config.database_url == get_settings().sql_url
    assert config.auth_enabled
    assert (config.engine, config.sample_workflows) == ("scripted", False)
