"""Chainlit: answers every message with a stream of 8-byte tokens, or with the file TEXT in tokens of 4 characters.

TOKENS, RATE and TEXT come from the environment.
"""

import asyncio
import os
from pathlib import Path

import chainlit as cl

TOKENS = int(os.environ.get("TOKENS", "500"))
RATE = float(os.environ.get("RATE", "50"))
TEXT = Path(os.environ["TEXT"]).read_text("utf-8") if os.environ.get("TEXT") else ""
PIECES = [TEXT[at : at + 4] for at in range(0, len(TEXT), 4)] or [f"t{number % 1_000_000:06d} " for number in range(TOKENS)]


@cl.on_message
async def answer(_: cl.Message) -> None:
    message = cl.Message(content="")
    clock = asyncio.get_running_loop()
    start = clock.time()
    for number, piece in enumerate(PIECES):
        await message.stream_token(piece)
        await asyncio.sleep(max(0.0, start + (number + 1) / RATE - clock.time()))
    await message.send()
