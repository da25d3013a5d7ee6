"""``validate``: every configuration file of an app, JSON, YAML and TOML, with path and line of what is wrong (F-288)."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from mozaiks_shell.appconfig import document
from mozaiks_shell.appconfig.problems import Finding, Problem, json_path, nearest, ordered, shown
from mozaiks_shell.appconfig.reading import check
from mozaiks_shell.appconfig.service import configuration_problems
from mozaiks_shell.cli.project import FILE, ProjectError, read_project
from mozaiks_shell.foundation.settings import HOME, Settings, load_or_exit
from mozaiks_shell.plugin_host import entitlements
from mozaiks_shell.plugin_host.discovery import RESERVED
from mozaiks_shell.plugin_host.errors import PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest
from mozaiks_shell.plugin_host.sources import find_source

REGISTRY = "plugin_registry.json"


def register(app: typer.Typer) -> None:
    """Add ``validate``."""
    app.command()(validate)


def validate(
    folder: Annotated[Path | None, typer.Argument(help="A configuration folder. Default: MOZAIKS_CONFIGS_PATH.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
    strict: Annotated[bool, typer.Option(help="Warnings count as errors.")] = False,
) -> None:
    """Check configuration files, plugin manifests, entitlements.yaml and mozaiks.toml; exit 1 on an error."""
    settings = load_or_exit()
    if folder is not None:
        if not folder.is_dir():
            typer.echo(f"{folder} is not a folder.", err=True)
            raise typer.Exit(2)
        settings.configs_path = folder.resolve()
    found = everything(settings)
    if as_json:
        typer.echo(json.dumps({"problems": [asdict(one) for one in found]}, indent=2, ensure_ascii=False))
    else:
        for one in found:
            typer.echo(line(one))
        levels = [one.level for one in found]
        said = ", ".join(f"{levels.count(one)} {one}{'s'[: levels.count(one) != 1]}" for one in dict.fromkeys(levels))
        typer.echo(f"\n{said}" if said else "Every file is as it should be.")
    wrong = {"error", "warning"} if strict else {"error"}
    raise typer.Exit(1 if any(one.level in wrong for one in found) else 0)


def line(problem: Problem) -> str:
    """``error    navigation.json:3 $.pages[0].order: must be a number. Write 10.``"""
    return f"{problem.level.ljust(8)} {problem}"


def everything(settings: Settings) -> list[Problem]:
    """What is wrong with any file, errors first. Paths are relative to the folder of their kind."""
    return ordered([*configuration_problems(), *_project(), *_registry(settings), *_plugins(settings)])


def _project() -> Iterator[Problem]:
    try:
        read_project(HOME)
    except ProjectError as error:
        yield Problem(FILE, "$", "error", str(error).removeprefix(f"{FILE}: ") + ".")


def _registry(settings: Settings) -> Iterator[Problem]:
    """The operator's switches: ``{"plugins": [{"name": ..., "enabled": ...}]}`` (F-077)."""
    if settings.configs_path is None or not (file := settings.configs_path / REGISTRY).is_file():
        return
    try:
        source = document.read(file)
    except document.Unreadable as error:
        yield Problem(REGISTRY, json_path(error.where), "error", str(error), error.line, error.fix)
        return

    def wrong(where: tuple[int | str, ...], level: Any, message: str, fix: str = "") -> Problem:
        return Problem(REGISTRY, json_path(where), level, message, source.line(where), fix)

    listed = source.raw.get("plugins") if isinstance(source.raw, dict) else None
    if not isinstance(listed, list):
        yield wrong((), "error", "has no list of plugins.", 'Write {"plugins": [{"name": "…", "enabled": false}]}.')
        return
    known = {one.name for root in settings.plugin_roots if root.is_dir() for one in root.iterdir() if one.is_dir()}
    for number, one in enumerate(listed):
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name:
            yield wrong(("plugins", number), "error", "has no name.", "Name the plugin's folder.")
            continue
        if not isinstance(one.get("enabled", True), bool):
            yield wrong(("plugins", number, "enabled"), "error", "must be true or false.")
        if name not in known:
            meant = nearest(name, known)
            yield wrong(
                ("plugins", number, "name"),
                "warning",
                f"there is no plugin {shown(name)}.",
                f"Did you mean {meant}?" if meant else "",
            )


def _plugins(settings: Settings) -> Iterator[Problem]:
    for root in settings.plugin_roots:
        folders = sorted(one for one in root.iterdir() if one.is_dir()) if root.is_dir() else []
        for folder in folders:
            if not folder.name.startswith(("_", ".")) and folder.name not in RESERVED:
                yield from _manifest(folder)
                for one in entitlements.problems(folder):
                    yield Problem(f"{folder.name}/{one.file}", one.path, one.level, one.message, one.line, one.fix)


def _manifest(folder: Path) -> Iterator[Problem]:
    """Every mistake with a line of its own, where the host would stop at the first."""
    try:
        source = find_source(folder)
    except PluginProblem as problem:
        file = f"{folder.name}/{problem.file or 'manifest.json'}"
        yield Problem(file, problem.path or "$", "error", problem.message, problem.line or None)
        return
    reading = check(Manifest, {"name": folder.name, **source.fields})
    findings = [*source.findings, *reading.findings]
    if reading.value is not None and reading.value.name != folder.name:
        said = f"is {reading.value.name!r}, but the folder is {folder.name!r}."
        findings.append(Finding(("name",), "error", said, "Rename one of the two."))
    for one in findings:
        file = f"{folder.name}/{source.file or 'manifest.json'}"
        yield Problem(file, json_path(one.where), one.level, one.message, source.line(one.where), one.fix)
