"""Messages between the server and a plugin's worker process: four bytes of length, then JSON."""

import json
from typing import Any, Final

LARGEST: Final = 16_000_000  # bytes


def packed(message: dict[str, Any]) -> bytes:
    """A message as it travels.

    Raises:
        ValueError: not JSON (NaN, an object), or larger than :data:`LARGEST`.
    """
    body = json.dumps(message, allow_nan=False).encode()
    if len(body) > LARGEST:
        raise ValueError(f"larger than {LARGEST // 1_000_000} MB")
    return len(body).to_bytes(4, "big") + body


def unpacked(body: bytes) -> dict[str, Any]:
    """The message in a body."""
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError("a message is an object")
    return message
