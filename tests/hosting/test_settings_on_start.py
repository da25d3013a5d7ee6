"""A start with wrong settings ends at once and names every one of them, before it takes the port (F-228)."""

import socket
import subprocess
import sys

import pytest

from tests.live import ROOT, clean_environment


@pytest.mark.parametrize("mode", [[], ["--env", "prod"]], ids=["dev", "prod"])
def test_all_wrong_settings_are_named_at_once(tmp_path, mode):
    wrong = {"MOZAIKS_PUBLIC_URL": "app.example.com", "DATABASE_URL": "mongodb://db/app", "MOZAIKS_SESSION_MAX_MINUTES": "soon"}
    with socket.create_server(("127.0.0.1", 0)) as taken:  # whoever tries to bind it would complain about that instead
        answer = subprocess.run(
            [sys.executable, "-m", "reflex", "run", *mode],
            cwd=ROOT, capture_output=True, text=True, timeout=300,
            env=clean_environment(PORT=str(taken.getsockname()[1]), MOZAIKS_DATA_DIR=str(tmp_path), **wrong),
        )  # fmt: skip
    said = answer.stdout + answer.stderr
    assert answer.returncode not in {0, None}
    assert "Traceback" not in said
    for variable in wrong:
        assert f"- {variable}: " in said
    assert "SQL" in said and "already in use" not in said
    assert list(tmp_path.iterdir()) == []


def test_contradictions_are_named_together(tmp_path):
    contradiction = {"ENV": "production", "MOZAIKS_BILLING_PROVIDER": "stripe", "MOZAIKS_LOCAL_ACCOUNTS": "false"}
    answer = subprocess.run(
        [sys.executable, "-m", "reflex", "run", "--env", "prod"],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
        env=clean_environment(MOZAIKS_DATA_DIR=str(tmp_path), **contradiction),
    )  # fmt: skip
    assert answer.returncode not in {0, None}
    for variable in ("MOZAIKS_APP_ID", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "MOZAIKS_LOCAL_ACCOUNTS"):
        assert f"- {variable}: " in answer.stderr
