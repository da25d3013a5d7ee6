"""The sign-in provider of ``plugins/auth/<name>.py`` (F-053): a page of its own, passwords of its own, or both."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeVar

from mozaiks_shell.foundation.errors import Unavailable
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.provider_files import make
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity.errors import IssuerFailed
from mozaiks_shell.identity.ports import IssuerIdentity, Visit

log = get_logger("identity")
Answer = TypeVar("Answer")

SECONDS: Final = 20.0  # a provider has so long for one question
METHODS: Final = {"authorize_url": False, "identity": False, "sign_out_url": False, "authenticate": False}


def _check(made: Any) -> str:
    by_page = hasattr(made, "authorize_url"), hasattr(made, "identity")
    if any(by_page) and not all(by_page):
        return "Provider needs both `async def authorize_url` and `async def identity`"
    if not any(by_page) and not hasattr(made, "authenticate"):
        return "Provider needs `async def authenticate`, or `async def authorize_url` and `async def identity`"
    return ""


@lru_cache(maxsize=4)
def _made(name: str, _: object) -> Any:
    return make("auth", name, METHODS, _check)


def sign_in_provider() -> Any:
    """The configured provider; None without one.

    Raises:
        ProviderProblem: its file cannot be used.
    """
    settings = get_settings()
    return _made(settings.auth_provider, id(settings)) if settings.auth_provider else None


def source() -> str:
    """What stands as ``issuer`` in the accounts of its people: never what the file says, so that it vouches for no others."""
    return f"auth:{get_settings().auth_provider}"


def provider_title() -> str:
    """What to call it on a button; empty when it has no page of its own."""
    provider = sign_in_provider()
    if provider is None or not hasattr(provider, "authorize_url"):
        return ""
    return str(getattr(provider, "title", "") or get_settings().auth_provider.replace("_", " ").title())


def asks_for_passwords() -> bool:
    """Whether it judges names and passwords."""
    return hasattr(sign_in_provider(), "authenticate")


class FileIssuer:
    """The provider as an :class:`~mozaiks_shell.identity.ports.Issuer`, with limits."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider

    async def authorize_url(self, visit: Visit, *, again: bool = False) -> str:
        """See :class:`~mozaiks_shell.identity.ports.Issuer`."""
        return str(await _asked(self._provider.authorize_url(visit, again=again)))

    async def identity(self, visit: Visit, code: str, iss: str) -> IssuerIdentity:
        """See :class:`~mozaiks_shell.identity.ports.Issuer`."""
        return _own(await _asked(self._provider.identity(visit, code, iss)))

    async def sign_out_url(self, return_to: str) -> str:
        """See :class:`~mozaiks_shell.identity.ports.Issuer`."""
        if not hasattr(self._provider, "sign_out_url"):
            return ""
        return str(await _asked(self._provider.sign_out_url(return_to)))


async def recognise(login: str, password: str) -> IssuerIdentity | None:
    """The person behind a name and a password, as the provider says; None when it says no, or is not asked.

    Raises:
        Unavailable: it failed. A wrong password is never assumed then.
    """
    provider = sign_in_provider()
    if provider is None or not hasattr(provider, "authenticate"):
        return None
    try:
        found = await _asked(provider.authenticate(login, password))
        return None if found is None else _own(found)
    except IssuerFailed as error:
        log.error("sign-in provider failed", provider=get_settings().auth_provider, why=error.why)
        raise Unavailable(error.message, code="OIDC_DOWN") from error


async def _asked(answer: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(SECONDS):
            return await answer
    except IssuerFailed:
        raise
    except (Exception, SystemExit) as error:
        raise IssuerFailed("OIDC_DOWN", f"{get_settings().auth_provider}: {error!r}") from error


def _own(found: Any) -> IssuerIdentity:
    if not isinstance(found, IssuerIdentity) or not (0 < len(found.subject) <= 255 and found.subject.isprintable()):
        raise IssuerFailed("OIDC_UNTRUSTED", f"{get_settings().auth_provider}: gave no usable identity: {found!r:.200}")
    return replace(found, issuer=source())
