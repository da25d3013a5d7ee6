"""F-282: a wheel of this checkout, installed into an empty environment, makes an app that starts. Nothing else is needed."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.live import ROOT, Server, Site, clean_environment

pytestmark = pytest.mark.bare


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """``(folder of an app, python of the environment)``."""
    place = tmp_path_factory.mktemp("installed")
    source = Site.copy("wheel", keep_packages=False).folder  # building leaves folders behind
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, source], check=True, env=clean_environment())
    command = [place / "venv" / "bin" / "mozaiks-shell", "init", "my-shop", "--no-git"]
    subprocess.run(command, cwd=place, check=True, env=clean_environment(HOME=str(place)))
    return place / "my-shop", python


def test_f282_the_installed_package_makes_an_app_that_starts(shop, tmp_path):
    folder, python = shop
    assert ROOT not in folder.parents
    server = Server(Site(folder), tmp_path / "data", python=str(python))
    server.start(600)
    try:
        assert httpx.get(f"{server.base}/health").json()["plugins_loaded"] == 1
        page = httpx.get(f"{server.base}/sign-in", headers={"accept": "text/html"}, timeout=60)
        sheet = next(part for part in page.text.split('"') if part.endswith(".css"))
        assert ".mz-" in httpx.get(f"{server.base}{sheet}").text
        assert httpx.get(f"{server.base}/favicon.ico").headers["content-type"].startswith("image/")
        assert "Traceback" not in server.log.read_text(errors="replace")
    finally:
        server.stop()
