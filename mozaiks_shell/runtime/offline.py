"""The assistant without a language model: honest about it, and useful for finding one's way.

Matching is deliberately plain (a few words per intent) so that a reader can predict every answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .messages import UiContext, UiPage

HOW_TO_CONNECT = (
    "To give me a language model, the operator of this app can either\n\n"
    "- set `OPENAI_BASE_URL` and `OPENAI_API_KEY` to any OpenAI-compatible server, or\n"
    "- set `MOZAIKS_AI_URL` to a full MozaiksAI runtime, which then replaces me.\n"
)
_NO_MODEL = "I am the **offline assistant**: no language model is connected to this app"
_OPEN = re.compile(r"^(?:please )?(?:open|go to|goto|take me to|bring me to|navigate to|visit|show me|show) (.+)$")
_FILLER = re.compile(r"\b(?:the|my|a|an|page|pages|screen|please)\b")
_SUFFIX = ("thanks", "thank you", "thank", "cheers")


@dataclass(frozen=True)
class OfflineReply:
    """A Markdown answer and, when the person asked for a page, where to go."""

    text: str
    path: str | None = None


def reply(text: str, context: UiContext | None) -> OfflineReply:
    """Answer one message. ``context`` is what the shell sent along, if anything."""
    said = re.sub(r"[^\w\s/&-]", " ", text.casefold())
    said = " ".join(said.split())
    words = set(said.split())
    context = context or UiContext()

    wish = _OPEN.match(said)
    if wish and not said.startswith("show"):
        return _open(wish[1], context)
    if wish and (page := find_page(wish[1], context.pages)):
        return _go(page)
    if words & {"plan", "subscription", "tier"}:
        return OfflineReply(_plan(context))
    if words & {"workflow", "workflows", "automation", "automations"}:
        return OfflineReply(_workflows(context))
    if words & {"page", "pages", "menu", "navigation", "sitemap"}:
        return OfflineReply(_pages(context))
    if words & {"connect", "openai", "model", "llm", "gpt", "api", "offline", "online"}:
        return OfflineReply(f"{_NO_MODEL}.\n\n{HOW_TO_CONNECT}")
    if words & {"help", "commands"} or "can you do" in said or "can i do" in said or "who are you" in said:
        return OfflineReply(_abilities(context))
    if words & {"hi", "hello", "hey", "hallo", "moin"}:
        name = f", {md(context.user.name)}" if context.user.name else ""
        return OfflineReply(f"Hello{name}! {_abilities(context)}")
    if said.startswith(_SUFFIX):
        return OfflineReply("You are welcome. Ask again whenever you like.")
    return OfflineReply(_fallback(context))


def find_page(wish: str, pages: list[UiPage]) -> UiPage | None:
    """The page meant by ``wish``: by path, then exact title, then beginning, then any shared word."""
    wanted = " ".join(_FILLER.sub(" ", wish.casefold()).split())
    if not wanted:
        return None
    usable = [page for page in pages if is_local(page.path)]
    bare = wanted.strip("/")
    tests = (
        lambda p: p.path.strip("/").casefold() == bare and bool(bare),
        lambda p: p.title.casefold() == wanted,
        lambda p: p.title.casefold().startswith(wanted),
        lambda p: bool(_tokens(wanted) & (_tokens(p.title) | _tokens(p.path))),
    )
    for test in tests:
        for page in usable:
            if test(page):
                return page
    return None


def is_local(path: str) -> bool:
    """A path inside the app; anything that could leave it is not navigated to."""
    return path.startswith("/") and not path.startswith(("//", "/\\"))


def md(text: str) -> str:
    """Text from outside, safe inside Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _tokens(text: str) -> set[str]:
    return {token for token in re.split(r"[\W_]+", text.casefold()) if len(token) > 1}


def _link(page: UiPage) -> str:
    href = page.path if is_local(page.path) and not re.search(r"[\s()<>]", page.path) else ""
    label = f"[{md(page.title)}]({href})" if href else f"**{md(page.title)}**"
    return f"{label} – {md(page.description)}" if page.description else label


def _go(page: UiPage) -> OfflineReply:
    return OfflineReply(f"Opening **{md(page.title)}** for you.", page.path)


def _open(wish: str, context: UiContext) -> OfflineReply:
    page = find_page(wish, context.pages)
    if page:
        return _go(page)
    if not context.pages:
        return OfflineReply("I would like to, but this app did not tell me which pages it has.")
    return OfflineReply(f"I do not know a page called “{md(wish)}”.\n\n{_pages(context)}")


def _pages(context: UiContext) -> str:
    if not context.pages:
        return "This app did not tell me which pages it has. The menu on the left shows them."
    listed = "\n".join(f"- {_link(page)}" for page in context.pages)
    example = md(context.pages[0].title).lower()
    return f"These pages are open to you:\n\n{listed}\n\nSay “open {example}” and I will take you there."


def _plan(context: UiContext) -> str:
    title = context.plan.title or context.plan.name
    if not title:
        return "This app did not tell me which plan you are on."
    page = find_page("billing", context.pages) or find_page("plans", context.pages)
    more = f"\n\nDetails and changes: {_link(page)}." if page else ""
    return f"You are on the **{md(title)}** plan.{more}"


def _workflows(context: UiContext) -> str:
    if not context.workflows:
        return "This app did not tell me which workflows you can start."
    listed = "\n".join(f"- **{md(w.title or w.name)}**" for w in context.workflows)
    return f"You can start these workflows:\n\n{listed}\n\nStart one from the chat's workflow menu."


def _abilities(context: UiContext) -> str:
    pages = f" ({len(context.pages)} of them)" if context.pages else ""
    return (
        f"{_NO_MODEL}, so I cannot hold a free conversation. What I can do:\n\n"
        f"- **list pages**{pages}, and **open** any of them: “open settings”\n"
        "- **show my plan**\n"
        "- tell you **which workflows** exist\n"
        "- explain how to **connect a model**\n"
    )


def _fallback(context: UiContext) -> str:
    return (
        f"{_NO_MODEL}, so I cannot answer that truthfully.\n\n{HOW_TO_CONNECT}\n"
        "Until then I can show you around: try **list pages**, **show my plan** or **which workflows**."
    )
