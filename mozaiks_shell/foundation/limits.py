"""Rate limits (F-318): a moving window of one minute, in this process or in Redis when that is configured."""

from functools import lru_cache
from hashlib import sha256

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.errors import TooMany
from mozaiks_shell.foundation.settings import Settings, get_settings


class _Window:
    """The limiter of one settings object; other settings mean an empty, new one."""

    def __init__(self, settings: Settings) -> None:
        url = settings.redis_url
        self.settings = settings
        self.limiter = MovingWindowRateLimiter(RedisStorage(f"async+{url}", implementation="redispy") if url else MemoryStorage())


_current: _Window | None = None


def _limiter() -> MovingWindowRateLimiter:
    global _current
    if _current is None or _current.settings is not get_settings():
        _current = _Window(get_settings())
    return _current.limiter


@lru_cache(maxsize=64)
def _item(name: str, per_minute: int) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(per_minute, namespace=name)


def _identify(key: str) -> tuple[str, str]:
    """App and key; the key is hashed, so that its length and its content stay out of the store."""
    return get_settings().app_id, sha256(key.encode("utf-8", "replace")).hexdigest()[:32]


async def hit(name: str, key: str, per_minute: int) -> None:
    """Count one use of ``name`` by ``key`` (an address, a login name, a user id).

    Args:
        name: What is limited, e.g. ``sign-in``.
        key: Who uses it; any text of any length.
        per_minute: Uses allowed within any 60 seconds.

    Raises:
        TooMany: with ``retry_after`` in whole seconds; a refused use is not counted.
    """
    item, who = _item(name, per_minute), _identify(key)
    if not await _limiter().hit(item, *who):
        reset = (await _limiter().get_window_stats(item, *who)).reset_time
        wait = min(60, max(1, round(reset - now().timestamp() + 0.5)))
        raise TooMany(f"Too many tries. Please wait {wait} seconds.", retry_after=wait)


async def forget(name: str, key: str, per_minute: int) -> None:
    """Start counting anew for this key, for example after a successful sign-in."""
    await _limiter().clear(_item(name, per_minute), *_identify(key))
