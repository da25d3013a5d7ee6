"""The operator's page on plugins names every state and cause there is, and its examples are what the shell reads."""

import json
import re

import pytest
from jsonschema import Draft202012Validator

from mozaiks_shell.admin.plugins_view import STATES
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.plugin_host import journal, registry
from mozaiks_shell.plugin_host.discovery import GROUP, RESERVED, discover
from mozaiks_shell.plugin_host.errors import Cause
from mozaiks_shell.plugin_host.operator_routes import router
from mozaiks_shell.plugin_host.probe_cache import FILE
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.schemas import plugin_schemas
from tests.live import ROOT

PAGE = (ROOT / "docs" / "operating-plugins.md").read_text("utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", PAGE))
EXAMPLES = dict(re.findall(r"```json (\S+)\n(.*?)```", PAGE, re.DOTALL))


def test_every_state_and_cause_is_told():
    assert {one.value for one in PluginState} | {one.value for one in Cause} <= CODE


def test_every_variable_is_one():
    known = {str(name) for field in Settings.model_fields.values() for name in getattr(field.validation_alias, "choices", ())}
    told = {word.partition("=")[0] for word in CODE if word.startswith("MOZAIKS_")}
    assert told and told <= known
    assert {GROUP, FILE, *RESERVED} <= CODE


def test_every_route_and_state_of_the_operator_is_told():
    listed = set(re.findall(r"^ +(GET|POST) +(/api/admin/plugins\S*)", PAGE, re.MULTILINE))
    assert listed == {(method, f"/api{one.path}") for one in router.routes for method in one.methods}  # type: ignore[attr-defined]
    assert f"the latest {journal.LINES} lines" in PAGE
    assert set(STATES) == {one.value for one in PluginState}


def test_links_lead_somewhere():
    assert all((ROOT / "docs" / target).exists() for target in re.findall(r"\]\(([^)]+)\)", PAGE))


@pytest.mark.parametrize("version", ["1.4.1", "1.4.2"])
def test_the_examples_do_what_is_said(tmp_path, monkeypatch, settings, version):
    Draft202012Validator(plugin_schemas()["plugin_blocklist.schema.json"]).validate(json.loads(EXAMPLES["plugin_blocklist.json"]))
    configs = tmp_path / "configs"
    (tmp_path / "plugins" / "crm").mkdir(parents=True)
    configs.mkdir()
    (tmp_path / "plugins" / "crm" / "manifest.json").write_text(json.dumps({"version": version}))
    for name, text in EXAMPLES.items():
        (configs / name).write_text(text)
    monkeypatch.setenv("MOZAIKS_PLUGINS_PATH", str(tmp_path / "plugins"))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(configs))
    get_settings.cache_clear()
    (crm,) = discover(get_settings())
    assert crm.state is (PluginState.BLOCKED if version == "1.4.1" else PluginState.DISABLED)
    assert registry.find("crm") is None, "looking is not loading"
