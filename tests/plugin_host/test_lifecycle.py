"""The hooks of a plugin fire in order and once (F-097)."""

import json

import pytest

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import choices, lifecycle, registry, startup
from mozaiks_shell.plugin_host.errors import Cause
from mozaiks_shell.plugin_host.registry import PluginState

HOOKS = ("on_load", "on_init", "on_enable", "on_disable", "on_unload", "on_shutdown")
PLAIN = "from pathlib import Path\nLOG = Path({log!r})\ndef told(word):\n    with LOG.open('a') as file: file.write(word + ' ')\n"
FORMS = {
    "functions": "".join(f"def {one}(): told('{one}')\n" for one in HOOKS) + "def execute(data): return {}\n",
    "async": "".join(f"async def {one}(context): told('{one}')\n" for one in HOOKS) + "async def execute(data): return {}\n",
    "class": "class My:\n    def __init__(self, config): pass\n    def on_request(self, data): return {}\n"
    + "".join(f"    async def {one}(self, context): told('{one}')\n" for one in HOOKS),
}


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def told(log):
    return lambda: log.read_text().split() if log.exists() else []


@pytest.mark.parametrize("form", FORMS)
async def test_f097_in_order_and_once(form, write, database, load, log, told):
    write("crm", {"logic.py": PLAIN.format(log=str(log)) + FORMS[form]})
    load()
    assert told() == [], "a hook ran while the plugin was imported or probed"
    stop = await startup.start_plugins(get_settings())
    assert told() == ["on_load", "on_init", "on_enable"]
    await choices.set_enabled("crm", False, "boss")
    await choices.set_enabled("crm", False, "boss")
    assert told()[3:] == ["on_disable"]
    await choices.set_enabled("crm", True, "boss")
    await choices.set_enabled("crm", True, "boss")
    assert told()[4:] == ["on_enable"]
    await stop()
    assert told()[5:] == ["on_disable", "on_shutdown", "on_unload"]


async def test_f097_hooks_of_a_plugin_that_is_only_a_package(write, database, load, log, told):
    write(
        "pages", {"__init__.py": PLAIN.format(log=str(log)) + "def on_load(): told('on_load')\ndef on_shutdown(): told('bye')\n"}
    )
    load()
    stop = await startup.start_plugins(get_settings())
    await stop()
    assert told() == ["on_load", "bye"]


FAILING = {
    "raises": "def on_enable(): 1 / 0\n",
    "exits": "import sys\ndef on_enable(): sys.exit(1)\n",
    "exits later": "import sys\nasync def on_enable(): sys.exit(1)\n",
    "hangs": "import asyncio\nasync def on_enable(): await asyncio.Event().wait()\n",
    "blocks": "import threading\ndef on_enable(): threading.Event().wait()\n",
}


@pytest.mark.parametrize("how", FAILING)
async def test_f097_a_hook_that_fails_at_the_start(how, write, database, load, log, told, monkeypatch):
    monkeypatch.setenv("MOZAIKS_PLUGIN_TIMEOUT_SECONDS", "0.3")
    get_settings.cache_clear()
    code = PLAIN.format(log=str(log)) + "def on_load(): told('on_load')\n" + FAILING[how] + "def execute(data): return {}\n"
    write("crm", {"logic.py": code})
    write("other", {"logic.py": "def execute(data): return {}\n"})
    loaded = load()
    stop = await startup.start_plugins(get_settings())
    assert (loaded["crm"].state, loaded["crm"].problem.cause) == (PluginState.QUARANTINED, Cause.INIT)
    assert "on_enable" in loaded["crm"].problem.message and loaded["other"].live
    loaded["crm"].hooks["on_enable"] = lambda: None
    assert (await lifecycle.retry("crm")).live
    assert told() == ["on_load"], "on_load ran again for a retry"
    await stop()


async def test_f097_the_end_is_bounded(write, database, load, log, told):
    slow = "import asyncio\nasync def on_shutdown(): await asyncio.Event().wait()\n"
    write("slow", {"__init__.py": slow})
    write("quick", {"__init__.py": PLAIN.format(log=str(log)) + "def on_shutdown(): told('bye')\n"})
    write("bad", {"__init__.py": "def on_shutdown(): raise SystemExit\n"})
    load()
    await startup.start_plugins(get_settings())
    await lifecycle.stop_all(0.3)
    assert told() == ["bye"]


async def test_f097_what_was_never_loaded_has_no_hooks(write, database, load, log, told):
    write("off", {"__init__.py": PLAIN.format(log=str(log)) + "told('imported')\n", "manifest.json": '{"enabled": false}'})
    load()
    stop = await startup.start_plugins(get_settings())
    await stop()
    assert told() == [] and registry.find("off").state is PluginState.DISABLED


async def test_f097_what_others_need_starts_first(write, database, load, log, told):
    for name, needs in (("a", ["z"]), ("m", []), ("z", [])):
        code = PLAIN.format(log=str(log)) + f"def on_load(): told({name!r})\n"
        write(name, {"__init__.py": code, "manifest.json": json.dumps({"dependencies": {"plugins": needs}})})
    load()
    stop = await startup.start_plugins(get_settings())
    assert told() == ["z", "a", "m"]
    await stop()
