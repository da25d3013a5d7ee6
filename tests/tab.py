"""A raw Reflex socket, without a browser: what a script, or an attacker, would speak."""

import asyncio
import json
from uuid import uuid4

import websockets


class Tab:
    """One tab. ``cookie`` is the whole header."""

    def __init__(self, base: str, cookie: str = "", origin: str | None = None) -> None:
        self.base, self.origin = base, origin or base
        self.headers = {"Cookie": cookie} if cookie else {}

    async def __aenter__(self) -> "Tab":
        where = f"{self.base.replace('http', 'ws', 1)}/_event/?token={uuid4()}&EIO=4&transport=websocket"
        self.socket = await websockets.connect(where, origin=self.origin, additional_headers=self.headers, open_timeout=60)
        await self.socket.recv()
        await self.socket.send("40/_event,")
        await self.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def call(self, name: str, payload: dict, path: str = "/") -> list[str]:
        """Call a handler and give back every frame that came until the hydrate behind it answered.

        Events of a tab run in order, so the answer to the second proves the first is done.
        """
        await self._send(name, payload, path)
        return await self.settle()

    async def settle(self) -> list[str]:
        """Frames up to and with the answer of a hydrate sent now."""
        mark = "reflex___state____state.hydrate"
        await self._send(mark, {}, "/")
        frames: list[str] = []
        while True:
            frame = await asyncio.wait_for(self.socket.recv(), 60)
            if frame == "2":
                await self.socket.send("3")
                continue
            frames.append(str(frame))
            if '"is_hydrated' in frame or "is_hydrated_rx_state_" in frame:
                return frames

    async def _send(self, name: str, payload: dict, path: str) -> None:
        event = {"name": name, "payload": payload, "router_data": {"pathname": path, "query": {}, "asPath": path}}
        await self.socket.send("42/_event," + json.dumps(["event", event]))
