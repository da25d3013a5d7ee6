"""Identifiers and one-way hashes of secrets."""

import hashlib
import secrets
import time


def new_id(prefix: str = "") -> str:
    """A sortable unique id: 12 hex digits of milliseconds, then 80 random bits."""
    body = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
    return f"{prefix}_{body}" if prefix else body


def new_secret() -> str:
    """An opaque credential with 256 bits of randomness, safe in a cookie or a header."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What we store instead of a credential: SHA-256, in hex. Only for high-entropy secrets."""
    return hashlib.sha256(secret.encode()).hexdigest()
