"""The brand's file as an operator edits it: read whole, checked like any file, written back without losing the old one."""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mozaiks_shell.appconfig import document
from mozaiks_shell.appconfig.brand import BRAND, brand, brand_file, known_app
from mozaiks_shell.appconfig.brand_model import Brand, OldBrand
from mozaiks_shell.appconfig.contrast import findings
from mozaiks_shell.appconfig.problems import Finding
from mozaiks_shell.appconfig.reading import check
from mozaiks_shell.foundation.settings import get_settings

_BACKUPS: Final = 20

Raw = dict[str, Any]


class CannotSave(Exception):
    """The file was not written. ``reason`` is ``read_only``, ``changed`` (by somebody else since it was read) or
    ``invalid``; ``findings`` say why for the last."""

    def __init__(self, reason: str, findings: list[Finding] | None = None) -> None:
        self.reason, self.findings = reason, findings or []
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Source:
    """A brand as it stands: the file's whole content, in the newest notation, and what it was when it was read."""

    raw: Raw
    file: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A content through the eyes of the reader: the brand with what is usable, and what is wrong."""

    brand: Brand | None
    findings: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        """What keeps it from being used."""
        return [one for one in self.findings if one.level == "error"]


def source(app_id: str = "") -> Source:
    """What an operator starts from when editing the brand of this app."""
    app_id = known_app(app_id) if app_id else ""
    file = brand_file(app_id)
    raw: Raw = {}
    with suppress(document.Unreadable):
        found = document.read(file).raw
        if file.name == "brand.json" and isinstance(found, dict):
            raw = found
    if not raw:
        raw = as_file(brand(app_id))
    return Source(newest(raw), file, _digest(target(app_id)))


def as_file(given: Brand) -> Raw:
    """A brand as the content of a file, without what is said by default."""
    kept = {name: getattr(given, name) for name in Brand.model_fields}
    return Brand.model_construct(**kept).model_dump(mode="json", exclude_defaults=True, exclude_none=True) | {"name": given.name}


def newest(raw: Raw) -> Raw:
    """The content in the editor's notation: ``colors`` light, ``colors_dark`` dark; ``branding.json`` as ``brand.json``.
    Other keys stay as they are."""
    if isinstance(raw.get("app"), dict) and "name" not in raw:
        old = check(OldBrand, raw).value
        return as_file(old.as_brand()) if old is not None else {}
    read = check(Brand, {"name": "Brand", **raw}).value
    raw = {**raw}
    light = raw.pop("colors_light", None)
    if read is not None and read.colors_are_dark:
        dark = raw.pop("colors", {})
        hues = {name: one for name, one in dark.items() if name not in {"background", "border", "text"}}
        raw["colors"], raw["colors_dark"] = light or hues, raw.get("colors_dark") or dark
        if "shadows" in raw and "shadows_dark" not in raw:
            raw["shadows_dark"] = raw.pop("shadows")
    elif light is not None:
        raw["colors"] = light
    return raw


def checked(raw: Any) -> Checked:
    """What the shell would make of this content, by the same reader that reads the file."""
    if not isinstance(raw, dict):
        return Checked(None, [Finding((), "error", "is no object.")])
    reading = check(Brand, raw)
    late = findings(reading.value) if reading.value is not None else []
    return Checked(reading.value, [*reading.findings, *late])


def parsed(text: str) -> Raw:
    """The content of a file somebody brings.

    Raises:
        CannotSave: ``invalid``, with what is wrong.
    """
    try:
        raw = document.parse(text.removeprefix("\ufeff")).raw
    except document.Unreadable as error:
        raise CannotSave("invalid", [Finding(error.where, "error", str(error), error.fix)]) from None
    if isinstance(raw, dict) and isinstance(raw.get("app"), dict) and "name" not in raw:
        reading = check(OldBrand, raw)
        if errors := [one for one in reading.findings if one.level == "error"]:
            raise CannotSave("invalid", errors)
        return newest(raw)
    if errors := checked(raw).errors:
        raise CannotSave("invalid", errors)
    return newest(raw)


def written(raw: Raw) -> str:
    """The file's text."""
    return json.dumps(raw, indent=2, ensure_ascii=False) + "\n"


def target(app_id: str = "") -> Path | None:
    """Where :func:`save` writes; None without ``MOZAIKS_CONFIGS_PATH``."""
    folder = get_settings().configs_path
    if folder is None:
        return None
    return folder / "apps" / app_id / "brand.json" if app_id else folder / "brand.json"


def can_save(app_id: str = "") -> bool:
    """Whether there is a folder of the operator's that this process may write to."""
    file = target(app_id)
    if file is None:
        return False
    folder = file.parent
    while not folder.exists() and folder != get_settings().configs_path:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and not file.is_symlink()


def save(raw: Raw, digest: str, app_id: str = "") -> Path | None:
    """Write ``brand.json`` of this app, whole or not at all. The one before stays beside it; its path is returned.

    Args:
        raw: The content.
        digest: Of :func:`source`: what was there when editing began.
        app_id: Whose brand.

    Raises:
        CannotSave: it would not be used, there is no place to write to, or somebody else has changed the file.
    """
    if errors := checked(raw).errors:
        raise CannotSave("invalid", errors)
    app_id = known_app(app_id) if app_id else ""
    file = target(app_id)
    if file is None or not can_save(app_id):
        raise CannotSave("read_only")
    if _digest(file) != digest:
        raise CannotSave("changed")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        backup = _kept(file)
        _replace(file, written(raw))
    except OSError as error:
        raise CannotSave("read_only") from error
    BRAND.current(app_id, fresh=True)
    return backup


def _kept(file: Path) -> Path | None:
    """A copy of the file beside it, named after now; the oldest beyond twenty go."""
    if not file.is_file():
        return None
    copy = file.with_name(f"brand.{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.bak")
    copy.write_bytes(file.read_bytes())
    for old in sorted(file.parent.glob("brand.*-*-*.bak"))[:-_BACKUPS]:
        old.unlink(missing_ok=True)
    return copy


def _replace(file: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".brand-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(file: Path | None) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() if file is not None else ""
    except OSError:
        return ""
