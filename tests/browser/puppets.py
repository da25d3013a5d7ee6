"""The pane in a browser, and a runtime that sends what a test writes down (:mod:`tests.puppet`)."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.live import ROOT, clean_environment, free_port, until


@dataclass
class Puppet:
    """A running puppet."""

    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; returns when it answers."""
        self.process = subprocess.Popen([sys.executable, "-m", "tests.puppet", str(self.port)], cwd=ROOT, env=clean_environment())

        def answers() -> bool:
            try:
                return httpx.get(f"{self.url}/api/health", timeout=60).status_code == 200
            except httpx.HTTPError:
                return False

        until(answers, 60, "the puppet")

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def play(self, *frames: dict[str, Any], chat: str = "") -> str:
        """Send frames to a chat, else on the newest socket, which may yet have to come; the chat's id there."""

        def sent() -> httpx.Response | None:
            answer = httpx.post(f"{self.url}/play", params={"chat": chat}, json=list(frames), timeout=60)
            return answer if answer.status_code == 200 else None

        return str(until(sent, 60, "a socket of the shell").json()["chat"])

    def chats(self) -> list[str]:
        """Ids of the chats that are open, the newest last."""
        return list(httpx.get(f"{self.url}/chats", timeout=60).json())

    def set(self, **answers: Any) -> None:
        """Answer like this from now on."""
        assert httpx.post(f"{self.url}/set", json=answers, timeout=60).status_code == 200

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """Frames of this type that came in."""
        return [one for one in httpx.get(f"{self.url}/heard", timeout=60).json() if one["type"] == kind]

    def hears(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many frames of this type."""
        until(lambda: len(self.heard(kind)) >= count, 60, f"{count} × {kind}")
        return self.heard(kind)

    def forget(self) -> None:
        """Forget what came in, and answer as at the beginning."""
        httpx.delete(f"{self.url}/heard", timeout=60)
        self.set(meta={}, refuse=None, cached={}, asks=True, health=200)


@contextmanager
def puppet() -> Iterator[Puppet]:
    """One for a module."""
    made = Puppet()
    made.start()
    yield made
    made.stop()


def frame(kind: str, **data: Any) -> dict[str, Any]:
    """A frame as the runtime writes it."""
    return {"type": kind, "data": {"agent": "Helper", **data}, "agent": "Helper"}


def shown(component: str, ident: str, payload: dict[str, Any], display: str = "inline", **more: Any) -> dict[str, Any]:
    """``chat.tool_call``: show this."""
    said = {"awaiting_response": True, "display": display, "payload": payload, "tool_name": component, **more}
    return frame("chat.tool_call", component_type=component, corr=ident, **said)


def pane(page: Page) -> Locator:
    """The pane."""
    return page.locator(".mzc-pane")


def open_pane(page: Page, *, big: bool = False) -> Locator:
    """Open it, of somebody who has no chat yet, and wait until the new one is there."""
    page.locator("#mzc-bubble").click()
    expect(pane(page)).to_be_visible()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Nothing here yet")
    if big:
        page.get_by_role("button", name="Expand chat").click()
    return pane(page)
