"""Names and kinds of files that strangers send."""

import mimetypes
import unicodedata
from collections.abc import Iterable
from typing import Final

from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import tr

MAX_NAME: Final = 200
_SIGNS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_TOLD_BY_CONTENT: Final = frozenset({kind for _, kind in _SIGNS} | {"image/webp"})
INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # what a browser may show instead of keeping


def safe_name(name: str) -> str:
    """The name of a file as it may be kept and shown.

    Raises:
        Invalid: code ``FILE_NAME``: empty, longer than 200 characters, a path, or with characters nobody sees.
    """
    said = unicodedata.normalize("NFC", name).strip() if isinstance(name, str) else ""
    hidden = any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in said)
    if not 0 < len(said) <= MAX_NAME or hidden or set(said) & set("/\\") or not said.strip("."):
        raise Invalid(tr("This is not a name for a file."), code="FILE_NAME")
    return said


def kind_of(name: str, content: bytes) -> str:
    """The content type: by the first bytes where they tell, else by the name.

    A name cannot make an image of something else: what the content should tell and does not is ``application/octet-stream``.
    """
    found = next((kind for sign, kind in _SIGNS if content.startswith(sign)), "")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        found = "image/webp"
    guessed = mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"
    if found == "application/zip" and guessed.startswith("application/"):
        return guessed  # office documents are archives
    if found:
        return found
    return "application/octet-stream" if guessed in _TOLD_BY_CONTENT else guessed


def matches(kind: str, welcome: Iterable[str]) -> bool:
    """Whether a content type is one of these; ``image/*`` stands for all images."""
    return any(kind == one or (one.endswith("/*") and kind.startswith(one[:-1])) or one == "*/*" for one in welcome)
