"""What a manifest says, where it is written, and how its mistakes are named; nothing of a plugin runs (F-075, F-076, F-102)."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import Forbidden
from mozaiks_shell.plugin_host import compat
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.manifest import Manifest, is_name, read_manifest
from mozaiks_shell.plugin_host.permissions import Permission, demand
from mozaiks_shell.plugin_host.register_js import metadata_in
from mozaiks_shell.plugin_host.schemas import plugin_schemas

FULL = {
    "name": "crm",
    "version": "1.2.0rc1",
    "display_name": "Customers",
    "description": "Who buys.",
    "icon": "users",
    "entry_point": "backend/api.py:run",
    "settings_entry_point": "settings.py",
    "created_at": "2026-01-01",
    "contract_version": "1.0",
    "requires": {"shell": ">=0.1,<1", "sdk": ">=1,<2"},
    "permissions": ["http", "jobs"],
    "plan": "pro",
    "nav": {"title": "CRM", "icon": "users", "order": 5, "group": "Sales", "hidden": False},
    "dependencies": {"python": ["pydantic>=2"], "plugins": {"notes": ">=1"}},
    "settings": {"fields": [{"id": "currency", "type": "select", "options": ["EUR", "USD"], "default": "EUR"}]},
    "quality": "gold",
    "isolation": "process",
    "limits": {"timeout_seconds": 5, "concurrency": 2, "memory_mb": 256, "cpu_seconds": 1},
    "config": {"a": 1},
}


def folder_with(tmp_path, name="crm", **files):
    folder = tmp_path / name
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (folder / path.replace("__", ".")).write_text(text)
    return folder


def refused(folder):
    with pytest.raises(PluginProblem) as raised:
        read_manifest(folder)
    return raised.value


def test_f075_every_field_is_read(tmp_path):
    notes = []
    said = read_manifest(folder_with(tmp_path, manifest__json=json.dumps(FULL)), notes)
    assert notes == []
    assert said.demands == Access.plan("pro")
    assert said.permissions == [Permission.HTTP, Permission.JOBS]
    assert (said.requires.sdk, said.nav.title, said.nav.order) == (">=1,<2", "CRM", 5)
    assert said.dependencies.plugins == {"notes": ">=1"} and said.limits.memory_mb == 256
    assert [(one.id, one.default, len(one.options)) for one in said.settings] == [("currency", "EUR", 2)]
    assert (said.isolation, said.quality, said.entry_point) == ("process", "gold", "backend/api.py:run")


def test_f084_settings_in_three_notations(tmp_path):
    field = {"type": "toggle", "label": "Loud", "default": True}
    forms = [[{"id": "loud", **field}], {"loud": field}, {"fields": [{"id": "loud", **field}]}]
    read = [Manifest.model_validate({"name": "a", "settings": form}).settings for form in forms]
    assert read[0] == read[1] == read[2] and read[0][0].default is True


@pytest.mark.parametrize(
    ("line", "path", "word"),
    [
        ('"version": "new"', "$.version", "PEP 440"),
        ('"contract_version": "new"', "$.contract_version", "pattern"),
        ('"requires": {"shell": "one"}', "$.requires.shell", "PEP 440"),
        ('"permissions": ["http", "root"]', "$.permissions[1]", "raw_sql"),
        ('"dependencies": {"python": ["a b"]}', "$.dependencies.python[0]", "PEP 508"),
        ('"dependencies": {"python": ["x @ https://evil.example/x.whl"]}', "$.dependencies.python[0]", "address"),
        ('"dependencies": {"plugins": {"../x": ""}}', "$.dependencies.plugins", "name"),
        ('"entry_point": "../../etc/x.py"', "$.entry_point", "pattern"),
        ('"limits": {"concurrency": -1}', "$.limits.concurrency", "greater"),
        ('"isolation": "docker"', "$.isolation", "process"),
        ('"quality": "diamond"', "$.quality", "platinum"),
        ('"nav": {"order": "first"}', "$.nav.order", "integer"),
        ('"access": "everyone"', "$.access", "signed_in"),
        ('"settings": [{"id": "a", "type": "select"}]', "$.settings[0]", "options"),
        ('"settings": [{"id": "a", "type": "number", "default": "x"}]', "$.settings[0]", "does not fit"),
        ('"name": "someone"', "$.name", "folder is 'crm'"),
        ('"name": "../crm"', "$.name", "folder is 'crm'"),
        ('"icon": "<script>"', "$.icon", "name of an icon"),
    ],
)
def test_f075_a_mistake_is_named_with_file_path_and_line(tmp_path, line, path, word):
    problem = refused(folder_with(tmp_path, manifest__json='{\n  "description": "x",\n  ' + line + "\n}"))
    assert (problem.cause, problem.where) == (Cause.MANIFEST, "manifest.json:3"), problem.message
    assert problem.path.startswith(path) and path in problem.message and word in problem.message, problem.message
    assert "restart" in problem.remedy


@pytest.mark.parametrize(
    ("text", "where", "word"),
    [
        ("{", "manifest.json:1", "not JSON"),
        ("", "manifest.json:1", "empty"),
        ("[]", "manifest.json:1", "object"),
        ('{\n// why\n"version": "1"}', "manifest.json:2", "JSON"),
        ('{"description": "' + "x" * 1_100_000 + '"}', "manifest.json", "larger"),
    ],
)
def test_f075_an_unreadable_manifest_says_where(tmp_path, text, where, word):
    problem = refused(folder_with(tmp_path, manifest__json=text))
    assert problem.where == where and word in problem.message


def test_unknown_keys_are_kept_out_with_a_hint(tmp_path):
    notes = []
    said = read_manifest(folder_with(tmp_path, manifest__json='{\n"verson": "2.0",\n"x_new": 1}'), notes)
    assert said.version == "0.0.0"
    assert [(one.level, one.where) for one in notes] == [("hint", "manifest.json:2"), ("hint", "manifest.json:3")]
    assert "'version'" in notes[0].remedy


def test_access_and_plan_may_not_disagree(tmp_path):
    problem = refused(folder_with(tmp_path, manifest__json='{"access": "public", "plan": "pro"}'))
    assert "write one of the two" in problem.message


SAYS = {"displayName": "Ice", "version": "2.1.0", "description": "Cold", "icon": "snowflake"}
SOURCES = {
    "manifest__json": json.dumps({"display_name": "Ice", **{k: v for k, v in SAYS.items() if k != "displayName"}}),
    "register__json": json.dumps(SAYS),
    "logic__py": "PLUGIN_CONFIG = " + repr({"display_name": "Ice", **{k: v for k, v in SAYS.items() if k != "displayName"}}),
    "page__py": "PLUGIN_CONFIG: dict = " + repr(SAYS),
    "register__js": "// {name: 'no'}\nimport { a } from './a';\nexport default {\n  name: 'crm',\n"
    "  displayName: \"Ice\", version: `2.1.0`,\n  component: () => import('./index.jsx', { name: 'inner' }),\n"
    "  description: 'Cold', icon: 'snow' + x,\n  icon: 'snowflake' };",
}


@pytest.mark.parametrize("file", SOURCES)
def test_f076_every_source_gives_the_same_listing(tmp_path, file):
    said = read_manifest(folder_with(tmp_path, **{file: SOURCES[file]}))
    assert (said.title, said.version, said.description, said.icon) == ("Ice", "2.1.0", "Cold", "snowflake")


def test_f076_nothing_is_executed(tmp_path):
    proof = tmp_path / "ran"
    code = f"open({str(proof)!r}, 'w').close()\nPLUGIN_CONFIG = {{'version': '1.0'}}\n"
    assert read_manifest(folder_with(tmp_path, logic__py=code)).version == "1.0"
    assert not proof.exists()


def test_f076_a_config_that_is_computed_is_refused_with_its_line(tmp_path):
    problem = refused(folder_with(tmp_path, logic__py="x = 1\nPLUGIN_CONFIG = {'version': str(x)}\n"))
    assert problem.where == "logic.py:2" and "literal" in problem.message
    problem = refused(folder_with(tmp_path, "two", logic__py="PLUGIN_CONFIG = {\n 'icon': 'x',\n 'version': 'new'}\n"))
    assert problem.where == "logic.py:3"


@pytest.mark.parametrize(
    "text", ["", "{", "{a:", "'open", "x = {name: }", "{" * 5000, "/* open", "{name: `${a}`}", "{name: 1 + 2}"]
)
def test_f076_scripts_that_say_nothing(text):
    assert metadata_in(text) == ({}, {})


def test_f079_names():
    assert all(is_name(one) for one in ("a", "my-plugin", "my_plugin", "9lives", "a" * 40))
    assert not any(is_name(one) for one in ("", "../x", "A", "a b", "-a", "_a", "a--b", "a/b", "a.b", "ä", "a" * 41, "a\n"))


def test_f102_ranges():
    said = Manifest.model_validate({"name": "a", "requires": {"shell": ">=99"}})
    assert said.incompatible() == f"needs Mozaiks Shell >=99, and this is {compat.SHELL_VERSION}"
    assert Manifest.model_validate({"name": "a", "requires": {"sdk": "~=1.0"}}).incompatible() == ""
    assert "SDK" in Manifest.model_validate({"name": "a", "requires": {"sdk": ">=2"}}).incompatible()


def test_requirements_are_looked_up_and_never_installed():
    wanted = ["pydantic>=2", "no-such-package-of-ours>=1", "pydantic>=999", 'gone; python_version < "3"']
    assert compat.missing(wanted) == ["no-such-package-of-ours>=1", "pydantic>=999"]
    assert compat.pip_line(compat.missing(wanted)) == 'pip install "no-such-package-of-ours>=1" "pydantic>=999"'


def test_the_published_schema_is_one_and_fits():
    schema = plugin_schemas()["manifest.schema.json"]
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema)
    assert list(judge.iter_errors(FULL)) == []
    assert judge.is_valid({}) and judge.is_valid({"settings": {"loud": {"type": "toggle"}}})
    assert not judge.is_valid({"permissions": ["root"]}) and not judge.is_valid({"limits": {"memory_mb": "much"}})
    assert set(schema["properties"]) == set(Manifest.model_fields)


def test_code_outside_plugins_needs_no_permission():
    demand(Permission.RAW_SQL)


def test_a_plugin_without_the_permission_is_told_the_line(write, load):
    for name, said in (("may", ["http", "jobs"]), ("may-not", ["jobs"])):
        write(
            name, {"logic.py": "def execute(data): return data['call']()\n", "manifest.json": json.dumps({"permissions": said})}
        )
    loaded = load()
    asking = {"call": lambda: demand(Permission.HTTP)}
    loaded["may"].entry.call(asking)
    with pytest.raises(Forbidden) as refused_:
        loaded["may-not"].entry.call(asking)
    assert refused_.value.code == "PERMISSION_MISSING"
    assert refused_.value.details["manifest_line"] == '"permissions": ["http", "jobs"]'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(Manifest.model_fields)), JSON, max_size=4))
def test_any_manifest_is_read_or_refused(tmp_path, fields):
    """Whatever stands in the file: a manifest, or a problem an operator can read. Never another exception."""
    try:
        read_manifest(folder_with(tmp_path, manifest__json=json.dumps(fields)))
    except PluginProblem as problem:
        assert problem.cause is Cause.MANIFEST and problem.message and problem.file == "manifest.json"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}[]()'\"`,:/*\\ \nnamev1.$-", max_size=60))
def test_any_script_is_read(text):
    fields, lines = metadata_in("export default { name: 'a', " + text)
    assert set(lines) == set(fields)


def test_a_config_nested_too_deep_is_refused(tmp_path):
    deep = "PLUGIN_CONFIG = " + "[" * 5000 + "]" * 5000 + "\n"
    with contextlib.suppress(PluginProblem):
        read_manifest(folder_with(tmp_path, logic__py=deep))
