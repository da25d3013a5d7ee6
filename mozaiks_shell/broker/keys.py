"""The keys behind the execution tokens and their rotation (D7, F-149).

Three kinds, kept in the database so that every process of the app has the same: the *active* key signs; the *next* one is
published long before it signs, because a runtime keeps a key set for up to an hour; *retired* ones stay published for an
hour, which is longer than any token lives. A process looks for changes every few seconds, and one that has not noticed a
rotation yet signs with a key that is still published: nothing is refused while keys change.

An operator's own key (``MOZAIKS_EXECUTION_TOKEN_PRIVATE_KEY``) signs instead; what is in the database stays published.

Private parts are encrypted at rest (:mod:`mozaiks_shell.foundation.sealing`), those of before as soon as they are read. Keys
sealed with another secret can sign nothing any more: the ring is made anew, and tokens signed with them end.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import col

from mozaiks_shell.broker.models import SigningKey, StartClaim
from mozaiks_shell.foundation import events, sealing
from mozaiks_shell.foundation.clock import aware, now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Conflict, Unavailable
from mozaiks_shell.foundation.logging import get_logger
from mozaiks_shell.foundation.settings import Settings, get_settings

log = get_logger("broker")

PUBLISHED_AHEAD: Final = timedelta(hours=1)  # how long a runtime may keep a key set (AUTH_JWKS_CACHE_TTL)
KEPT_RETIRED: Final = timedelta(hours=1)  # longer than a token lives, plus clock skew
REFRESH: Final = 5.0  # seconds between looks into the database
_BITS: Final = 2048
_SEALED_FOR: Final = "signing keys of execution tokens"
_SETTLED: Final = timedelta(minutes=1)  # younger keys of another secret are those of a process that runs beside this one


@dataclass(frozen=True, slots=True)
class KeyRing:
    """What signs now and what is published. With HS256 nothing is published."""

    signing: RSAKey | OctKey
    published: tuple[RSAKey, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One key as an operator sees it. ``state``: ``active``, ``next`` or ``retired``."""

    kid: str
    state: str
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


class _Cache:
    """What this process knows, and since when."""

    settings: Settings | None = None
    ring: KeyRing | None = None
    read_at: float = 0.0
    parsed: dict[str, RSAKey]

    def __init__(self) -> None:
        self.parsed = {}


_cache = _Cache()
_locks: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}


async def ring() -> KeyRing:
    """The keys as of now. Makes an installation's first ones.

    Raises:
        Unavailable: the database does not answer, and nothing was read before.
    """
    settings = get_settings()
    if (known := _fresh(settings)) is not None:
        return known
    async with _lock():
        if (known := _fresh(settings)) is not None:
            return known
        try:
            found = await _read(settings)
        except SQLAlchemyError as error:
            if _cache.settings is not settings or _cache.ring is None:
                raise Unavailable("The keys of the runtime's tokens cannot be read.", code="KEYS_UNAVAILABLE") from error
            log.warning("signing keys could not be read; those known are used", error=type(error).__name__)
            found = _cache.ring
        _cache.settings, _cache.ring, _cache.read_at = settings, found, time.monotonic()
        return found


def forget() -> None:
    """Look into the database at the next use."""
    _cache.read_at = 0.0


async def standings() -> list[Standing]:
    """Every key in the database, the active one first, then the next, then the retired, newest first."""
    rows = await _rows()
    order = {"active": 0, "next": 1}
    rows.sort(key=lambda row: (order.get(row.slot, 2), -aware(row.retired_at or row.created_at).timestamp()))
    return [
        Standing(
            row.kid,
            row.slot if row.slot in order else "retired",
            aware(row.created_at),
            aware(row.activated_at) if row.activated_at else None,
            aware(row.retired_at) if row.retired_at else None,
        )
        for row in rows
    ]


async def rotate(*, at_once: bool = False, revoke: bool = False) -> str:
    """Let the next key sign, retire the active one, publish a new next one; returns the ``kid`` that signs now.

    Two processes that rotate together rotate once.

    Args:
        at_once: Although the next key has not been published for an hour: runtimes may refuse tokens until they read anew.
        revoke: Publish no retired key any more, because one became known: tokens signed with them end. Implies ``at_once``.

    Raises:
        Conflict: the next key is too young, or the keys are not ours to rotate.
    """
    settings = get_settings()
    if settings.execution_token_algorithm == "HS256" or settings.execution_token_private_key.get_secret_value():
        raise Conflict("The operator's own key or secret signs. Change the setting to replace it.", code="KEY_NOT_OURS")
    await ring()
    rows = {row.slot: row for row in await _rows()}
    if "active" not in rows or "next" not in rows:
        forget()
        await ring()
        rows = {row.slot: row for row in await _rows()}
    active, following, moment = rows["active"], rows["next"], now()
    age = moment - aware(following.created_at)
    if age < PUBLISHED_AHEAD and not at_once and not revoke:
        wait = int((PUBLISHED_AHEAD - age).total_seconds() // 60) + 1
        raise Conflict(
            f"The next key has not been published for an hour; runtimes may not know it yet. Try again in {wait} minutes, "
            "or use --now.",
            code="KEY_TOO_YOUNG",
        )
    fresh = await asyncio.to_thread(_generate)
    if await _move_on(active.kid, following.kid, fresh, moment, revoke=revoke):
        log.info("signing key replaced", kid=following.kid, retired=active.kid, revoked=revoke)
        facts = {"kid": following.kid, "retired": active.kid, "revoked": revoke}
        await events.publish(events.Event("signing_key.replaced", settings.app_id, "", facts))
    forget()
    return str((await ring()).signing.kid)


async def rotate_when_due(_: dict[str, Any] | None = None) -> bool:
    """The hourly job: replace the active key after ``MOZAIKS_EXECUTION_TOKEN_KEY_DAYS``; forget what is over."""
    settings, moment = get_settings(), now()
    async with system_session() as db:
        await db.execute(delete(SigningKey).where(_over(moment)))
        await db.execute(delete(StartClaim).where(col(StartClaim.created_at) < moment - timedelta(hours=1)))
    ours = settings.execution_token_algorithm == "RS256" and not settings.execution_token_private_key.get_secret_value()
    if not ours or not settings.execution_key_days:
        return False
    await ring()
    active = next((one for one in await standings() if one.state == "active"), None)
    if active is None or moment - (active.activated_at or active.created_at) < timedelta(days=settings.execution_key_days):
        return False
    try:
        await rotate()
    except Conflict as error:
        log.info("signing key is not replaced yet", reason=error.message)
        return False
    return True


def _fresh(settings: Settings) -> KeyRing | None:
    current = _cache.settings is settings and _cache.read_at and time.monotonic() - _cache.read_at < REFRESH
    return _cache.ring if current else None


def _lock() -> asyncio.Lock:
    loop = asyncio.get_running_loop()
    if loop not in _locks:
        for gone in [one for one in _locks if one.is_closed()]:
            del _locks[gone]
        _locks[loop] = asyncio.Lock()
    return _locks[loop]


async def _read(settings: Settings) -> KeyRing:
    if settings.execution_token_algorithm == "HS256":
        return KeyRing(OctKey.import_key(settings.execution_token_secret.get_secret_value()), ())
    if given := settings.execution_token_private_key.get_secret_value():
        own = _named(RSAKey.import_key(given))
        try:
            kept = [row for row in await _rows() if row.slot != "next" and not _lost(row)]
            others = [_parse(row) for row in kept]
            await _seal_plain(kept)
        except SQLAlchemyError:
            others = []
        return KeyRing(own, (own, *(key for key in others if key.kid != own.kid)))
    rows = {row.slot: row for row in await _readable()}
    while "active" not in rows or "next" not in rows:
        await _make_missing(rows)
        rows = {row.slot: row for row in await _readable()}
    ordered = [rows.pop("active"), rows.pop("next"), *rows.values()]
    keys = tuple(_parse(row) for row in ordered)
    await _seal_plain(ordered)
    _cache.parsed = {str(key.kid): key for key in keys}
    return KeyRing(keys[0], keys)


async def _readable() -> list[SigningKey]:
    """Every key that is published; those of another secret are deleted, because nobody can sign with them any more.

    Raises:
        Unavailable: one was made a moment ago: by a process beside this one, which has another secret.
    """
    rows = await _rows()
    lost = [row for row in rows if _lost(row)]
    if not lost:
        return rows
    if now() - max(aware(row.created_at) for row in lost) < _SETTLED:
        raise Unavailable(
            "The signing keys in the database were encrypted a moment ago with another secret. Give all processes of this app "
            "the same MOZAIKS_SECRET_KEY.",
            code="KEYS_OF_ANOTHER_SECRET",
        )
    log.error("the shell's secret has changed: its signing keys are made anew, tokens signed with them end", keys=len(lost))
    async with system_session() as db:
        await db.execute(delete(SigningKey).where(col(SigningKey.kid).in_([row.kid for row in lost])))
    return [row for row in rows if row not in lost]


def _lost(row: SigningKey) -> bool:
    """Whether it was sealed with another secret."""
    if not sealing.is_sealed(row.pem) or row.kid in _cache.parsed:
        return False
    try:
        sealing.opened(_SEALED_FOR, row.pem, row.kid)
    except sealing.CannotOpen as problem:
        return problem.other_secret
    return False


async def _seal_plain(rows: Sequence[SigningKey]) -> None:
    """Encrypt keys that lie there in plain text: of a version that knew no better, or of before there was a secret."""
    plain = [row for row in rows if not sealing.is_sealed(row.pem)]
    if not plain:
        return
    if not sealing.possible():
        if not _cache.parsed:  # once per process
            log.warning("signing keys lie in the database in plain text; set MOZAIKS_SECRET_KEY to have them encrypted")
        return
    async with system_session() as db:
        for row in plain:
            mine = (col(SigningKey.kid) == row.kid, col(SigningKey.pem) == row.pem)
            await db.execute(update(SigningKey).where(*mine).values(pem=_sealed(row.kid, row.pem)))
    log.info("signing keys encrypted", keys=len(plain))


def _sealed(kid: str, pem: str) -> str:
    return sealing.seal(_SEALED_FOR, pem, kid) if sealing.possible() else pem


async def _rows() -> list[SigningKey]:
    """Every key that is published."""
    async with system_session() as db:
        found = list((await db.execute(select(SigningKey))).scalars())
    limit = now() - KEPT_RETIRED
    return [row for row in found if row.retired_at is None or aware(row.retired_at) > limit]


async def _make_missing(rows: dict[str, SigningKey]) -> None:
    """The first keys. Two processes that start together agree on whose: a slot exists once."""
    wanted = [slot for slot in ("active", "next") if slot not in rows]
    made = await asyncio.gather(*(asyncio.to_thread(_generate) for _ in wanted))
    moment = now()
    try:
        async with system_session() as db:
            for slot, (kid, pem) in zip(wanted, made, strict=True):
                active_since = moment if slot == "active" else None
                row = SigningKey(kid=kid, slot=slot, pem=_sealed(kid, pem), created_at=moment, activated_at=active_since)
                db.add(row)
    except IntegrityError:
        log.info("another process made the first signing keys")


async def _move_on(active: str, following: str, fresh: tuple[str, str], moment: datetime, *, revoke: bool) -> bool:
    """The rotation itself, in one transaction; False when somebody else did it first."""
    async with system_session() as db:
        mine = (col(SigningKey.kid) == active) & (col(SigningKey.slot) == "active")
        won: Any = await db.execute(update(SigningKey).where(mine).values(slot=active, retired_at=moment))
        if not won.rowcount:
            return False
        await db.execute(update(SigningKey).where(col(SigningKey.kid) == following).values(slot="active", activated_at=moment))
        retired = col(SigningKey.retired_at).is_not(None)
        await db.execute(delete(SigningKey).where(retired if revoke else _over(moment)))
        db.add(SigningKey(kid=fresh[0], slot="next", pem=_sealed(*fresh), created_at=moment))
        return True


def _over(moment: datetime) -> Any:
    return col(SigningKey.retired_at) < moment - KEPT_RETIRED


def _generate() -> tuple[str, str]:
    """A new key: its id and its private part in PEM form."""
    key = RSAKey.generate_key(_BITS, private=True)
    return key.thumbprint(), key.as_pem(private=True).decode()


def _parse(row: SigningKey) -> RSAKey:
    if (known := _cache.parsed.get(row.kid)) is not None:
        return known
    try:
        pem = sealing.opened(_SEALED_FOR, row.pem, row.kid) if sealing.is_sealed(row.pem) else row.pem
        return _named(RSAKey.import_key(pem))
    except (JoseError, ValueError, TypeError, sealing.CannotOpen):
        raise Unavailable(  # the library's words may quote the key
            f"The signing key {row.kid} in the database is damaged. Delete its row in broker_signing_key.",
            code="KEYS_UNAVAILABLE",
        ) from None


def _named(key: RSAKey) -> RSAKey:
    """The same key with its thumbprint (RFC 7638) as ``kid``."""
    return RSAKey.import_key(key.as_pem(private=True), {"kid": key.thumbprint()})
