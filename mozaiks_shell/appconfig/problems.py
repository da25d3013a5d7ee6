"""What is wrong with a configuration file, graded and located (F-025)."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "hint"]
Location = tuple[int | str, ...]

_RANK = {"error": 0, "warning": 1, "hint": 2}
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,63}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    ``file`` is the name below the configuration folder (``navigation.json``), ``path`` the JSON path
    (``$.pages[3].icon``), ``line`` counts from 1 and is None where the file has no such place. ``fix`` says what to do.
    An ``error`` stops a production start and refuses an edit; a ``warning`` is used as far as possible; a ``hint``
    is for tidiness.
    """

    file: str
    path: str
    level: Level
    message: str
    line: int | None = None
    fix: str = ""

    @property
    def place(self) -> str:
        """``navigation.json:12 $.pages[3].icon``."""
        return f"{self.file}{f':{self.line}' if self.line else ''} {self.path}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}{f' {self.fix}' if self.fix else ''}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before its file and line are known. ``drop`` names the entry that is left out because of it."""

    where: Location
    level: Level
    message: str
    fix: str = ""
    drop: Location | None = None


def json_path(where: Iterable[int | str]) -> str:
    """``("pages", 3, "icon")`` -> ``$.pages[3].icon``; a key that is no plain name is quoted and shortened."""
    path = "$"
    for part in where:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            path += f".{part}"
        else:
            path += f"[{shown(part)}]"
    return path


def shown(value: object, most: int = 60) -> str:
    """A value as a message may quote it: short, printable, no line breaks."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name this one was probably meant to be; empty when none is near."""
    names = {one.casefold(): one for one in known}
    folded = name.casefold()
    squeezed = {key.replace("_", "").replace("-", ""): one for key, one in names.items()}
    if (same := squeezed.get(folded.replace("_", "").replace("-", ""))) is not None:
        return same
    if len(folded) < 3:
        return ""
    found = difflib.get_close_matches(folded[:64], list(names), n=1, cutoff=0.6)
    return names[found[0]] if found else ""


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Errors first, each place once."""
    seen = dict.fromkeys(problems)
    return sorted(seen, key=lambda one: (_RANK[one.level], one.file, one.line or 0, one.path))
