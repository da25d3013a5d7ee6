"""Pictures of other servers in what a runtime says: fetched by us, and only once the person asked to see them.

The policy of our pages knows no other origin (D6), and it stays so: a browser that loaded such a picture by itself would
tell its server who reads what and when, and an agent that was led astray could hide the conversation in the address. So
the person decides, our server asks without cookies and without telling who wants to know, and only a picture comes back.
"""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import httpx
from sqlalchemy import or_
from sqlmodel import col, select

from mozaiks_shell.chat.models import ChatEvent, ChatTool
from mozaiks_shell.chat.writer import DELTA
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.errors import Invalid, NotFound, TimedOut, TooLarge, Upstream
from mozaiks_shell.foundation.file_kinds import INLINE, kind_of
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.outbound import GuardedTransport

PER_MINUTE: Final = 120
MAX_BYTES: Final = 8 * 1024 * 1024
_WITHIN: Final = 15.0  # seconds for all of it
_REDIRECTS: Final = 3


async def picture(principal: Principal, chat_id: str, url: str) -> tuple[bytes, str]:
    """The picture at an address that this chat names, and its kind: PNG, JPEG, GIF or WebP, up to 8 MiB.

    Raises:
        NotFound: not a chat of this person, or nothing in it names this address.
        Invalid: not an address of the web.
        AddressRefused: the address is inside our own network.
        TooMany: more than 120 in a minute.
        TooLarge, TimedOut, Upstream: too big; no answer in time; no picture.
    """
    await hit("chat.picture", principal.user_id, PER_MINUTE)
    try:
        parts = urlsplit(url)
        where = httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise Invalid(tr("This is not an address of the web."), code="BAD_URL") from error
    if where.scheme not in {"http", "https"} or not where.host or parts.username is not None:
        raise Invalid(tr("This is not an address of the web."), code="BAD_URL")
    if not await _named(principal, chat_id, url):
        raise NotFound(tr("This chat has no such image."), code="IMAGE_NOT_FOUND")
    try:
        async with asyncio.timeout(_WITHIN):
            body = await _fetched(where)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOut(tr("The image did not arrive in time.")) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Upstream(tr("The image could not be loaded.")) from error
    return body, _kind(body)


async def _named(principal: Principal, chat_id: str, url: str) -> bool:
    """Whether a message or a tool of the chat names the address; also one that is still being written."""
    kind, body = col(ChatEvent.kind), col(ChatEvent.body)
    mine = select(body).where(col(ChatEvent.chat_id) == chat_id)
    quoted = url.replace("&", "&amp;")
    said = mine.where(kind == "message", or_(body.contains(url, autoescape=True), body.contains(quoted, autoescape=True)))
    tool = select(col(ChatTool.id)).where(col(ChatTool.chat_id) == chat_id, col(ChatTool.payload).contains(url, autoescape=True))
    async with session(Scope(principal.app_id, principal.user_id)) as db:
        if (await db.execute(said.limit(1))).first() or (await db.execute(tool.limit(1))).first():
            return True
        written = (await db.execute(mine.where(kind == DELTA).order_by(col(ChatEvent.offset)))).scalars().all()
    text = "".join(written)
    return url in text or quoted in text


async def _fetched(where: httpx.URL) -> bytes:
    asks = {"user-agent": "mozaiks-shell", "accept": "image/webp,image/png,image/jpeg,image/gif"}
    async with (
        httpx.AsyncClient(
            transport=GuardedTransport(), timeout=_WITHIN, follow_redirects=True, max_redirects=_REDIRECTS, trust_env=False
        ) as client,
        client.stream("GET", where, headers=asks) as answer,
    ):
        if answer.status_code != 200:
            raise Upstream(tr("The image could not be loaded."), answered=answer.status_code)
        body = bytearray()
        async for chunk in answer.aiter_bytes(65_536):
            body += chunk
            if len(body) > MAX_BYTES:
                raise TooLarge(tr("The image is too large."))
    return bytes(body)


def _kind(body: bytes) -> str:
    """By what it holds, whatever its server calls it."""
    kind = kind_of("", body)
    if kind not in INLINE:
        raise Upstream(tr("This is not an image that can be shown."), code="NOT_AN_IMAGE")
    return kind
