"""Calls to servers that somebody else names: an address inside our own network is never reached by accident (SSRF).

The check stands where the connection is made. The name is resolved there, every address is looked at, and the very address
that passed is connected to; so neither a redirect nor a name that answers differently the second time (DNS rebinding) leads
past it.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

import httpcore
import httpx

from mozaiks_shell.foundation.errors import Forbidden
from mozaiks_shell.foundation.settings import get_settings

Address = IPv4Address | IPv6Address

_NAT64: Final = IPv6Network("64:ff9b::/96")
_PROTOCOLS: Final = IPv4Network("192.0.0.0/24")  # for the network itself; not all of it is marked as such


class AddressRefused(Forbidden):
    """The call leads into our own network, and ``MOZAIKS_HTTP_ALLOW`` does not open that place."""

    code = "ADDRESS_NOT_ALLOWED"


class _Refused(httpcore.ConnectError):
    """Carries the refusal through the HTTP library."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} ({address}) is not a public address")
        self.host, self.address = host, address


def is_public(address: Address) -> bool:
    """Whether an address is out in the internet, whatever form it is written in (mapped, tunnelled or translated IPv4)."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved and address not in _PROTOCOLS
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


@lru_cache(maxsize=8)
def _opened(allow: tuple[str, ...]) -> tuple[frozenset[str], tuple[Any, ...]]:
    hosts, networks = set(), []
    for one in allow:
        try:
            networks.append(ip_network(one, strict=False))
        except ValueError:
            hosts.add(one.lower().rstrip("."))
    return frozenset(hosts), tuple(networks)


def is_allowed(host: str, address: str, allow: Sequence[str]) -> bool:
    """Whether a call to ``host``, which is at ``address``, may be made.

    Args:
        allow: Host names and networks the operator opened.
    """
    try:
        where = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if is_public(where):
        return True
    hosts, networks = _opened(tuple(allow))
    return host.lower().rstrip(".") in hosts or any(where in one for one in networks if one.version == where.version)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks, and connects to what was checked."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._allow, self._inner = tuple(allow), httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        addresses = await _resolve(host, port, timeout)
        for address in addresses:
            if not is_allowed(host, address, self._allow):
                raise _Refused(host, address)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses[:4]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        raise _Refused(path, "a socket file")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int, seconds: float | None) -> list[str]:
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"{host} could not be resolved in time") from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be resolved") from error
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class GuardedTransport(httpx.AsyncHTTPTransport):
    """HTTP and HTTPS to public addresses, and to what ``MOZAIKS_HTTP_ALLOW`` opens. No proxies."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        # httpx offers no way to name the network layer; a test proves that this one is in place.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=50,
            max_keepalive_connections=10,
            keepalive_expiry=15.0,
            network_backend=_GuardedBackend(get_settings().http_allow),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx, but a refused address is an error of ours.

        Raises:
            AddressRefused: the place is inside our own network.
        """
        try:
            return await super().handle_async_request(request)
        except httpx.ConnectError as error:
            cause = error.__cause__
            if isinstance(cause, _Refused):
                raise AddressRefused(
                    f"{cause.host} ({cause.address}) is not a public address. An operator can open it with MOZAIKS_HTTP_ALLOW.",
                    host=cause.host,
                ) from error
            raise
