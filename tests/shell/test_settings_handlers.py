"""Anybody who is signed in can call every handler of the settings pages, with anything: nothing breaks, nothing is kept."""

import pytest

from tests.tab import Tab

ROOM = "reflex___state____state.mozaiks_shell___ui___state____shell_state.mozaiks_shell___shell"
CALLS = {
    f"{ROOM}___settings_security____security.end": "session_id",
    f"{ROOM}___settings_security____security.change": "form",
    f"{ROOM}___settings_security____security.ask": "which",
    f"{ROOM}___settings_region____region.choose": "theme",
    f"{ROOM}___settings_region____region.save": "form",
    f"{ROOM}___settings_profile____profile.save": "form",
    f"{ROOM}___settings_account____account.ask": "open_it",
    f"{ROOM}___settings_account____account.delete": "form",
    f"{ROOM}___settings_state____settings_pages.save": "form",
    f"{ROOM}___app_settings_state____app_defaults.save": "form",
}


@pytest.mark.parametrize("argument", [None, 7, {"a": 1}, ["ses_x"], "x" * 100_000])
async def test_handlers_take_no_odd_arguments(live, people, argument):
    """Every handler can be called by anybody who is signed in, with anything."""
    eve = people.eve
    before = live.log.stat().st_size
    async with Tab(live.base, eve.cookie) as tab:
        for name, argument_name in CALLS.items():
            await tab.call(name, {argument_name: argument}, "/settings")
    with eve.client() as client:
        assert client.get("/api/user-profile").status_code == 200
    assert b"Traceback" not in live.log.read_bytes()[before:]


async def test_only_administrators_set_what_counts_for_everybody(live, people):
    async with Tab(live.base, people.eve.cookie) as tab:
        await tab.call(f"{ROOM}___app_settings_state____app_defaults.save", {"form": {"/timezone": "Asia/Tokyo"}}, "/settings")
    with people.root.client() as client:
        assert client.get("/api/admin/app-settings").json()["settings"].get("timezone") != "Asia/Tokyo"
