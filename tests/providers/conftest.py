"""Provider files in a plugins folder, and a server in the place of the outside system."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mozaiks_shell.foundation import provider_files
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.identity import providers

HERE = Path(__file__).parent


class Outside:
    """Answers by ``(method, path without query)``; writes down what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.base = ""


@pytest.fixture
def outside() -> Iterator[Outside]:
    kept = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            kept.asked.append((self.command, self.path, json.loads(raw) if raw else None))
            status, told = kept.answers.get((self.command, self.path.partition("?")[0]), (404, {}))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.base = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def provide(settings, tmp_path, monkeypatch) -> Iterator[Callable[..., Settings]]:
    """``provide("payments", "paypal", text, VARIABLE="…")`` writes a provider file; without text the sample of that name."""

    def set_up(kind: str, name: str, text: str | None = None, **variables: str) -> Settings:
        folder = tmp_path / "plugins" / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text((HERE / f"{name}.py").read_text() if text is None else text)
        monkeypatch.setenv("MOZAIKS_PLUGINS_PATH", str(tmp_path / "plugins"))
        monkeypatch.setenv(provider_files.SETTING[kind], name)
        for key, value in variables.items():
            monkeypatch.setenv(key, value)
        get_settings.cache_clear()
        provider_files.forget()
        providers._made.cache_clear()
        return get_settings()

    yield set_up
    provider_files.forget()
    providers._made.cache_clear()
