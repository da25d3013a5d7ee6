"""``mozaiks.toml``: the file that makes a folder an app of its own (F-282, F-287).

    [app]
    name = "shop"

    [shell]
    requires = ">=0.1,<0.2"    # which versions of mozaiks-shell the app was made for
    contract = 1               # the plugin contract its plugins speak

Commands and the server look for it from the current folder upwards; data, plugins and configs stand beside it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

FILE = "mozaiks.toml"


class ProjectError(ValueError):
    """The project file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Project:
    """An app folder. ``requires`` is a PEP 440 specifier, empty for any version; ``contract`` 0 for any."""

    folder: Path
    name: str
    requires: str = ""
    contract: int = 0

    def accepts(self, version: str) -> bool:
        """Whether this version of the shell is one the app was made for."""
        return SpecifierSet(self.requires).contains(version, prereleases=True)


def read_project(folder: Path | None) -> Project | None:
    """The project file in this folder; None without one.

    Raises:
        ProjectError: not TOML, or a field of the wrong shape.
    """
    if folder is None or not (file := folder / FILE).is_file():
        return None
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{FILE}: {error}") from error
    app, shell = told.get("app", {}), told.get("shell", {})
    if not isinstance(app, dict) or not isinstance(shell, dict):
        raise ProjectError(f"{FILE}: app and shell are tables: write [app] and [shell]")
    name, requires, contract = app.get("name", folder.name), shell.get("requires", ""), shell.get("contract", 0)
    if not isinstance(name, str) or not isinstance(requires, str):
        raise ProjectError(f"{FILE}: app.name and shell.requires are texts")
    if not isinstance(contract, int) or isinstance(contract, bool):
        raise ProjectError(f"{FILE}: shell.contract is a whole number such as 1")
    try:
        SpecifierSet(requires)
    except InvalidSpecifier:
        raise ProjectError(f'{FILE}: shell.requires {requires!r} is not a version range such as ">=0.1,<0.2"') from None
    return Project(folder, name, requires, contract)
