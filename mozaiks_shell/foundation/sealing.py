"""Secrets at rest: encrypted with a key derived from the shell's own secret (HKDF-SHA256, AES-256-GCM).

The secret is ``MOZAIKS_SECRET_KEY``. Without one, an installation on SQLite makes its own and keeps it beside its data, not in
the database; one on a database server has none, because its machines would each make another.
"""

import base64
import contextlib
import hashlib
import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mozaiks_shell.foundation.settings import Settings, get_settings

FILE: Final = "secret.key"
_MARK: Final = "sealed:1:"
_NONCE: Final = 12  # bytes


class CannotOpen(Exception):
    """What was sealed cannot be opened. ``other_secret``: it was sealed with another secret; else it is damaged."""

    def __init__(self, *, other_secret: bool) -> None:
        super().__init__("sealed with another secret" if other_secret else "damaged")
        self.other_secret = other_secret


def possible() -> bool:
    """Whether this installation has a secret of its own."""
    return bool(_secret(get_settings()))


def is_sealed(text: str) -> bool:
    """Whether :func:`seal` wrote this."""
    return text.startswith(_MARK)


def seal(purpose: str, text: str, about: str = "") -> str:
    """Encrypt a text for one ``purpose``. It opens only with the same ``about``, such as the id of its row.

    Raises:
        LookupError: this installation has no secret (:func:`possible`).
    """
    key, name = _key(purpose)
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), about.encode())
    return f"{_MARK}{name}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def opened(purpose: str, sealed: str, about: str = "") -> str:
    """The text that was sealed.

    Raises:
        CannotOpen: another secret, another purpose or row, or damage.
    """
    try:
        key, mine = _key(purpose)
    except LookupError:
        raise CannotOpen(other_secret=True) from None
    name, _, rest = sealed.removeprefix(_MARK).partition(":")
    if name != mine:
        raise CannotOpen(other_secret=True)
    try:
        raw = base64.urlsafe_b64decode(rest)
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], about.encode()).decode()
    except (InvalidTag, ValueError):
        raise CannotOpen(other_secret=False) from None


def _key(purpose: str) -> tuple[bytes, str]:
    """The key of a purpose, and a name that tells keys of different secrets apart without telling anything of them."""
    secret = _secret(get_settings())
    if not secret:
        raise LookupError("no secret")
    return _derived(secret, purpose)


@lru_cache(maxsize=32)
def _derived(secret: bytes, purpose: str) -> tuple[bytes, str]:
    both = HKDF(SHA256(), 40, b"mozaiks-shell", purpose.encode()).derive(secret)
    return both[:32], hashlib.sha256(both[32:]).hexdigest()[:12]


def _secret(settings: Settings) -> bytes:
    if given := settings.secret_key.get_secret_value():
        return given.encode()
    if not settings.sql_url_sync.startswith("sqlite"):
        return b""
    return _own(settings.data_dir / FILE)


@lru_cache(maxsize=8)
def _own(file: Path) -> bytes:
    """The secret in the file; made by whoever comes first, whole or not at all."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes().strip()
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{FILE}-", dir=file.parent)  # only its owner can read it
    try:
        with os.fdopen(descriptor, "w") as part:
            part.write(secrets.token_urlsafe(48) + "\n")
            part.flush()
            os.fsync(part.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()
    return file.read_bytes().strip()
