"""``check``: is this plugin fit to be installed, and how good is it? The rules are in :mod:`.quality`."""

import json
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from mozaiks_shell.cli.check_run import SECONDS, run_plugin
from mozaiks_shell.cli.check_source import read_plugin
from mozaiks_shell.cli.quality import BY_ID, Finding, at_least, missing, tier
from mozaiks_shell.foundation.settings import load_or_exit
from mozaiks_shell.plugin_host.discovery import discover

_ORDER = {"error": 0, "warning": 1, "hint": 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of checking one plugin. ``tier`` is empty below bronze; ``claimed`` what its manifest says."""

    name: str
    folder: Path
    findings: tuple[Finding, ...]
    claimed: str = ""

    @property
    def tier(self) -> str:
        """The tier it has."""
        return tier(self.findings)

    @property
    def honest(self) -> bool:
        """Whether it is as good as it claims to be."""
        return at_least(self.tier, self.claimed)

    def count(self, level: str) -> int:
        """How many findings are of this level."""
        return sum(one.level == level for one in self.findings)

    def fails(self, strict: bool) -> bool:
        """Whether the command exits 1."""
        return not self.honest or self.count("error") > 0 or (strict and self.count("warning") > 0)


def register(app: typer.Typer) -> None:
    """Add ``check``."""
    app.command()(check)


def judge(folder: Path, run: bool = True, seconds: float = SECONDS) -> Verdict:
    """Check the plugin in this folder. Never raises for a fault of the plugin, and nothing of it runs in this process.

    Args:
        run: False only reads its files.
        seconds: How long the run may take.
    """
    reading = read_plugin(folder)
    found = list(reading.findings)
    if run and not any(one.rule in {"parses", "manifest-valid"} for one in found):
        found += run_plugin(folder, seconds)
    once: dict[tuple[str, str, int], Finding] = {}
    for one in found:
        once.setdefault((one.rule, one.file, one.line) if one.line else (one.rule, one.message, 0), one)
    found = sorted(once.values(), key=lambda one: (_ORDER[one.level], one.file, one.line, one.rule))
    return Verdict(folder.name, folder, tuple(found), reading.manifest.quality if reading.manifest else "")


def check(
    plugins: Annotated[list[str] | None, typer.Argument(help="Folders or names of plugins. Default: all of this app.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show hints too before gold is reached.")] = False,
    strict: Annotated[bool, typer.Option(help="Warnings count as errors.")] = False,
    run: Annotated[bool, typer.Option(help="Also load a copy of the plugin, in a process of its own.")] = True,
    seconds: Annotated[float, typer.Option(help="How long that may take.")] = SECONDS,
) -> None:
    """Judge plugins: manifest, imports, forbidden calls, access, types, migrations, texts, accessibility, tests.

    Exit code 1 when a plugin breaks a bronze rule or is not as good as its manifest claims.
    """
    verdicts = [judge(folder, run, seconds) for folder in _folders(plugins or [])]
    if as_json:
        typer.echo(json.dumps({"plugins": [told(one) for one in verdicts]}, indent=2, ensure_ascii=False))
    else:
        for one in verdicts:
            _print(one, every)
        if not verdicts:
            typer.echo("There is no plugin to check.")
    raise typer.Exit(1 if any(one.fails(strict) for one in verdicts) else 0)


def told(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON."""
    following, rules = missing(verdict.findings)
    return {
        "name": verdict.name,
        "folder": str(verdict.folder),
        "tier": verdict.tier,
        "claimed": verdict.claimed,
        "next_tier": following,
        "missing": rules,
        "findings": [{"level": one.level, "tier": BY_ID[one.rule].tier, **asdict(one)} for one in verdict.findings],
    }


def _folders(given: list[str]) -> list[Path]:
    settings = load_or_exit()
    if not given:
        return [one.folder for one in discover(settings)]
    found = []
    for one in given:
        places = [Path(one).resolve(), *(root / one for root in settings.plugin_roots)]
        folder = next((place for place in places if place.is_dir()), None)
        if folder is None:
            typer.echo(f"{one} is neither a folder nor a plugin in {', '.join(map(str, settings.plugin_roots))}.", err=True)
            raise typer.Exit(2)
        found.append(folder)
    return found


def _print(verdict: Verdict, every: bool) -> None:
    typer.echo(f"\n{verdict.name}  {verdict.folder}\n")
    every = every or verdict.tier == "gold"
    for one in [one for one in verdict.findings if every or one.level != "hint"]:
        typer.echo(f"{one.level.ljust(8)} {one.rule.ljust(22)} {one.where}")
        for words in filter(None, (one.message, one.fix and f"-> {one.fix}")):
            typer.echo(textwrap.fill(words, 110, initial_indent=" " * 9, subsequent_indent=" " * 9))
    counts = [(verdict.count(level), level) for level in _ORDER]
    said = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for count, level in counts if count)
    typer.echo(("\n" if verdict.findings else "") + (said or "Nothing to complain about."))
    typer.echo(f"Tier     {verdict.tier or 'none'}")
    if not verdict.honest:
        typer.echo(f"problem  The manifest claims {verdict.claimed}.")
    following, rules = missing(verdict.findings)
    if following:
        typer.echo(f"For {following}: {', '.join(rules)}")
