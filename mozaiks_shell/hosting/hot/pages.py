"""Brings the compiled pages up to what a replaced plugin declares, and compiles no other page anew.

Reflex compiles the app as a whole, which takes seconds. A page and the parts of its module are files of their own, so the
plugin's can be written alone; Vite sees them and updates the open page in place. The rest follows only as far as it shows
something of the plugin: the dashboard, the settings, the menu.
"""

import re
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final

import reflex as rx
from reflex.compiler import compiler, utils
from reflex.compiler.plugins import default_page_plugins
from reflex.utils import path_ops
from reflex.utils.prerequisites import get_web_dir
from reflex_base.components.memo import MEMOS, reset_memo_component_classes
from reflex_base.config import get_config
from reflex_base.plugins.compiler import CompileContext, CompilerHooks
from reflex_base.registry import RegistrationContext
from reflex_base.utils import format as named
from reflex_base.vars.base import GLOBAL_CACHE

from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.hosting.reflex_build import last_compile
from mozaiks_shell.plugin_host.registry import NAMESPACE
from mozaiks_shell.shell import routing, slots
from mozaiks_shell.ui.components import components
from mozaiks_shell.ui.page import Page, page_at, pages

log = get_logger("hosting")

_NOT_FOUND: Final = "404"
_SLOTS: Final = {"dashboard": "index", "settings": "settings"}  # slot -> the route that shows it
_PLACE: Final = "@version@"
_VERSION: Final = re.compile(r'"data-mz-hot":"\d+"')
_IMPORT: Final = re.compile(r'^import \{(.*)\} from "(.*)"$', re.MULTILINE)
_ICONS: Final = ("mozaiks_shell.ui.kit.icons", "mozaiks_shell.shell.frame_icons")  # drawings of the declared pages


class Pages:
    """The compiled pages of an app, plugin by plugin. Make it when the app is compiled.

    ``version`` counts the times a plugin's page was written anew; ``rewritten`` says that the last change did, ``routed`` that
    it brought or took a page.

    Args:
        app: The app, with all its pages.
    """

    def __init__(self, app: rx.App) -> None:
        self._app = app
        self._shown = {name: _face(name) for name in {page.owner for page in pages()}}
        self._elsewhere = {name: _shared(name) for name in self._shown}
        self.version = 0
        self.rewritten = self.routed = False

    def follow(self, name: str) -> bool:
        """Compile what the plugin of this name declares now. Raises what a page of it raises; then nothing is written.

        Returns:
            Whether the frame shows something else than before: an entry more or less, another title or icon.
        """
        before, now = self._shown.get(name, ()), _face(name)
        touched = self._elsewhere.get(name, set()) | _shared(name)
        framed, self.routed = before != now, {row[0] for row in before} != {row[0] for row in now}
        with self._app.set_contexts():
            self._redeclare({row[0] for row in before}, name, touched)
            if framed:
                routing.declared()
            compiled = self._compile(name, [*(named.format_route(page.route) for page in _own(name)), *sorted(touched)], framed)
        self._write(compiled, name)
        for route in {row[0] for row in before} - {row[0] for row in now}:
            utils.resolve_path_of_web_dir(utils.get_page_path(named.format_route(route))).unlink(missing_ok=True)
        self._shown[name], self._elsewhere[name] = now, _shared(name)
        GLOBAL_CACHE.clear()
        return framed

    def showing(self, name: str) -> frozenset[str]:
        """Addresses of the shell's own pages that show something of the plugin."""
        return frozenset("/" if route == "index" else f"/{route}" for route in self._elsewhere.get(name, ()))

    def _redeclare(self, before: set[str], name: str, touched: set[str]) -> None:
        """Let the app know the plugin's pages as they are declared now, and what runs when a page is opened."""
        for route in before:
            self._drop(named.format_route(route))
        again = [page for route in touched if route != _NOT_FOUND and (page := page_at("/" if route == "index" else f"/{route}"))]
        for page in [*(self._marked(page) for page in _own(name)), *again]:
            self._drop(named.format_route(page.route))
            routing.show(self._app, page)
        self._app.__dict__.pop("router", None)

    def _marked(self, page: Page) -> Page:
        """The page with its version in it: the browser sees that it has the new one, and Vite that the page itself is new,
        which makes it draw all its parts again."""
        mark, render = {"data-mz-hot": _PLACE}, page.render

        @wraps(render)
        def draw() -> rx.Component:
            return rx.fragment(rx.el.template(custom_attrs=mark), render())

        return replace(page, render=draw)

    def _drop(self, route: str) -> None:
        for known in (self._app._unevaluated_pages, self._app._load_events, self._app._pages, self._app._stateful_pages):
            known.pop(route, None)  # type: ignore[attr-defined]
        self._app._evaluated_pages.discard(route)

    def _compile(self, name: str, routes: list[str], framed: bool) -> dict[Path, str]:
        """File -> text of these pages, of the State they start with, and of the frame where that changed."""
        config, files = get_config(), dict[str, str]()
        plugins, theme = compiler._resolve_radix_themes_plugin(self._app, config.plugins)
        reset_memo_component_classes()
        RegistrationContext.ensure_context()._reset_compile_caches()
        hooks = CompilerHooks(plugins=default_page_plugins(style=self._app.style, plugins=plugins))
        wanted = [self._app._unevaluated_pages[route] for route in dict.fromkeys(routes)]
        everything, context = last_compile(), CompileContext(app=self._app, pages=wanted, hooks=hooks)
        with context:
            context.compile()
            for page in context.compiled_pages.values():
                files[str(page.output_path)] = str(page.output_code)
            modules = {page._source_module for page in wanted} | set(_ICONS if framed else ())
            if framed:
                wraps = dict(everything.app_wrap_components) if everything else {}
                found = compiler._resolve_app_wrap_components(self._app, wraps | context.app_wrap_components)
                root = compiler._memoize_stateful_app_wraps(self._app._app_root(found), context)
                path, text = compiler.compile_app_root(root, None)
                if everything is None and _brought(utils.resolve_path_of_web_dir(path)) - _brought(text):
                    return self._whole()
                files[path] = text
                _draw_icons_again()
            own = [memo for memo in MEMOS.values() if memo.source_module in modules or _belongs(memo.source_module, name)]
            memos, imports = compiler.compile_memo_components([*own, *context.auto_memo_components.values()])
        files |= memos
        everywhere = utils.merge_imports(everything.all_imports if everything else {}, context.all_imports, imports)
        files |= [compiler.compile_contexts(self._app._state, theme.get_theme(), component_imports=everywhere)]
        self._install(context.all_imports, imports, everywhere)
        return {utils.resolve_path_of_web_dir(path): text for path, text in files.items()}

    def _whole(self) -> dict[Path, str]:
        """Compile the app as a whole. The first process of `reflex run` has done that, not this one, so what pages put around
        the frame (a provider of theirs) is unknown here; it is needed once, and only when there is such a thing."""
        log.info("the app is compiled as a whole, once")
        self._app._compile(prerender_routes=False, trigger="hot_reload")
        return {}

    def _install(self, *imports: Any) -> None:
        """Fetch npm packages that the new code is the first to use; that takes as long as npm takes."""
        *fresh, everywhere = imports
        names = {self._app._get_frontend_package_name(library) for one in fresh for library in one}
        known = (get_web_dir() / "package.json").read_text("utf-8")
        if missing := sorted(name for name in names if name and f'"{_bare(name)}"' not in known):
            log.info("fetching npm packages", packages=missing)
            self._app._get_frontend_packages(everywhere)

    def _write(self, files: dict[Path, str], name: str) -> None:
        """Write what differs. Parts first and pages last, so that no page asks for a part that is not there yet."""
        assets = Path.cwd() / "assets" / "external"
        if assets.is_dir():
            path_ops.update_directory_tree(src=assets, dest=Path.cwd() / get_web_dir() / "public" / "external")
        routes = Path("app", "routes").as_posix()
        other = {path for path, text in files.items() if _written(path) != text}
        self.rewritten = any(_PLACE in files[path] or NAMESPACE in path.parts for path in other)
        self.version += self.rewritten
        for path, text in sorted(files.items(), key=lambda one: routes in one[0].as_posix()):
            if path in other or self.rewritten and _PLACE in text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text.replace(_PLACE, str(self.version)), "utf-8")
        parts = utils.resolve_path_of_web_dir(utils.get_memo_module_path((NAMESPACE, name.replace("-", "_"))))
        for path in parts.with_suffix("").rglob("*.jsx") if parts.with_suffix("").is_dir() else ():
            if path not in files:
                path.unlink()


def _written(path: Path) -> str:
    """What stands in the file, whatever version it is; empty when there is none."""
    return _VERSION.sub(f'"data-mz-hot":"{_PLACE}"', path.read_text("utf-8")) if path.is_file() else ""


def _own(name: str) -> list[Page]:
    return [page for page in pages() if page.owner == name]


def _face(name: str) -> tuple[tuple[Any, ...], ...]:
    """What others see of the plugin's pages: a change of it changes the frame."""
    return tuple(
        (
            page.route,
            page.title,
            page.icon,
            str(page.access),
            page.group,
            page.order,
            page.in_nav,
            page.parent,
            page.show_in_header,
        )
        for page in _own(name)
    )


def _shared(name: str) -> set[str]:
    """Routes of the shell's own pages that show something of the plugin."""
    filled = {route for slot, route in _SLOTS.items() if any(piece.owner == name for piece in _pieces(slot))}
    return filled | ({_NOT_FOUND} if any(one.owner == name for one in components()) else set())


def _pieces(slot: str) -> list[slots.Piece]:
    return (slots.dashboard if slot == "dashboard" else slots.settings_page).pieces()


def _belongs(module: str | None, name: str) -> bool:
    return f"{module}.".startswith(f"{NAMESPACE}.{name.replace('-', '_')}.")


def _brought(root: Path | str) -> set[str]:
    """What the frame's script takes from elsewhere, its own parts aside: their names tell their content."""
    text = root if isinstance(root, str) else root.read_text("utf-8") if root.is_file() else ""
    return {names for names, source in _IMPORT.findall(text) if not source.startswith("$/utils/components/")}


def _draw_icons_again() -> None:
    """The bodies of these parts were built from the pages of that time."""
    for memo in MEMOS.values():
        if memo.source_module in _ICONS and hasattr(memo, "_component"):
            memo._component._ready = False


def _bare(package: str) -> str:
    """An npm package without its version."""
    return package.rpartition("@")[0] or package


__all__ = ["Pages"]
