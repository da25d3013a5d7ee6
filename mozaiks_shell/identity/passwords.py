"""Password hashing: argon2id with the library's current parameters (F-042)."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_DUMMY = _hasher.hash("no such account")  # so that an unknown name costs as much as a wrong password


async def hash_password(password: str) -> str:
    """argon2id hash, computed off the event loop."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(stored: str, password: str) -> bool:
    """True when the password fits. With an empty ``stored`` it spends the same time and says no."""

    def check() -> bool:
        try:
            return _hasher.verify(stored or _DUMMY, password) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.to_thread(check)
