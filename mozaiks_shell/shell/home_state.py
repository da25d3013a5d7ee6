"""What the start page shows, gathered on each visit."""

from typing import ClassVar, TypedDict

from mozaiks_shell.appconfig.brand import brand_file
from mozaiks_shell.appconfig.loader import DEFAULTS, path_of
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.state import process
from mozaiks_shell.shell.state import entries_for, in_navigation
from mozaiks_shell.ui.page import pages
from mozaiks_shell.ui.state import ShellState, event

_MOST = 6


class Action(TypedDict):
    """A tile: a page one may open."""

    title: str
    text: str
    path: str
    icon: str


class Step(TypedDict):
    """Something an administrator does once."""

    title: str
    text: str
    done: bool


async def actions_for(principal: Principal) -> list[Action]:
    """The first pages this person may open, plugins before the shell's own."""
    found = [page for page in pages() if in_navigation(page) and page.route != "/" and page.access.kind != "public"]
    found.sort(key=lambda page: page.owner == "shell")
    _, gates, _ = await entries_for(principal)
    allowed = [page for page in found if gates[page.route] == "ok"]
    return [Action(title=page.title, text=page.description, path=page.route, icon=page.icon) for page in allowed[:_MOST]]


def first_steps() -> list[Step]:
    """What a fresh installation still runs on: packaged defaults that an operator wants to replace."""
    settings = get_settings()
    return [
        Step(
            title="Make it yours",
            text="Put brand.json with your name, logo and colours into MOZAIKS_CONFIGS_PATH.",
            done=brand_file().parent != DEFAULTS,
        ),
        Step(
            title="Add a plugin",
            text="A folder in plugins/ becomes a page: mozaiks-shell new plugin makes one.",
            done=process.plugins_loaded > 0,
        ),
        Step(
            title="Connect a runtime",
            text="The embedded runtime answers now. MOZAIKS_AI_URL connects your own MozaiksAI.",
            done=bool(settings.ai_url),
        ),
        Step(
            title="Define your plans",
            text="subscription_config.json in MOZAIKS_CONFIGS_PATH lists plans and what they open.",
            done=path_of("subscription_config.json").parent != DEFAULTS,
        ),
    ]


class Home(ShellState):
    """The start page."""

    access: ClassVar[Access | None] = Access.signed_in()

    actions: list[Action] = []
    steps: list[Step] = []
    steps_done: int = 0
    loaded: bool = False

    @event
    async def enter(self) -> None:
        """Gather it anew."""
        me = self._me()
        self.actions = await actions_for(me)
        steps = first_steps() if me.has_role("admin") else []
        self.steps_done = sum(step["done"] for step in steps)
        self.steps = steps if self.steps_done < len(steps) else []
        self.loaded = True
