"""Passwords: argon2id with the library's current parameters (F-042), and what is good enough."""

import asyncio
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 256

_hasher = PasswordHasher()
_DUMMY = _hasher.hash("no such account")  # so that an unknown name costs as much as a wrong password

# The most used passwords of ten or more characters; shorter ones fail on length already.
_MOST_USED = """
    1234567890 0123456789 0987654321 9876543210 12345678910 123456789a 123456789q 1234567891 1122334455 1212121212
    1231231231 1234512345 147258369a 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 123qweasdzxc qwertyuiop qwertyuiop1
    qwertyuiop123 qwerty1234 qwerty12345 qwerty123456 asdfghjkl1 asdfghjkl123 zxcvbnm123 qazwsxedc123 qazwsxedcrfv
    password12 password123 password1234 password12345 password1! passw0rd123 p@ssw0rd123 p@ssword123 passwordpassword
    administrator administrator1 adminadmin admin12345 admin123456 letmeinplease letmein123 welcome123 welcome1234
    iloveyou12 iloveyou123 iloveyou1234 sunshine12 sunshine123 princess12 princess123 football12 football123 baseball12
    baseball123 basketball superman12 superman123 batman1234 liverpool1 liverpool123 manchester christopher changeme12
    changeme123 changemenow secret1234 abcdefghij abcdefghijk abcd123456 abcde12345 abc123456789 a123456789 aa123456789
    testtest12 test123456 test1234567 default123 dragon1234 monkey1234 master1234 michael123 jordan1234 charlie123
    google1234 computer12 computer123 startrek12 starwars12 starwars123 pokemon123 minecraft1 minecraft123 trustno1234
    correcthorsebatterystaple
"""
_COMMON: Final = frozenset(_MOST_USED.split())


def _octets(password: str) -> bytes:
    """One form for one password, however the keyboard composed its accents."""
    return unicodedata.normalize("NFKC", password[: MAX_LENGTH + 1]).encode("utf-8", "surrogatepass")


async def hash_password(password: str) -> str:
    """argon2id hash, computed off the event loop."""
    return await asyncio.to_thread(_hasher.hash, _octets(password))


async def verify_password(stored: str, password: str) -> bool:
    """True when the password fits. With an empty ``stored`` it spends the same time and says no."""

    def check() -> bool:
        try:
            return _hasher.verify(stored or _DUMMY, _octets(password)) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.to_thread(check)


def weaknesses(password: str, *own: str) -> list[str]:
    """Codes (see ``errors.MESSAGES``) of what is wrong with a new password; empty when it is fine.

    Args:
        own: Names of the person (user name, e-mail, full name) that the password must not be.
    """
    plain = password.strip().casefold()
    if len(password) < MIN_LENGTH:
        return ["PASSWORD_SHORT"]
    if len(password) > MAX_LENGTH:
        return ["PASSWORD_LONG"]
    if plain in {name.strip().casefold() for name in own if name}:
        return ["PASSWORD_IS_NAME"]
    if plain in _COMMON or len(set(plain)) == 1:
        return ["PASSWORD_COMMON"]
    return []
