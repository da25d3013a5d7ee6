"""Pure functions over texts: what is searched, what a list shows, what tags are."""

import re
import unicodedata
from collections.abc import Iterable

MOST_TAGS = 12
LONGEST_TAG = 30

_LINES = re.compile(r"^\s*(?:```.*|[-*_]{3,}|[|:\- ]+)$|^\s{0,6}(?:#{1,6}|>|[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s)?|\|", re.MULTILINE)
_SIGNS = re.compile(r"[*_`~]{1,3}")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def folded(text: str) -> str:
    """Without case and accents: ``Ärger`` becomes ``arger``."""
    return "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))


def plain(markdown: str) -> str:
    """What is left to read of a Markdown text, in one line."""
    return " ".join(_SIGNS.sub("", _LINES.sub(" ", _LINK.sub(r"\1", markdown))).split())


def tags_in(given: str | Iterable[str]) -> list[str]:
    """Tags somebody typed: ``Home, #garden`` becomes ``["home", "garden"]``. No tag twice."""
    parts = re.split(r"[\s,;#]+", given) if isinstance(given, str) else [str(one) for one in given]
    clean = [re.sub(r"[\s,;#]+", "-", part.strip(" ,;#")).lower()[:LONGEST_TAG] for part in parts]
    return list(dict.fromkeys(tag for tag in clean if tag))[:MOST_TAGS]


def first_words(text: str, length: int = 60) -> tuple[str, str]:
    """The beginning of a text, not cut within a word, and the rest of it."""
    line = plain(text)
    if len(line) <= length:
        return line, ""
    end = line.rfind(" ", length // 2, length) if " " in line[length // 2 : length] else length
    return line[:end] + "…", line[end:].strip()


def excerpt(text: str, words: Iterable[str] = (), length: int = 180) -> str:
    """The beginning of a text, or the part around the first of the (folded) words."""
    line = plain(text)
    found = [at for word in words if (at := _position(line, word)) >= 0]
    start = max(0, min(found) - length // 3) if found else 0
    part = line[start : start + length].strip()
    return ("… " if start else "") + part + (" …" if start + length < len(line) else "")


def _position(line: str, word: str) -> int:
    """Where a folded word stands in an unfolded line; folding may change lengths, so letters are counted one by one."""
    letters = [folded(letter) for letter in line]
    at = "".join(letters).find(word)
    if at < 0:
        return -1
    seen = 0
    for index, letter in enumerate(letters):
        seen += len(letter)
        if seen > at:
            return index
    return -1
