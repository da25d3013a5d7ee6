"""F-231: a picture is told by its content, redrawn by us, and seen by people of the same app only."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import ShellError, TooMany
from mozaiks_shell.identity import avatars, service
from tests.conftest import ADA, EVE


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, options.pop("color", 128)).save(written, kind, **options)
    return written.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_f231_every_kind_becomes_a_square_webp(kind, mode):
    drawn = opened(avatars.redraw(picture(kind, mode=mode, color=1)))
    assert (drawn.format, drawn.size, drawn.mode) == ("WEBP", (256, 256), "RGB")


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("LA", "PNG"), ("CMYK", "JPEG"), ("I;16", "PNG"), ("P", "PNG")])
def test_f231_unusual_pictures_are_drawn_too(mode, kind):
    assert opened(avatars.redraw(picture(kind, mode=mode, color=0))).size == (256, 256)


def test_f231_nothing_that_came_with_the_picture_stays():
    exif = Image.Exif()
    exif[0x010E], exif[0x8825] = "SECRET PLACE", {1: "N", 2: (52.0, 31.0, 12.0)}
    text = PngInfo()
    text.add_text("Comment", "SECRET PLACE")
    for data in (picture("JPEG", exif=exif), picture("WEBP", exif=exif), picture("PNG", pnginfo=text)):
        assert b"SECRET PLACE" in data
        drawn = avatars.redraw(data + b"<script>SECRET PLACE</script>")
        assert b"SECRET" not in drawn and b"EXIF" not in drawn and b"script" not in drawn and not dict(opened(drawn).getexif())


def test_f231_a_picture_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    sideways = Image.new("RGB", (400, 400), "white")
    sideways.paste("black", (0, 0, 200, 400))  # the left half becomes the upper one
    written = io.BytesIO()
    sideways.save(written, "JPEG", exif=exif, quality=95)
    drawn = opened(avatars.redraw(written.getvalue())).convert("L")
    assert drawn.getpixel((128, 30)) < 60 < 200 < drawn.getpixel((128, 220))


def test_f231_of_a_huge_picture_only_the_middle_is_copied_around():
    """5 kB can hold 40 million pixels; what is drawn from them costs a copy of four million at most."""
    wide = Image.new("P", (7000, 5000), 0)
    wide.putpalette([255, 255, 255, 200, 0, 0])
    wide.paste(1, (1000, 0, 6000, 5000))
    assert avatars._middle(wide).size == (2048, 2048)
    written = io.BytesIO()
    wide.save(written, "PNG")
    drawn = opened(avatars.redraw(written.getvalue())).convert("RGB")
    assert all(drawn.getpixel(place)[1] < 40 for place in ((1, 1), (254, 1), (128, 128), (254, 254)))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "AVATAR_TYPE"),
        (SVG, "AVATAR_TYPE"),
        (b"<html><script>alert(1)</script>", "AVATAR_TYPE"),
        (b"GIF89a<script>alert(1)</script>", "AVATAR_TYPE"),
        (picture("BMP"), "AVATAR_TYPE"),
        (picture("TIFF"), "AVATAR_TYPE"),
        (picture("PDF"), "AVATAR_TYPE"),
        (picture("PNG", (7000, 7000), "L"), "AVATAR_TOO_MANY_PIXELS"),
        (picture("PNG", (30_000, 30_000), "1", color=1), "AVATAR_TOO_MANY_PIXELS"),
        (picture("PNG")[:-30], "AVATAR_DAMAGED"),
        (picture("JPEG", (3000, 3000))[:2000], "AVATAR_DAMAGED"),
        (b"\x00" * 2_000_001, "AVATAR_TOO_LARGE"),
    ],
    ids=["empty", "svg", "html", "gif of a script", "bmp", "tiff", "pdf", "49 MP", "900 MP", "cut png", "cut jpeg", "2 MB"],
)
async def test_f231_what_is_no_picture_is_refused_by_its_content(database, data, code):
    with pytest.raises(ShellError) as refused:
        await service.set_avatar(ADA, data)
    assert refused.value.code == code
    assert await service.read_avatar("dev-app", ADA.user_id) is None


async def test_f231_a_picture_is_kept_replaced_and_removed(either_database, heard):
    first = await service.set_avatar(ADA, picture(color=10))
    second = await service.set_avatar(ADA, picture(color=200))
    data, kind, version = await service.read_avatar("dev-app", ADA.user_id)
    assert (kind, version) == ("image/webp", second) and first != second and opened(data).size == (256, 256)
    assert await service.read_avatar("dev-app", EVE.user_id) is None
    assert await service.read_avatar("other-app", ADA.user_id) is None
    await service.set_avatar(Principal(ADA.user_id, "other-app"), picture(color=99))
    assert (await service.read_avatar("dev-app", ADA.user_id))[2] == second
    await service.clear_avatar(ADA)
    await service.clear_avatar(ADA)
    assert await service.read_avatar("dev-app", ADA.user_id) is None
    assert [event.name for event in heard] == ["profile.changed"] * 4


async def test_f231_uploads_are_counted(database):
    for _ in range(avatars.PER_MINUTE):
        await service.set_avatar(ADA, picture(size=(8, 8)))
    with pytest.raises(TooMany):
        await service.set_avatar(ADA, picture(size=(8, 8)))
