"""What a good plugin gets: a namespace, a page, a nav entry, an API, and nothing when it is gone."""

import shutil

from reflex_base.registry import RegistrationContext

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.plugin_host import loader, service
from mozaiks_shell.plugin_host.registry import PluginState
from mozaiks_shell.shell.event_gate import declared_access
from mozaiks_shell.shell.navigation import menu_for
from mozaiks_shell.ui.page import page_at

PAGE = """
from mozaiks_shell import sdk

class Hello(sdk.State):
    n: int = 0

    @sdk.event
    def add(self):
        self.n += 1

    @sdk.event(access=sdk.Access.role("admin"))
    def reset_all(self):
        self.n = 0

@sdk.page()
def hello():
    return sdk.ui.button("Add ", Hello.n, on_click=Hello.add)
"""


def helper(text: str) -> dict[str, str]:
    return {"utils.py": f"WORD = {text!r}\n", "logic.py": "from .utils import WORD\ndef execute(data): return {'word': WORD}\n"}


async def test_equal_module_names_do_not_meet(write, database, load, as_person):
    from tests.conftest import ADA

    as_person(ADA)
    write("one", helper("eins"))
    write("two", {**helper("zwei"), "__init__.py": "from .utils import WORD\n"})
    load()
    assert await service.execute("one", {}, ADA) == {"word": "eins"}
    assert await service.execute("two", {}, ADA) == {"word": "zwei"}


def test_page_nav_and_gate(write, load):
    write("hello-you", {"page.py": PAGE, "manifest.json": '{"display_name": "Hello", "icon": "hand", "version": "1.2.0"}'})
    plugin = load()["hello-you"]
    assert plugin.live, plugin.problem
    page = page_at("/plugins/hello-you")
    assert (page.title, page.icon, page.access, page.owner) == ("Hello", "hand", Access.signed_in(), "hello-you")
    handlers = [name for name in RegistrationContext.get().event_handlers if "hello_you" in name and not name.endswith(".setvar")]
    assert {declared_access(name) for name in handlers} == {Access.signed_in(), Access.role("admin")}


async def test_adding_and_removing_a_folder(write, plugins_path, database, load, as_person):
    from tests.conftest import ADA

    as_person(ADA)

    async def places() -> tuple[list[str], list[str]]:
        nav = (await menu_for(ADA)).groups
        return [entry["path"] for group in nav for entry in group["entries"]], [one.name for one in await service.plugins(ADA)]

    write("first", {"page.py": PAGE})
    load()
    write("second", {"page.py": PAGE, "logic.py": "def execute(data): return {'second': True}\n"})
    loader.load(next(one for one in loader.discover(database) if one.name == "second"))
    paths, names = await places()
    assert {"/plugins/first", "/plugins/second"} <= set(paths)
    assert names == ["first", "second"]
    assert await service.execute("second", {}, ADA) == {"second": True}
    shutil.rmtree(plugins_path / "second")
    loader.unload("second")
    paths, names = await places()
    assert "/plugins/second" not in paths and names == ["first"]


def test_order_and_ids_are_stable(write, load):
    for name in ("zeta", "alpha", "mid"):
        write(name, {"page.py": PAGE})
    load()
    states = [name for name in RegistrationContext.get().base_states if "mozaiks_plugins" in name]
    assert [name.rpartition(".")[2] for name in states] == [
        f"mozaiks_plugins___{name}___page____hello" for name in ("alpha", "mid", "zeta")
    ]


def test_metadata_from_three_places(write, load):
    write("from-json", {"manifest.json": '{"display_name": "Ice", "version": "2.1.0", "description": "Cold"}'})
    write("from-config", {"logic.py": "PLUGIN_CONFIG = {'display_name': 'Ice', 'version': '2.1.0', 'description': 'Cold'}\n"})
    write("from-name", {})
    loaded = load()
    facts = {name: (one.manifest.title, one.manifest.version, one.manifest.description) for name, one in loaded.items()}
    assert facts["from-json"] == facts["from-config"] == ("Ice", "2.1.0", "Cold")
    assert facts["from-name"] == ("From name", "0.0.0", "")


def test_operator_switches_a_plugin_off(write, tmp_path, monkeypatch, plugins_path):
    from mozaiks_shell.foundation.settings import get_settings
    from mozaiks_shell.plugin_host.discovery import discover

    write("on", {})
    write("off", {})
    write("off-by-itself", {"manifest.json": '{"enabled": false}'})
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "plugin_registry.json").write_text(
        '{"plugins": [{"name": "off", "enabled": false}, {"name": "on", "enabled": true}]}'
    )
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(configs))
    get_settings.cache_clear()
    assert {one.name: one.state for one in discover(get_settings())} == {
        "on": PluginState.DISCOVERED,
        "off": PluginState.DISABLED,
        "off-by-itself": PluginState.DISABLED,
    }
    (configs / "plugin_registry.json").write_text("[")
    assert all(one.state is not PluginState.QUARANTINED for one in discover(get_settings()))
    get_settings.cache_clear()


def test_the_manifest_says_how_the_plugin_stands_in_the_menu(write, load):
    nav = '{"display_name": "Hello", "nav": {"title": "Hi", "icon": "hand", "order": 7, "group": "Sales"}}'
    more = "from mozaiks_shell import sdk\n@sdk.page('/more', title='More')\ndef more(): return sdk.ui.row()\n"
    write("hello", {"page.py": PAGE, "pages/more.py": more, "manifest.json": nav})
    write("secret", {"page.py": PAGE, "manifest.json": '{"nav": {"hidden": true}}'})
    load()
    front, second = page_at("/plugins/hello"), page_at("/plugins/hello/more")
    assert (front.title, front.icon, front.order, front.group, front.in_nav) == ("Hi", "hand", 7, "Sales", True)
    assert (second.title, second.order, second.group) == ("More", 100, "Sales")
    assert page_at("/plugins/secret").in_nav is False


def test_pages_cannot_leave_the_plugins_own_path(write, load):
    for name, route in (("up", "../admin"), ("dots", "a/../../settings"), ("back", "..\\\\admin")):
        code = f"from mozaiks_shell import sdk\n@sdk.page({route!r})\ndef front(): return sdk.ui.row()\n"
        write(name, {"page.py": code})
    loaded = load()
    assert {one.problem.where for one in loaded.values()} == {"page.py:2"}, {n: p.problem for n, p in loaded.items()}
    assert all("leads elsewhere" in one.problem.message for one in loaded.values())
