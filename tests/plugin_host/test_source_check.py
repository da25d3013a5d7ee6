"""What a plugin may take from the shell: the names the SDK lists, and nothing behind them (house rule 4)."""

import importlib

import pytest

from mozaiks_shell.foundation.settings import ROOT
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.source_check import _names, check_sources

GOOD = [
    "from mozaiks_shell import sdk\nsdk.page, sdk.db.session, sdk.errors.Invalid",
    "from mozaiks_shell import sdk as s\ns.rx.el.div",
    "from mozaiks_shell.sdk import rx, ui, db",
    "from mozaiks_shell.sdk import *",
    "from mozaiks_shell.sdk.errors import Invalid",
    "from mozaiks_shell.sdk.database import Record, db",
    "import mozaiks_shell.sdk as sdk\nsdk.ui",
    "import mozaiks_shell.sdk.events as events",
    "from mozaiks_core_runtime import auth, db, payments",
    "import mozaiks_core_runtime\nmozaiks_core_runtime.db",
    "from . import service\nfrom .models import Task\nimport json",
    "def f(sdk2): return sdk2.database",
]
BAD = {
    "from mozaiks_shell.sdk.database import wall": 1,
    "from mozaiks_shell.sdk.database import _wall": 1,
    "from mozaiks_shell.sdk.models import Document": 1,
    "from mozaiks_shell.sdk import database": 1,
    "\nimport mozaiks_shell.sdk.database as d": 2,
    "import mozaiks_shell.sdk": 1,
    "import mozaiks_shell": 1,
    "import mozaiks_shell as shell": 1,
    "from mozaiks_shell import foundation": 1,
    "from mozaiks_shell.sdk.testing import installed": 1,
    "from mozaiks_shell.sdk.events import _bus": 1,
    "from mozaiks_shell.sdk.nothing import x": 1,
    "from mozaiks_shell.sdk.errors.deeper import x": 1,
    "from mozaiks_shell.sdkx import db": 1,
    "from mozaiks_core_runtime import os": 1,
    "from mozaiks_shell import sdk\n\nasync def f():\n    return sdk.database._wall.system_session()": 4,
    "import mozaiks_shell.sdk as s\ns.__dict__": 2,
}


@pytest.mark.parametrize("text", GOOD)
def test_what_is_offered_may_be_taken(tmp_path, text):
    (tmp_path / "logic.py").write_text(text)
    check_sources(tmp_path)


@pytest.mark.parametrize("text", BAD)
def test_what_lies_behind_is_refused_with_its_place(tmp_path, text):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "logic.py").write_text(text)
    with pytest.raises(PluginProblem) as refused:
        check_sources(tmp_path)
    assert (refused.value.cause, refused.value.where) == (Cause.FORBIDDEN_IMPORT, f"deep/logic.py:{BAD[text]}")


def test_tests_of_a_plugin_may_use_the_testing_kit(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("from mozaiks_shell.sdk.testing import plugin_fixture")
    check_sources(tmp_path)


@pytest.mark.parametrize("file", sorted((ROOT / "mozaiks_shell" / "sdk").glob("*.py")), ids=lambda file: file.stem)
def test_every_module_of_the_sdk_says_what_it_offers(file):
    name = "mozaiks_shell.sdk" if file.stem == "__init__" else f"mozaiks_shell.sdk.{file.stem}"
    module = importlib.import_module(name)
    assert sorted(_names(name)) == sorted(module.__all__)
    internals = [one for one, value in vars(module).items() if getattr(value, "__file__", "") and not one.startswith("_")]
    ours = [one for one in internals if vars(module)[one].__name__.startswith("mozaiks_shell.") and one not in module.__all__]
    if file.stem not in {"__init__", "testing"}:
        assert ours == [], "a module of the shell lies open"
