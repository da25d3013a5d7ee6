"""A background handler writes for the person who started it, or not at all."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.ui.state import _for_its_person


class Tab:
    """Stands where Reflex's state proxy stands: entered to write, owned by a session."""

    def __init__(self, owner: str) -> None:
        self._owner, self.written, self.open = owner, [], False

    async def __aenter__(self) -> "Tab":
        self.open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open = False


@asynccontextmanager
async def signed_in(session: str):
    set_principal(Principal("usr", "dev-app", session_id=session))
    try:
        yield
    finally:
        set_principal(None)


async def test_it_writes_while_the_tab_is_its_persons():
    async def work(self, text: str) -> None:
        async with self:
            self.written.append(text)

    tab = Tab("ses_bob")
    async with signed_in("ses_bob"):
        await _for_its_person(work)(tab, "mine")
    assert (tab.written, tab.open) == (["mine"], False)


async def test_after_the_next_person_sat_down_it_ends_without_writing():
    async def work(self) -> None:
        async with self:
            self.written.append("before")
        self.__wrapped__._owner = "ses_carol"
        async with self:
            self.written.append("after")

    tab = Tab("ses_bob")
    async with signed_in("ses_bob"):
        with pytest.raises(asyncio.CancelledError):
            await _for_its_person(work)(tab)
    assert (tab.written, tab.open) == (["before"], False)


async def test_a_stream_of_events_is_bound_too():
    async def work(self):
        yield "first"
        async with self:
            self.written.append("never")

    tab, got = Tab("ses_carol"), []
    async with signed_in("ses_bob"):
        with pytest.raises(asyncio.CancelledError):
            async for one in _for_its_person(work)(tab):
                got.append(one)
    assert (got, tab.written) == (["first"], [])
