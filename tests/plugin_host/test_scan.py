"""F-095: calls that do not belong into a plugin are found with file and line, before anything of it runs."""

import pytest

from mozaiks_shell.foundation.settings import ROOT
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.scan import RULES, judge, scan

BAD = {
    "eval('1')": "scan-code:1",
    "def f(x):\n    exec(x)": "scan-code:2",
    "import builtins\nbuiltins.eval('1')": "scan-code:2",
    "__builtins__.eval('1')": "scan-code:1",
    "e = eval": "scan-code:1",
    "import os\ns = os.system\n": "scan-shell:2",
    "__import__(name)": "scan-code:1",
    "import os\nos.system('ls')": "scan-shell:2",
    "import os as o\no.popen('ls')": "scan-shell:2",
    "from os import system as s\ns('ls')": "scan-shell:2",
    "import importlib\nimportlib.import_module('os').system('ls')": "scan-shell:2",
    "import os\ngetattr(os, 'system')('ls')": "scan-shell:2",
    "import os\nrun = os.fork": "scan-shell:2",
    "import subprocess\n\nsubprocess.run(['ls'])": "scan-shell:3",
    "from subprocess import run\nrun(['ls'])": "scan-shell:2",
    "from subprocess import *": "scan-shell:1",
    "import asyncio\nasync def f():\n    await asyncio.create_subprocess_exec('ls')": "scan-shell:3",
    "import pickle\npickle.loads(b'')": "scan-pickle:2",
    "from pickle import Unpickler\nUnpickler(x)": "scan-pickle:2",
    "import yaml\nyaml.load(x)": "scan-pickle:2",
    "import socket\ns = socket.socket()": "scan-network:2",
    "import httpx\nhttpx.get('http://x')": "scan-http:2",
    "import urllib.request\nurllib.request.urlopen('http://x')": "scan-http:2",
    "import ctypes\nctypes.CDLL(None)": "scan-native:2",
    "import os\nos._exit(1)": "scan-process:2",
    "import signal\nsignal.signal(signal.SIGTERM, print)": "scan-process:2",
    "import sys\nsys.exit()": "scan-process:2",
    "exit()": "scan-process:1",
    "import os\nos.chdir('/')": "scan-cwd:2",
    "import contextlib\nwith contextlib.chdir('/'): pass": "scan-cwd:2",
    "import locale\nlocale.setlocale(locale.LC_ALL, 'de_DE')": "scan-locale:2",
    "import time\ntime.tzset()": "scan-locale:2",
    "import os\nkey = os.environ['STRIPE_API_KEY']": "scan-environment:2",
    "from os import getenv\ngetenv('X')": "scan-environment:2",
    "import shutil\nshutil.rmtree('/')": "scan-files:2",
    "open('x', 'w')": "scan-files:1",
    "open('x', mode='ab')": "scan-files:1",
    "import sqlite3\nsqlite3.connect('x')": "scan-database:2",
    "from sqlalchemy import text\ntext('DROP TABLE x')": "scan-database:2",
    "import sys\nsys.modules['json'] = None": "scan-modules:2",
    "import sys\ndel sys.modules['json']": "scan-modules:2",
    "from sys import modules\nmodules.pop('json')": "scan-modules:2",
    "import sys\nsys.path.insert(0, 'x')": "scan-modules:2",
    "import sys\nsys.meta_path = []": "scan-modules:2",
    "from mozaiks_shell import sdk\nsdk.State.access = None": "scan-patch:2",
    "from mozaiks_shell.sdk import rx\nrx.Component.render = None": "scan-patch:2",
    "import json\njson.dumps = str": "scan-patch:2",
    "import json\nsetattr(json, 'dumps', str)": "scan-patch:2",
    "import builtins\nbuiltins.open = None": "scan-patch:2",
    "import json\ndel json.dumps": "scan-patch:2",
    "import json\njson.__dict__['dumps'] = str": "scan-patch:2",
    "().__class__.__base__.__subclasses__()": "scan-introspection:1",
    "def f(): pass\nf.__globals__": "scan-introspection:2",
    "import sys\nsys._getframe()": "scan-introspection:2",
}
GOOD = [
    "import re\nPATTERN = re.compile('x')",
    "from re import compile\ncompile('x')",
    "import json\njson.loads('1')",
    "def f(task, os):\n    os.system('x')\n    task.title = 'x'\n    setattr(task, 'title', 'y')",
    "from . import socket\nsocket.socket()",
    "def system(): pass\nsystem()",
    "class A:\n    open: int = 0\n    def f(self):\n        self.open = 1\n        self.x.y = 2",
    "open('x')\nopen('x', 'rb')",
    "import os\nos.path.join('a', 'b')\nos.sep",
    "from .models import Task\nTask.x = 1",
    "import sys\nsys.version_info\nlen(sys.path)",
    "# os.system('x')\nTEXT = 'eval(x)'",
    "def evaluate(): pass\nevaluate()",
    "import signal\nsignal.Signals",
    "import socket\ntry: pass\nexcept socket.timeout: pass",
    "from sqlalchemy import DateTime, func\nfunc.count()",
    "def broken(:",
]


def rules_in(tmp_path, text, *permissions, file="logic.py"):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    return [f"{one.rule.rule}:{one.line}" for one in scan(tmp_path, permissions)]


@pytest.mark.parametrize("text", BAD)
def test_f095_a_forbidden_call_is_found_with_its_line(tmp_path, text):
    assert rules_in(tmp_path, text) == [BAD[text]]


@pytest.mark.parametrize("text", GOOD)
def test_ordinary_code_is_left_alone(tmp_path, text):
    assert rules_in(tmp_path, text) == []


def test_every_rule_is_tried():
    assert {found.partition(":")[0] for found in BAD.values()} == {one.rule for one in RULES}


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("import subprocess\nsubprocess.run([])", "subprocess"),
        ("import httpx\nhttpx.get('x')", "http"),
        ("import os\nos.remove('x')", "files"),
        ("from sqlalchemy import text\ntext('x')", "raw_sql"),
    ],
)
def test_a_declared_permission_silences_its_rule_only(tmp_path, text, permission):
    assert rules_in(tmp_path, text) != []
    assert rules_in(tmp_path, text, permission) == []
    assert rules_in(tmp_path, "eval('1')", permission) == ["scan-code:1"]


def test_migrations_may_speak_sql_and_tests_may_do_anything(tmp_path):
    assert rules_in(tmp_path, "import sqlalchemy as sa\nsa.text('x')", file="migrations/0001.py") == []
    assert rules_in(tmp_path, "import os\nos.system('x')", file="tests/test_x.py") == []
    assert rules_in(tmp_path, "import os\nos.system('x')", file="migrations/0001.py") == ["scan-shell:2"]


def test_f095_strict_refuses_and_warn_flags_with_file_line_and_remedy(tmp_path):
    rules_in(tmp_path, "\nimport os\nos.system('x')\neval('2')")
    with pytest.raises(PluginProblem) as refused:
        judge(tmp_path, (), "strict")
    assert (refused.value.cause, refused.value.where) == (Cause.SCAN, "logic.py:3")
    assert "os.system starts another program (and 1 more" in refused.value.message
    assert "subprocess" in refused.value.remedy
    notes = judge(tmp_path, (), "warn")
    assert [(one.level, one.where) for one in notes] == [("warning", "logic.py:3"), ("warning", "logic.py:4")]
    assert all(one.remedy for one in notes)
    assert judge(tmp_path, (), "off") == []


@pytest.mark.parametrize(("mode", "state"), [("off", "loaded"), ("warn", "degraded"), ("strict", "quarantined")])
def test_f095_the_host_refuses_or_flags_it(write, request, monkeypatch, mode, state):
    monkeypatch.setenv("MOZAIKS_PLUGIN_SCAN", mode)
    load = request.getfixturevalue("load")
    write("risky", {"logic.py": "import os\n\n\ndef execute(data):\n    return {'code': os.system('true')}\n"})
    plugin = load()["risky"]
    assert plugin.state == state
    if mode == "warn":
        assert [(one.level, one.where) for one in plugin.notes] == [("warning", "logic.py:5")]
    if mode == "strict":
        assert (plugin.problem.cause, plugin.problem.where) == (Cause.SCAN, "logic.py:5")


@pytest.mark.parametrize("folder", [one for one in sorted((ROOT / "plugins").iterdir()) if (one / "manifest.json").is_file()])
def test_the_sample_plugins_are_clean(folder):
    assert [f"{one.where} {one.message}" for one in scan(folder)] == []
