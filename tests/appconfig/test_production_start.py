"""A production start with errors in the configuration ends with code 2 and names all of them; warnings do not stop it (F-025)."""

import json
import socket
import subprocess
import sys

import pytest

from mozaiks_shell.foundation.settings import get_settings
from tests.live import ROOT, clean_environment

BAD = {
    "navigation.json": {"pages": [{"path": "/admin", "component": "Mine"}, {"label": "X", "href": "javascript:alert(1)"}]},
    "ui.json": {"footer": {"visible": "sometimes"}},
    "subscription_config.json": {"subscription_plans": [{"name": "free"}, {"name": "free"}]},
}
NAMED = (
    "navigation.json:1 $.pages[0].component: shadows a core page",
    "navigation.json:1 $.pages[1].href: must be",
    "ui.json:1 $.footer.visible: ",
    "subscription_config.json:1 $.subscription_plans[1].name: two plans have the same name",
)


def start(tmp_path, files, *arguments, **variables):
    """``reflex run`` with these files, until it ends by itself; the port is taken, so that it cannot serve."""
    configs = tmp_path / "configs"
    configs.mkdir()
    for name, content in files.items():
        (configs / name).write_text(json.dumps(content))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return subprocess.run(
            [sys.executable, "-m", "reflex", "run", *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=300,
            env=clean_environment(
                PORT=str(taken.getsockname()[1]), MOZAIKS_DATA_DIR=str(tmp_path / "data"), MOZAIKS_CONFIGS_PATH=str(configs),
                **variables,
            ),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--env", "prod"], {}),
        ([], {"ENV": "production", "MOZAIKS_APP_ID": "acme", "MOZAIKS_PUBLIC_URL": "https://acme.example.com"}),
    ],
    ids=["production command", "ENV=production"],
)
def test_f025_errors_stop_a_production_start(tmp_path, arguments, variables):
    answer = start(tmp_path, BAD, *arguments, **variables)
    assert answer.returncode == 2, answer.stdout + answer.stderr
    for one in NAMED:
        assert one in answer.stderr
    assert "4 errors" in answer.stderr and "Traceback" not in answer.stderr and not (tmp_path / "data").exists()


def test_f025_warnings_do_not_stop_it():
    code = "from mozaiks_shell.appconfig.loader import or_exit; or_exit(lambda: None, production=True)"
    sample = ROOT / "tests" / "appconfig" / "samples"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300,
        env=clean_environment(MOZAIKS_CONFIGS_PATH=str(sample)),
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr


def test_f025_in_development_it_starts_on_what_is_usable(configs):
    from mozaiks_shell.appconfig.brand import brand
    from mozaiks_shell.appconfig.loader import or_exit
    from mozaiks_shell.appconfig.service import catalogue

    for name, content in BAD.items():
        configs.write(name, content)
    configs.write("brand.json", "{")
    get_settings.cache_clear()  # as a process that starts now
    assert or_exit(brand).name and [plan.name for plan in or_exit(catalogue).subscription_plans] == ["free"]
    with pytest.raises(SystemExit) as ended:
        or_exit(brand, production=True)
    assert ended.value.code == 2
