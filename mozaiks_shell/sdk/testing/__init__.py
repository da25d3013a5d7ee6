"""Test a plugin alone: a temporary database, the real loader, the real migrations, the real gates (F-328).

With the package installed, pytest has the fixtures of :mod:`mozaiks_shell.pytest_plugin` by itself; in a checkout write
``pytest_plugins = ["mozaiks_shell.sdk.testing"]`` into the topmost ``conftest.py``. A test beside ``tests/`` of a plugin:

    async def test_add(app, user):
        await user("ada")
        answer = await app.execute(action="create", title="Milk")
        assert answer["task"]["title"] == "Milk"

pytest-asyncio runs them: ``asyncio_mode = "auto"``. Without the fixtures, :func:`plugin_fixture` and :func:`installed` do
the same by hand. What a test may hold in its hands:

:class:`InstalledPlugin` (the fixture ``app``), :class:`Person` (``user``), :class:`Tab` (``tab``), :class:`Clock` (``clock``),
:class:`FakeBilling` (``billing``), :class:`FakeRuntime` (``runtime``), :class:`Recorder` (``events``); and ``plan`` and
``settings``, which change the current person's.
"""

from mozaiks_shell.pytest_plugin import app, billing, clock, events, plan, runtime, settings, tab, user
from mozaiks_shell.sdk.testing.browser_tab import Tab
from mozaiks_shell.sdk.testing.fake_billing import FakeBilling
from mozaiks_shell.sdk.testing.fake_runtime import Call, FakeRuntime
from mozaiks_shell.sdk.testing.installed import InstalledPlugin, Recorder, installed, plugin_fixture
from mozaiks_shell.sdk.testing.moved_clock import Clock
from mozaiks_shell.sdk.testing.person import Person

__all__ = [
    "Call", "Clock", "FakeBilling", "FakeRuntime", "InstalledPlugin", "Person", "Recorder", "Tab", "app", "billing", "clock",
    "events", "installed", "plan", "plugin_fixture", "runtime", "settings", "tab", "user",
]  # fmt: skip
