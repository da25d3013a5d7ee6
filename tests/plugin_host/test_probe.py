"""Each way a plugin can hurt the process while it is imported, done for real: in the probe, and the server lives on."""

import locale
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import loader, probe
from mozaiks_shell.plugin_host.errors import Cause, Note, PluginProblem
from mozaiks_shell.plugin_host.probe_cache import FILE, ProbeCache, Verdict, fingerprint, verdict_from
from mozaiks_shell.plugin_host.registry import PluginState

GOOD = {"logic.py": "def execute(data): return {'ok': True}\n"}
SDK = "from mozaiks_shell import sdk\n"

KILLERS = {
    "syntax error": ("def f(:\n", Cause.SYNTAX, "logic.py:1"),
    "import error": ("import no_such_package_here\n", Cause.IMPORT, "logic.py:1"),
    "system exit": ("import sys\nsys.exit(3)\n", Cause.IMPORT, "logic.py:2"),
    "keyboard interrupt": ("raise KeyboardInterrupt\n", Cause.IMPORT, "logic.py:1"),
    "os._exit": ("import os\nos._exit(5)\n", Cause.CRASH, "logic.py:2"),
    "a signal to itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", Cause.CRASH, ""),
    "a crash in C": ("import ctypes\nctypes.string_at(0)\n", Cause.CRASH, "logic.py:2"),
    "2 GB at once": ("x = 1\nhoard = bytearray(2 << 30)\n", Cause.MEMORY, "logic.py:2"),
    "memory bit by bit": ("hoard = []\nwhile True:\n    hoard.append(bytearray(1 << 22))\n", Cause.MEMORY, "logic.py:3"),
    "recursion": ("def f(n): return f(n + 1)\nf(0)\n", Cause.IMPORT, "logic.py:1"),
    "closed files": ("import os\nos.closerange(3, 256)\n", Cause.CRASH, ""),
    "patched library": ("import json\ndef mine(*a, **k): return '{}'\njson.dumps = mine\n", Cause.PATCH, "logic.py:2"),
    "patched class": ("from sqlalchemy.orm import Session\nSession.execute = lambda *a: None\n", Cause.PATCH, "logic.py:2"),
    "patched shell": (
        "import sys\ncore = sys.modules['mozaiks_shell.foundation.access']\ncore.Principal.has_role = lambda *names: True\n",
        Cause.PATCH,
        "logic.py:3",
    ),
    "replaced module": ("import sys, types\nsys.modules['secrets'] = types.ModuleType('secrets')\n", Cause.PATCH, ""),
    "patched builtin": ("import builtins\nbuiltins.open = lambda *a, **k: None\n", Cause.PATCH, "logic.py:2"),
}


@pytest.fixture
def lively(monkeypatch):
    """Nothing is refused for how it is written: what counts here is what it does."""
    monkeypatch.setenv("MOZAIKS_PLUGIN_SCAN", "off")
    get_settings.cache_clear()


def test_whatever_a_plugin_does_at_import_the_server_lives_on(lively, write, load):
    for number, (code, _, _) in enumerate(KILLERS.values()):
        write(f"bad-{number:02}", {"logic.py": code})
    write("good", GOOD)
    before = (os.getpid(), threading.active_count(), Path.cwd())
    loaded = load()
    assert loaded["good"].state is PluginState.LOADED
    seen = {name: loaded[f"bad-{number:02}"] for number, name in enumerate(KILLERS)}
    told = {name: (one.problem.cause, one.problem.where) for name, one in seen.items() if one.problem}
    assert told == {name: (cause, where) for name, (_, cause, where) in KILLERS.items()}
    assert {one.state for one in seen.values()} == {PluginState.QUARANTINED} and all(one.problem.remedy for one in seen.values())
    assert before == (os.getpid(), threading.active_count(), Path.cwd())
    assert not [name for name in sys.modules if name.startswith("mozaiks_plugins.bad")]


ENDLESS = {
    "sleeping": "import time\ntry:\n    time.sleep(600)\nexcept Exception:\n    pass\n",
    "deaf": "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass\n",
    "in a child": "import subprocess\nsubprocess.run(['sleep', '600'])\n",
}


def test_an_endless_import_is_ended(lively, write, load, monkeypatch):
    monkeypatch.setenv("MOZAIKS_PLUGIN_PROBE_SECONDS", "3")
    get_settings.cache_clear()
    for name, code in ENDLESS.items():
        write(name.replace(" ", "-"), {"logic.py": code})
    loaded = load()
    told = {name: (one.problem.cause, one.problem.file) for name, one in loaded.items() if one.problem}
    assert told == {name.replace(" ", "-"): (Cause.HANG, "logic.py") for name in ENDLESS}
    assert loaded["sleeping"].problem.line == 3 and loaded["deaf"].problem.line in {3, 4}


LEFT = {
    "thread": "import threading\nthreading.Thread(target=threading.Event().wait, name='mine', daemon=True).start()\n",
    "folder": "import os\nos.chdir('/')\n",
    "signals": "import signal\nsignal.signal(signal.SIGTERM, lambda *a: None)\n",
    "hooks": "import sys\nsys.excepthook = print\n",
    "language": "import locale\nlocale.setlocale(locale.LC_ALL, 'C.UTF-8')\n",
}
WORDS = {"thread": "'mine'", "folder": "working folder", "signals": "SIGTERM", "hooks": "hook", "language": "locale"}


@pytest.mark.parametrize("probed", [True, False])
def test_what_it_leaves_behind_is_noted_and_put_back(lively, write, load, monkeypatch, request, probed):
    monkeypatch.setenv("MOZAIKS_PLUGIN_PROBE", str(probed).lower())
    get_settings.cache_clear()
    request.addfinalizer(partial(locale.setlocale, locale.LC_ALL, locale.setlocale(locale.LC_ALL)))
    locale.setlocale(locale.LC_ALL, "C")
    standing = (Path.cwd(), signal.getsignal(signal.SIGTERM), sys.excepthook, locale.setlocale(locale.LC_ALL))
    for name, code in LEFT.items():
        write(name, {"logic.py": code + GOOD["logic.py"]})
    write("tidy", GOOD)
    loaded = load()
    assert loaded["tidy"].state is PluginState.LOADED and loaded["tidy"].notes == []
    for name, word in WORDS.items():
        plugin = loaded[name]
        assert plugin.state is PluginState.DEGRADED and plugin.live, (name, plugin.problem)
        assert [one.level for one in plugin.notes] == ["warning"] and word in plugin.notes[0].message and plugin.notes[0].remedy
    assert standing == (Path.cwd(), signal.getsignal(signal.SIGTERM), sys.excepthook, locale.setlocale(locale.LC_ALL))


class Counted:
    """The real prober, and the names it was asked for."""

    def __init__(self, real):
        self.real, self.asked = real, []

    def examine(self, requests, found):
        self.asked.append(sorted(plugin["name"] for one in requests for plugin in one["plugins"]))
        return self.real.examine(requests, found)


@pytest.fixture
def counted(monkeypatch):
    stand_in = Counted(probe._prober)
    monkeypatch.setattr(probe, "_prober", stand_in)
    return stand_in


def again(load):
    for name in list(loader.registry._plugins):
        loader.unload(name)
    return load()


def test_a_plugin_that_did_not_change_is_probed_once(lively, write, load, counted, settings, monkeypatch):
    monkeypatch.setattr("mozaiks_shell.plugin_host.probe_cache._our_code", lambda: "")
    write("good", GOOD)
    write("noted", {"logic.py": LEFT["folder"] + GOOD["logic.py"]})
    write("broken", {"logic.py": "def f(:\n"})
    load()
    assert counted.asked == [["broken", "good", "noted"]]
    loaded = again(load)
    assert len(counted.asked) == 1, "asked again for what is on the disk"
    assert loaded["noted"].state is PluginState.DEGRADED and loaded["broken"].problem.where == "logic.py:1"
    write("good", {"logic.py": "def execute(data): return {'ok': 'changed'}\n"})
    write("new", GOOD)
    again(load)
    assert counted.asked[1:] == [["good", "new"]]
    monkeypatch.setenv("MOZAIKS_PLUGIN_PROBE_MEMORY_MB", "2048")
    get_settings.cache_clear()
    again(load)
    assert counted.asked[2:] == [["broken", "good", "new", "noted"]]


def test_many_plugins_share_children_and_none_is_blamed_for_another(lively, write, load, counted):
    for number in range(probe.SHARING * 2 + 1):
        write(f"good-{number:02}", GOOD)
    write("good-03a", {"logic.py": "import os\nos._exit(1)\n"})
    write("good-20a", {"logic.py": LEFT["folder"] + GOOD["logic.py"]})
    loaded = load()
    assert [len(one) for one in counted.asked] == [35, 32], "the third child was in order and is not asked again"
    assert {name for name, one in loaded.items() if one.state is not PluginState.LOADED} == {"good-03a", "good-20a"}
    assert loaded["good-03a"].problem.cause is Cause.CRASH and loaded["good-20a"].state is PluginState.DEGRADED


def test_failures_that_may_pass_are_asked_again(settings, tmp_path, monkeypatch):
    folder = tmp_path / "one"
    cache = ProbeCache(settings)
    for cause, lasts in ((Cause.IMPORT, False), (Cause.HANG, False), (Cause.CRASH, False), (Cause.SYNTAX, True)):
        cache.put(folder, "stamp", Verdict(PluginProblem(cause, "no")))
        assert cache.get(folder, "stamp") is not None and cache.get(folder, "other") is None
        with monkeypatch.context() as later:
            later.setattr("time.time", lambda: 1e12)
            assert (cache.get(folder, "stamp") is not None) is lasts


@pytest.mark.parametrize("text", ["", "[]", "{", '{"key": 1}', '{"plugins": {}, "key": "x"}'])
def test_a_damaged_cache_counts_as_nothing(settings, tmp_path, text):
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / FILE).write_text(text)
    cache = ProbeCache(settings)
    assert cache.get(tmp_path, "stamp") is None
    cache.put(tmp_path, "stamp", Verdict(notes=(Note("hint", "a", "b", "c"),), milliseconds=1.5))
    cache.save()
    cache.put(tmp_path / "gone", "stamp", Verdict())
    cache.save()
    assert ProbeCache(settings).get(tmp_path / "gone", "stamp") is None
    assert ProbeCache(settings).get(tmp_path, "stamp") == cache.get(tmp_path, "stamp") != None  # noqa: E711 - and not None


def test_a_verdict_survives_the_pipe():
    problem = PluginProblem(Cause.IMPORT, "no", "a.py", 3, remedy="do", pip='pip install "x"', path="$.a")
    back = verdict_from(Verdict(problem, (Note("warning", "w"),), 2.0).as_json())
    assert vars(back.problem) == vars(problem) and back.notes == (Note("warning", "w"),) and back.milliseconds == 2.0


def test_fingerprints_tell_every_change(tmp_path):
    folder = tmp_path / "one"
    (folder / "sub").mkdir(parents=True)
    (folder / "logic.py").write_text("a = 1\n")
    seen = [fingerprint(folder)]
    assert fingerprint(folder) == seen[0]
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("")
    assert fingerprint(folder) == seen[0]
    (folder / "sub" / "more.py").write_text("")
    seen.append(fingerprint(folder))
    (folder / "sub" / "more.py").rename(folder / "sub" / "less.py")
    seen.append(fingerprint(folder))
    status = (folder / "logic.py").stat()
    (folder / "logic.py").write_text("a = 2\n")
    os.utime(folder / "logic.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    seen.append(fingerprint(folder))
    (folder / "sub" / "less.py").unlink()
    seen.append(fingerprint(folder))
    assert len(set(seen)) == 5


def test_a_probe_that_cannot_start_says_why(write, load, monkeypatch, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho first >&2; echo no memory left >&2\n")
    python.chmod(0o755)
    monkeypatch.setattr(probe, "_prober", probe.Prober())
    monkeypatch.setattr(probe.sys, "executable", str(python))
    told = []
    monkeypatch.setattr(probe.log, "warning", lambda text, **facts: told.append((text, facts["reason"])))
    write("good", GOOD)
    assert load()["good"].live
    (text, reason), *more = told
    assert text == "plugins are imported without a probe" and reason.endswith(": no memory left") and not more


def test_without_a_probe_plugins_are_imported_all_the_same(write, load, monkeypatch):
    def impossible(*_, **__):
        raise OSError("no processes here")

    monkeypatch.setattr(probe, "_prober", probe.Prober())
    monkeypatch.setattr(probe.subprocess, "Popen", impossible)
    write("good", GOOD)
    write("broken", {"logic.py": "raise SystemExit\n"})
    loaded = load()
    assert loaded["good"].live and loaded["broken"].problem.where == "logic.py:1"


def test_a_probe_that_was_killed_is_started_again(write, load, settings):
    write("one", GOOD)
    load()
    server = probe._prober._server
    server.kill()
    server.wait()
    write("two", GOOD)
    assert again(load)["two"].timings["probe"] > 0
    assert probe._prober._server is not server


def test_where_nothing_can_fork_plugins_are_imported_all_the_same(write, load, monkeypatch):
    monkeypatch.delattr(probe.os, "fork")
    write("good", GOOD)
    assert load()["good"].live


def test_forms_of_pages_and_states_pass_the_probe(write, load):
    page = SDK + (
        "class Counter(sdk.State):\n    n: int = 0\n\n    @sdk.event\n    def add(self):\n        self.n += 1\n\n"
        "@sdk.page()\ndef front():\n    return sdk.ui.button('Add', Counter.n, on_click=Counter.add)\n"
    )
    write("paged", {"page.py": page})
    paged = load()["paged"]
    assert paged.state is PluginState.LOADED, (paged.problem, paged.notes)
    assert paged.pages == ("/plugins/paged",) and set(paged.timings) == {"probe", "import"}
