"""The palette's State: what it lists besides the navigation, what a search found, and running a command.

Pages come from ``FrameMenus.nav``, which every page has. Ranking happens in the browser.
"""

from typing import Any, ClassVar, Final, TypedDict

from mozaiks_shell.chat import service as chats
from mozaiks_shell.chat.state import ChatState, show_chat
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import ShellError, TooMany
from mozaiks_shell.foundation.i18n import msg, offered, tr
from mozaiks_shell.foundation.limits import hit
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.shell.commands import Provider, Result, add_provider, answers, command_for, commands, permitted
from mozaiks_shell.shell.navigation import menu_for
from mozaiks_shell.shell.shortcuts import normal
from mozaiks_shell.shell.state import notify
from mozaiks_shell.ui.kit.icons import known
from mozaiks_shell.ui.page import pages
from mozaiks_shell.ui.state import ShellState, event

RECENT_CHATS: Final = 6
_LONGEST_QUERY: Final = 100
_SEARCHES_PER_MINUTE: Final = 120
_OF_SETTINGS: Final = ("/settings/", "/profile")
_CHAT_PATH: Final = "/chat?chat_id="


class PaletteItem(TypedDict):
    """A line besides the pages of the menu. ``kind``: ``workflow``, ``chat``, ``command``, ``page`` or ``locale``; ``id`` means
    something to that kind; ``needed`` names the plan that opens a locked one; ``when`` is ISO 8601."""

    id: str
    kind: str
    title: str
    text: str
    icon: str
    path: str
    keywords: str
    shortcut: str
    needed: str
    when: str


class FoundItem(TypedDict):
    """A search result."""

    title: str
    text: str
    path: str
    icon: str


class FoundGroup(TypedDict):
    """Results of one provider."""

    title: str
    items: list[FoundItem]


class Found(TypedDict):
    """What is known so far of the answers to ``query``."""

    query: str
    done: bool
    groups: list[FoundGroup]


def item(kind: str, id: str, title: str, **more: str) -> PaletteItem:
    """A line of the palette."""
    line = PaletteItem(
        id=id, kind=kind, title=title, text="", icon="", path="", keywords="", shortcut="", needed="", when=""
    )  # fmt: skip
    line.update(more)  # type: ignore[typeddict-item]
    return line


async def items_for(principal: Principal) -> list[PaletteItem]:
    """Workflows, last chats, commands, the pages of the settings (which no menu lists) and languages of this person."""
    lines: list[PaletteItem] = []
    if get_settings().ai_enabled:
        try:
            offers = await chats.launchable(principal)
        except ShellError:  # no runtime to ask: there is nothing to start
            offers = []
        for one in offers:
            if one.allowed or one.needed:
                title = one.title or one.workflow
                more = {"text": one.description[:160], "icon": known(one.icon or "sparkles")}
                lines.append(item("workflow", one.workflow, title, needed="" if one.allowed else one.needed, **more))
        for chat in await chats.list_chats(principal, limit=RECENT_CHATS):
            path, when = _CHAT_PATH + chat.id, chat.updated_at.isoformat()
            lines.append(item("chat", chat.id, chat.title, text=chat.last_text[:160], path=path, when=when))
    for command in await permitted(principal, commands()):
        domain = "" if command.owner == "shell" else command.owner
        title, keywords = tr(command.title, domain=domain), tr(command.keywords, domain=domain) if command.keywords else ""
        more = {"icon": known(command.icon or "zap"), "path": command.path, "keywords": keywords}
        lines.append(item("command", command.key, title, shortcut=normal(command.shortcut), **more))
    lines += [
        item(
            "page", page.route, tr(page.title), text=tr("Settings"), icon=known(page.icon), path=page.route,
            keywords=tr(page.keywords) if page.keywords else "",
        )
        for page in pages()
        if page.owner == "shell" and not page.in_nav and page.access.kind == "signed_in" and page.route.startswith(_OF_SETTINGS)
        and "[" not in page.route
    ]  # fmt: skip
    return lines + [item("locale", code, name) for code, name in offered().items()]


async def words_for(principal: Principal) -> dict[str, str]:
    """By what else the pages of this person's menu are found, by the entry's id."""
    words: dict[str, str] = {}
    for place in (await menu_for(principal)).places:
        domain = place.entry["domain"]
        told = [place.keywords, tr(place.keywords, domain=domain), tr(place.description, domain=domain)]
        if said := " ".join(dict.fromkeys(filter(None, told))):
            words[place.entry["id"]] = said
    return words


async def find_chats(query: str, principal: Principal) -> list[Result]:
    """One's own chats by name, workflow and last message."""
    if not get_settings().ai_enabled:
        return []
    found = await chats.list_chats(principal, limit=RECENT_CHATS, search=query)
    return [Result(one.title, _CHAT_PATH + one.id, one.last_text, "message-circle") for one in found]


def _group(provider: Provider, results: list[Result]) -> FoundGroup:
    domain = "" if provider.owner == "shell" else provider.owner
    shown = [FoundItem(title=one.title, text=one.text, path=one.path, icon=known(one.icon or "file-text")) for one in results]
    return FoundGroup(title=tr(provider.title, domain=domain), items=shown)


class Palette(ShellState):
    """What the palette shows besides ``FrameMenus.nav``. ``words`` are further words of its entries, by id."""

    access: ClassVar[Access | None] = Access.signed_in()

    items: list[PaletteItem] = []
    words: dict[str, str] = {}
    loaded: bool = False
    chat: bool = True
    found: Found = Found(query="", done=True, groups=[])

    @event
    async def load(self) -> None:
        """The palette or the list of shortcuts was opened."""
        self.chat = get_settings().ai_enabled
        self.items = await items_for(self._me())
        self.words = await words_for(self._me())
        self.found = Found(query="", done=True, groups=[])
        self.loaded = True

    @event(background=True, supersedes=True)
    async def search(self, query: str) -> None:
        """Ask the providers. A newer query cancels this one."""
        wanted = query.strip()[:_LONGEST_QUERY] if isinstance(query, str) else ""
        if not wanted:
            return
        me, groups = self._me(), list[FoundGroup]()
        try:
            await hit("palette.search", me.user_id, _SEARCHES_PER_MINUTE)
            async for provider, results in answers(me, wanted):
                if results:
                    groups = [*groups, _group(provider, results)]
                    async with self:
                        self.found = Found(query=wanted, done=False, groups=groups)
        except TooMany:
            pass
        async with self:
            self.found = Found(query=wanted, done=True, groups=groups)

    @event
    async def run(self, key: str):  # type: ignore[no-untyped-def]
        """Run a command that is no path, if it is in service and this person may."""
        command = await command_for(self._me(), key) if isinstance(key, str) else None
        if command is None or command.path:
            yield notify(tr("This command is not available to you."), "warning")
            return
        yield command.run

    @event
    async def resume(self, chat_id: str):  # type: ignore[no-untyped-def]
        """Show one of this person's chats over the page they are on."""
        try:
            chat = await chats.find_chat(self._me(), chat_id if isinstance(chat_id, str) else "")
        except ShellError:
            yield notify(tr("This chat is not there any more."), "warning")
            return
        pane = await self.get_state(ChatState)
        surface = "overlay" if pane.surface == "overlay" else "widget"
        yield show_chat(pane, chat, surface=surface)

    @event
    async def theme(self, mode: str) -> None:
        """Keep the choice of light, dark or system for this person; the browser has applied it."""
        if isinstance(mode, str) and mode in {"light", "dark", "system"}:
            await identity.set_preferences(self._me(), {"theme": mode})


add_provider(Provider("shell:chats", msg("Chats"), find_chats, Access.signed_in()))


def baked_commands() -> list[dict[str, Any]]:
    """What every browser knows of commands with a shortcut: keys, key and path. Who may is decided when they are run."""
    return [
        {"keys": keys, "id": one.key, "path": one.path} for one in commands() if (keys := normal(one.shortcut))
    ]  # fmt: skip
