"""Generated papers are fresh, and what they show is true: schemas, tables, examples."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from mozaiks_shell.appconfig.live import files
from mozaiks_shell.appconfig.overview import NAMES
from mozaiks_shell.appconfig.schemas import file_name, schemas
from mozaiks_shell.cli.config_docs import PAGE
from mozaiks_shell.cli.main import app
from mozaiks_shell.cli.papers import SCHEMAS
from tests.appconfig.folder import SAMPLES

SAMPLE_OF = [*[(name, name) for name in NAMES if name != "navigation.json"], *[
    ("navigation.json", "navigation.pages.json"), ("navigation.json", "navigation.routes.json"),
    ("settings_config.json", "settings_config.bare.json"),
]]  # fmt: skip


def validator(name):
    return Draft202012Validator(json.loads((SCHEMAS / file_name(name)).read_text("utf-8")))


def test_schemas_and_tables_are_fresh():
    run = CliRunner()
    for command in (["schemas", "--check"], ["docs", "--check"]):
        result = run.invoke(app, command)
        assert result.exit_code == 0, f"run `python -m mozaiks_shell.cli {command[0]}`:\n{result.output}"


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_one_and_says_what_it_is_of(name):
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == name and schema["$id"] == f"urn:mozaiks-shell:{name}" and schema["description"]


@pytest.mark.parametrize(("name", "sample"), SAMPLE_OF)
def test_the_upstream_shapes_fit_their_schema(name, sample):
    found = list(validator(name).iter_errors(json.loads((SAMPLES / sample).read_text("utf-8"))))
    assert found == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("navigation.json", {"pages": [{"order": "late"}]}),
        ("ui.json", {"profile": {"show": "maybe"}}),
        ("settings_config.json", {"profile_sections": [{"id": "a", "fields": [{"id": "b", "type": "colour"}]}]}),
        ("subscription_config.json", {"subscription_plans": [{"name": "a", "price": -1}]}),
        ("branding.json", {"app": {"name": "A"}, "layout": {"sidebar": {"position": "top"}}}),
    ],
)
def test_what_does_not_fit_is_refused_by_the_schema_too(name, content):
    assert not validator(name).is_valid(content)


def examples():
    """``(file, text)`` of every example on the page."""
    for part in PAGE.read_text("utf-8").split("\n## ")[1:]:
        if found := re.search(r"```json\n(.*?)```", part, re.DOTALL):
            yield part.split("`")[1], found[1]


def test_every_file_has_an_example():
    assert [name for name, _ in examples()] == list(NAMES)


@pytest.mark.parametrize(("name", "text"), list(examples()))
def test_every_example_loads_without_a_word(configs, name, text):
    assert list(validator(name).iter_errors(json.loads(text))) == []
    configs.write(name, text)
    assert [str(one) for one in configs.problems() if "assets folder" not in one.message] == []
    assert all(file.is_own() for file in files() if file.name == name)
