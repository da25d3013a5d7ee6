"""The server of ``reflex run --env prod``: gunicorn keeps the workers, uvicorn serves in them (docs/decisions/0012)."""

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, cast

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from reflex.utils import exec as reflex_server
from reflex_base.environment import environment
from uvicorn_worker import UvicornWorker

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.http_guard import GuardedHttp

STALLED_SECONDS: Final = 120  # an event loop that did nothing for so long is replaced
FAREWELL_SECONDS: Final = 20
_MESSAGE_BYTES: Final = 4 * 1024 * 1024
_PARENT_DIED: Final = 1  # PR_SET_PDEATHSIG of prctl(2)


class ShellWorker(UvicornWorker):
    """A process that serves. It ends with the one that started it, however that ends."""

    CONFIG_KWARGS: dict[str, Any] = {
        "loop": "asyncio",
        "http": GuardedHttp,
        "ws": "websockets-sansio",
        "ws_max_size": _MESSAGE_BYTES,
        "ws_per_message_deflate": False,  # 200 KiB and more for each open socket
        "proxy_headers": False,  # MOZAIKS_TRUSTED_PROXY_HOPS counts
        "server_header": False,
        "access_log": False,
        "timeout_graceful_shutdown": FAREWELL_SECONDS,
    }

    def init_process(self) -> None:
        """Called in the new process."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PARENT_DIED, signal.SIGTERM)
            if os.getppid() != self.ppid:
                os._exit(1)
        super().init_process()


class _Server(BaseApplication):
    def __init__(self, options: dict[str, Any], load: Callable[[], Any]) -> None:
        self._options, self._load = options, load
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()


def serve(host: str, port: int, loglevel: Any = None, mount_frontend_compiled_app: bool = False) -> None:
    """In the place of Reflex's ``run_backend_prod``. Returns when the server was told to stop.

    The app is imported here once, so that the workers share its memory.

    Args:
        host: Address to listen on.
        port: TCP port.
        loglevel: Reflex's; not used, ``MOZAIKS_LOG_LEVEL`` counts.
        mount_frontend_compiled_app: Whether to serve the built pages too.

    Raises:
        SystemExit: the address is taken, or no worker could start.
    """
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(mount_frontend_compiled_app)
    module, _, name = reflex_server.get_app_instance().partition(":")
    load = getattr(importlib.import_module(module), name)
    reflex_server._preload_for_fork(None)
    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": get_settings().workers,
        "worker_class": ShellWorker,
        "preload_app": True,
        "timeout": STALLED_SECONDS,
        "graceful_timeout": FAREWELL_SECONDS + 10,
        "keepalive": 75,
        "backlog": 2048,
        "loglevel": "warning",
        "control_socket_disable": True,
    }
    Arbiter(_Server(options, cast("Callable[[], Any]", load))).run()


def use() -> None:
    """Have Reflex start this server in production."""
    reflex_server.run_backend_prod = serve
