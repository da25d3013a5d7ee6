"""The SDK's names are frozen and each is explained (F-300)."""

import inspect

import pytest

import mozaiks_core_runtime
from mozaiks_shell import sdk
from mozaiks_shell.sdk import auth, database, errors, events, payments

NAMES = [
    "Access", "CurrentUser", "Field", "Model", "Record", "SharedModel", "State", "auth", "col", "current_user", "db", "errors",
    "event", "events", "new_id", "notify", "now", "page", "payments", "rx", "select", "ui",
]  # fmt: skip


def test_names_are_frozen():
    assert sorted(sdk.__all__) == NAMES
    assert all(hasattr(sdk, name) for name in NAMES)
    assert mozaiks_core_runtime.__all__ == ["auth", "current_user", "db", "errors", "events", "payments"]
    assert all(getattr(mozaiks_core_runtime, name) is getattr(sdk, name) for name in mozaiks_core_runtime.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_documented(name):
    assert f"``{name}``" in sdk.__doc__
    assert inspect.getdoc(getattr(sdk, name)) or name in {"Field", "col", "select"}  # SQLModel's own


@pytest.mark.parametrize("module", [auth, errors, events, payments])
def test_so_is_what_is_in_them(module):
    assert module.__doc__
    for name in module.__all__:
        assert inspect.getdoc(getattr(module, name)), name


def test_examples_where_an_author_looks():
    assert len(inspect.getdoc(database.Collection.create)) > 40
    for one in (sdk.page, sdk.current_user, auth.require_user, events.publish, events.subscribe, payments.checkout):
        assert "Example:" in inspect.getdoc(one), one
