"""``doctor``: is this installation well?"""

import json
import subprocess
import sys
import textwrap
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from mozaiks_shell.appconfig.overview import standings
from mozaiks_shell.appconfig.problems import Problem, ordered
from mozaiks_shell.appconfig.service import configuration_problems
from mozaiks_shell.cli.examination import Found, examine
from mozaiks_shell.foundation.settings import HOME, ROOT, Settings, environment, load_or_exit


def register(app: typer.Typer) -> None:
    """Add ``doctor``."""
    app.command()(doctor)


def doctor(
    pages: Annotated[bool, typer.Option(help="Load pages and plugins too, for links that lead nowhere.")] = True,
    fix: Annotated[bool, typer.Option("--fix", help="Put right what can be put right without asking.")] = False,
) -> None:
    """Check settings, project, data, database, ports, plugins and configuration files; exit 1 when something is wrong."""
    settings = load_or_exit()
    broken = False
    for found in examine(settings):
        broken = _print(found, fix) or broken
    problems = configuration_problems()
    if pages:
        late, quarantined = _survey()
        problems = ordered([*problems, *late])
        for line in quarantined:
            broken = True
            typer.echo(f"problem  plugin   {line}")
    _print_configuration(settings, problems)
    raise typer.Exit(1 if broken or any(one.level == "error" for one in problems) else 0)


def _print(found: Found, fix: bool) -> bool:
    """Say it, and mend it if that is wanted and possible; True when a problem is left."""
    level: str = found.level
    if level != "ok" and fix and found.mend is not None:
        try:
            found.mend()
            level = "fixed"
        except (OSError, SQLAlchemyError) as error:
            typer.echo(f"problem  {found.about.ljust(8)} could not be fixed: {error}")
            level = "problem"
    typer.echo(f"{level.ljust(8)} {found.about.ljust(8)} {found.said}".rstrip())
    if level not in {"ok", "fixed"} and found.remedy:
        more = " (doctor --fix does it)" if found.mend is not None else ""
        typer.echo(textwrap.fill(f"-> {found.remedy}{more}", 110, initial_indent=" " * 9, subsequent_indent=" " * 9))
    return level == "problem"


def _survey() -> tuple[list[Problem], list[str]]:
    """What shows only once pages and plugins are loaded."""
    command = [sys.executable, "-m", "mozaiks_shell.cli.survey"]
    env = environment() | {"PYTHONPATH": str(ROOT)}
    child = subprocess.run(command, cwd=HOME, env=env, capture_output=True, text=True, check=False)
    try:
        told = json.loads(child.stdout) if child.returncode == 0 else {}
    except ValueError:
        told = {}
    if not told:
        last = child.stderr.strip().splitlines()[-1:] or [f"it ended with {child.returncode}"]
        return [Problem("start", "$", "warning", f"The app does not start: {last[0]}.")], []
    out = {"quarantined", "incompatible", "blocked"}
    return [Problem(**one) for one in told["problems"]], [
        f"{one['name']}: {one['reason']}" for one in told["plugins"] if one["state"] in out and one["reason"]
    ]


def _print_configuration(settings: Settings, problems: list[Problem]) -> None:
    """The files in the order of precedence, then everything wrong with them."""
    typer.echo(f"\nConfiguration in {settings.configs_path or 'no folder (MOZAIKS_CONFIGS_PATH is not set)'}\n")
    bad = {one.file.rsplit("/", 1)[-1] for one in problems if one.level == "error"}
    for one in standings():
        sign = "problem" if one.name in bad else "ok" if one.state != "absent" else "-"
        where = {"own": str(one.file), "packaged": "packaged default", "absent": "not there"}[one.state]
        typer.echo(f"{sign.ljust(8)} {one.name.ljust(25)} {where}{f'; {one.role}' if one.role else ''}")
    typer.echo("")
    for problem in problems:
        typer.echo(f"{problem.level.ljust(8)} {problem.place}")
        for words in filter(None, (problem.message, problem.fix and f"-> {problem.fix}")):
            typer.echo(textwrap.fill(words, 110, initial_indent=" " * 9, subsequent_indent=" " * 9))
    levels = [problem.level for problem in problems]
    counts = [(levels.count(level), level) for level in ("error", "warning", "hint") if level in levels]
    said = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for count, level in counts)
    typer.echo(said or "Nothing to complain about.")
