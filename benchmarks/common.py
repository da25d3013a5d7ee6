"""What every benchmark needs: a calm machine, comparators in venvs of their own, medians with spread, a result file."""

import contextlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from tests.live import clean_environment, free_port

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
COMPARATORS = {
    "nicegui": "nicegui==3.18.0",
    "chainlit": "chainlit==2.12.0",
    "datasette": "datasette==0.65.5",
    "starlette": "starlette==1.10.0 uvicorn==0.54.0 joserfc==1.8.0",
    "pump": "starlette==1.10.0 uvicorn==0.54.0 websockets==17.4",
}


def chromium_path() -> str:
    """The Chromium that is measured."""
    named = os.environ.get("MOZAIKS_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        raise SystemExit("No Chromium on PATH; set MOZAIKS_TEST_CHROMIUM.")
    return found


def host() -> dict[str, Any]:
    """The machine and the versions, for the result file."""
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    memory = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "reflex": version("reflex"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines()


def calm(patience: float = 300.0) -> None:
    """Wait until the machine is idle enough to measure; give up after ``patience`` seconds.

    Raises:
        SystemExit: the load average stays above the number of cores.
    """
    cores, deadline = os.cpu_count() or 1, time.monotonic() + patience
    while os.getloadavg()[0] > cores:
        if time.monotonic() > deadline:
            raise SystemExit(f"Not measured: load average {os.getloadavg()[0]:.1f} is above {cores} cores.")
        time.sleep(5)


def spread(values: Sequence[float], digits: int = 1) -> dict[str, float]:
    """Median, smallest and largest."""
    return {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
        "n": len(values),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def publish(name: str, about: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Write ``results/<name>.json``, print the rows as a table and put it into its place in the README."""
    path = HERE / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"benchmark": name, **about, "rows": rows}, indent=1) + "\n", "utf-8")
    made = about["host"]
    where = f"{made['when'][:10]}, {made['cores']} cores {made['cpu']}, {made['memory_gib']} GiB, {made['system']}"
    spoken = f"{where}, Python {made['python']}, Reflex {made['reflex']}; median of {about['rounds']} (smallest to largest)."
    text = f"{table(rows)}\n\n{spoken}"
    print(text)
    readme = HERE / "README.md"
    place = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    readme.write_text(place.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", readme.read_text("utf-8")), "utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table; a spread is shown as ``median (min to max)``."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        lines.append("| " + " | ".join(_cell(row.get(column, "")) for column in columns) + " |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict) and "median" in value:
        return f"{value['median']:g} ({value['min']:g} to {value['max']:g})"
    return str(value)


def comparator_python(name: str) -> Path:
    """Interpreter of a venv with the comparator alone, made on first use."""
    folder, wanted = CACHE / f"venv-{name}", COMPARATORS[name]
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *wanted.split()], check=True)
        stamp.write_text(wanted)
    return folder / "bin" / "python"


@dataclass
class Running:
    """A comparator's server."""

    base: str
    pid: int
    seconds_to_ready: float


@contextlib.contextmanager
def comparator(name: str, *arguments: str, **env: str) -> Iterator[Running]:
    """Run ``comparators/<name>_app.py`` until it answers; ends it afterwards."""
    python, port = comparator_python(name), free_port()
    script = HERE / "comparators" / f"{name}_app.py"
    command = [str(python), str(script), *arguments]
    if name == "chainlit":
        command = [str(python), "-m", "chainlit", "run", str(script), "--headless", "--host", "127.0.0.1", "--port", str(port)]
    started = time.monotonic()
    (CACHE / "run").mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        command, cwd=CACHE / "run", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env=clean_environment(PORT=str(port), HOME=str(CACHE / "run"), **env),
    )  # fmt: skip
    try:
        yield Running(f"http://localhost:{port}", process.pid, answers(f"http://localhost:{port}/", started))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(15)


def answers(url: str, started: float, patience: float = 120.0) -> float:
    """Seconds from ``started`` until the address answers 200."""
    while time.monotonic() - started < patience:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5).status_code == 200:
                return time.monotonic() - started
        time.sleep(0.01)
    raise TimeoutError(url)


def memory_mib(group: int) -> float:
    """Memory of a process group, shared pages counted once (PSS), in MiB."""
    total = 0
    for entry in _members(group):
        with contextlib.suppress(OSError, StopIteration):
            total += next(int(line.split()[1]) for line in _lines(f"{entry}/smaps_rollup") if line.startswith("Pss:"))
    return total / 1024


def cpu_seconds(group: int) -> float:
    """Seconds of CPU that the living processes of a group have used, in user code and in the kernel."""
    ticks = 0
    for entry in _members(group):
        with contextlib.suppress(OSError):
            fields = _lines(f"{entry}/stat")[0].rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _members(group: int) -> Iterator[Path]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if os.getpgid(int(entry.name)) == group:
                    yield entry
