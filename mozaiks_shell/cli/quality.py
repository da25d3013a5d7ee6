"""The rules a plugin is judged by, and the four tiers they make: bronze, silver, gold, platinum.

A plugin has a tier when it breaks no rule of that tier or a lower one. ``docs/plugin-quality.md`` is made from this table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mozaiks_shell.foundation.settings import ROOT
from mozaiks_shell.plugin_host import scan

PAGE: Final = ROOT / "docs" / "plugin-quality.md"

Tier = Literal["bronze", "silver", "gold", "platinum"]
Level = Literal["error", "warning", "hint"]
TIERS: Final[tuple[Tier, ...]] = ("bronze", "silver", "gold", "platinum")
_LEVELS: Final[dict[Tier, Level]] = {"bronze": "error", "silver": "warning", "gold": "warning", "platinum": "hint"}
_MEANING: Final[dict[Tier, str]] = {
    "bronze": "It runs, and it harms nothing. What breaks a bronze rule should not be installed.",
    "silver": "It says what it is, who may use it and what it needs; it can be taken back; it is tested.",
    "gold": "It feels like part of the product: every language, light and dark, keyboard and screen reader.",
    "platinum": "It can be handed to somebody else: typed, documented and tested throughout.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``what`` completes "The plugin …" or stands alone; ``why`` is a reason a person can agree with."""

    id: str
    tier: Tier
    what: str
    why: str

    @property
    def level(self) -> Level:
        """How a finding counts: bronze rules are errors, platinum rules hints."""
        return _LEVELS[self.tier]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken. ``file`` is relative to the plugin's folder, ``line`` 0 where there is none; ``fix`` says what
    to do."""

    rule: str
    message: str
    file: str = ""
    line: int = 0
    fix: str = ""

    @property
    def where(self) -> str:
        """``page.py:12``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def level(self) -> Level:
        """As its rule's."""
        return BY_ID[self.rule].level


RULES: Final = (
    Rule("manifest-valid", "bronze", "The manifest can be read and fits its schema.", "Nothing else can be judged without it."),
    Rule("parses", "bronze", "Every module is valid Python.", "A plugin with a syntax error is never imported."),
    Rule(
        "imports-sdk",
        "bronze",
        "From the shell only `mozaiks_shell.sdk` is imported.",
        "Everything behind it may change any day.",
    ),
    *(Rule(one.rule, "bronze", f"No call that {one.why}.", f"Instead: {one.remedy}") for one in scan.RULES),
    Rule(
        "import-bounded",
        "bronze",
        "Importing it ends, within its time and memory.",
        "A server that waits for a plugin serves nobody.",
    ),
    Rule(
        "import-effects",
        "bronze",
        "Importing it changes nothing of others: no patched code, no `sys.modules`, working folder, locale, signal handlers, "
        "environment, and no thread that stays.",
        "What one plugin changes for all, another one pays for.",
    ),
    Rule("loads", "bronze", "The real host loads it.", "Else it goes to quarantine at the next start."),
    Rule(
        "tables-migrated",
        "bronze",
        "Its migrations make exactly the tables and columns of its models.",
        "A forgotten column fails in front of a person.",
    ),
    Rule(
        "entitlements-valid",
        "bronze",
        "`entitlements.yaml`, if there is one, can be read.",
        "A broken one refuses every gated action.",
    ),
    Rule("loads-clean", "silver", "The host loads it without a warning.", "An operator reads them, and wonders."),
    Rule(
        "manifest-complete",
        "silver",
        "The manifest has version, name for people, description and icon, and says for which shell and SDK it is.",
        "It is what an operator sees before switching the plugin on.",
    ),
    Rule(
        "access-declared",
        "silver",
        "Access is written down: in the manifest, or on every page and State.",
        "A default is easily overlooked.",
    ),
    Rule(
        "handlers-typed",
        "silver",
        "Every argument of an event handler has a type.",
        "Browsers send anything; the type is what is checked.",
    ),
    Rule(
        "migrations-reversible",
        "silver",
        "Every migration can be taken back.",
        "A plugin that was tried out must leave no trace.",
    ),
    Rule("settings-described", "silver", "Every setting has a default and a label.", "The form is made from them."),
    Rule("tests-present", "silver", "There is a test.", "The next version of the shell can then be tried without you."),
    Rule(
        "texts-translatable",
        "gold",
        "Texts people see go through `t()` or `tr()`.",
        "Half of a page in a foreign language looks broken.",
    ),
    Rule("translated", "gold", "Every language of the shell has every text.", "So that nobody is left out."),
    Rule(
        "a11y-image", "gold", "Images have a text instead of them (`alt`; empty for decoration).", "Screen readers read it out."
    ),
    Rule("a11y-label", "gold", "Inputs have a label.", "A field without a name cannot be filled in by ear."),
    Rule("a11y-name", "gold", "Buttons and links have a name.", "“Button” says nothing."),
    Rule("a11y-heading", "gold", "Headings begin at level 1 and leave out no level.", "They are the table of contents."),
    Rule("a11y-tabindex", "gold", "No positive `tab_index`.", "It tears the order of the whole page apart."),
    Rule(
        "brand-colours",
        "gold",
        "Colours come from the brand's tokens.",
        "A fixed colour is wrong in the dark, and in another brand.",
    ),
    Rule("logical-sides", "gold", "Sides are `start` and `end`, not left and right.", "Arabic and Hebrew run the other way."),
    Rule("empty-state", "gold", "A list says what to do when it is empty.", "The first thing everybody sees is an empty list."),
    Rule("readme", "gold", "There is a README.md.", "What it does, what it needs, what it stores."),
    Rule("documented", "platinum", "Modules, classes and public functions have a docstring.", "The next author has only these."),
    Rule("typed", "platinum", "Every function is fully annotated.", "A type checker then finds what tests do not."),
    Rule("handlers-tested", "platinum", "Every event handler is named in a test.", "What no test calls breaks unseen."),
    Rule("origin", "platinum", "The manifest names author and licence.", "Others must know whether they may use and change it."),
)
BY_ID: Final = {rule.id: rule for rule in RULES}


def tier(findings: Iterable[Finding]) -> Tier | Literal[""]:
    """The highest tier that a plugin with these findings has; empty below bronze."""
    broken = {BY_ID[one.rule].tier for one in findings}
    reached: Tier | Literal[""] = ""
    for one in TIERS:
        if one in broken:
            break
        reached = one
    return reached


def missing(findings: Iterable[Finding]) -> tuple[Tier | Literal[""], list[str]]:
    """The next tier, and the rules that stand before it; the tier is empty when there is none above."""
    found = list(findings)
    reached = tier(found)
    if reached == "platinum":
        return "", []
    following = TIERS[TIERS.index(reached) + 1] if reached else TIERS[0]
    return following, list(dict.fromkeys(one.rule for one in found if BY_ID[one.rule].tier == following))


def at_least(reached: str, claimed: str) -> bool:
    """Whether a tier is as high as another; an empty claim always holds."""
    return not claimed or (bool(reached) and TIERS.index(reached) >= TIERS.index(claimed))  # type: ignore[arg-type]


def document() -> str:
    """The text of ``docs/plugin-quality.md``."""
    lines = [
        "# How good is a plugin?",
        "",
        "`mozaiks-shell check` judges a plugin by the rules below and says which tier it has. A plugin has a tier when it",
        'breaks no rule of that tier or a lower one; what the manifest claims (`"quality": "gold"`) is verified. Every finding',
        "has a file, a line and what to do.",
        "",
        "    mozaiks-shell check                    every plugin of this app",
        "    mozaiks-shell check tasks              one of them; a folder will do too",
        "    mozaiks-shell check tasks --strict     warnings count as errors (exit code 1)",
        "    mozaiks-shell check tasks --json       for programs",
        "",
        "The code is read first. Then a copy of the plugin runs in a process of its own, with an empty database, bounded time",
        "and memory, and none of your environment: so a plugin you do not trust yet can be checked. That process is no prison,",
        "though; read the code of what you do not trust at all.",
        "",
        "Accessibility is judged by what the pages are made of. Contrast, focus and order on a real screen are the browser's to",
        "say: run axe on the page, as the shell's own tests do.",
        "",
        "This page is made from the table in `mozaiks_shell/cli/quality.py` (`mozaiks-shell docs`).",
    ]
    for one in TIERS:
        lines += ["", f"## {one.capitalize()}", "", _MEANING[one], "", "| Rule | What | Why |", "|---|---|---|"]
        lines += [f"| `{rule.id}` | {rule.what} | {rule.why} |" for rule in RULES if rule.tier == one]
    return "\n".join(lines) + "\n"


def wanted() -> dict[Path, str]:
    """The page as it should be."""
    return {PAGE: document()}
