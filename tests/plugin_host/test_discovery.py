"""Which folders and packages are plugins, and which may run: roots, names, links, duplicates, versions, dependencies."""

import json
import os
import sys

import pytest

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import blocklist as blocking
from mozaiks_shell.plugin_host.dependencies import in_order
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.errors import Cause
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.plugin_host.reports import plugin_reports

GOOD = {"logic.py": "def execute(data): return {'ok': True}\n"}


def manifest(**fields):
    return {**GOOD, "manifest.json": json.dumps(fields)}


def found(settings=None):
    return {one.name: one for one in discover(settings or get_settings())}


def plugin_in(root, name, files=GOOD):
    for path, text in files.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / path).write_text(text)
    return root / name


@pytest.fixture
def configs(tmp_path, monkeypatch, plugins_path):
    folder = tmp_path / "configs"
    folder.mkdir()
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
    get_settings.cache_clear()
    return folder


@pytest.mark.parametrize("variable", ["MOZAIKS_PLUGINS_PATH", "MOZAIKS_FRONTEND_PLUGINS_PATH", "MOZAIKS_PLUGIN_DIR"])
def test_f064_several_roots_under_every_name(tmp_path, monkeypatch, settings, variable):
    plugin_in(tmp_path / "one", "first")
    plugin_in(tmp_path / "two", "second")
    monkeypatch.setenv(variable, os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "none")]))
    get_settings.cache_clear()
    assert {name: one.root for name, one in found().items()} == {"first": tmp_path / "one", "second": tmp_path / "two"}


def test_f064_the_founders_backend_folder_is_read_besides(tmp_path, monkeypatch, plugins_path, settings):
    monkeypatch.setattr("mozaiks_shell.foundation.settings.HOME", tmp_path)
    plugin_in(plugins_path, "first")
    plugin_in(tmp_path / "backend" / "plugins", "my-plugin")
    assert set(found(settings)) == {"first", "my-plugin"}


def test_f102_a_second_folder_of_one_name_is_refused_with_both_paths(tmp_path, monkeypatch, settings, load):
    one, two = plugin_in(tmp_path / "one", "crm"), plugin_in(tmp_path / "two", "crm")
    monkeypatch.setenv("MOZAIKS_PLUGINS_PATH", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    get_settings.cache_clear()
    load()
    first, second = plugin_reports()
    assert (first.name, first.state, first.folder) == ("crm", "loaded", str(one))
    assert (second.title, second.state, second.cause, second.folder) == ("Crm", "quarantined", "duplicate", str(two))
    assert str(one) in second.message and str(two) in second.message
    assert not (second.can_enable or second.can_disable or second.can_retry)


def test_f079_what_is_passed_over_and_what_is_refused(write, settings):
    for name in ("_template", ".hidden", "auth", "payments", "thing.egg-info"):
        write(name, GOOD)
    for name in ("shell", "config", "Upper", "with space", "ünder", "x" * 41):
        write(name, GOOD)
    seen = found()
    assert set(seen) == {"shell", "config", "Upper", "with space", "ünder", "x" * 41}
    assert {(one.state, one.problem.cause) for one in seen.values()} == {(PluginState.QUARANTINED, Cause.NAME)}
    assert "shell itself" in seen["shell"].problem.message


def test_links_that_leave_the_folder_are_refused(tmp_path, write, plugins_path, load):
    outside = plugin_in(tmp_path / "elsewhere", "linked")
    (plugins_path / "linked").symlink_to(outside)
    (plugins_path / "circle").symlink_to(plugins_path / "circle")
    write("inside", GOOD)
    (plugins_path / "alias").symlink_to(plugins_path / "inside")
    write("reaching", {})
    (plugins_path / "reaching" / "logic.py").symlink_to(outside / "logic.py")
    loaded = load()
    assert loaded["linked"].problem.cause is Cause.NAME and "leads out" in loaded["linked"].problem.message
    assert "MOZAIKS_PLUGINS_PATH" in loaded["linked"].problem.remedy
    assert loaded["reaching"].problem.where == "logic.py" and "leads out" in loaded["reaching"].problem.message
    assert loaded["inside"].live and loaded["alias"].live and "circle" not in loaded


@pytest.fixture
def package(tmp_path, monkeypatch):
    """``package("acme_crm", "crm", files)``: an installed distribution with an entry point."""

    def make(module, name, files, dist="acme", inner=""):
        site = tmp_path / "site-packages"
        place = site / module / inner
        place.mkdir(parents=True)
        for path, text in files.items():
            (place / path).write_text(text)
        info = site / f"{dist}-1.4.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.4\n")
        target = f"{module}.{inner}" if inner else module
        (info / "entry_points.txt").write_text(f"[mozaiks_shell.plugins]\n{name} = {target}\n")
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(str(site))
        return place

    return make


def test_packaged_plugins_through_entry_points(package, plugins_path, load, tmp_path):
    proof = tmp_path / "imported"
    files = manifest(name="crm", version="1.4", display_name="Customers")
    place = package("acme_crm", "crm", {**files, "__init__.py": ""})
    (place.parent / "acme_other").mkdir()
    (place.parent / "acme_other" / "__init__.py").write_text(f"open({str(proof)!r}, 'w').close()\n")
    package("acme_other/plugins", "tool", GOOD, dist="other")
    (place.parent / "other-1.4.dist-info" / "entry_points.txt").write_text("[mozaiks_shell.plugins]\ntool = acme_other.plugins\n")
    loaded = load()
    assert (loaded["crm"].state, loaded["crm"].package, loaded["crm"].root) == (PluginState.LOADED, "acme 1.4", None)
    assert loaded["tool"].live and loaded["tool"].folder == place.parent / "acme_other" / "plugins"
    assert not proof.exists(), "the package around the plugin's directory was imported"
    report = next(one for one in plugin_reports() if one.name == "crm")
    assert (report.title, report.package) == ("Customers", "acme 1.4")


def test_a_folder_wins_over_a_package_of_its_name(package, write, plugins_path, load):
    place = package("acme_crm", "crm", GOOD)
    folder = write("crm", GOOD)
    loaded = load()
    assert loaded["crm"].folder == folder
    refused = next(one for one in loaded.values() if one.package)
    assert refused.problem.cause is Cause.DUPLICATE and str(place) in refused.problem.message


def test_an_entry_point_to_nothing_hurts_nobody(package, write, plugins_path, load):
    place = package("acme_crm", "crm", GOOD)
    (place.parent / "acme-1.4.dist-info" / "entry_points.txt").write_text("[mozaiks_shell.plugins]\ncrm = not_there.at.all\n")
    write("good", GOOD)
    assert set(load()) == {"good"}


def test_f102_ranges_of_shell_and_sdk(write, load):
    write("late", manifest(requires={"shell": ">=99"}))
    write("early", manifest(requires={"sdk": "<1"}))
    write("future", manifest(contract_version=2.0))
    write("fits", manifest(requires={"shell": ">=0.1", "sdk": ">=1,<2"}, contract_version=1))
    loaded = load()
    assert {name: one.state.value for name, one in loaded.items()} == {
        "future": "incompatible",
        "late": "incompatible",
        "early": "incompatible",
        "fits": "loaded",
    }
    report = next(one for one in plugin_reports() if one.name == "late")
    assert ">=99" in report.message and report.remedy and not report.recoverable and not report.can_retry


def test_a_missing_requirement_names_the_exact_line(write, load):
    wanted = ["pydantic>=2", "mozaiks-no-such-package>=1.2", "pydantic>=999"]
    write(
        "needy",
        {"logic.py": "raise RuntimeError('imported')\n", "manifest.json": json.dumps({"dependencies": {"python": wanted}})},
    )
    needy = load()["needy"]
    line = 'pip install "mozaiks-no-such-package>=1.2" "pydantic>=999"'
    assert (needy.state, needy.problem.cause, needy.problem.pip) == (PluginState.QUARANTINED, Cause.REQUIREMENT, line)
    assert line in needy.problem.remedy


def test_an_undeclared_requirement_is_guessed(write, load):
    write("needy", {"logic.py": "import mozaiks_no_such_package.inner\n"})
    assert load()["needy"].problem.pip == 'pip install "mozaiks_no_such_package"'


def test_blocked_versions(write, configs, load, monkeypatch, tmp_path):
    packaged = tmp_path / "packaged.json"
    packaged.write_text('{"plugins": [{"name": "worm", "reason": "It reads sessions."}]}')
    monkeypatch.setattr(blocking, "PACKAGED", packaged)
    (configs / "plugin_blocklist.json").write_text(
        '{"plugins": [{"name": "crm", "versions": "<1.4.2", "reason": "Loses rows.", "remedy": "Take 1.4.2."}, {"name": ".."}]}'
    )
    write("crm", manifest(version="1.4.1"))
    write("worm", manifest(version="9"))
    write("fine", manifest(version="1.0"))
    loaded = load()
    assert {name: one.state.value for name, one in loaded.items()} == {"crm": "blocked", "worm": "blocked", "fine": "loaded"}
    report = next(one for one in plugin_reports() if one.name == "crm")
    assert "Loses rows." in report.message and report.remedy == "Take 1.4.2." and not report.recoverable
    write("crm", manifest(version="1.4.2"))
    assert found()["crm"].state is PluginState.DISCOVERED


@pytest.mark.parametrize("text", ["[", "[]", '{"plugins": 1}', ""])
def test_a_broken_block_list_blocks_nothing(configs, write, text):
    (configs / "plugin_blocklist.json").write_text(text)
    write("crm", GOOD)
    assert found()["crm"].state is PluginState.DISCOVERED


def needs(**plugins):
    return manifest(version="1.0", dependencies={"plugins": plugins})


def test_plugins_are_loaded_after_those_they_need(write, load):
    write("a-report", needs(zeta=">=1", middle=""))
    write("middle", needs(zeta=""))
    write("zeta", manifest(version="1.0"))
    write("other", GOOD)
    assert [one.name for one in in_order(discover(get_settings()))] == ["zeta", "middle", "a-report", "other"]
    assert all(one.live for one in load().values())


def test_what_is_missing_broken_or_off_takes_its_dependants_along(write, load):
    write("lonely", needs(nobody=""))
    write("choosy", needs(base=">=2"))
    write("base", manifest(version="1.0"))
    write("broken", {"logic.py": "1 / 0\n"})
    write("leaning", needs(broken=""))
    write("second", needs(leaning=""))
    write("off", manifest(enabled=False))
    write("on-off", needs(off=""))
    loaded = load()
    told = {name: one.problem.message for name, one in loaded.items() if one.problem and one.problem.cause is Cause.DEPENDENCY}
    assert told == {
        "lonely": "needs the plugin nobody, which is not there",
        "choosy": "needs the plugin base >=2, and there is 1.0",
        "leaning": "needs the plugin broken, which is quarantined",
        "second": "needs the plugin leaning, which is quarantined",
        "on-off": "needs the plugin off, which is disabled",
    }
    assert loaded["base"].live


def test_a_circle_of_plugins_is_refused_and_named(write, load):
    write("a", needs(b=""))
    write("b", needs(c=""))
    write("c", needs(a=""))
    write("d", needs(a=""))
    write("e", needs(e=""))
    write("fine", GOOD)
    loaded = load()
    assert {name for name, one in loaded.items() if one.problem and "circle" in one.problem.message} == {"a", "b", "c", "e"}
    assert "a → b → c → a" in loaded["b"].problem.message
    assert loaded["d"].problem.cause is Cause.DEPENDENCY and loaded["fine"].live


def test_safe_mode_starts_without_plugins(write, load, monkeypatch):
    write("good", manifest(display_name="Good"))
    write("broken", {"logic.py": "raise SystemExit\n"})
    monkeypatch.setenv("MOZAIKS_SAFE_MODE", "true")
    get_settings.cache_clear()
    loaded = load()
    assert {(one.state, one.switch) for one in loaded.values()} == {(PluginState.DISABLED, "safe_mode")}
    assert loaded["good"].manifest.title == "Good" and not [one for one in sys.modules if one.startswith("mozaiks_plugins.")]
    assert not any(one.can_enable for one in plugin_reports())
