"""The SDK's names are frozen and each is explained (F-300)."""

import importlib
import inspect
from importlib.resources import files

import pytest

import mozaiks_core_runtime
from mozaiks_shell import sdk
from mozaiks_shell.sdk import database

NAMES = [
    "Access",
    "CurrentUser",
    "Field",
    "Model",
    "Record",
    "SharedModel",
    "State",
    "auth",
    "chat",
    "col",
    "commands",
    "components",
    "current_user",
    "dashboard",
    "db",
    "entitlements",
    "errors",
    "event",
    "events",
    "files",
    "get_collection",
    "get_db",
    "http",
    "i18n",
    "insights",
    "jobs",
    "kv",
    "me",
    "msg",
    "new_id",
    "notifications",
    "notify",
    "now",
    "page",
    "payments",
    "plugins",
    "register_component",
    "rx",
    "search",
    "select",
    "settings",
    "slash",
    "t",
    "tr",
    "ui",
    "workflow_client",
]
MODULES = [
    "auth",
    "chat",
    "commands",
    "components",
    "dashboard",
    "errors",
    "events",
    "files",
    "http",
    "i18n",
    "insights",
    "jobs",
    "kv",
    "me",
    "notifications",
    "payments",
    "plugins",
    "providers",
    "search",
    "settings",
    "slash",
    "workflow_client",
]
FOUNDERS = ["auth", "current_user", "db", "errors", "events", "jobs", "notifications", "payments", "plugins", "workflow_client"]


def test_f300_names_are_frozen():
    assert sorted(sdk.__all__) == NAMES
    assert all(hasattr(sdk, name) for name in NAMES)


def test_f291_the_founders_name_is_the_same_sdk():
    assert mozaiks_core_runtime.__all__ == FOUNDERS
    assert all(getattr(mozaiks_core_runtime, name) is getattr(sdk, name) for name in FOUNDERS)
    assert importlib.import_module("mozaiks_core_runtime.plugins").mozaiks_pay is sdk.plugins.mozaiks_pay


@pytest.mark.parametrize("package", ["mozaiks_shell.sdk", "mozaiks_core_runtime"])
def test_f300_types_are_published(package):
    assert files(package).joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_each_is_documented(name):
    assert f"``{name}``" in sdk.__doc__
    assert inspect.getdoc(getattr(sdk, name)) or name in {"Field", "col", "select"}  # SQLModel's own


@pytest.mark.parametrize("name", MODULES)
def test_so_is_what_is_in_them(name):
    module = importlib.import_module(f"mozaiks_shell.sdk.{name}")
    assert module.__doc__
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert inspect.getdoc(getattr(module, name)), name


@pytest.mark.parametrize("name", MODULES)
def test_functions_have_types_and_an_example(name):
    module = importlib.import_module(f"mozaiks_shell.sdk.{name}")
    for each in module.__all__:
        one = getattr(module, each)
        if not inspect.isfunction(one) or one.__module__ != module.__name__:
            continue
        signature = inspect.signature(one)
        untyped = [key for key, one in signature.parameters.items() if one.annotation is inspect.Parameter.empty]
        assert untyped == [] and signature.return_annotation is not inspect.Signature.empty, each
        assert "Example:" in inspect.getdoc(one), each


def test_examples_where_an_author_looks():
    assert len(inspect.getdoc(database.Collection.create)) > 40
    for one in (sdk.page, sdk.current_user, sdk.plugins.MozaiksPay.create_checkout):
        assert "Example:" in inspect.getdoc(one), one


def test_f300_every_error_says_its_status_and_stable_code():
    codes = {}
    for name in sdk.errors.__all__:
        error = getattr(sdk.errors, name)
        assert error.__doc__, name
        assert 400 <= error.status < 600 and error.code == error.code.upper(), name
        assert codes.setdefault(error.code, name) == name, "two errors with one code"
