"""A set that remembers the newest entries only, so that a long run cannot grow it without end."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Recent(Generic[T]):
    """The last ``limit`` different entries."""

    __slots__ = ("_entries", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[T, None] = {}

    def __contains__(self, entry: T) -> bool:
        return entry in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: T) -> bool:
        """Remember it; whether it is new."""
        if entry in self._entries:
            return False
        self._entries[entry] = None
        if len(self._entries) > self._limit:
            del self._entries[next(iter(self._entries))]
        return True
