"""The palette's server side: what it lists for whom, searches with a time box, commands checked again, shortcuts."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.chat.models import Chat
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Access, Principal, set_principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.discovery import discover
from mozaiks_shell.plugin_host.loader import load, quarantine
from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.shell import commands as offered
from mozaiks_shell.shell import shortcuts
from mozaiks_shell.shell.commands import Command, Provider, Result, answers, command_for, commands, own_path, permitted, providers
from mozaiks_shell.shell.pages import security  # noqa: F401 - declares its page
from mozaiks_shell.shell.palette_state import Palette, items_for
from mozaiks_shell.ui import page as declared


@pytest.fixture(autouse=True)
def nothing_offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start from no command and no provider at all."""
    monkeypatch.setattr(offered, "_commands", {})
    monkeypatch.setattr(offered, "_providers", {})
    yield
    set_principal(None)


def offer(key: str, run: Any = "/", access: Access | None = None, **more: Any) -> None:
    offered.add_command(Command(key, key.title(), run, "zap", access or Access.signed_in(), **more))


def search_with(key: str, find: Any, access: Access | None = None) -> None:
    offered.add_provider(Provider(key, key.title(), find, access or Access.signed_in()))


async def found(person: Principal, query: str = "x") -> dict[str, list[str]]:
    """Titles by provider."""
    return {provider.key: [one.title for one in results] async for provider, results in answers(person, query)}


# -- what is listed --------------------------------------------------------------------------------------------------------


async def test_everybody_sees_what_they_may_do(database: Any, ada: Principal, root: Principal) -> None:
    offer("anyone")
    offer("admins", access=Access.role("admin"))
    offer("payers", access=Access.plan("pro"))
    seen = {who.user_id: [one.key for one in await permitted(who, commands())] for who in (ada, root)}
    assert seen == {"usr_ada": ["anyone"], "usr_root": ["admins", "anyone"]}
    assert await permitted(None, commands()) == []


async def test_workflows_chats_commands_and_languages_are_listed(database: Any, ada: Principal) -> None:
    set_principal(ada)
    async with db.session() as session:
        session.add(Chat(id="cht_1", runtime_chat_id="cht_1", workflow="Assistant", title="Relaunch", status="completed"))
    offer("do", shortcut="D  O", keywords="deed")
    lines = await items_for(ada)
    kinds = {one["kind"] for one in lines}
    assert {"workflow", "chat", "command", "page"} <= kinds
    assert "/settings/security" in [one["path"] for one in lines if one["kind"] == "page"]
    assert [(one["id"], one["path"]) for one in lines if one["kind"] == "chat"] == [("cht_1", "/chat?chat_id=cht_1")]
    assert [(one["id"], one["shortcut"]) for one in lines if one["kind"] == "command"] == [("do", "d o")]


async def test_a_workflow_of_a_higher_plan_is_listed_locked(
    database: Any, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mozaiks_shell.chat.service import Launchable
    from mozaiks_shell.shell import palette_state

    async def launchable(_: Principal) -> list[Launchable]:
        return [Launchable("Deep", "Deep dive", "", "zap", False, "Pro"), Launchable("Off", "Off", "", "zap", False, "")]

    monkeypatch.setattr(palette_state.chats, "launchable", launchable)
    set_principal(ada)
    assert [(one["id"], one["needed"]) for one in await items_for(ada) if one["kind"] == "workflow"] == [("Deep", "Pro")]


# -- searching -------------------------------------------------------------------------------------------------------------


async def test_a_slow_or_failing_search_spoils_nobody_elses(
    database: Any, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offered, "SEARCH_SECONDS", 0.2)
    never = asyncio.Event()

    async def quick(query: str, _: Principal) -> list[Result]:
        return [Result(f"Quick {query}", "/quick")]

    async def slow(*_: Any) -> list[Result]:
        await never.wait()
        return [Result("Too late", "/late")]

    async def broken(*_: Any) -> list[Result]:
        raise ValueError("no")

    async def leaving(*_: Any) -> list[Result]:
        raise SystemExit(3)

    for name, find in {"quick": quick, "slow": slow, "broken": broken, "leaving": leaving}.items():
        search_with(name, find)
    assert await found(ada, "bird") == {"quick": ["Quick bird"], "broken": [], "leaving": []}


async def test_a_search_that_ignores_its_end_is_left_behind(
    database: Any, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offered, "SEARCH_SECONDS", 0.1)
    release, calls = asyncio.Event(), 0

    async def stubborn(*_: Any) -> list[Result]:
        nonlocal calls
        calls += 1
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return []

    search_with("stubborn", stubborn)
    monkeypatch.setattr(offered, "_AT_ONCE", 2)
    for _ in range(4):
        assert await found(ada) == {}
    assert calls == 2, "what piles up is not asked any more"
    release.set()
    await asyncio.sleep(0.01)


async def test_who_stops_listening_cancels_what_is_under_way(database: Any, ada: Principal) -> None:
    cancelled = asyncio.Event()

    async def long(*_: Any) -> list[Result]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return []

    search_with("long", long)
    asked = asyncio.create_task(found(ada))
    await asyncio.sleep(0.05)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await asyncio.wait_for(cancelled.wait(), 60)


@pytest.mark.parametrize(
    "path",
    ["", "tasks", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/api/auth/logout",
     "/auth/sign-out", "/a\nb", None, 7],
)  # fmt: skip
async def test_results_lead_to_pages_of_this_app_only(database: Any, ada: Principal, path: Any) -> None:
    assert not own_path(path)

    async def find(*_: Any) -> list[Any]:
        return [{"title": "Bad", "path": path}, {"title": "Good", "path": "/good", "text": 7, "icon": None}]

    search_with("mixed", find)
    assert await found(ada) == {"mixed": ["Good"]}


async def test_what_an_address_may_not_hold_is_escaped(database: Any, ada: Principal) -> None:
    async def find(query: str, _: Principal) -> list[Result]:
        return [Result("Found", f"/plugins/demo?q={query}#there")]

    search_with("loose", find)
    [results] = [results async for _, results in answers(ada, '<a href="x"> ö %20')]
    assert results[0].path == "/plugins/demo?q=%3Ca%20href=%22x%22%3E%20%C3%B6%20%20#there"
    assert own_path(results[0].path)


@pytest.mark.parametrize("answer", [None, "text", 7, [None], [{}], [["a", "/b"]], {"title": "x", "path": "/x"}])
async def test_an_answer_of_another_shape_is_no_answer(database: Any, ada: Principal, answer: Any) -> None:
    async def find(*_: Any) -> Any:
        return answer

    search_with("odd", find)
    assert await found(ada) == {"odd": []}


async def test_results_are_few_and_short_and_of_one_line(database: Any, ada: Principal) -> None:
    async def find(*_: Any) -> list[Result]:
        return [Result("a\nb\u202e\x00" + "x" * 500, f"/p{number}", "t" * 900) for number in range(50)]

    search_with("many", find)
    [results] = [results async for _, results in answers(ada, "x")]
    assert len(results) == offered.MOST_RESULTS
    assert results[0].title.startswith("a bx")
    assert (len(results[0].title), len(results[0].text)) == (160, 240)


async def test_only_permitted_searches_are_asked(database: Any, ada: Principal, root: Principal) -> None:
    async def find(*_: Any) -> list[Result]:
        return [Result("Secret", "/secret")]

    search_with("staff", find, Access.role("admin"))
    assert await found(ada) == {}
    assert await found(root) == {"staff": ["Secret"]}


# -- running ---------------------------------------------------------------------------------------------------------------


async def ran(key: Any) -> list[Any]:
    state = Palette(_reflex_internal_init=True)
    return [one async for one in Palette.event_handlers["run"].fn(state, key)]


async def test_a_command_is_checked_again_when_it_is_run(database: Any, ada: Principal, root: Principal) -> None:
    marker = object()
    offer("purge", run=marker, access=Access.role("admin"))
    set_principal(ada)
    assert await command_for(ada, "purge") is None
    assert marker not in await ran("purge")
    set_principal(root)
    assert await ran("purge") == [marker]


@pytest.mark.parametrize("key", ["", "unknown", None, 7, {"key": "x"}, "walk"])
async def test_an_unknown_key_runs_nothing(database: Any, ada: Principal, key: Any) -> None:
    offer("walk", run="/walk")
    set_principal(ada)
    [told] = await ran(key)
    assert "not available" in str(told)


@pytest.mark.parametrize("run", ["//evil.example", "https://evil.example", "javascript:alert(1)", "", "tasks"])
def test_a_command_leads_to_a_page_of_this_app_only(run: str) -> None:
    with pytest.raises(ValueError, match="no path of this app"):
        offer("bad", run=run)


async def test_a_theme_is_one_of_three_and_kept_for_the_person(database: Any, ada: Principal) -> None:
    from mozaiks_shell.identity import service as identity

    set_principal(ada)
    state = Palette(_reflex_internal_init=True)
    for mode in ("dark", "red; background: url(x)", None, ["light"], {}):
        await Palette.event_handlers["theme"].fn(state, mode)
    assert (await identity.preferences(ada))["theme"] == "dark"


async def test_nobody_resumes_somebody_elses_chat(database: Any, ada: Principal) -> None:
    set_principal(Principal("usr_eve", "dev-app"))
    async with db.session() as session:
        session.add(Chat(id="cht_eve", runtime_chat_id="cht_eve", workflow="Assistant", title="Private", status="completed"))
    set_principal(ada)
    state = Palette(_reflex_internal_init=True)
    for chat_id in ("cht_eve", "cht_unknown", None):
        [told] = [one async for one in Palette.event_handlers["resume"].fn(state, chat_id)]
        assert "not there any more" in str(told)
        assert "Private" not in str(told)


# -- what plugins offer ----------------------------------------------------------------------------------------------------

PAGE = """
from mozaiks_shell import sdk

class Deeds(sdk.State):
    done: int = 0

    @sdk.event
    def go(self):
        self.done += 1

sdk.commands.register("Do it", run=Deeds.go, icon="check", keywords="deed", shortcut="d i")
sdk.commands.register("See it", run="/plugins/deeds")

@sdk.search.provider("Deeds")
async def find(query, person):
    return [sdk.search.Result(query + " by " + person.name, "/plugins/deeds?q=" + query)]

@sdk.page()
def front():
    return sdk.ui.page_header("Deeds")
"""


@pytest.fixture
def deeds(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Plugin]]:
    """Install the plugin; ``deeds(access="plan:pro")`` says who may use it."""
    from mozaiks_shell.foundation.settings import get_settings
    from mozaiks_shell.plugin_host.loader import unload

    folder = tmp_path / "plugins" / "deeds"
    folder.mkdir(parents=True)
    monkeypatch.setenv("MOZAIKS_PLUGINS_PATH", str(folder.parent))
    get_settings.cache_clear()

    def install(source: str = PAGE, access: str = "signed_in") -> Plugin:
        (folder / "manifest.json").write_text(f'{{"name": "deeds", "version": "1.0.0", "access": "{access}"}}', "utf-8")
        (folder / "page.py").write_text(source, "utf-8")
        return load(next(one for one in discover(get_settings()) if one.name == "deeds"))

    yield install
    unload("deeds")


async def test_a_plugins_commands_and_searches_are_offered_and_run(database: Any, ada: Principal, deeds: Any) -> None:
    assert deeds().live
    set_principal(ada)
    assert [one.key for one in commands()] == ["deeds:Do it", "deeds:See it"]
    assert await found(ada, "wash") == {"deeds:Deeds": ["wash by Ada Lovelace"]}
    [spec] = await ran("deeds:Do it")
    assert "deeds" in str(spec.fn.__qualname__ if hasattr(spec, "fn") else spec).lower()


async def test_a_quarantine_withdraws_them_and_a_retry_brings_them_back(database: Any, ada: Principal, deeds: Any) -> None:
    plugin = deeds()
    set_principal(ada)
    plugin.state = registry.PluginState.QUARANTINED
    assert (commands(), providers()) == ([], [])
    assert await command_for(ada, "deeds:Do it") is None
    assert await found(ada) == {}
    plugin.state = registry.PluginState.LOADED
    assert len(commands()) == 2
    quarantine(plugin, registry.PluginProblem(registry_cause(), "broken", "page.py"))
    assert (commands(), providers()) == ([], [])


def registry_cause() -> Any:
    from mozaiks_shell.plugin_host.errors import Cause

    return Cause.IMPORT


async def test_a_plugin_that_breaks_while_it_is_imported_offers_nothing(database: Any, deeds: Any) -> None:
    assert not deeds(PAGE + "\nraise RuntimeError('on purpose')\n").live
    assert (commands(), providers()) == ([], [])


async def test_a_plugins_own_demand_counts(database: Any, ada: Principal, deeds: Any) -> None:
    deeds(access="plan:pro")
    assert await permitted(ada, commands()) == []
    assert await permitted(ada, providers()) == []
    assert await command_for(ada, "deeds:Do it") is None


def test_the_sdk_says_where_it_may_be_used() -> None:
    with pytest.raises(RuntimeError, match=r"page\.py"):
        sdk.commands.register("Stray", run="/")
    with pytest.raises(RuntimeError, match=r"page\.py"):
        sdk.search.provider("Stray")


def test_a_search_that_is_no_coroutine_is_named(deeds: Any) -> None:
    plugin = deeds('from mozaiks_shell import sdk\n@sdk.search.provider("X")\ndef find(query):\n    return []\n')
    assert plugin.problem is not None
    assert "async function" in plugin.problem.message
    with pytest.raises(ShellError):
        registry.live("deeds")


# -- shortcuts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [("g t", "g t"), (" G  T ", "g t"), ("mod+E", "mod+e"), ("?", "?"), ("g t x", "g t x"), ("g t x y", ""), ("ctrl+e", ""),
     ("gt", ""), ("", ""), ("é", "")],
)  # fmt: skip
def test_shortcuts_have_one_spelling(written: str, meant: str) -> None:
    assert shortcuts.normal(written) == meant


@pytest.fixture
def pages(no_pages: None) -> Callable[..., None]:
    def add(route: str, shortcut: str) -> None:
        declared.page(route, title=route.strip("/").title() or "Home", access=Access.signed_in(), shortcut=shortcut)(lambda: None)  # type: ignore[arg-type,return-value]

    return add


def test_two_that_want_the_same_keys_are_both_named(pages: Any) -> None:
    pages("/tasks", "g t")
    pages("/teams", "g t")
    [problem] = shortcuts.problems()
    assert "Tasks (/tasks, shell)" in problem
    assert "Teams (/teams, shell)" in problem


def test_a_shortcut_that_hides_another_is_named(pages: Any) -> None:
    pages("/goals", "g")
    pages("/tasks", "g t")
    assert "hides the longer" in shortcuts.problems()[0]


def test_the_shells_own_keys_are_taken(pages: Any) -> None:
    offer("thief", shortcut="mod+k")
    offer("odd", shortcut="ctrl+alt+x")
    told = shortcuts.problems()
    assert any("the command palette" in one and "Thief" in one for one in told)
    assert any("Odd" in one and "no shortcut" in one for one in told)


def test_core_pages_have_theirs(pages: Any) -> None:
    for route in ("/", "/settings", "/plans", "/admin"):
        pages(route, "")
    assert [shortcuts.of_page(one) for one in declared.pages()] == ["g a", "g h", "g p", "g s"]
    assert shortcuts.problems() == []
