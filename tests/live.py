"""The product as it really runs: a copy of the checkout, served by ``reflex run`` in a process of its own.

A :class:`Site` is the copy (its build and its ``node_modules`` are kept between runs in ``.web-test/``),
a :class:`Server` is the running process with a data folder of its own.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests import builds

ROOT = Path(__file__).resolve().parents[1]
SITES = ROOT / ".web-test"
MAIN = "main"
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_COMPLETE = ".complete"  # in node_modules: the product was built with them
_LEFT_OUT = {"tests", "benchmarks", "data", "build", "docs", "node_modules", "uploaded_files", "reflex.egg-info"}


def free_port() -> int:
    """A port nobody listens on just now. Below those the system gives to whoever connects: what is free now must
    still be so when the product has been built."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("", port))
            return port


# How this machine reaches PyPI and npm is not ours to decide: proxies, certificates, mirrors.
_NETWORK = ("SSL_CERT_", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA", "PIP_", "NPM_CONFIG_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def clean_environment(**more: str) -> dict[str, str]:
    """The little a process needs, without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"}}
    kept |= {name: value for name, value in os.environ.items() if name.upper().startswith(_NETWORK)}
    return kept | {"PYTHONUNBUFFERED": "1", **more}


def until(condition, seconds: float = 30.0, what: str = "the condition"):  # type: ignore[no-untyped-def]
    """Ask ``condition`` until it gives something true; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        time.sleep(0.05)
    return answer


@dataclass
class Site:
    """A copy of the product in ``.web-test/<name>``, of this process alone; edit it freely (add plugins, break files)."""

    folder: Path
    shares_packages: bool = False

    @classmethod
    def copy(cls, name: str = "main", *, keep_packages: bool = True) -> "Site":
        """Copy the checkout as it is now. The build folder of an earlier run stays, if ``keep_packages``."""
        folder = SITES / (name if _WORKER == "gw0" else f"{name}-{_WORKER}")
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if old.name != ".web" or not keep_packages:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for source in ROOT.iterdir():
            if source.name.startswith(".") or source.name in _LEFT_OUT:
                continue
            if source.is_dir():
                compiled = () if keep_packages else ("__pycache__",)
                ignore = shutil.ignore_patterns("node_modules", "external", *compiled)
                shutil.copytree(source, folder / source.name, symlinks=True, ignore=ignore)
            else:
                shutil.copy2(source, folder / source.name)
        return cls(folder, keep_packages)

    def share_packages(self) -> None:
        """Take the packages of a site that was built with them, if there is one: the product is to be built here."""
        web = self.folder / ".web"
        first = next((one.parent.parent for one in SITES.glob(f"main*/.web/node_modules/{_COMPLETE}")), None)
        if self.shares_packages and first and not (web / "node_modules").exists():
            # Only packages are shared: Reflex writes its own files anew in place, and two products may be built at once.
            shutil.copytree(first, web, ignore=shutil.ignore_patterns("node_modules", "build"), dirs_exist_ok=True)
            subprocess.run(["cp", "-al", str(first / "node_modules"), str(web / "node_modules")], check=True)
        if not (web / "package.json").exists():
            (web / "reflex.json").unlink(missing_ok=True)  # a build was served here, nothing was built

    def serve(
        self,
        data: Path,
        *,
        prod: bool = True,
        python: str = sys.executable,
        path: str = "",
        configs_built: bool = True,
        **env: str,
    ) -> "Server":
        """Build and start the product; returns when ``/ready`` says so."""
        server = Server(self, data, prod=prod, python=python, path=path, configs_built=configs_built, env=env)
        server.start()
        return server


@dataclass
class Server:
    """A running product. ``log`` is everything it wrote, over all its starts. Without ``configs_built`` it may serve what
    was built with other configuration files: what those say is seen as soon as the page has its data, not before."""

    site: Site
    data: Path
    prod: bool = True
    python: str = sys.executable
    path: str = ""
    configs_built: bool = True
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """Origin, without a trailing slash."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> Path:
        """File with everything the server wrote."""
        return self.data / "server.log"

    def command(self, built: bool = False) -> list[str]:
        """What is run, in the site's folder. ``built``: what it would build is there."""
        production = ["--env", "prod"] if self.prod else []
        return [self.python, "-m", "reflex", "run", *production, *(["--backend-only"] if built else [])]

    def environment(self) -> dict[str, str]:
        """The environment of the server."""
        more = {"PORT": str(self.port), "MOZAIKS_DATA_DIR": str(self.data), **self.env}
        if "MOZAIKS_DEV_BACKEND_PORT" not in more:
            more["MOZAIKS_DEV_BACKEND_PORT"] = str(free_port())
        if self.path:
            more["PATH"] = self.path
        return clean_environment(**more)

    def start(self, seconds: float = 600.0) -> None:
        """Start and wait until ready. Where the same was built before, in whatever folder, that build is served."""
        self.data.mkdir(parents=True, exist_ok=True)
        if not self.prod or self.python != sys.executable:
            return self._build_and_run(seconds)
        web = self.site.folder / ".web"
        with builds.only_one(SITES / "builds", self._stamp()) as build:
            if not (built := builds.lay_out(build, web, self.port)):
                self._build_and_run(seconds)
                builds.keep(web, build, self.port)
        if built:
            self._run(self.command(built=True), seconds)

    def _stamp(self) -> str:
        left_out = () if self.configs_built else ("MOZAIKS_CONFIGS_PATH",)
        return builds.stamp(self.site.folder, {name: value for name, value in self.env.items() if name not in left_out})

    def _build_and_run(self, seconds: float) -> None:
        self.site.share_packages()
        self._run(self.command(), seconds)
        if (packages := self.site.folder / ".web" / "node_modules").is_dir():
            (packages / _COMPLETE).touch()

    def _run(self, command: list[str], seconds: float) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.site.folder, env=self.environment(), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        try:
            until(self._is_ready, seconds, "/ready")
        except AssertionError as error:
            self.stop(signal.SIGKILL)
            raise AssertionError(f"{error}\n{self.tail()}") from None

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.base}/ready", timeout=5).status_code == 200 and (
                self.prod or httpx.get(f"{self.base}/sign-in", timeout=60).status_code == 200
            )
        return False

    def tail(self, lines: int = 60) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the server and all its children; with SIGKILL at once."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.process = None
