"""Which addresses of a runtime may become links or pictures."""

import re
from posixpath import normpath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from mozaiks_shell.chat.components.wording import text
from mozaiks_shell.foundation.settings import get_settings

_SERVER: Final = re.compile(r"/+(api|auth|brand|ws|login|_[^/]*|\.well-known)(/|$)", re.IGNORECASE)  # as in chat_markdown.js
_SKIPPED_BY_BROWSERS: Final = re.compile(r"[\t\r\n]")
_FILE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWN_FILE: Final = re.compile(r"/api/files/([A-Za-z0-9_-]{1,64})(?:\?[\w=&]*)?")
_PICTURE: Final = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")
_LARGEST_PICTURE: Final = 400_000  # characters of a picture that stands in the payload itself


def safe_href(value: object) -> str:
    """An address a link may have: a page of ours, http(s) or mail; anything else is no link.

    Nor are addresses of our own server (``/auth/logout``): a click there acts with the person's cookie.
    """
    href = _SKIPPED_BY_BROWSERS.sub("", text(value, 2000)).strip()
    if href.lower().startswith("mailto:"):
        return href
    try:
        parts = urlsplit(href.replace("\\", "/"))
        ours = parts.hostname in {None, *(urlsplit(origin).hostname for origin in get_settings().allowed_origins)}
    except ValueError:
        return ""
    if ours and _SERVER.match(normpath(unquote(parts.path))):
        return ""
    if href.startswith("/") and not parts.netloc:
        return href
    return href if href.lower().startswith(("https://", "http://")) else ""


def file_id(one: Any) -> str:
    """The id of a stored file that an object of a payload names: ``file_id``, ``attachment_id``, or our own address of it."""
    said = text(one.get("file_id") or one.get("attachment_id"), 80)
    if said:
        return said if _FILE_ID.fullmatch(said) else ""
    found = _OWN_FILE.fullmatch(text(one.get("url") or one.get("src") or one.get("href"), 300))
    return found[1] if found else ""


def picture_source(value: object) -> str:
    """An address an image may be loaded from: inside the payload (``data:``), or https on a host the operator allows.

    Everything else is refused: whoever keeps a remote picture learns who looks at it, and when.
    """
    address = value if isinstance(value, str) else ""
    if len(address) <= _LARGEST_PICTURE and _PICTURE.fullmatch(address):
        return address
    try:
        parts = urlsplit(address)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        return ""
    allowed = parts.scheme == "https" and not parts.username and host in get_settings().chat_image_hosts
    return address[:2000] if allowed else ""
