"""Follows the plugin folders of a development server and brings what is saved onto the open pages (F-091)."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import reflex as rx
from fastapi import FastAPI

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings
from mozaiks_shell.hosting.hot.pages import Pages
from mozaiks_shell.hosting.hot.socket import Notices, router, shown
from mozaiks_shell.hosting.hot.tabs import carry_over, load_again, state_names
from mozaiks_shell.plugin_host import registry
from mozaiks_shell.plugin_host.reload import Outcome, Reloader
from mozaiks_shell.plugin_host.routes import remount_plugin
from mozaiks_shell.plugin_host.watch import Change, Follower, changes

log = get_logger("hosting")

_VITE_LOOKS = 0.3  # seconds until Vite has noticed a page that is new or gone
_IN_THE_BROWSER = (".po", ".css", ".js", ".jsx", ".mjs", ".svg")  # read by the page itself, so only a fresh load shows them


class HotReload:
    """Development's hot reload. Make it in the front door, before the pages are mounted.

    Args:
        settings: Where the plugins are.
        api: What the plugins' own routes are mounted on.
        roots: Gives the folders to follow.
    """

    def __init__(self, settings: Settings, api: FastAPI, roots: Callable[[], Iterable[Path]]) -> None:
        self._settings, self._api, self._roots = settings, api, roots
        self._notices = Notices()
        self._framed = False
        api.include_router(router(self._notices))

    async def start(self, app: rx.App) -> Callable[[], Awaitable[None]]:
        """Follow the plugin folders from now on; what is returned ends that. Call it when the app is compiled."""
        self._app, self._pages = app, Pages(app)
        self._reloader = Reloader(self._settings, self._replaced)
        follower = await asyncio.to_thread(Follower, self._roots)
        for plugin in registry.all_plugins():
            if plugin.problem is not None:
                self._notices.put(plugin.name, shown(plugin.folder, plugin.problem, kept=False))
        following = asyncio.create_task(self._follow(follower))

        async def stop() -> None:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
            self._reloader.close()

        return stop

    async def _follow(self, follower: Follower) -> None:
        while True:
            try:
                async for found in changes(follower):
                    for change in found:
                        await self.apply(change)
            except Exception:
                log.exception("hot reload stumbled; it goes on")
                await asyncio.sleep(1)

    async def apply(self, change: Change) -> Outcome:
        """Bring one change into service and onto the pages, or show what is wrong with it."""
        began, module = time.perf_counter(), f"{registry.NAMESPACE}.{change.name.replace('-', '_')}"
        self._framed, before = False, state_names(module)
        self._pages.rewritten = self._pages.routed = False
        outcome = await self._reloader.apply(change)
        problem = outcome.problem
        self._notices.put(change.name, shown(change.folder, problem, kept=outcome.kept) if problem is not None else None)
        if outcome.replaced:
            own = f"/plugins/{change.name}"
            if self._pages.routed:
                await asyncio.sleep(_VITE_LOOKS)
                self._notices.reload("/")
            elif (
                state_names(module) - before or change.kind != "changed" or any(f.endswith(_IN_THE_BROWSER) for f in change.files)
            ):
                self._notices.reload(own)
            elif self._pages.rewritten:
                self._notices.changed(own, self._pages.version)
            await load_again(self._app, "/" if self._framed else own, self._pages.showing(change.name))
        took = round((time.perf_counter() - began) * 1000)
        log.info("hot reload", plugin=change.name, milliseconds=took, refused=problem is not None)
        return outcome

    def _replaced(self, name: str) -> None:
        """Other code has taken the plugin's place: tabs, routes and pages follow, before anything else runs."""
        carry_over(self._app, f"{registry.NAMESPACE}.{name.replace('-', '_')}")
        remount_plugin(self._api, name)
        self._framed = self._pages.follow(name) or self._framed


def _read_by_the_browser(change: Change) -> bool:
    return change.kind != "changed" or any(file.endswith(_IN_THE_BROWSER) for file in change.files)


def hot_reload_head(hot: HotReload | None) -> list[rx.Component]:
    """For ``App(head_components=...)``: the script that shows what is wrong with a saved file."""
    return [] if hot is None else [rx.el.script(src="/__mozaiks/hot/notice.js", defer=True)]


__all__ = ["HotReload", "hot_reload_head"]
