"""Where things lie on disk: the package, the folder of the app, what ships with the package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of this package: a checkout, or where pip installed it


def _home() -> Path:
    """The folder of the app: the nearest one upwards with ``mozaiks.toml``, else the checkout, else the current folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "mozaiks.toml").is_file():
            return folder
    return ROOT if (ROOT / "pyproject.toml").is_file() else here


HOME = _home()


def _shipped_folder(name: str) -> Path:
    """``assets`` or ``alembic``: beside the package in a checkout, within it where pip installed it (``setup.py``)."""
    return (
        folder
        if (folder := ROOT / name).is_dir() and (ROOT / "pyproject.toml").is_file()
        else ROOT / "mozaiks_shell" / f"_{name}"
    )


ASSETS, ALEMBIC = _shipped_folder("assets"), _shipped_folder("alembic")
