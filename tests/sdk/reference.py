"""The tables of docs/plugin-reference.md, from the docstrings. ``python -m tests.sdk.reference`` writes them anew."""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

from mozaiks_shell import sdk
from mozaiks_shell.ui import kit
from tests.live import ROOT

PAGE = ROOT / "docs" / "plugin-reference.md"
MARK = re.compile(r"<!-- (?P<place>sdk[.\w]*)(?P<names>:[\w ]+)? -->\n.*?<!-- / -->", re.DOTALL)
BORROWED = {
    "sdk.ui.select": "A native choice.",
    "TooMany": "Too often, or a limit is used up; `retry_after` says in how many seconds it may work again.",
    "Field": "SQLModel's: a column with its default and bounds.",
    "col": "SQLModel's: a column in a query, typed as one.",
    "select": "SQLModel's: a query.",
    "rx": "Reflex: `rx.el`, `rx.cond`, `rx.foreach`, `rx.match`, `rx.redirect`, `rx.download`, `rx.set_focus`, `rx.var`.",
    "ui": "The shell's kit: what every page is built from.",
    "Tone": "`neutral`, `accent`, `success`, `warning`, `danger`.",
    "Variant": "`primary`, `secondary`, `ghost`, `danger`.",
    "MAX_BYTES": "Largest body of an answer unless said otherwise, in bytes.",
}


def modules() -> dict[str, ModuleType]:
    """The modules of the SDK that have a table of their own, by the name a plugin writes."""
    found = {f"sdk.{name}": getattr(sdk, name) for name in sdk.__all__ if isinstance(getattr(sdk, name), ModuleType)}
    found.pop("sdk.rx")
    return {**found, "sdk.ui": kit, "sdk.testing": importlib.import_module("mozaiks_shell.sdk.testing")}


def sentence(place: str, name: str, value: object) -> str:
    """The first sentence of a docstring, fit for a table."""
    if said := BORROWED.get(f"{place}.{name}") or BORROWED.get(name):
        return said
    text = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    text = re.sub(r":\w+:`~?([\w.]+\.)?(\w+)`", r"`\2`", text).replace("``", "`").replace("|", "\\|")
    end = re.search(r"(?<![A-Z0-9])[.](?=\s|$)", text)
    return (text[: end.end()] if end else text).strip()


def table(place: str, names: str) -> str:
    """The table that stands at a mark."""
    holder = sdk if place == "sdk" else modules()[place]
    wanted = names.removeprefix(":").split() if names else list(holder.__all__)
    lines = [f"| `{place}.{name}` | {sentence(place, name, getattr(holder, name))} |" for name in wanted]
    return "\n".join(["| Name | What it is |", "|---|---|", *lines])


def written(text: str) -> str:
    """The page with its tables as they must be."""

    def one(match: re.Match[str]) -> str:
        place, names = match["place"], match["names"] or ""
        return f"<!-- {place}{names} -->\n{table(place, names)}\n<!-- / -->"

    return MARK.sub(one, text)


def named(text: str) -> dict[str, set[str]]:
    """Which names each place of the page has a table for."""
    found: dict[str, set[str]] = {}
    for match in MARK.finditer(text):
        names = (match["names"] or "").removeprefix(":").split()
        found.setdefault(match["place"], set()).update(names or {"*"})
    return found


if __name__ == "__main__":
    Path(PAGE).write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
