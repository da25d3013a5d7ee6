"""Every text a person can see goes through a catalogue, and every language has them all."""

from pathlib import Path

import pytest

from mozaiks_shell.cli.catalogues import gaps
from mozaiks_shell.cli.texts import untranslated
from mozaiks_shell.foundation.locales import LOCALES, SOURCE
from tests.invariants.product import Module, modules
from tests.live import ROOT

PACKAGE = ROOT / "mozaiks_shell"
PLUGINS = [folder for folder in sorted((ROOT / "plugins").iterdir()) if (folder / "locales").is_dir()]
TRANSLATED = [code for code in LOCALES if code != SOURCE]


def places(module: Module) -> list[str]:
    found = untranslated(module.tree)
    return [f"{module.path.relative_to(ROOT)}:{line} {text!r}" for line, text in found]


def test_components_show_no_text_of_their_own():
    rooms = [module for module in modules() if module.room not in {"runtime", "cli"}]
    assert [place for module in rooms for place in places(module)] == []


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("root", [PACKAGE, *PLUGINS], ids=lambda root: root.name)
def test_every_language_says_everything(root: Path, locale: str):
    """``mozaiks-shell catalogues`` brings the files up to date; a translator fills them."""
    wrong = gaps(root, root / "locales", locale)
    assert (wrong.missing, wrong.unused, wrong.broken) == ([], [], [])
