"""``WS /ws/hot``: tells open pages of the development server what went wrong with a saved file, and when to load anew.

To the browser: ``{"problems": [...]}`` whenever that list changes (it may be empty); for pages at or below an address
``{"reload": "/plugins/x"}``, and ``{"changed": "/plugins/x", "version": "7"}`` when Vite is about to update them: a page
that does not have this version soon loads anew.
"""

import asyncio
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Response, WebSocket
from starlette.websockets import WebSocketDisconnect

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.errors import PluginProblem

_AROUND: Final = 2  # lines shown before and after the one at fault
_WIDEST: Final = 200  # characters of a line
_KINDS: Final = {"notice.js": "text/javascript", "notice.css": "text/css"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a source file."""

    number: int
    text: str
    at_fault: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A problem as the page shows it. ``place`` is ``plugins/x/page.py:12``; ``kept`` says that an older version serves."""

    plugin: str
    place: str
    message: str
    remedy: str
    kept: bool
    lines: list[Line] = field(default_factory=list)


class Notices:
    """What is wrong now, and the pages that are told."""

    def __init__(self) -> None:
        self._problems: dict[str, Shown] = {}
        self._pages: set[asyncio.Queue[dict[str, Any]]] = set()

    def put(self, name: str, shown: Shown | None) -> None:
        """Set or clear what is wrong with a plugin, and tell every open page if that is news."""
        if self._problems.get(name) == shown:
            return
        if shown is None:
            del self._problems[name]
        else:
            self._problems[name] = shown
        self._tell(self.current())

    def reload(self, path: str) -> None:
        """Have the pages at or below this address load anew."""
        self._tell({"reload": path})

    def changed(self, path: str, version: int) -> None:
        """The pages at or below this address are being updated to this version."""
        self._tell({"changed": path, "version": str(version)})

    def current(self) -> dict[str, Any]:
        """The message with all problems."""
        return {"problems": [asdict(self._problems[name]) for name in sorted(self._problems)]}

    def _tell(self, message: dict[str, Any]) -> None:
        for queue in self._pages:
            queue.put_nowait(message)

    async def serve(self, socket: WebSocket) -> None:
        """One page's socket, until it goes."""
        if socket.headers.get("origin", "") not in get_settings().allowed_origins:
            await socket.close(4003)
            return
        await socket.accept()
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._pages.add(queue)
        queue.put_nowait(self.current())
        left = asyncio.ensure_future(_left(socket))
        try:
            while True:
                news = asyncio.ensure_future(queue.get())
                await asyncio.wait({news, left}, return_when=asyncio.FIRST_COMPLETED)
                if left.done():
                    news.cancel()
                    return
                await socket.send_text(json.dumps(news.result()))
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            self._pages.discard(queue)
            left.cancel()


async def _left(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def shown(folder: Path, problem: PluginProblem, *, kept: bool) -> Shown:
    """The problem of a plugin with the lines around its place, read from its folder as it is now."""
    place = "/".join(filter(None, (folder.parent.name, folder.name, problem.where)))
    message = f"{problem.cause.value.replace('_', ' ')}: {problem.message}"
    remedy = problem.remedy.replace(", then restart", "")  # not here: the corrected file is taken in by itself
    return Shown(folder.name, place, message, remedy, kept, _lines(folder / problem.file, problem.line))


def _lines(file: Path, at: int) -> list[Line]:
    if at < 1 or not file.is_file():
        return []
    try:
        text = file.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    first = max(at - _AROUND, 1)
    return [Line(number, line[:_WIDEST], number == at) for number, line in enumerate(text[first - 1 : at + _AROUND], first)]


def router(notices: Notices) -> APIRouter:
    """The socket, and the two files that show what it says."""
    found = APIRouter()

    @found.get("/__mozaiks/hot/{name}")
    async def file(name: str) -> Response:
        """The script and the style sheet of the notice."""
        if name not in _KINDS:
            return Response(status_code=404)
        return Response((Path(__file__).parent / name).read_text("utf-8"), media_type=_KINDS[name])

    found.add_api_websocket_route("/ws/hot", notices.serve)
    return found


__all__ = ["Line", "Notices", "Shown", "router", "shown"]
