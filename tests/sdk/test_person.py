"""The person and their plan in one line (F-299); counting what people do (F-239, F-297)."""

from datetime import timedelta

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import TooMany
from mozaiks_shell.insights import service as insights
from mozaiks_shell.insights import tracking

PAGE = """
from mozaiks_shell import sdk

class Mine(sdk.State):
    line: str = ""

    @sdk.event
    async def load(self):
        self.line = f"{self.user.name} ({self.user.id}, {self.user.app_id}) is on {(await self.plan).name}"

@sdk.page(on_load=Mine.load)
def mine():
    return sdk.rx.el.p(sdk.t("{name} is on {plan}", name=sdk.me.name, plan=sdk.me.plan), Mine.line)
"""


async def test_f299_a_page_reads_user_and_plan_in_one_line(plugin):
    async with plugin("mine", {"page.py": PAGE}) as mine:
        mine.as_user("ada")
        state = mine.state(mine.module("page").Mine)
        await mine.send(state, "load")
        assert state.line == "Ada (usr_ada, dev-app) is on free"
        mine.as_user("")
        with pytest.raises(sdk.errors.NotSignedIn):
            await mine.send(state, "load")


def test_f299_a_state_may_have_vars_of_these_names():
    class Named(sdk.State):
        user: str = "somebody"
        plan: str = "a plan"

        @sdk.event
        def set_both(self):
            self.user = self.plan = "new"

    one = Named(_reflex_internal_init=True)
    assert (one.user, one.plan) == ("somebody", "a plan")
    Named.event_handlers["set_both"].fn(one)
    assert (one.user, one.plan) == ("new", "new")


def test_f299_user_and_plan_are_no_handlers():
    assert {"user", "plan"}.isdisjoint(sdk.State.event_handlers) and {"user", "plan"}.isdisjoint(sdk.State.vars)


async def test_f299_in_services_too(plugin):
    source = "from mozaiks_shell.sdk import auth\ndef execute(data): return {'plan': auth.current_plan().name}\n"
    async with plugin("plain", {"logic.py": source}) as plain:
        plain.as_user("ada")
        assert await plain.execute() == {"plan": "free"}


TRACK = """
from mozaiks_shell.sdk import insights
async def execute(data):
    await insights.track(data["event"], **data["with"])
    return {}
"""


async def test_f239_a_plugin_counts_and_nothing_personal_is_kept(plugin):
    async with plugin("counter", {"logic.py": TRACK}) as counter:
        counter.as_user("ada")
        facts = {"format": "pdf", "pages": 3, "email": "a@b.c", "userName": "ada", "inner": {"IP-Address": "1.2.3.4", "ok": [1]}}
        await counter.execute(event="report_exported", **{"with": facts})
        await counter.execute(event="opened", **{"with": {}})
        newest, oldest = await insights.tracked("dev-app", plugin="counter")
        assert (newest.name, newest.user_id) == ("opened", "usr_ada")
        assert (oldest.name, oldest.properties) == ("report_exported", {"format": "pdf", "pages": 3, "inner": {"ok": [1]}})
        assert [one.name for one in await insights.tracked("dev-app", name="opened")] == ["opened"]
        assert await insights.tracked("dev-app", since=now() + timedelta(minutes=1)) == []
        assert await insights.tracked("other-app") == []


@pytest.mark.parametrize(
    ("event", "facts"), [("Report exported", {}), ("", {}), ("x", {"a": float("nan")}), ("x", {"a": "y" * 5000})]
)
async def test_f239_what_cannot_be_counted_is_refused(plugin, event, facts):
    async with plugin("counter", {"logic.py": TRACK}) as counter:
        counter.as_user("ada")
        with pytest.raises(sdk.errors.Invalid):
            await counter.execute(event=event, **{"with": facts})


async def test_f239_a_loop_that_counts_is_stopped(plugin, monkeypatch):
    monkeypatch.setattr(tracking, "PER_MINUTE", 3)
    async with plugin("looper", {"logic.py": TRACK}) as looper:
        looper.as_user("ada")
        for _ in range(3):
            await looper.execute(event="x", **{"with": {}})
        with pytest.raises(TooMany):
            await looper.execute(event="x", **{"with": {}})


COMPONENTS = """
from mozaiks_shell import sdk
from mozaiks_shell.sdk import components, rx, ui

@sdk.register_component("TeamPage")
def team():
    return rx.el.p("The team")

@components.tool("crew.rating")
def rating(tool):
    return ui.button("Good", on_click=components.answer(tool, "accept"), disabled=~tool["open"].to(bool))
"""


async def test_f185_a_plugin_draws_for_operators_and_agents_and_takes_it_along(plugin):
    from mozaiks_shell.chat.components.registry import renderers
    from mozaiks_shell.plugin_host import loader
    from mozaiks_shell.ui.components import component_named

    async with plugin("crew", {"page.py": COMPONENTS, "manifest.json": '{"name": "crew", "access": "role:editor"}'}):
        assert "crew.rating" in renderers()
        named = component_named("TeamPage")
        assert (named.owner, named.access) == ("crew", sdk.Access.role("editor"))
        loader.unload("crew")
        assert "crew.rating" not in renderers() and component_named("TeamPage") is None
