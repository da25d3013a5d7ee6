"""Imports every new or changed plugin in a process of its own before the server does (issue 4, point 5).

What ends, hangs or fills that process harms nobody; what it leaves behind is noted. Verdicts are kept on disk
(:mod:`.probe_cache`), so a plugin that did not change costs a look at its files.
"""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import IO, Any, Final

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, environment
from mozaiks_shell.plugin_host.errors import Cause, PluginProblem
from mozaiks_shell.plugin_host.probe_cache import ProbeCache, Verdict, fingerprint, verdict_from
from mozaiks_shell.plugin_host.registry import Plugin

log = get_logger("plugin_host")

FEW: Final = 8  # plugins, up to which each has a child of its own
SHARING: Final = 16
START_SECONDS: Final = 120.0  # for a new interpreter to import the SDK on a busy machine


class ProbeUnavailable(Exception):
    """The probe's process cannot be started or ended on its own."""


def probe_all(plugins: Sequence[Plugin], settings: Settings) -> dict[str, Verdict]:
    """A verdict for each of these plugins, from the disk or from a probe.

    Where nothing can be probed (switched off, no processes allowed) the answer has gaps; such plugins are imported unprobed.
    """
    if not settings.plugin_probe or not plugins:
        return {}
    cache = ProbeCache(settings)
    stamps: dict[str, str] = {}
    verdicts: dict[str, Verdict] = {}
    for plugin in plugins:
        try:
            stamps[plugin.name] = fingerprint(plugin.folder)
        except OSError as error:
            verdicts[plugin.name] = Verdict(PluginProblem(Cause.IMPORT, f"its files cannot be read: {error}"))
    left = _known(plugins, cache, stamps, verdicts)
    if left:
        with cache.alone():
            if left := _known(left, cache, stamps, verdicts):
                for name, verdict in _probe(left, settings).items():
                    verdicts[name] = verdict
                    cache.put(next(one.folder for one in left if one.name == name), stamps[name], verdict)
                cache.save()
    return verdicts


def distrust(plugins: Iterable[Plugin], settings: Settings) -> None:
    """Have the pages of these plugins drawn in every process that loads them: here they could not be, though a probe could."""
    cache = ProbeCache(settings)
    with cache.alone():
        for plugin in plugins:
            with suppress(OSError):
                stamp = fingerprint(plugin.folder)
                if (known := cache.get(plugin.folder, stamp)) is not None:
                    cache.put(plugin.folder, stamp, replace(known, drawn=False))
        cache.save()


def _known(plugins: Iterable[Plugin], cache: ProbeCache, stamps: Mapping[str, str], verdicts: dict[str, Verdict]) -> list[Plugin]:
    left = []
    for plugin in plugins:
        if plugin.name not in stamps:
            continue
        if (known := cache.get(plugin.folder, stamps[plugin.name])) is None:
            left.append(plugin)
        else:
            verdicts[plugin.name] = known
    return left


def _probe(plugins: Sequence[Plugin], settings: Settings) -> dict[str, Verdict]:
    """Several plugins share a child while there are many; those of a child in which anything was amiss are asked for alone."""
    size = 1 if len(plugins) <= FEW else SHARING
    groups = [plugins[at : at + size] for at in range(0, len(plugins), size)]
    found: dict[str, Verdict] = {}
    try:
        split = _prober.examine([_request(group, settings) for group in groups], found)
        if split:
            _prober.examine([_request([one], settings) for at in split for one in groups[at]], found)
    except (ProbeUnavailable, OSError) as error:
        left = [one.name for one in plugins if one.name not in found]
        log.warning("plugins are imported without a probe", reason=str(error), plugins=left[:20], count=len(left))
    return found


def _request(plugins: Sequence[Plugin], settings: Settings) -> dict[str, Any]:
    return {
        "plugins": [{"name": one.name, "folder": str(one.folder), "rooted": one.root is not None} for one in plugins],
        "seconds": settings.plugin_probe_seconds,
        "memory_mb": settings.plugin_probe_memory_mb,
        "environment": environment(),
    }


class Prober:
    """The other end of :mod:`.probe_server`. It is started when it is needed, and ends by itself when nobody asks any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._requests = self._replies = -1
        self._pid = 0
        self._words: IO[bytes] | None = None

    def examine(self, requests: Sequence[Mapping[str, Any]], found: dict[str, Verdict]) -> list[int]:
        """Put the verdicts into ``found``, by name.

        Returns:
            Which requests have none, because something was amiss with one of their several plugins.

        Raises:
            ProbeUnavailable: there is no fork here (Windows), or the server ended twice without an answer.
            OSError: it cannot be started.
        """
        if not hasattr(os, "fork"):
            raise ProbeUnavailable("this system cannot copy a process")
        with self._lock:
            waiting = {number: {**one, "id": number} for number, one in enumerate(requests)}
            split: list[int] = []
            for attempt in range(2):
                try:
                    self._start()
                    self._exchange(waiting, split, found)
                    break
                except (BrokenPipeError, EOFError) as error:
                    said = self._last_words()
                    self._forget()
                    if attempt:
                        raise ProbeUnavailable(f"the probe ends without an answer{said}") from error
            return split

    def close(self) -> None:
        """End the server now (tests, and processes that end)."""
        with self._lock:
            self._forget()

    def _start(self) -> None:
        if self._server is not None and self._pid == os.getpid() and self._server.poll() is None:
            return
        self._forget()
        theirs_in, self._requests = os.pipe()
        self._replies, theirs_out = os.pipe()
        for one in (theirs_in, theirs_out):
            os.set_inheritable(one, True)
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _forget
        path = os.pathsep.join(part for part in sys.path if part)
        try:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "mozaiks_shell.plugin_host.probe_server", str(theirs_in), str(theirs_out)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                close_fds=True,
                pass_fds=(theirs_in, theirs_out),
                env={**environment(), "PYTHONPATH": path},
            )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._pid = os.getpid()
        os.set_blocking(self._requests, False)

    def _exchange(self, waiting: dict[int, dict[str, Any]], split: list[int], found: dict[str, Verdict]) -> None:
        """Write all requests and read all replies, at once: neither pipe may fill up while the other one waits."""
        out = memoryview(b"".join(json.dumps(one).encode() + b"\n" for one in waiting.values()))
        longest = max(float(one["seconds"]) for one in waiting.values()) + 10
        heard, until = b"", time.monotonic() + START_SECONDS + longest
        with selectors.DefaultSelector() as selector:
            selector.register(self._replies, selectors.EVENT_READ)
            selector.register(self._requests, selectors.EVENT_WRITE)
            while waiting:
                ready = selector.select(max(0.0, until - time.monotonic()))
                if not ready:
                    raise EOFError
                for key, _ in ready:
                    if key.fd == self._requests:
                        out = out[os.write(self._requests, out[: 1 << 15]) :]
                        if not out:
                            selector.unregister(self._requests)
                        continue
                    told = os.read(self._replies, 1 << 16)
                    if not told:
                        raise EOFError
                    *lines, heard = (heard + told).split(b"\n")
                    for line in lines:
                        answer = json.loads(line)
                        del waiting[answer["id"]]
                        if answer.get("split"):
                            split.append(answer["id"])
                        found |= {name: verdict_from(one) for name, one in answer.get("verdicts", {}).items()}
                        until = time.monotonic() + longest

    def _last_words(self) -> str:
        """The last line the server wrote, for the log."""
        if self._words is None:
            return ""
        self._words.seek(0)
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1][:200]}" if lines else ""

    def _forget(self) -> None:
        if self._words is not None:
            self._words.close()
            self._words = None
        if self._pid == os.getpid():
            for one in (self._requests, self._replies):
                if one >= 0:
                    os.close(one)
            if self._server is not None:
                self._server.kill()
                self._server.wait()
        self._server, self._requests, self._replies = None, -1, -1


_prober = Prober()
