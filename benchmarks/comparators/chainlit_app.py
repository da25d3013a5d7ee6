"""Chainlit: answers every message with a stream of 8-byte tokens. TOKENS and RATE come from the environment."""

import asyncio
import os

import chainlit as cl

TOKENS = int(os.environ.get("TOKENS", "500"))
RATE = float(os.environ.get("RATE", "50"))


@cl.on_message
async def answer(_: cl.Message) -> None:
    message = cl.Message(content="")
    clock = asyncio.get_running_loop()
    start = clock.time()
    for number in range(TOKENS):
        await message.stream_token(f"t{number % 1_000_000:06d} ")
        await asyncio.sleep(max(0.0, start + (number + 1) / RATE - clock.time()))
    await message.send()
