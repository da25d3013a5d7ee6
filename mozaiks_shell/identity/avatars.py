"""Pictures of people (F-231): whatever is uploaded becomes a small WebP of our own making, kept in the database."""

import asyncio
import hashlib
import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select

from mozaiks_shell.foundation import clock, events
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.foundation.errors import Invalid, TooLarge
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.identity.models import Avatar

LARGEST: Final = 2_000_000  # bytes of an upload
PIXELS: Final = 40_000_000
EDGE: Final = 256  # pixels of what is kept
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
PER_MINUTE: Final = 20
TYPE: Final = "image/webp"

_decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="avatar")  # one at a time bounds the memory


class BadPicture(Invalid):
    """The upload is no picture we take; ``code`` says why."""

    code = "AVATAR_TYPE"


def avatar_url(user_id: str, version: str) -> str:
    """Address of a person's picture in this version; empty without one."""
    return f"/api/avatar/{user_id}?v={version}" if version else ""


async def set_avatar(principal: Principal, data: bytes) -> str:
    """Make this the person's picture; returns its version.

    Args:
        data: A JPEG, PNG, WebP or GIF, told by its content. At most 2 MB and 40 megapixels.

    Raises:
        TooLarge: ``AVATAR_TOO_LARGE``.
        BadPicture: another type, damaged, or too many pixels.
        TooMany: more than 20 in a minute.
    """
    if len(data) > LARGEST:
        raise TooLarge(tr("The picture may have at most {size} MB.", size=LARGEST // 1_000_000), code="AVATAR_TOO_LARGE")
    await hit("avatar", principal.user_id, PER_MINUTE)
    image = await asyncio.get_running_loop().run_in_executor(_decoder, redraw, data)
    version = hashlib.sha256(image).hexdigest()[:16]
    for last in (False, True):
        try:
            async with system_session(principal.app_id) as db:
                query = select(Avatar).where(col(Avatar.user_id) == principal.user_id)
                row = (await db.execute(query)).scalars().first()
                if row is None:
                    db.add(Avatar(user_id=principal.user_id, version=version, image=image))
                else:
                    row.version, row.image, row.updated_at = version, image, clock.now()
            break
        except IntegrityError:  # the other tab was first
            if last:
                raise
    await _tell(principal)
    return version


async def clear_avatar(principal: Principal) -> None:
    """Remove the person's picture; harmless without one."""
    async with system_session(principal.app_id) as db:
        gone = await db.execute(delete(Avatar).where(col(Avatar.user_id) == principal.user_id).returning(col(Avatar.id)))
        had_one = gone.first() is not None
    if had_one:
        await _tell(principal)


async def read_avatar(app_id: str, user_id: str) -> tuple[bytes, str, str] | None:
    """The picture's bytes, media type and version; None when this person of this app has none."""
    async with system_session(app_id) as db:
        query = select(Avatar.image, Avatar.version).where(col(Avatar.user_id) == user_id)
        row = (await db.execute(query)).first()
    return (bytes(row[0]), TYPE, row[1]) if row else None


def redraw(data: bytes) -> bytes:
    """The picture as a square WebP without any metadata. Blocking.

    Raises:
        BadPicture: see :func:`set_avatar`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                if picture.width * picture.height > PIXELS:
                    raise BadPicture(tr("The picture has too many pixels."), code="AVATAR_TOO_MANY_PIXELS")
                picture.draft("RGB", (2 * EDGE, 2 * EDGE))  # a JPEG is read at the size we need
                upright = ImageOps.exif_transpose(_middle(picture))
                small = _plain(upright).resize((EDGE, EDGE), Image.Resampling.LANCZOS)
    except BadPicture:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise BadPicture(tr("The picture has too many pixels."), code="AVATAR_TOO_MANY_PIXELS") from None
    except UnidentifiedImageError:
        raise BadPicture(tr("Choose a JPEG, PNG, WebP or GIF picture.")) from None
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        raise BadPicture(tr("This picture is damaged."), code="AVATAR_DAMAGED") from error
    written = io.BytesIO()
    Image.frombytes(small.mode, small.size, small.tobytes()).save(written, "WEBP", quality=85, method=4)
    return written.getvalue()


def _middle(picture: Image.Image) -> Image.Image:
    """The square in the middle with at most 2048 pixels a side. Whatever comes after it copies that instead of the whole:
    a small file can hold 40 million pixels, and each copy of those takes 160 MB."""
    side = min(picture.size)
    left, top = ((edge - side) // 2 for edge in picture.size)
    kept = min(side, 8 * EDGE)
    return picture.resize((kept, kept), Image.Resampling.NEAREST, box=(left, top, left + side, top + side))


def _plain(picture: Image.Image) -> Image.Image:
    """RGB, or RGBA where the picture lets something shine through; 16-bit greys are scaled, not cut off."""
    if picture.mode.startswith("I"):
        wide = picture.convert("I")
        brightest: Any = wide.getextrema()[1]
        return wide.point(lambda value: value * (1 / 256 if brightest > 255 else 1)).convert("L").convert("RGB")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


async def _tell(principal: Principal) -> None:
    await events.publish(events.Event("profile.changed", principal.app_id, principal.user_id, {"keys": ["avatar"]}))
