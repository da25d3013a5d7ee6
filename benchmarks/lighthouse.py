"""Lighthouse scores of the production build: ``python -m benchmarks.lighthouse [rounds]``.

Lighthouse comes from npm into ``.cache``; 100 is best. Mobile is its default (slow 4G, CPU / 4, simulated), desktop its preset.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.common import CACHE, calm, chromium_path, comparator, host, publish, spread
from tests.live import Site
from tests.people import People

WANTED = "lighthouse@13"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def tool() -> Path:
    """The command, installed on first use."""
    folder = CACHE / "lighthouse"
    command = folder / "node_modules" / ".bin" / "lighthouse"
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", WANTED], check=True)
    return command


def audit(command: Path, url: str, cookie: str, preset: str) -> dict[str, Any]:
    """One report: scores from 0 to 100, and what lost points."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        chrome = "--chrome-flags=--headless=new --no-sandbox --disable-background-networking --no-first-run"
        more = [f"--extra-headers={json.dumps({'Cookie': cookie})}"] if cookie else []
        more += ["--preset=desktop"] if preset == "desktop" else []
        only = f"--only-categories={','.join(CATEGORIES)}"
        for attempt in range(3):  # now and then it misses the start of the navigation (NO_NAVSTART)
            ended = subprocess.run(
                [command, url, "--quiet", "--output=json", f"--output-path={report}", only, chrome, *more],
                check=attempt == 2, env={**os.environ, "CHROME_PATH": chromium_path()}, timeout=180,
            )  # fmt: skip
            if ended.returncode == 0:
                break
        found = json.loads(report.read_text("utf-8"))
    lost = [
        name for name, one in found["audits"].items()
        if one.get("score") is not None and one["score"] < 0.9 and one["scoreDisplayMode"] == "binary"
    ]  # fmt: skip
    return {"lost": lost, **{name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES}}


def main(rounds: int) -> None:
    """Measure and publish."""
    calm()
    about: dict[str, Any] = {"host": host(), "rounds": rounds, "lighthouse": WANTED}
    command, lost = tool(), defaultdict(set)
    samples: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Site.copy("bench").serve(data)
        stack.callback(server.stop)
        cookie = People(server.base).ada.cookie
        targets = {
            ("Mozaiks Shell", "home, signed in"): (f"{server.base}/", cookie),
            ("Mozaiks Shell", "sign-in"): (f"{server.base}/sign-in", ""),
            ("Mozaiks Shell", "plugin page"): (f"{server.base}/plugins/tasks", cookie),
            ("NiceGUI 3.18.0", "hello"): (stack.enter_context(comparator("nicegui")).base, ""),
        }
        calm()  # the pages were built just now
        for url, known in targets.values():
            audit(command, url, known, "mobile")  # not counted: what was just started answers its first visit slower
        for _ in range(rounds):
            for preset in ("mobile", "desktop"):
                for (system, page), (url, known) in targets.items():
                    found = audit(command, url, known, preset)
                    lost[f"{system}, {page}, {preset}"] |= set(found.pop("lost"))
                    samples[system, page, preset].append(found)
    about["lost"] = {name: sorted(found) for name, found in lost.items()}
    rows = [
        {
            "system": system,
            "page": page,
            "device": preset,
            **{name: spread([one[name] for one in found], 0) for name in CATEGORIES},
        }
        for (system, page, preset), found in samples.items()
    ]
    publish("lighthouse", about, rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
