"""A budget that ends while answers are written: their runs are told (F-253)."""

from typing import Protocol
from weakref import WeakSet

from mozaiks_shell.broker.ports import KnownChat
from mozaiks_shell.chat.protocol import clean
from mozaiks_shell.foundation import events
from mozaiks_shell.foundation.access import Principal


class Spends(Protocol):
    """A run that may spend tokens."""

    principal: Principal
    chat: KnownChat

    def exhausted(self, reason: str) -> None:
        """Nothing is left to spend."""


open_bridges: WeakSet[Spends] = WeakSet()


@events.subscribe("usage.exhausted")
async def _budget_used_up(event: events.Event) -> None:
    """The token engine says that a chat, or with no ``chat_id`` a person, has nothing left to spend."""
    chat_id, reason = event.data.get("chat_id"), event.data.get("reason")
    for bridge in list(open_bridges):
        mine = (bridge.principal.app_id, bridge.principal.user_id) == (event.app_id, event.user_id)
        if mine and chat_id in {None, "", bridge.chat.chat_id}:
            bridge.exhausted(clean(reason, 300))
