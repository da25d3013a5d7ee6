"""The kit for plugin authors (F-328): each tool does what its docstring says, on a plugin made of text."""

import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.pytest_plugin import plugin_folder
from mozaiks_shell.sdk import testing
from mozaiks_shell.sdk.testing import Clock, FakeBilling, FakeRuntime, InstalledPlugin
from tests.live import ROOT

MANIFEST = '{"name": "kiosk", "version": "1.0.0", "permissions": ["payments", "workflows"]}'
LOGIC = """
from mozaiks_shell import sdk
from mozaiks_shell.sdk import db

async def execute(data):
    match data.get("action"):
        case "buy":
            return {"go_to": await sdk.payments.checkout("pro")}
        case "cancel":
            return dict(await sdk.payments.cancel() or {})
        case "summary":
            return await sdk.workflow_client.execute("Summary", {"text": data["text"]})
        case "sell":
            made = await db.sales.create(item=data["item"], at=sdk.now().isoformat())
            await sdk.events.publish("sold", item=data["item"])
            return dict(made)
    return {"sales": await db.sales.list()}
"""
PAGE = """
from pydantic import BaseModel, Field
from mozaiks_shell import sdk
from mozaiks_shell.sdk import db, rx, ui

@sdk.settings.form
class Shop(BaseModel):
    currency: str = Field("EUR", title="Currency")

class Till(sdk.State):
    items: list[str] = []
    shown: str = ""
    _secret: str = ""

    @sdk.event
    async def load(self):
        self.items = [one.item for one in await db.sales.list()]

    @sdk.event
    async def sell(self, item: str):
        if not item:
            raise sdk.errors.Invalid("Sell something.")
        await db.sales.create(item=item)
        yield sdk.notify(f"Sold {item}.", "success")
        yield Till.load
        yield rx.redirect("/plugins/kiosk?sold=1")

    @sdk.event(background=True)
    async def slow(self):
        async with self:
            self.shown = "slowly"

    @sdk.event
    def where(self):
        self.shown = self.router.url.path

    @sdk.event(access=sdk.Access.plan("pro"))
    def gold(self):
        self.shown = "gold"

    @sdk.event(access=sdk.Access.role("boss"))
    def boss(self):
        self.shown = "boss"

    @rx.var
    def many(self) -> bool:
        return len(self.items) > 1

@sdk.page(on_load=Till.load)
def kiosk():
    return ui.page_header("The kiosk", "Open all night.")

@sdk.search.provider()
async def find(text):
    return [sdk.search.Result(one.item, "/plugins/kiosk") for one in await db.sales.list() if text in one.item]

@sdk.dashboard.section("Sold today")
def sold():
    return rx.el.p("Nothing sold today.")
"""


@pytest.fixture
async def kiosk(plugin) -> AsyncIterator[InstalledPlugin]:
    async with plugin("kiosk", {"manifest.json": MANIFEST, "logic.py": LOGIC, "page.py": PAGE}) as one:
        yield one


async def test_f328_people_have_accounts_and_clients(kiosk):
    ada = await kiosk.user("ada")
    made = await ada.web.post("/api/execute/kiosk", json={"action": "sell", "item": "Milk"})
    assert made.status_code == 200 and made.json()["item"] == "Milk"
    eve = await kiosk.user("eve", "editor")
    assert (await eve.web.post("/api/execute/kiosk", json={})).json() == {"sales": []}
    assert (eve.id, eve.email, eve.principal.roles) == ("usr_eve", "eve@example.com", {"editor"})
    again = await kiosk.user("ada")
    assert [one["item"] for one in (await again.web.post("/api/execute/kiosk", json={})).json()["sales"]] == ["Milk"]
    assert (await again.web.post("/api/execute/kiosk", json={}, auth=None)).status_code == 401


async def test_f328_plans_switch(kiosk):
    await kiosk.user("ada")
    till = kiosk.tab("page.Till")
    with pytest.raises(sdk.errors.PlanNeeded):
        await till.gold()
    await kiosk.plan("pro")
    await till.gold()
    assert till.shown == "gold"
    with pytest.raises(LookupError):
        await kiosk.plan("platinum")


async def test_f328_a_tab_runs_handlers_through_the_gate(kiosk):
    with pytest.raises(sdk.errors.NotSignedIn):
        await kiosk.tab("page.Till").load()
    await kiosk.user("ada")
    till = kiosk.tab("page.Till", "/plugins/kiosk", "sold=0")
    assert till.vars == {"items": [], "shown": "", "many": False}
    await till.sell("Milk")
    await till.send("sell", "Tea")
    assert till.items == ["Tea", "Milk"] and till.many
    assert till.notices == ["Sold Milk.", "Sold Tea."] and till.went_to == "/plugins/kiosk?sold=1"
    with pytest.raises(sdk.errors.Invalid, match="Sell something"):
        await till.sell("")
    with pytest.raises(sdk.errors.Invalid):
        await till.sell("a\x00b")
    with pytest.raises(sdk.errors.RoleNeeded):
        await till.boss()
    with pytest.raises(AttributeError, match="load"):
        await till.send("nothing")
    await till.slow()
    assert till.shown == "slowly"
    till.visit("/plugins/kiosk/7")
    await till.where()
    assert till.shown == "/plugins/kiosk/7"
    await kiosk.user("eve")
    fresh = kiosk.tab("page.Till")
    await fresh.load()
    assert fresh.items == []


async def test_f328_the_clock_stands_and_moves(kiosk):
    kiosk.as_user("ada")
    with Clock() as clock:
        assert clock.freeze("2026-11-30T23:30") == sdk.now() == datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
        assert (await kiosk.execute(action="sell", item="Milk"))["at"] == "2026-11-30T23:30:00+00:00"
        clock.advance(hours=1)
        assert (await kiosk.execute(action="sell", item="Tea"))["created_at"].startswith("2026-12-01T00:30")
        assert clock.freeze() == datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
    assert abs(datetime.now(UTC) - sdk.now()).total_seconds() < 3600


async def test_f328_billing_without_money(kiosk):
    await kiosk.user("ada")
    with FakeBilling() as billing:
        answer = await kiosk.execute(action="buy")
        assert [one.plan for one in billing.checkouts] == ["pro"] and answer["go_to"] == billing.checkouts[0].address
        await billing.complete()
        till = kiosk.tab("page.Till")
        await till.gold()
        await kiosk.execute(action="cancel")
        assert billing.cancelled == ["usr_ada"]
        billing.down = sdk.errors.Upstream("The till is closed.")
        with pytest.raises(sdk.errors.Upstream):
            await kiosk.execute(action="buy")
    assert (await kiosk.execute())["sales"] == []


async def test_f328_a_runtime_on_the_wire(kiosk):
    await kiosk.user("ada")
    async with FakeRuntime() as runtime:
        runtime.answers["Summary"] = lambda data: {"summary": data["text"].upper()}
        assert await kiosk.execute(action="summary", text="milk") == {"summary": "MILK"}
        (call,) = runtime.calls
        assert (call.method, call.path, call.body["data"]) == ("POST", "/api/workflows/execute", {"text": "milk"})
        assert call.token
        runtime.answers["Summary"] = 404
        with pytest.raises(sdk.errors.NotFound):
            await kiosk.execute(action="summary", text="milk")
    with pytest.raises(sdk.errors.Unavailable):
        await kiosk.execute(action="summary", text="milk")


async def test_f328_settings_events_pages_sections_and_search(kiosk):
    await kiosk.user("ada")
    assert (await kiosk.settings())["currency"] == "EUR"
    assert (await kiosk.settings(currency="USD"))["currency"] == "USD"
    with pytest.raises(sdk.errors.Invalid):
        await kiosk.settings(nothing=1)
    await kiosk.execute(action="sell", item="Milk")
    (sold,) = kiosk.events.named("kiosk:sold")
    assert (sold.data, sold.user_id) == ({"item": "Milk"}, "usr_ada") and "plugin.executed" in kiosk.events.names
    assert "Open all night." in kiosk.render()
    assert "Nothing sold today." in kiosk.sections()["kiosk.sold_today"]
    with pytest.raises(LookupError):
        kiosk.render("/plugins/kiosk/nowhere")
    assert [one.title for one in await kiosk.search("Mil")] == ["Milk"]
    await kiosk.user("eve")
    assert await kiosk.search("Mil") == [] and (await kiosk.settings())["currency"] == "EUR"


async def test_f328_nothing_is_left_behind(plugin):
    async with plugin("kiosk", {"manifest.json": MANIFEST, "logic.py": LOGIC, "page.py": PAGE}) as one:
        await one.user("ada")
    with pytest.raises(sdk.errors.NotSignedIn):
        sdk.current_user()
    async with plugin("kiosk", {"manifest.json": MANIFEST, "logic.py": LOGIC, "page.py": PAGE}) as one:
        one.as_user("ada")
        assert await one.execute() == {"sales": []} and len(one.pages()) == 1


FIXTURES = """
async def test_all(app, user, tab, plan, clock, billing, runtime, settings, events):
    ada = await user("ada")
    await plan("pro")
    clock.freeze("2026-11-30")
    await settings(currency="USD")
    page = tab("page.Till")
    await page.sell("Milk")
    await app.execute(action="sell", item="Tea")
    assert [event.data["item"] for event in events.named("kiosk:sold")] == ["Tea"]
    assert billing.checkouts == [] and runtime.calls == []
    assert (await ada.web.post("/api/execute/kiosk", json={})).status_code == 200
"""


def test_f328_fixtures_find_the_plugin_a_test_belongs_to(tmp_path: Path):
    folder = tmp_path / "kiosk"
    for name, text in {"manifest.json": MANIFEST, "logic.py": LOGIC, "page.py": PAGE, "tests/test_it.py": FIXTURES}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert plugin_folder(folder / "tests" / "test_it.py") == folder
    with pytest.raises(LookupError):
        plugin_folder(tmp_path / "elsewhere" / "tests" / "test_it.py")
    given = ["-q", "-p", "no:cacheprovider", "-p", "mozaiks_shell.sdk.testing", "-c", "pyproject.toml", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *given], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_f328_the_kit_is_documented():
    for name in testing.__all__:
        assert getattr(testing, name).__doc__, name
