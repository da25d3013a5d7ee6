"""Plugin folders in every state there is, for tests that look at what becomes of them. Small, so that the product builds fast."""

import json
from pathlib import Path
from typing import Any

PAGE = '''"""A page."""
from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, ui


class {form}(sdk.State):
    broken: bool = False
    presses: int = 0

    @sdk.event
    def load(self):
        if self.router.url.query.endswith("fail"):
            raise RuntimeError("the list cannot be read, on purpose")

    @sdk.event
    def break_page(self):
        self.broken = True

    @sdk.event
    def press(self):
        self.presses += 1

    @sdk.event
    def fail(self):
        raise RuntimeError("pressing fails, on purpose")


@sdk.page(on_load={form}.load)
def front():
    trap = f"({{{form}.broken}} ? (() => {{{{ throw new Error('drawn wrong, on purpose') }}}})() : 'whole')"
    return ui.stack(
        ui.page_header("{title}", "A page that does as asked."),
        ui.row(
            ui.button("Press", on_click={form}.press, id="press"),
            ui.button("Break", on_click={form}.break_page, id="break"),
            ui.button("Fail", on_click={form}.fail, id="fail"),
        ),
        rx.el.p({form}.presses, id="presses"),
        rx.el.p(rx.Var(trap, _var_data={form}.broken._get_all_var_data())),
    )
'''
INIT = '''"""Starts once what it needs is there."""
from pathlib import Path

from mozaiks_shell import sdk


class Stubborn:
    def on_init(self, context):
        context.logger.info("looking for its key file", api_key="never shown")
        if not (Path(__file__).parent / "key").exists():
            raise RuntimeError("the key file is missing")

    def on_request(self, data):
        return {"ok": True}
'''
LOGIC = '''"""An answer."""


async def execute(data):
    if data.get("fail"):
        raise ValueError("asked to fail, on purpose")
    return {"said": data.get("word", "")}
'''


def add(folder: Path, name: str, files: dict[str, str], **manifest: Any) -> None:
    """Make a plugin folder."""
    said = {"name": name, "version": "1.0.0", "display_name": name.replace("-", " ").title(), **manifest}
    for file, text in {"manifest.json": json.dumps(said, indent=2), **files}.items():
        (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_text(text, "utf-8")


def page(title: str) -> str:
    """A page with buttons that press, break and fail."""
    return PAGE.format(form=title.replace(" ", ""), title=title)


def add_all(folder: Path) -> None:
    """One plugin in each state, and two that run."""
    add(
        folder, "board", {"page.py": page("Board"), "logic.py": LOGIC}, icon="layout-dashboard", quality="silver",
        description="Keeps the cards of a team in columns.", permissions=["http", "notifications"], author="Grace Hopper",
        homepage="https://example.com/board",
    )  # fmt: skip
    add(folder, "ledger", {"page.py": page("Ledger")}, icon="receipt", access="plan:pro", description="Income and spending.")
    add(folder, "stubborn", {"logic.py": INIT}, icon="key-round", description="Needs a key file before it starts.")
    add(
        folder, "missing", {"logic.py": LOGIC}, icon="package", description="Reads invoices from scanned letters.",
        dependencies={"python": ["no-such-package-anywhere>=3"]},
    )  # fmt: skip
    add(folder, "wreck", {"logic.py": "import json\n\nanswer = 1 +\n"}, icon="map", description="Draws maps.")
    add(folder, "tomorrow", {"logic.py": LOGIC}, icon="rocket", requires={"shell": ">=99"}, description="For a later shell.")
    add(folder, "asleep", {"logic.py": LOGIC}, icon="moon", enabled=False, description="Shipped switched off.")
