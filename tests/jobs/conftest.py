"""A clock that moves when told, and people who are there without an account."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from mozaiks_shell.foundation import clock, jobs
from mozaiks_shell.foundation.access import Principal

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], datetime]:
    """``move(60)`` lets a minute pass."""
    moment = [START]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def on(seconds: float) -> datetime:
        moment[0] += timedelta(seconds=seconds)
        return moment[0]

    return on


@pytest.fixture(autouse=True)
def no_jobs_stay() -> Iterator[None]:
    """What a test defines is forgotten afterwards."""
    before = dict(jobs._known)
    jobs._known.clear()
    yield
    jobs._known.clear()
    jobs._known.update(before)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> dict[str, Principal]:
    """The people of the app by id; take one out and they are gone."""
    there = {f"usr_{name}": Principal(f"usr_{name}", "dev-app", name.title()) for name in ("ada", "eve")}

    async def resolve(app_id: str, user_id: str) -> Principal | None:
        return there.get(user_id)

    async def everybody(app_id: str) -> list[str]:
        return sorted(there)

    monkeypatch.setattr(jobs._People, "resolve", staticmethod(resolve))
    monkeypatch.setattr(jobs._People, "everybody", staticmethod(everybody))
    return there
