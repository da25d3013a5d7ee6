"""A provider file that cannot be used ends the start, with file and line (F-098); never a half-started server."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from mozaiks_shell.billing import factory
from mozaiks_shell.foundation.provider_files import ProviderProblem
from mozaiks_shell.foundation.settings import explain, get_settings
from mozaiks_shell.hosting.providers import providers_or_exit
from mozaiks_shell.identity import service as identity

GOOD = (Path(__file__).parent / "paypal.py").read_text()
CLASS = GOOD[: GOOD.index("class Provider")].count("\n") + 1
HEALTH = GOOD[: GOOD.index("async def health_check")].count("\n") + 2
READY = {"PAYPAL_API": "http://x.test", "PAYPAL_WEBHOOK_SECRET": "s"}

BROKEN = {
    "syntax": ("def x(:\n    pass\n", 1, "invalid syntax"),
    "import": ("import os\n\nimport nothing_of_that_name\n", 3, "No module named"),
    "exit": ("import sys\n\n\nsys.exit(3)\n", 4, "SystemExit"),
    "raises": ("x = 1\ny = x / 0\n", 2, "ZeroDivisionError"),
    "no provider": ("class Paypal:\n    pass\n", 0, "defines no `Provider`"),
    "no methods": (
        "x = 1\n\nclass Provider:\n    sells = True\n    def __init__(self, settings): ...\n",
        3,
        "async def ensure_customer",
    ),
    "not async": (GOOD.replace("async def ensure_customer", "def ensure_customer"), CLASS, "async def ensure_customer"),
    "await": (GOOD.replace("async def health_check", "def health_check"), HEALTH, "'await' outside async function"),
    "inherited": (GOOD.replace("async def health_check", "async def another"), CLASS, "async def health_check"),
    "no sells": (GOOD.replace("    sells = True\n", ""), CLASS, "sells = True"),
    "no header": (GOOD.replace('    signature_header = "PayPal-Transmission-Sig"\n', ""), CLASS, "signature_header"),
}


@pytest.mark.parametrize("case", list(BROKEN))
def test_f098_it_says_file_and_line(provide, case, capsys):
    text, line, reason = BROKEN[case]
    provide("payments", "paypal", text, **READY)
    with pytest.raises(ProviderProblem) as problem:
        factory.check()
    file = get_settings().plugin_roots[0] / "payments" / "paypal.py"
    told = str(problem.value)
    assert (problem.value.line, reason in told) == (line, True), told
    assert told.startswith(f"MOZAIKS_BILLING_PROVIDER: {file}{f':{line}' if line else ''}: ")
    with pytest.raises(SystemExit) as ended:
        providers_or_exit()
    assert ended.value.code == 2
    assert f"Mozaiks Shell cannot start. {told}" in capsys.readouterr().err


def test_f098_what_its_constructor_lacks_is_said_with_its_line(provide):
    provide("payments", "paypal")
    with pytest.raises(ProviderProblem, match="PAYPAL_API") as problem:
        factory.check()
    assert "settings[" in GOOD.splitlines()[problem.value.line - 1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("class Provider:\n    def __init__(self, s): ...\n", "async def authenticate"),
        ("class Provider:\n    def __init__(self, s): ...\n    async def identity(self, v, c, i): ...\n", "both"),
        ("class Provider:\n    def __init__(self, s): ...\n    def authenticate(self, l, p): ...\n", "async def authenticate"),
    ],
)
def test_f053_so_does_a_sign_in_provider(provide, text, reason):
    provide("auth", "badge", text)
    with pytest.raises(ProviderProblem, match=reason):
        identity.sign_in_provider()


@pytest.mark.parametrize(("setting", "kind"), [("MOZAIKS_BILLING_PROVIDER", "payments"), ("MOZAIKS_AUTH_PROVIDER", "auth")])
def test_a_name_without_a_file_is_a_wrong_setting(settings, monkeypatch, setting, kind):
    monkeypatch.setenv(setting, "nowhere")
    get_settings.cache_clear()
    with pytest.raises(ValidationError) as error:
        get_settings()
    assert any(line.startswith(f"{setting}: ") and f"{kind}/nowhere.py" in line for line in explain(error.value))


@pytest.mark.parametrize("name", ["../evil", "Paypal", "a" * 17, "pay-pal", "x.py"])
def test_a_name_that_is_none(settings, monkeypatch, name):
    monkeypatch.setenv("MOZAIKS_BILLING_PROVIDER", name)
    get_settings.cache_clear()
    with pytest.raises(ValidationError):
        get_settings()


def test_f098_the_front_door_does_not_open(provide, tmp_path):
    """The real start, in a process of its own."""
    provide("payments", "paypal", "x = 1\ny = x / 0\n")
    command = [sys.executable, "-c", "import mozaiks_shell.mozaiks_shell"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Mozaiks Shell cannot start." in done.stderr and "paypal.py:2: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
