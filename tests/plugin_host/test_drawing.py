"""A process goes by what the probe saw and draws no page to try it; what then fails in the build harms that plugin only."""

import gc

import pytest
from reflex_base.environment import environment

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.reflex_build import builds_pages
from mozaiks_shell.plugin_host import loader, registry
from mozaiks_shell.plugin_host.errors import Cause
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.ui.page import page_at

PAGE = """from pathlib import Path
from mozaiks_shell import sdk

HERE = Path({folder!r})

@sdk.page()
def front():
    with (HERE / "drawn").open("a") as file:
        file.write("x")
    if (HERE / "gone").exists():
        raise LookupError("it is gone")
    {more}
    return sdk.ui.page_header("Hello")
"""


@pytest.fixture
def process(load, monkeypatch):
    """``process(builds=...)`` loads everything as one process of a server does, after an earlier one has ended."""
    monkeypatch.setenv("MOZAIKS_PLUGIN_SCAN", "off")
    monkeypatch.setattr("mozaiks_shell.plugin_host.probe_cache._our_code", lambda: "")
    get_settings.cache_clear()

    def run(*, builds):
        for plugin in registry.all_plugins():
            loader.unload(plugin.name)
        return {plugin.name: plugin for plugin in loader.load_all(get_settings(), builds=builds)}

    yield run
    gc.unfreeze()


@pytest.fixture
def drawn(tmp_path):
    """How often the page was drawn, wherever."""
    return lambda: len((tmp_path / "drawn").read_text())


def test_no_process_tries_what_the_probe_could_draw(process, drawn, write, tmp_path):
    write("paged", {"page.py": PAGE.format(folder=str(tmp_path), more="")})
    for builds in (True, False, True):
        plugin = process(builds=builds)["paged"]
        assert plugin.live and plugin.pages == ("/plugins/paged",) and drawn() == 1, "in the probe"


def test_a_changed_page_is_drawn_before_it_is_served(process, drawn, write, tmp_path):
    write("paged", {"page.py": PAGE.format(folder=str(tmp_path), more="")})
    process(builds=False)
    write("paged", {"page.py": PAGE.format(folder=str(tmp_path), more="1 / 0")})
    found = process(builds=False)["paged"]
    assert (found.state, found.problem.cause, found.problem.where) == (PluginState.QUARANTINED, Cause.PAGE, "page.py:12")


def test_a_page_that_makes_a_state_is_drawn_in_every_process(process, drawn, write, tmp_path):
    more = "class Late(sdk.State):\n        n: int = 0"
    write("paged", {"page.py": PAGE.format(folder=str(tmp_path), more=more)})
    for times, builds in ((2, True), (3, False)):
        assert process(builds=builds)["paged"].live and drawn() == times, "the State's name counts from the first drawing on"


def test_what_cannot_be_drawn_where_it_is_built_is_drawn_everywhere(process, drawn, write, tmp_path):
    write("paged", {"page.py": PAGE.format(folder=str(tmp_path), more="")})
    plugin = process(builds=True)["paged"]
    (tmp_path / "gone").touch()
    assert plugin.live
    built = page_at("/plugins/paged").render()  # as the compiler does
    assert "could not show it" in str(built.render())
    for found in (plugin, process(builds=False)["paged"], process(builds=True)["paged"]):
        assert (found.state, found.problem.cause) == (PluginState.QUARANTINED, Cause.PAGE)
        assert found.problem.where == "page.py:11" and "it is gone" in found.problem.message
    (tmp_path / "gone").unlink()
    assert process(builds=False)["paged"].live


def test_without_a_probe_every_process_draws(process, drawn, write, tmp_path, monkeypatch):
    monkeypatch.setenv("MOZAIKS_PLUGIN_PROBE", "false")
    get_settings.cache_clear()
    write("paged", {"page.py": PAGE.format(folder=str(tmp_path), more="")})
    assert process(builds=False)["paged"].live and drawn() == 1


def test_the_garbage_collector_works_again_afterwards(process, write):
    write("bad", {"logic.py": "raise SystemExit\n"})
    assert process(builds=True)["bad"].problem is not None and gc.isenabled()
    gc.disable()
    try:
        process(builds=True)
        assert not gc.isenabled(), "who turned it off may turn it on"
    finally:
        gc.enable()


def test_only_workers_of_a_production_server_build_nothing(monkeypatch):
    assert builds_pages()
    monkeypatch.setenv(environment.REFLEX_SKIP_COMPILE.name, "true")
    assert not builds_pages()
