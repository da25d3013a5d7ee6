"""Translation catalogues: which texts there are, and whether every language has them (``mozaiks-shell catalogues``).

A text is what stands in ``t()``, ``tn()``, ``tr()``, ``trn()`` or ``msg()`` in Python, in ``mzT()`` or ``mzN()`` in our
scripts, or is a name or description in a packaged configuration file.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from mozaiks_shell.foundation.i18n import SERVER_ONLY, placeholders
from mozaiks_shell.foundation.locales import LOCALES, PLURALS, SOURCE

# What the browser looks up itself, and what only the server says: pages carry the former.
BROWSER: Final[dict[str, Any]] = {"t": None, "msg": None, "mzT": None, "tn": (1, 2), "mzN": (1, 2)}
SERVER: Final[dict[str, Any]] = {"tr": None, "trn": (1, 2)}
_SAID: Final = {"display_name", "description", "title", "label", "text", "prompt"}
# CLDR categories as a gettext expression, in the order of PLURALS.
_FORMS: Final = {
    1: "nplurals=1; plural=0;",
    2: "nplurals=2; plural=(n != 1);",
    3: "nplurals=3; plural=(n == 1 ? 0 : n == 2 ? 1 : 2);",
    6: "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5);",
}
Id = str | tuple[str, str]


@dataclass
class Gaps:
    """What is wrong with a catalogue."""

    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.unused or self.broken)


def texts(root: Path) -> Catalog:
    """Every text of a package or plugin folder, with the places where it stands (relative to ``root``'s parent)."""
    found = Catalog(locale=SOURCE)
    for file in sorted(root.rglob("*")):
        if file.suffix in {".py", ".js"} and "node_modules" not in file.parts and not {".web", "external"} & set(file.parts):
            place = file.relative_to(root.parent).as_posix()
            for said_by, words in ((BROWSER, []), (SERVER, [SERVER_ONLY])):
                for message in _python(file, said_by) if file.suffix == ".py" else _script(file, said_by):
                    _add(found, message, (place, 0), words)
        elif file.suffix == ".json" and (file.parent.name == "defaults" or file == root / "manifest.json"):
            for text in _names(json.loads(file.read_text("utf-8"))):
                _add(found, text, (file.relative_to(root.parent).as_posix(), 1), [])
    return found


def _python(file: Path, said_by: dict[str, Any]) -> Iterator[Id]:
    """Texts that stand as they are in a call of one of these names; ``t(found["title"])`` has none."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        name = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else name
        if not isinstance(node, ast.Call) or name not in said_by or not node.args:
            continue
        if said_by[name] is None:
            yield from _written(node.args[0])
        elif len(node.args) > 1:
            yield from zip(_written(node.args[0]), _written(node.args[1]), strict=False)


def _written(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_written(node.body), *_written(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value else []


def _script(file: Path, said_by: dict[str, Any]) -> Iterator[Id]:
    for _, message, _, _ in extract("javascript", BytesIO(file.read_bytes()), said_by):
        yield message


def _add(found: Catalog, message: Any, place: tuple[str, int], words: list[str]) -> None:
    """Add a text; it is for the server only as long as every place says so."""
    known = found.get(message)
    if known is not None and not (words and known.auto_comments):
        words, known.auto_comments = [], []
    found.add(message, locations=[place], auto_comments=words)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key in _SAID and isinstance(one, str) and one:
                yield one
            elif key == "features" and isinstance(one, list):
                yield from (text for text in one if isinstance(text, str))
            else:
                yield from _names(one)
    elif isinstance(value, list):
        for one in value:
            yield from _names(one)


def update(root: Path, folder: Path, locales: list[str] | None = None) -> None:
    """Bring ``folder/<locale>.po`` up to the texts of ``root``: new ones empty, vanished ones gone, translations kept."""
    folder.mkdir(exist_ok=True)
    wanted = texts(root)
    for locale in locales or [code for code in LOCALES if code != SOURCE]:
        old = read(folder, locale)
        new = Catalog(locale=locale, project="Mozaiks Shell", charset="utf-8")
        new.mime_headers = [("Plural-Forms", _FORMS[len(PLURALS[locale])])]  # ours, where Babel counts otherwise
        for message in wanted:
            if message.id:
                kept = old.get(message.id) if old else None
                blank: Any = [""] * len(PLURALS[locale]) if message.pluralizable else ""
                same = kept is not None and kept.pluralizable == message.pluralizable and kept.string
                places = sorted({(place, 0) for place, _ in message.locations})
                new.add(
                    message.id, kept.string if same and kept else blank, locations=places, auto_comments=message.auto_comments
                )
        buffer = BytesIO()
        write_po(buffer, new, omit_header=True, sort_output=True, include_lineno=False, width=110)
        head = f'msgid ""\nmsgstr ""\n"Language: {locale}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        plural = f'"Plural-Forms: {_FORMS[len(PLURALS[locale])]}\\n"\n\n'
        (folder / f"{locale}.po").write_text(head + plural + buffer.getvalue().decode(), "utf-8")


def read(folder: Path, locale: str) -> Catalog | None:
    """The stored catalogue, if there is one."""
    file = folder / f"{locale}.po"
    if not file.is_file():
        return None
    with file.open("rb") as source:
        return read_po(source, locale=locale)


def gaps(root: Path, folder: Path, locale: str) -> Gaps:
    """Texts without a translation, translations without a text, and translations that lost or invented a ``{name}``."""
    wanted, found = texts(root), read(folder, locale)
    ids = {_key(message): message for message in wanted if message.id}
    have = {_key(message): message for message in found or () if message.id}
    result = Gaps(unused=sorted(have.keys() - ids.keys()))
    for key, message in ids.items():
        said = have.get(key)
        forms = _forms(said) if said else []
        if not forms or not all(forms) or (message.pluralizable and len(forms) != len(PLURALS[locale])):
            result.missing.append(key)
            continue
        allowed = placeholders(" ".join(message.id) if isinstance(message.id, tuple | list) else message.id)
        for form in forms:
            if not placeholders(form) <= allowed or (not message.pluralizable and placeholders(form) != allowed):
                result.broken.append(f"{key} -> {form}")
    return result


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [])
