"""The child process: its ready line, its refusals, its end."""

from __future__ import annotations

import json
import signal
import socket
from typing import Any

import httpx
import pytest


def test_ready_line_then_end_with_the_parent(launcher: Any) -> None:
    process = launcher(json.dumps({"port": 0}) + "\n")
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    assert httpx.get(ready["url"] + "/api/health").json()["status"] == "healthy"
    process.stdin.close()
    assert process.wait(5) == 0


async def test_it_ends_although_sockets_are_open(spawn: Any, user: str) -> None:
    runtime = spawn(token_delay_ms=500)
    async with runtime.chat("Assistant", user) as wire:
        await wire.until("chat.print")
        runtime.process.stdin.close()
        assert runtime.process.wait(5) == 0


def test_a_parent_that_dies_before_configuring(launcher: Any) -> None:
    process = launcher("bad")
    process.stdin.close()
    assert process.wait(10) == 2


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
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 2, line
        assert len(errors.strip().splitlines()) == 1, errors
        assert expected in errors


def test_secrets_stay_out_of_error_lines(launcher: Any) -> None:
    process = launcher('{"openai_api_key": "sk-secret", "port": "bad"}\n')
    _, errors = process.communicate(timeout=10)
    assert "sk-secret" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_quietly(launcher: Any, number: int) -> None:
    process = launcher(json.dumps({"port": 0, "openai_model": "bad"}) + "\n")
    process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert "Traceback" not in errors


def test_a_taken_port_is_reported(launcher: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = launcher(json.dumps({"port": taken.getsockname()[1], "openai_model": "bad"}) + "\n")
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1" in errors
