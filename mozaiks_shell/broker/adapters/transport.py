"""One call to a runtime over HTTP, with everything that can go wrong on the way: bounded in time and size, repeated only
where that is safe, and behind a circuit breaker."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any, Final

import httpx

from mozaiks_shell.broker.adapters.answers import parsed, refusal
from mozaiks_shell.broker.circuit import circuit_of, forget
from mozaiks_shell.broker.errors import NotSent, runtime_unavailable
from mozaiks_shell.foundation import http
from mozaiks_shell.foundation.errors import TimedOut, Upstream
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.logging import get_logger

log = get_logger("broker")

SECONDS: Final = 10.0  # of a whole call, repetitions included
PROBE_SECONDS: Final = 2.0
LARGEST: Final = 8_000_000  # bytes of an answer; the configuration of every workflow is one
TRIES: Final = 3
_PAUSES: Final = (0.1, 0.4)  # seconds between tries, up to twice as long
_GATEWAY: Final = frozenset({502, 503, 504})  # nobody behind the proxy, or going down
_OFF_LOOP: Final = 200_000  # bytes; parsing more than this would keep others waiting


@dataclass(frozen=True, slots=True)
class Raw:
    """A whole answer."""

    status: int
    body: bytes
    retry_after: str
    content_type: str


class _TooLarge(Exception):
    """The answer does not end."""


class Transport:
    """Calls one base URL. Close it at the end."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = http.client(base_url, timeout=SECONDS, headers={"accept-encoding": "identity"})
        self.circuit = circuit_of(base_url)

    async def close(self) -> None:
        """Close the connections, and forget how this runtime was."""
        forget(self.base_url)
        await self._http.aclose()

    async def json(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None, *, repeat: bool = False,
        seconds: float | None = None, wraps: bool = False, params: dict[str, str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The JSON object that answers. Arguments as :meth:`ask`; ``wraps`` as in :func:`~.answers.refusal`.

        Raises:
            ShellError: the refusal in words, or as :meth:`ask`.
        """
        raw = await self.ask(method, path, token, body, repeat=repeat, seconds=seconds, params=params)
        if raw.status >= 300:
            raise refusal(path, raw.status, raw.body, raw.retry_after, wraps=wraps)
        return await asyncio.to_thread(parsed, raw.body) if len(raw.body) > _OFF_LOOP else parsed(raw.body)

    async def ask(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None, *, repeat: bool = False,
        seconds: float | None = None, params: dict[str, str] | None = None, largest: int = LARGEST,
    ) -> Raw:  # fmt: skip
        """The answer, whatever its status.

        Args:
            repeat: Asking twice does no harm: a GET, or a start that names its request.
            seconds: For the whole call. A call with a limit of its own may be long work, so running out of it says
                nothing about whether the runtime is there.

        Raises:
            Unavailable: ``RUNTIME_UNAVAILABLE``, nobody there; :class:`~mozaiks_shell.broker.errors.NotSent` when it
                certainly did not get the request, and at once while the circuit is open.
            TimedOut: ``RUNTIME_TIMED_OUT``.
            Upstream: ``RUNTIME_ERROR``, the answer is too large.
        """
        await self._pass()
        own = seconds is not None
        try:
            async with asyncio.timeout(seconds or SECONDS):
                raw = await self._tries(method, path, token, body, TRIES if repeat else 1, seconds, params, largest)
        except _TooLarge as error:
            self.circuit.succeeded()
            log.error("runtime's answer is too large", url=self.base_url, path=path, largest=largest)
            raise Upstream(tr("The assistant's server answered with something unreadable."), code="RUNTIME_ERROR") from error
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
            if not own:
                self._failed(path, error, "no answer in time")
            raise TimedOut(tr("The assistant's server did not answer in time."), code="RUNTIME_TIMED_OUT") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self._failed(path, error, f"{type(error).__name__}: {error}")
            raise NotSent from error
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: closed meanwhile, because the runtime moved
            self._failed(path, error, f"{type(error).__name__}: {error}")
            raise runtime_unavailable() from error
        if raw.status in _GATEWAY:
            self._failed(path, None, f"status {raw.status}")
        else:
            self.circuit.succeeded()
        return raw

    def _failed(self, path: str, error: BaseException | None, reason: str) -> None:
        log.warning("runtime call failed", url=self.base_url, path=path, reason=reason, kind=type(error).__name__)
        self.circuit.failed(reason)

    async def _pass(self) -> None:
        """Through the circuit, or a refusal at once. When it is half open, this caller may be the one who looks.

        Raises:
            Unavailable: the circuit is open.
        """
        if self.circuit.may_pass():
            return
        if not self.circuit.take_probe() or not await self.probe():
            raise NotSent

    async def probe(self) -> bool:
        """Whether anybody is there. The health route answers 401 without a token where auth is on: that is an answer."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                raw = await self._once("GET", "/api/health", "", None, PROBE_SECONDS, None, LARGEST)
        except _TooLarge:
            self.circuit.succeeded()
            return True
        except (TimeoutError, httpx.HTTPError, RuntimeError) as error:
            self.circuit.failed(f"{type(error).__name__}: {error}")
            return False
        except BaseException:
            self.circuit.drop_probe()
            raise
        if raw.status in _GATEWAY:
            self.circuit.failed(f"status {raw.status}")
            return False
        self.circuit.succeeded()
        return True

    async def _tries(
        self, method: str, path: str, token: str, body: dict[str, Any] | None, tries: int, seconds: float | None,
        params: dict[str, str] | None, largest: int,
    ) -> Raw:  # fmt: skip
        for number in range(1, tries + 1):
            try:
                raw = await self._once(method, path, token, body, seconds or SECONDS, params, largest)
            except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if number == tries:
                    raise
            else:
                if raw.status not in _GATEWAY or number == tries:
                    return raw
            await asyncio.sleep(_PAUSES[min(number, len(_PAUSES)) - 1] * random.uniform(0.5, 2.0))
        raise AssertionError("unreachable")

    async def _once(
        self, method: str, path: str, token: str, body: dict[str, Any] | None, seconds: float,
        params: dict[str, str] | None, largest: int,
    ) -> Raw:  # fmt: skip
        headers = {"authorization": f"Bearer {token}"} if token else {}
        limit = httpx.Timeout(seconds, connect=min(5.0, seconds))
        got, size = [], 0
        async with self._http.stream(method, path, json=body, headers=headers, timeout=limit, params=params) as response:
            async for chunk in response.aiter_raw(65_536):
                size += len(chunk)
                if size > largest:
                    raise _TooLarge
                got.append(chunk)
        told = response.headers
        return Raw(response.status_code, b"".join(got), told.get("retry-after", ""), told.get("content-type", ""))
