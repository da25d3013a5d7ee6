"""Which changes of plugin folders are noticed, and which are none (F-091)."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mozaiks_shell.plugin_host import watch
from mozaiks_shell.plugin_host.watch import Change, Follower, changes, counts, files_of


def write(root: Path, name: str, text: str) -> Path:
    """Save a file as an editor does: a new file that takes the old one's place."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".tmp~")
    fresh.write_text(text)
    fresh.replace(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    write(folder, "alpha/logic.py", "A = 1\n")
    write(folder, "alpha/manifest.json", "{}")
    write(folder, "beta/page.py", "B = 1\n")
    return folder


@pytest.mark.parametrize(
    "file",
    ["logic.py", "pages/first.py", "manifest.json", "locales/de.po", "entitlements.yaml", "register.js", "ui/look.css"],
)
def test_f091_what_a_plugin_is_made_of_counts(file: str) -> None:
    assert counts(file)


@pytest.mark.parametrize(
    "file",
    [
        "__pycache__/logic.cpython-311.pyc", "logic.pyc", ".logic.py.swp", "logic.py~", "#logic.py#", ".#logic.py", "4913",
        "page.py___jb_tmp___", ".git/index", "data/notes.db", "notes.sqlite3", "notes.db-wal", "tests/test_logic.py",
        "node_modules/x/index.js", "cache.json", "locales/messages.pot", "locales/de.mo",
    ],
)  # fmt: skip
def test_f091_what_editors_tools_and_the_plugin_itself_leave_does_not_count(file: str) -> None:
    assert not counts(file)


def test_f091_each_kind_of_change_is_told_once(root: Path) -> None:
    follower = Follower(lambda: [root])
    assert follower.look() == []
    write(root, "alpha/logic.py", "A = 2\n")
    write(root, "gamma/logic.py", "C = 1\n")
    shutil.rmtree(root / "beta")
    assert follower.look() == [
        Change(root / "alpha", "changed", frozenset({"logic.py"})),
        Change(root / "beta", "removed", frozenset({"page.py"})),
        Change(root / "gamma", "added", frozenset({"logic.py"})),
    ]
    assert follower.look() == []


def test_f091_a_save_without_a_difference_is_no_change(root: Path) -> None:
    follower = Follower(lambda: [root])
    write(root, "alpha/logic.py", "A = 1\n")
    os.utime(root / "alpha/manifest.json")
    assert follower.look() == []


def test_f091_two_saves_of_the_same_length_within_one_tick_are_both_seen(root: Path) -> None:
    follower = Follower(lambda: [root])
    path = root / "alpha/logic.py"
    path.write_text("A = 2\n")
    stamp = path.stat()
    assert [one.name for one in follower.look()] == ["alpha"]
    path.write_text("A = 3\n")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # a clock too coarse to tell them apart
    assert [one.files for one in follower.look()] == [frozenset({"logic.py"})]


def test_f091_a_removed_file_and_a_new_one_are_named(root: Path) -> None:
    follower = Follower(lambda: [root])
    (root / "alpha/manifest.json").unlink()
    write(root, "alpha/backend/logic.py", "A = 1\n")
    assert follower.look() == [Change(root / "alpha", "changed", frozenset({"manifest.json", "backend/logic.py"}))]


def test_f091_plugins_of_further_roots_are_followed_too(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "more"
    follower = Follower(lambda: [root, other])  # the second does not exist yet
    write(other, "delta/logic.py", "D = 1\n")
    assert follower.look() == [Change(other / "delta", "added", frozenset({"logic.py"}))]
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path, "elsewhere/logic.py", "E = 1\n")
    (root / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert [one.name for one in follower.look()] == ["linked"]
    write(tmp_path, "elsewhere/logic.py", "E = 2\n")
    assert [(one.name, one.kind) for one in follower.look()] == [("linked", "changed")]


def test_f091_stamps_are_cheap_and_leave_out_what_does_not_count(root: Path) -> None:
    write(root, "alpha/__pycache__/logic.pyc", "x")
    write(root, "alpha/tests/test_it.py", "x")
    assert set(files_of(root / "alpha")) == {"logic.py", "manifest.json"}


async def test_f091_a_folder_that_is_replaced_as_a_whole_is_not_removed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = Follower(lambda: [root])
    aside = root.parent / "aside"
    (root / "alpha").rename(aside)

    async def come_back(_: float) -> None:
        (aside / "logic.py").write_text("A = 2\n")
        aside.rename(root / "alpha")

    monkeypatch.setattr(watch.asyncio, "sleep", come_back)
    assert await follower.settled() == [Change(root / "alpha", "changed", frozenset({"logic.py"}))]


async def first(source: object, act: Callable[[], object]) -> list[Change]:
    """The first batch of changes after ``act``."""
    task = asyncio.ensure_future(anext(source))  # type: ignore[call-overload]
    await asyncio.sleep(0)
    act()
    try:
        return await asyncio.wait_for(task, 60)
    finally:
        await source.aclose()  # type: ignore[attr-defined]


async def test_f091_changes_arrive_as_the_system_reports_them(root: Path) -> None:
    follower = Follower(lambda: [root])
    found = await first(changes(follower), lambda: write(root, "beta/page.py", "B = 2\n"))
    assert found == [Change(root / "beta", "changed", frozenset({"page.py"}))]


async def test_f091_where_the_system_reports_nothing_they_arrive_by_looking(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def broken(_: object) -> object:
        raise OSError("inotify watch limit reached")

    monkeypatch.setattr(watch, "_reported", broken)
    monkeypatch.setattr(watch, "POLL", 0.01)
    follower = Follower(lambda: [root])
    found = await first(changes(follower), lambda: write(root, "beta/page.py", "B = 2\n"))
    assert [one.name for one in found] == ["beta"]


async def test_f091_production_looks_once_per_interval(root: Path) -> None:
    follower = Follower(lambda: [root])
    found = await first(changes(follower, 0.01), lambda: write(root, "alpha/logic.py", "A = 5\n"))
    assert found == [Change(root / "alpha", "changed", frozenset({"logic.py"}))]
