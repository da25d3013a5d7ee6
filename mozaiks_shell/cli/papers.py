"""Papers made from the code: ``docs``, ``schemas``, ``catalogues``. With ``--check`` they say what is stale (exit 1)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mozaiks_shell.appconfig.schemas import file_name, schemas
from mozaiks_shell.cli import catalogues, command_docs, config_docs, quality
from mozaiks_shell.cli.settings_docs import env_example, readme_with_table
from mozaiks_shell.foundation.locales import LOCALES, SOURCE
from mozaiks_shell.foundation.settings import ROOT
from mozaiks_shell.plugin_host.schemas import plugin_schemas

SCHEMAS = ROOT / "docs" / "schemas"

Check = Annotated[bool, typer.Option(help="Change nothing; exit 1 when a file is stale.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(docs)
    app.command(name="schemas")(write_schemas)
    app.command(name="catalogues")(write_catalogues)


def docs(check: Check = False) -> None:
    """Regenerate the README's configuration table, .env.example, docs/plugin-quality.md, docs/command-line.md and more."""
    readme = ROOT / "README.md"
    wanted = {
        readme: readme_with_table(readme.read_text("utf-8")),
        ROOT / ".env.example": env_example(),
        **config_docs.wanted(),
        **quality.wanted(),
        **command_docs.wanted(),
    }
    raise typer.Exit(write(wanted, check))


def write(wanted: dict[Path, str], check: bool) -> int:
    """Bring the files to these texts, or only say which differ; the exit code."""
    stale = [file for file, content in wanted.items() if not file.exists() or file.read_text("utf-8") != content]
    for file in stale:
        typer.echo(f"{'stale' if check else 'written'}  {file.name}")
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[file], "utf-8")
    return 1 if check and stale else 0


def write_schemas(check: Check = False) -> None:
    """Regenerate the JSON Schemas of the configuration files, and of the files in a plugin's folder, in docs/schemas."""
    made = {file_name(name): one for name, one in schemas().items()} | plugin_schemas()
    wanted = {SCHEMAS / name: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in made.items()}
    code = write(wanted, check)
    extra = sorted(set(SCHEMAS.glob("*.json")) - set(wanted))
    for file in extra:
        typer.echo(f"{'stale' if check else 'removed'}  {file.name}")
        if not check:
            file.unlink()
    raise typer.Exit(1 if check and (code or extra) else 0)


def write_catalogues(
    folder: Annotated[str, typer.Argument(help="A plugin's folder; default: the shell itself.")] = "",
    check: Annotated[bool, typer.Option(help="Change nothing; exit 1 when a language lacks a text.")] = False,
) -> None:
    """Bring locales/*.po up to the texts in the code, and say how much each language lacks."""
    root = Path(folder).resolve() if folder else ROOT / "mozaiks_shell"
    if not root.is_dir():
        typer.echo(f"{folder} is not a folder", err=True)
        raise typer.Exit(1)
    if not check:
        catalogues.update(root, root / "locales")
    lacking = {code: catalogues.gaps(root, root / "locales", code) for code in LOCALES if code != SOURCE}
    for code, gaps in lacking.items():
        counted = f"{len(gaps.missing)} missing, {len(gaps.unused)} unused, {len(gaps.broken)} broken"
        typer.echo(f"{'ok' if not gaps else 'gaps':8} {code}  {LOCALES[code]}: {counted}")
    raise typer.Exit(1 if check and any(lacking.values()) else 0)
