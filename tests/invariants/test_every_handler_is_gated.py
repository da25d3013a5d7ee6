"""Any socket may call any State handler by name, so every handler says who may, and the gate holds (D2).

The second half proves it on the running product: a socket without a session calls every handler there is.
"""

import re

import pytest

from tests.invariants.product import assembled
from tests.tab import Tab

# What Reflex brings on its own States; the gate refuses `setvar` and lets the rest of its plumbing through.
REFLEX_OWN = ("reflex.", "reflex_base.")
PLAUSIBLE = {"value": True, "enabled": True, "data": {}, "form_data": {}, "form": {}, "count": 1, "index": 0, "amount": 1}


def ours() -> list[dict]:
    """Handlers of our States, without Reflex's generic ``setvar`` that each State inherits."""
    return [
        one
        for one in assembled()["handlers"]
        if not one["owner"].startswith(REFLEX_OWN) and not one["name"].endswith((".setvar", ".shell_state.setvar"))
    ]


def test_every_handler_declares_its_access():
    assert [one["name"] for one in ours() if one["access"] is None] == []


def test_only_reflexs_own_plumbing_passes_without_a_declaration():
    passing = {one["name"].rpartition(".")[2] for one in assembled()["handlers"] if one["framework"]}
    assert passing <= {
        "hydrate",
        "hydrate_and_load",
        "set_is_hydrated",
        "on_load_internal",
        "update_vars_internal",
    }
    assert all(one["owner"].startswith(REFLEX_OWN) for one in assembled()["handlers"] if one["framework"])


def test_setvar_reaches_nothing():
    """It calls any ``set_*`` method by name, past that method's own declaration: it is refused on every State."""
    setters = [one for one in assembled()["handlers"] if one["name"].endswith(".setvar")]
    assert setters
    assert [one["name"] for one in setters if one["access"] is not None or one["framework"]] == []


def payload_for(one: dict) -> dict:
    return {name: PLAUSIBLE.get(name, "1") for name in one["arguments"]}


def refused(log: str, name: str) -> bool:
    """Whether the server wrote that it refused this handler."""
    return any("event refused" in line and name in line for line in re.sub(r"\x1b\[[0-9;]*m", "", log).splitlines())


@pytest.fixture
def log_since(live):
    start = live.log.stat().st_size

    def read() -> str:
        with live.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    return read


async def test_without_a_session_no_guarded_handler_runs(live, log_since):
    guarded = [one for one in ours() if one["access"] != ["public"]]
    async with Tab(live.base) as tab:
        for one in guarded:
            for frame in await tab.call(one["name"], payload_for(one)):
                assert "@" not in frame.replace("@media", ""), f"{one['name']} sent an address: {frame[:300]}"
    log = log_since()
    assert [one["name"] for one in guarded if not refused(log, one["name"])] == []


async def test_text_that_cannot_be_stored_reaches_no_handler(live, log_since):
    public = next(one for one in ours() if one["access"] == ["public"])
    async with Tab(live.base) as tab:
        await tab.call(public["name"], {"value": "half a character: \ud800"})
    assert refused(log_since(), public["name"])


async def test_nobody_sets_a_var_from_outside(live):
    """``setvar`` is inherited by every State; it must do nothing, signed in or not."""
    async with Tab(live.base) as tab:
        for one in assembled()["handlers"]:
            if one["name"].endswith(".setvar"):
                for name in ("is_admin", "signed_in", "ready", "is_hydrated", "name"):
                    frames = await tab.call(one["name"], {"var_name": name, "value": "forged-by-a-test"})
                    assert not any("forged-by-a-test" in frame for frame in frames), (one["name"], name, frames)


ODD: tuple[object, ...] = (None, 7, True, {"a": 1}, ["ses_x", 1], "x" * 5000)


async def test_whatever_a_signed_in_person_sends_no_handler_breaks(live, people, log_since):
    """Arguments missing, unknown and of every type: refused or answered, and no traceback in the log."""
    prober = people.sign_up("prober", "Pro Ber")
    async with Tab(live.base, prober.cookie) as tab:
        for one in ours():
            if one["access"][0] in {"public", "signed_in"} and not one["name"].endswith("sign_out"):
                await tab.call(one["name"], {"no_such_argument": 1})
                for value in ODD if one["arguments"] else ():
                    await tab.call(one["name"], dict.fromkeys(one["arguments"], value))
    log = log_since()
    assert "Traceback" not in log, log[log.index("Traceback") - 1500 :][:4000]
    assert "plugin fault" not in log
