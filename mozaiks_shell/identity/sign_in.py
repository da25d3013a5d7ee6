"""The ways in with a password or a new account. Switches, limits and events are decided here."""

import re
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.ids import digest
from mozaiks_shell.foundation.limits import forget, hit
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import accounts
from mozaiks_shell.identity.errors import SwitchedOff
from mozaiks_shell.identity.models import User
from mozaiks_shell.identity.providers import asks_for_passwords, recognise

SIGN_INS_PER_NAME: Final = 10  # failed ones, per minute
SIGN_INS_PER_ADDRESS: Final = 60
REGISTRATIONS_PER_ADDRESS: Final = 20
_NEXT: Final = re.compile(r"/(?!/)[^\\\s\x00-\x1f\x7f]*")


def safe_next(wanted: str) -> str:
    """Where to go after signing in: a path of this app with its query, else ``/`` (F-030).

    Refused: other hosts (``//host``, ``/\\host``), control characters, dot segments, and the sign-in pages themselves.
    """
    if len(wanted) > 2000 or not _NEXT.fullmatch(wanted):
        return "/"
    path = urlsplit(wanted).path
    if "//" in path or {".", ".."} & set(path.split("/")):
        return "/"
    return "/" if path.rstrip("/") in {"/sign-in", "/register", "/login"} or path.startswith(("/auth/", "/_")) else wanted


def network_of(ip: str) -> str:
    """What counts as one address for limits: an IPv4 address, or the /64 a household gets in IPv6."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


async def sign_in(login: str, password: str, *, ip: str = "") -> User:
    """The person behind a name or e-mail address and a password, within the limits (F-318).

    Tries with the name and with the address of one account are counted together.

    Raises:
        SwitchedOff: local accounts are off.
        TooMany: too many tries for this name or from this address.
        WrongCredentials: whatever else is wrong.
    """
    local = get_settings().local_accounts
    if not local and not asks_for_passwords():
        raise SwitchedOff("LOCAL_ACCOUNTS_OFF")
    name = accounts.fold(login)
    try:
        await hit("sign-in-address", network_of(ip), SIGN_INS_PER_ADDRESS)
        found = await accounts.find_login(login)
        counted = found.id if found else name
        await hit("sign-in-name", counted, SIGN_INS_PER_NAME)
        known = await recognise(login, password)
        user = await accounts.user_of(known) if known else await accounts.prove(found if local else None, password)
    except ShellError as error:
        data = {"login": digest(name)[:16], "ip": ip, "reason": error.code}
        await events.publish(events.Event("user.sign_in_failed", get_settings().app_id, "", data))
        raise
    await forget("sign-in-name", counted, SIGN_INS_PER_NAME)
    return user


async def sign_up(username: str, password: str, email: str, full_name: str = "", *, ip: str = "") -> User:
    """A new local account, if this installation lets people create them (F-042, F-051).

    Raises:
        SwitchedOff: registration or local accounts are off.
        TooMany: too many new accounts from this address.
        InvalidAccount, AccountExists: as for :func:`accounts.register`.
    """
    settings = get_settings()
    if not settings.local_accounts:
        raise SwitchedOff("LOCAL_ACCOUNTS_OFF")
    if not settings.registration:
        raise SwitchedOff("REGISTRATION_OFF")
    await hit("register-address", network_of(ip), REGISTRATIONS_PER_ADDRESS)
    return await accounts.register(username, password, email, full_name)
