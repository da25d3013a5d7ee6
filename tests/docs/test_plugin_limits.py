"""What docs/plugin-entitlements.md and docs/plugin-isolation.md say is what the code does."""

import json
import re

from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.plugin_host import entitlements, worker
from mozaiks_shell.plugin_host.manifest import Manifest
from tests.live import ROOT

ENTITLEMENTS = (ROOT / "docs" / "plugin-entitlements.md").read_text("utf-8")
ISOLATION = (ROOT / "docs" / "plugin-isolation.md").read_text("utf-8")


def block(text: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", text, re.S)
    assert found
    return found[1]


def test_the_example_is_a_file_without_errors(tmp_path):
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "logic.py").write_text("def count(): return 0\n")
    (folder / "entitlements.yaml").write_text(block(ENTITLEMENTS, "yaml"))
    book, problems = entitlements.read(folder)
    assert problems == [] and book is not None
    assert book.tiers["pro"].limits == {"exports": 50, "contacts": -1}


def test_the_manifest_is_one():
    manifest = Manifest.model_validate({"name": "x", **json.loads(block(ISOLATION, "json"))})
    assert manifest.isolation == "process" and manifest.limits.memory_mb == 256


def test_every_variable_and_code_is_real():
    variables = {str(name) for field in Settings.model_fields.values() for name in field.validation_alias.choices}
    written = set(re.findall(r"`(MOZAIKS_[A-Z_]+|PLUGIN_EXEC_[A-Z_]+)", ENTITLEMENTS + ISOLATION))
    assert len(written) >= 7 and written <= variables
    source = "".join(path.read_text("utf-8") for path in (ROOT / "mozaiks_shell" / "plugin_host").glob("*.py"))
    codes = set(re.findall(r"`(PLUGIN_(?!EXEC)[A-Z_]+|[A-Z]+_(?:GATED|EXCEEDED|ERROR))`", ENTITLEMENTS + ISOLATION))
    assert len(codes) >= 8 and all(f'"{code}"' in source for code in codes), codes
    assert f"({worker.MEMORY_MB} unless said)" in ISOLATION and f"first {worker.LINES} lines" in ISOLATION
