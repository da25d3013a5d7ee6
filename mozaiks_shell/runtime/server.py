"""The process: configuration from stdin, a bound port, one ready line, and an end when the parent ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import threading

import uvicorn

from .app import create_app
from .config import ConfigError, RuntimeConfig, parse_config

log = logging.getLogger("mozaiks_shell.runtime")
EXIT_OK, EXIT_CANNOT_LISTEN, EXIT_BAD_CONFIG = 0, 1, 2
_MAX_LINE = 1 << 20
_MAX_CLIENT_FRAME = 1 << 20


def main() -> int:
    """Run for a parent until told to stop. Exit codes: 0 asked to stop, 1 cannot listen, 2 bad configuration."""
    try:
        return run(parse_config(_read_line()), parent=True)
    except ConfigError as error:
        return _fail(str(error), EXIT_BAD_CONFIG)


def run(config: RuntimeConfig, *, parent: bool = False) -> int:
    """Run until told to stop, with exit codes as :func:`main`; ``parent``: also until stdin ends.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    # The access log would hold tokens (they travel in WebSocket URLs), so uvicorn logs warnings only.
    line = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=line)
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    server = _server(config)
    try:
        listener = _bind(config)
    except OSError as error:
        reason = f"cannot listen on {config.host}:{config.port}: {error.strerror or error}"
        return _fail(reason, EXIT_CANNOT_LISTEN)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again after an orderly end
        asyncio.run(_serve(server, listener, config, parent=parent))
    return EXIT_OK


def _fail(reason: str, code: int) -> int:
    sys.stderr.write(f"mozaiks_shell.runtime: {reason}\n")
    return code


def _read_line() -> bytes:
    """The first line of stdin, read from the descriptor so that no buffer swallows the end of file."""
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < _MAX_LINE:
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    return bytes(line)


def _server(config: RuntimeConfig) -> uvicorn.Server:
    try:
        app = create_app(config)
    except ValueError as error:
        raise ConfigError(f"bad configuration: jwks: {error}") from None
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_max_size=_MAX_CLIENT_FRAME,
            ws_per_message_deflate=False,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )


def _bind(config: RuntimeConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


async def _serve(server: uvicorn.Server, listener: socket.socket, config: RuntimeConfig, *, parent: bool) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    def watch_parent() -> None:
        while os.read(0, 4096):  # nothing is expected after the configuration
            pass
        loop.call_soon_threadsafe(stop)

    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.01)
    if not serving.done():
        if parent:
            threading.Thread(target=watch_parent, name="parent watch", daemon=True).start()
        host = f"[{config.host}]" if ":" in config.host else config.host
        url = f"http://{host}:{listener.getsockname()[1]}"
        sys.stdout.write(json.dumps({"ready": True, "url": url}) + "\n")
        sys.stdout.flush()
        log.info("listening on %s", url)
    await serving
