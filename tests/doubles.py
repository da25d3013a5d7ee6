"""Doubles of a runtime as processes of their own: ``python -m <module> PORT``."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import httpx

from tests.live import ROOT, clean_environment, free_port, until


@contextlib.contextmanager
def running(module: str) -> Iterator[str]:
    """The address of this double, once it answers; ended afterwards."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", module, str(port)], cwd=ROOT, env=clean_environment())
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/api/health", timeout=60).status_code == 200
        return False

    try:
        until(answers, 120, "the runtime double")
        yield url
    finally:
        process.terminate()
        process.wait(30)
