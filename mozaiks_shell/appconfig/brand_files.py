"""Images and fonts of a brand on disk: where they are looked up, and whether they are what their name says (F-033)."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from mozaiks_shell.appconfig import monogram
from mozaiks_shell.appconfig.brand_model import Brand
from mozaiks_shell.appconfig.brand_values import FONT_TYPES, IMAGE_TYPES, asset_path
from mozaiks_shell.appconfig.live import apps
from mozaiks_shell.appconfig.problems import Finding, Location
from mozaiks_shell.foundation.settings import ASSETS, HOME, get_settings

MEDIA_TYPES: Final = {
    "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp",
    "gif": "image/gif", "ico": "image/x-icon",
    "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
}  # fmt: skip
LARGEST: Final = 5_000_000  # bytes; a larger file is not served
_ADVISED: Final = {"logo": 200_000, "wordmark": 200_000, "favicon": 100_000, "loadingIcon": 200_000, "backgroundImage": 1_500_000}

_MAGIC: Final[dict[str, tuple[tuple[int, bytes], ...]]] = {
    "png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "jpg": ((0, b"\xff\xd8\xff"),),
    "jpeg": ((0, b"\xff\xd8\xff"),),
    "gif": ((0, b"GIF8"),),
    "webp": ((8, b"WEBP"),),
    "ico": ((0, b"\x00\x00\x01\x00"), (0, b"\x89PNG\r\n\x1a\n")),
    "woff": ((0, b"wOFF"),),
    "woff2": ((0, b"wOF2"),),
    "ttf": ((0, b"\x00\x01\x00\x00"), (0, b"true")),
    "otf": ((0, b"OTTO"), (0, b"\x00\x01\x00\x00")),
}


def folders(app_id: str = "") -> list[Path]:
    """Where files of this app's brand are looked up, best first. ``fonts/x`` may stand beside ``assets`` too."""
    own, found = get_settings().configs_path, list[Path]()
    if own is not None:
        roots = [own / "apps" / one for one in (app_id or get_settings().app_id,)] + [own]
        found = [folder for root in roots for folder in (root / "assets", root)]
    return [*found, HOME / "assets", ASSETS]


def asset_file(path: str, app_id: str = "") -> Path | None:
    """The file behind a path of a brand (``logo.svg``, ``/assets/logo.svg``, ``/fonts/inter.woff2``); None when there is none,
    when it lies outside its folder, is too large, or is not what its name says."""
    try:
        clean = asset_path(path)
    except ValueError:
        return None
    if clean.startswith(monogram.FOLDER):
        return monogram.file_at(clean)
    for folder in folders(app_id):
        if folder.name not in {"assets"} and not clean.startswith("fonts/"):
            continue  # beside assets/ there are fonts only
        file = (folder / clean).resolve()
        if file.is_file() and file.is_relative_to(folder.resolve()):
            status = file.stat()
            return file if status.st_size <= LARGEST and is_what_it_says(file, status.st_mtime_ns) else None
    return None


@lru_cache(maxsize=512)
def is_what_it_says(file: Path, _: int = 0) -> bool:
    """Whether the first bytes are those of the type its name claims."""
    with file.open("rb") as source:
        head = source.read(1024)
    return looks_like(file.suffix[1:].lower(), head)


def looks_like(kind: str, head: bytes) -> bool:
    """Whether these first bytes are those of this type (``png``)."""
    if kind == "svg":
        text = head.decode("utf-8", "ignore").lstrip("\ufeff \t\r\n").lower()
        return text.startswith(("<svg", "<?xml", "<!--", "<!doctype svg")) and "<!entity" not in text
    return any(head[at : at + len(sign)] == sign for at, sign in _MAGIC.get(kind, ()))


def images(app_id: str = "") -> list[str]:
    """Images an operator can choose from, by path below ``assets``: their own first."""
    return _listed(app_id, IMAGE_TYPES)


def fonts(app_id: str = "") -> list[str]:
    """Font files an operator can choose from."""
    return _listed(app_id, FONT_TYPES)


def _listed(app_id: str, kinds: tuple[str, ...]) -> list[str]:
    found: dict[str, None] = {}
    for folder in folders(app_id):
        root = folder if folder.name == "assets" else folder / "fonts"
        if not root.is_dir():
            continue
        for file in sorted(root.rglob("*"))[:2000]:
            name = file.relative_to(folder).as_posix()
            if file.suffix[1:].lower() in kinds and not name.startswith("external/") and asset_file(name, app_id):
                found[name] = None
    return list(found)[:200]


def findings(brand: Brand) -> Iterator[Finding]:
    """Named files that are missing, too large or not what they claim to be."""
    for name in brand.assets.model_fields_set:
        if (path := getattr(brand.assets, name)) is not None:
            yield from of_file(("assets", name), path, image=True)
    for use in ("body", "heading", "logo"):
        font = getattr(brand.fonts, use)
        if font is not None and font.src:
            yield from of_file(("fonts", use, "src"), font.src, image=False)


def of_file(where: Location, path: str, *, image: bool) -> Iterator[Finding]:
    """The same for one file."""
    what = "image" if image else "font"
    places = [folder / path for app_id in ("", *apps()) for folder in folders(app_id)]
    file = next((one for one in places if one.is_file()), None)
    if file is None:
        yield Finding(where, "warning", f"the {what} {path} is in no assets folder.", "Put it into assets/ beside the file.")
    elif (size := file.stat().st_size) > LARGEST:
        yield Finding(
            where, "error", f"the {what} {path} has {size / 1e6:.1f} MB and is not served; {LARGEST / 1e6:.0f} MB are the most."
        )
    elif not is_what_it_says(file, file.stat().st_mtime_ns):
        yield Finding(
            where, "error", f"the {what} {path} is not what its name says and is not served.", "Save it in that format."
        )
    elif size > (most := _ADVISED.get(str(where[-1]), 400_000)):
        yield Finding(
            where,
            "hint",
            f"the {what} {path} has {size / 1000:.0f} kB; people wait for it.",
            f"Bring it below {most // 1000} kB.",
        )
