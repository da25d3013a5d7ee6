"""The README's promise: Python, ``pip install -r requirements.txt``, ``reflex run``. Nothing else is on the machine.

The server gets a PATH with a shell and a few basic tools, but no node, npm, bun or git, and an empty home folder.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.live import SITES, Site, clean_environment

pytestmark = pytest.mark.bare
BASIC_TOOLS = ("sh", "env", "uname", "cat", "ls", "rm", "cp", "mv", "mkdir", "dirname", "basename", "sed", "readlink")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``venv`` (requirements.txt only), ``bin`` (basic tools) and an empty ``home``."""
    folder = tmp_path_factory.mktemp("machine")
    (folder / "home").mkdir()
    (folder / "bin").mkdir()
    for name in BASIC_TOOLS:
        if found := shutil.which(name):
            (folder / "bin" / name).symlink_to(found)
    shutil.rmtree(SITES / "bare", ignore_errors=True)
    site = Site.copy("bare", keep_packages=False)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", "requirements.txt"], cwd=site.folder, check=True, env=clean_environment())
    return folder


@pytest.mark.parametrize("prod", [True, False], ids=["prod", "dev"])
def test_reflex_run_works_with_nothing_but_the_requirements(machine, prod):
    for name in ("node", "npm", "bun"):
        assert shutil.which(name, path=str(machine / "bin")) is None
    server = Site(SITES / "bare").serve(
        machine / ("prod" if prod else "dev"), prod=prod, python=str(machine / "venv" / "bin" / "python"),
        path=str(machine / "bin"), HOME=str(machine / "home"),
    )  # fmt: skip
    try:
        assert httpx.get(f"{server.base}/health").json()["status"] == "healthy"
        page = httpx.get(f"{server.base}/", headers={"accept": "text/html"}, follow_redirects=True, timeout=60)
        assert "text/html" in page.headers["content-type"] and "<html" in page.text
        said = server.log.read_text(errors="replace")
        assert server.base in said, "the log says where to open it"
        assert "Traceback" not in said
    finally:
        server.stop()
