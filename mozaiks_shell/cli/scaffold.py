"""``new``: a plugin folder that runs as it is, and reads like an example (F-283)."""

import json
import re
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9_-]{1,39}")

_PAGE = '''"""The page of {title}: everything a person sees."""

from typing import ClassVar

from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, ui


class {state}(sdk.State):
    """State of the page. ``access`` says who may call its handlers."""

    access: ClassVar[sdk.Access | None] = sdk.Access.signed_in()

    items: list[dict[str, str]] = []
    ready: bool = False

    @sdk.event
    async def load(self) -> None:
        """Read this person's items; runs on every visit."""
        self.items = [{{"id": one["id"], "text": one["text"]}} for one in await sdk.db.items.list()]
        self.ready = True

    @sdk.event
    async def add(self, form: dict[str, str]) -> None:
        """Keep one more item."""
        if text := str(form.get("text", "")).strip()[:200]:
            await sdk.db.items.create(text=text)
        await {state}.load.fn(self)


@sdk.page("/", title="{title}", icon="sparkles", access=sdk.Access.signed_in(), on_load={state}.load)
def page() -> rx.Component:
    """A form and a list."""
    new = ui.text_input(name="text", placeholder="New item", aria_label="New item", required=True)
    form = rx.el.form(
        ui.row(new, ui.button("Add", type="submit")),
        on_submit={state}.add,
        reset_on_submit=True,
    )
    items = rx.el.ul(rx.foreach({state}.items, lambda one: rx.el.li(one["text"])))
    nothing = ui.empty_state("sparkles", "Nothing here yet", "Add the first item above.")
    return ui.stack(
        ui.page_header("{title}"),
        form,
        rx.cond({state}.ready, rx.cond({state}.items, items, nothing), ui.skeleton(3)),
    )
'''

_LOGIC = '''"""The API of {title}: ``POST /api/execute/{name}``."""

from mozaiks_shell import sdk


async def execute(data: dict) -> dict:
    """``{{"action": "list"}}`` or ``{{"action": "create", "text": ...}}``; runs for the person who calls."""
    match data.get("action"):
        case "list":
            return {{"items": await sdk.db.items.list()}}
        case "create":
            return {{"item": await sdk.db.items.create(text=str(data.get("text", ""))[:200])}}
        case other:
            return {{"error": f"Unknown action {{other!r}}.", "error_code": "VALIDATION_ERROR"}}
'''


def scaffold(root: Path, name: str) -> list[Path]:
    """Write ``root/name/`` and return its files.

    Raises:
        ValueError: the name cannot be a plugin's, or the folder exists.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a plugin: use 2 to 40 lower-case letters, digits, - and _, a letter first.")
    folder = root / name
    if folder.exists():
        raise ValueError(f"{folder} exists.")
    title = name.replace("-", " ").replace("_", " ").capitalize()
    words = {"name": name, "title": title, "state": "".join(part.capitalize() for part in re.split(r"[-_]", name)) + "State"}
    manifest = {"name": name, "version": "0.1.0", "display_name": title, "description": f"What {title} does, in one sentence."}
    contents = {
        "manifest.json": json.dumps(manifest, indent=2) + "\n",
        "page.py": _PAGE.format(**words),
        "logic.py": _LOGIC.format(**words),
    }
    folder.mkdir(parents=True)
    for file, content in contents.items():
        (folder / file).write_text(content, "utf-8")
    return [folder / file for file in contents]
