"""``http``: calls to other servers, with limits on time and size. Permission ``http``.

    answer = await sdk.http.get("https://api.example.com/rates", params={"base": "EUR"})
    rates = answer.json()

The answer is an ``httpx.Response`` whose body is there already; 4xx and 5xx are answers, not errors (``answer.is_success``).
Addresses inside the operator's own network (loopback, private, link-local) are refused, also behind redirects and names,
unless ``MOZAIKS_HTTP_ALLOW`` opens them. Awaited in ``async`` code, called plainly in ``def``.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Any, Final

import httpx

from mozaiks_shell.foundation.errors import Invalid, TimedOut, Upstream
from mozaiks_shell.foundation.outbound import AddressRefused, GuardedTransport
from mozaiks_shell.plugin_host.permissions import Permission, demand
from mozaiks_shell.plugin_host.service import either_way

MAX_BYTES: Final = 10_000_000
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # a repetition changes nothing
_BUSY: Final = frozenset({429, 502, 503, 504})
_REDIRECTS: Final = 5
_LONGEST_PAUSE: Final = 10.0

Headers = Mapping[str, str]


def get(url: str, *, params: Mapping[str, Any] | None = None, headers: Headers | None = None, **options: Any) -> Any:
    """GET. Options as :func:`request`.

    Example:
        >>> answer = await sdk.http.get("https://api.example.com/status", timeout=5)
        >>> answer.status_code
        200
    """
    demand(Permission.HTTP)
    return either_way(_request("GET", url, params=params, headers=headers, **options))


def post(url: str, *, json: Any = None, headers: Headers | None = None, **options: Any) -> Any:
    """POST. Options as :func:`request`; it is repeated only when it cannot have arrived, or has an ``Idempotency-Key``.

    Example:
        >>> await sdk.http.post("https://hooks.example.com/x", json={"text": "Done"}, headers={"Idempotency-Key": task.id})
    """
    demand(Permission.HTTP)
    return either_way(_request("POST", url, json=json, headers=headers, **options))


def request(method: str, url: str, **options: Any) -> Any:
    """Any method.

    Args:
        method: ``GET``, ``PUT``, ``DELETE`` …
        url: ``http://`` or ``https://``.
        params, headers, json, data, content, files, auth: As in httpx.
        timeout: Seconds for all of it, redirects and repetitions included. Default 20.
        retries: Repetitions after a failed connection, and for safe methods after 429, 502, 503 and 504. Default 2.
        max_bytes: Largest body of the answer, unpacked. Default 10 MB.
        follow_redirects: Up to five. Default True.

    Raises:
        Forbidden: ``PERMISSION_MISSING``; or ``ADDRESS_NOT_ALLOWED``: the address is inside the operator's network.
        Invalid: not an address of the web.
        TimedOut: no complete answer in time.
        Upstream: no connection, a broken answer, or ``RESPONSE_TOO_LARGE``.

    Example:
        >>> answer = await sdk.http.request("PUT", "https://api.example.com/items/7", json={"done": True})
        >>> answer.is_success
        True
    """
    demand(Permission.HTTP)
    return either_way(_request(method.upper(), url, **options))


async def _request(
    method: str, url: str, *, timeout: float = 20.0, retries: int = 2, max_bytes: int = MAX_BYTES,  # noqa: ASYNC109
    follow_redirects: bool = True, headers: Headers | None = None, auth: Any = None, **content: Any,
) -> httpx.Response:  # fmt: skip
    try:
        host = httpx.URL(url).host
        scheme = httpx.URL(url).scheme
    except (httpx.InvalidURL, TypeError) as error:
        raise Invalid("This is not an address of the web.", code="BAD_URL") from error
    if scheme not in {"http", "https"} or not host:
        raise Invalid("An address of the web begins with https:// or http://.", code="BAD_URL")
    told = {"user-agent": "mozaiks-shell", **(headers or {})}
    repeatable = method in _SAFE or any(name.lower() == "idempotency-key" for name in told)
    try:
        async with (
            asyncio.timeout(timeout),
            httpx.AsyncClient(
                transport=GuardedTransport(),
                timeout=timeout,
                follow_redirects=follow_redirects,
                max_redirects=_REDIRECTS,
                trust_env=False,
            ) as client,
        ):
            for attempt in range(retries + 1):
                last = attempt == retries
                try:
                    sent = client.build_request(method, url, headers=told, **content)
                    answer = await _send(client, sent, auth, max_bytes)
                except httpx.ConnectError:  # nothing was sent, so any method may be tried again
                    if last:
                        raise
                except httpx.TransportError:
                    if last or not repeatable:
                        raise
                else:
                    if last or not repeatable or answer.status_code not in _BUSY:
                        return answer
                    await asyncio.sleep(_pause(attempt, answer.headers.get("retry-after", "")))
                    continue
                await asyncio.sleep(_pause(attempt))
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOut(f"{host} did not answer within {timeout:g} seconds.", host=host) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
        raise Upstream(f"{host} leads nowhere: {error}", host=host) from error
    except httpx.HTTPError as error:
        raise Upstream(f"{host} cannot be reached.", host=host, reason=type(error).__name__) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


async def _send(client: httpx.AsyncClient, sent: httpx.Request, auth: Any, max_bytes: int) -> httpx.Response:
    """One try, its body read up to the limit."""
    answer = await client.send(sent, stream=True, auth=auth)
    try:
        if int(answer.headers.get("content-length") or 0) > max_bytes:
            raise _too_large(answer, max_bytes)
        body = bytearray()
        async for chunk in answer.aiter_bytes(65_536):
            body += chunk
            if len(body) > max_bytes:
                raise _too_large(answer, max_bytes)
    except ValueError as error:
        raise httpx.RemoteProtocolError("bad content-length") from error
    finally:
        await answer.aclose()
    kept = httpx.Headers(answer.headers)
    for unpacked in ("content-encoding", "content-length", "transfer-encoding"):
        kept.pop(unpacked, None)
    whole = httpx.Response(answer.status_code, headers=kept, content=bytes(body), request=answer.request)
    whole.history = answer.history
    return whole


def _too_large(answer: httpx.Response, max_bytes: int) -> Upstream:
    host = answer.request.url.host
    return Upstream(f"The answer of {host} is larger than {max_bytes} bytes.", code="RESPONSE_TOO_LARGE", host=host)


def _pause(attempt: int, asked: str = "") -> float:
    """Seconds before the next try: what the server asks for, else a little more each time."""
    if asked.isascii() and asked.isdigit():
        return min(float(asked), _LONGEST_PAUSE)
    return min(0.3 * 2**attempt * random.uniform(0.8, 1.2), _LONGEST_PAUSE)


__all__ = ["AddressRefused", "MAX_BYTES", "get", "post", "request"]
