"""Reads one JSON file of the app's configuration: the operator's, else the packaged default (F-103)."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mozaiks_shell.foundation.settings import get_settings

DEFAULTS = Path(__file__).parent / "defaults"

Result = TypeVar("Result")
Config = TypeVar("Config", bound=BaseModel)


class ConfigError(ValueError):
    """A configuration file is unusable. The message names the file and the JSON path of every problem."""

    def __init__(self, file: Path, problems: list[str]) -> None:
        self.file, self.problems = file, problems
        super().__init__("\n".join([f"{file} cannot be used:", *(f"  {problem}" for problem in problems)]))


def or_exit(read: Callable[[], Result], production: bool = False) -> Result:
    """What ``read`` returns. A production start (``ENV=production``, or ``production``) exits 2 when any configuration file
    has an error, and lists every error of every file; so does one in development when ``read`` raises :class:`ConfigError`.
    """
    from mozaiks_shell.appconfig.overview import configuration_problems

    settings = get_settings()
    problems = configuration_problems()
    errors = [f"  {problem}" for problem in problems if problem.level == "error"]
    if errors and (production or settings.env == "production"):
        where = f" in {settings.configs_path}" if settings.configs_path else ""
        heading = f"\nMozaiks Shell cannot start: the configuration{where} has {len(errors)} error{'s' * (len(errors) > 1)}.\n"
        sys.stderr.write("\n".join([heading, *errors, "", "mozaiks-shell doctor shows warnings too.", ""]))
        raise SystemExit(2)
    try:
        return read()
    except ConfigError as error:
        sys.stderr.write(f"\nMozaiks Shell cannot start. {error}\n\n")
        raise SystemExit(2) from None


def path_of(name: str) -> Path:
    """The file that counts: in ``MOZAIKS_CONFIGS_PATH`` when it is there, else the packaged default."""
    folder = get_settings().configs_path
    if folder is not None and (folder / name).is_file():
        return folder / name
    return DEFAULTS / name


def load(name: str, model: type[Config]) -> Config:
    """Read and validate ``name`` (``brand.json``). Not cached: the caller keeps the result.

    Raises:
        ConfigError: unreadable, not JSON, or not of the model's shape.
    """
    file = path_of(name)
    try:
        raw = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(file, [f"$: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(file, ["$: is not UTF-8 text"]) from error
    except json.JSONDecodeError as error:
        raise ConfigError(file, [f"$: line {error.lineno}, column {error.colno}: {error.msg}"]) from error
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(file, [_problem(one["loc"], one["msg"]) for one in error.errors()]) from error


def _problem(location: tuple[int | str, ...], message: str) -> str:
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{path}: {message.removeprefix('Value error, ')}"
