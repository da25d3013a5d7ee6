"""``docs/command-line.md``: every command with its options, made from the commands themselves."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from mozaiks_shell.foundation.settings import HOME, ROOT

PAGE: Final = ROOT / "docs" / "command-line.md"
_HEAD: Final = """# The command line

`mozaiks-shell` comes with the package; in a checkout it is `python -m mozaiks_shell.cli`. It works on the app in the current
folder: the nearest folder upwards with a `mozaiks.toml`, else the checkout.

| To | Run |
|---|---|
| begin an app, a plugin, a workflow | `init`, `new plugin`, `new workflow` |
| know how good a plugin is | `check` ([docs/plugin-quality.md](plugin-quality.md)) |
| know whether an installation is well | `doctor`, `validate`, `version` |
| look after the database | `migrate`, `migration`, `db`, `backup`, `restore` |

Exit codes: 0 all is well, 1 something is wrong (it was said what), 2 the command itself was wrong.

This page is made from the commands (`mozaiks-shell docs`).
"""


def document(app: typer.Typer) -> str:
    """The page's text."""
    return _HEAD + "".join(_section(path, command) for path, command in _commands(typer.main.get_command(app), ""))


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in sorted(group.commands.items()):
        full = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from _commands(command, full)
        elif not command.hidden:
            yield full, command


def _section(path: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    usage = " ".join([path, *(_argument(one) for one in arguments)])
    lines = ["", f"## mozaiks-shell {usage}", "", inspect.cleandoc(command.help or "")]
    rows = [(f"`{(one.metavar or one.name)}`", one) for one in arguments]
    rows += [("`" + "` `".join([*one.opts, *one.secondary_opts]) + "`", one) for one in options]
    if rows:
        lines += ["", "| | Meaning | Default |", "|---|---|---|"]
        lines += [f"| {name} | {(one.help or '').replace('|', chr(92) + '|')} | {_default(one)} |" for name, one in rows]
    return "\n".join(lines) + "\n"


def _argument(one: Any) -> str:
    name = (one.metavar or one.name).upper().strip("[]")
    shown = f"{name}..." if one.nargs == -1 else name
    return shown if one.required else f"[{shown}]"


def _default(one: Any) -> str:
    if one.required:
        return "required"
    value = one.default
    if value is None or value is False or value == "" or callable(value):
        return ""
    if isinstance(value, Path):
        inside = value.relative_to(HOME) if value.is_relative_to(HOME) else value
        return f"`{inside}`"
    return "yes" if value is True else f"`{value}`"


def wanted() -> dict[Path, str]:
    """The page as it should be."""
    from mozaiks_shell.cli.main import app  # which has this command too

    return {PAGE: document(app)}
