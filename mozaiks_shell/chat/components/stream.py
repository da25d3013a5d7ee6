"""The two pieces of the pane that are React: the live conversation and Markdown (D4)."""

from typing import Any, Final

import reflex as rx

_CODE: Final = {
    name: rx.asset(name, shared=True).importable_path
    for name in (
        "chat_pane.js",
        "chat_stream.js",
        "chat_log.js",
        "chat_fold.js",
        "chat_blocks.js",
        "chat_code.js",
        "chat_colours.js",
        "chat_math.js",
        "chat_diagram.js",
        "chat_images.js",
        "chat_cost.js",
        "chat_answers.css",
        "chat_status.js",
        "chat_hooks.js",
        "chat_choice.js",
        "chat_actions.js",
        "chat_feedback.js",
        "chat_composer.js",
        "chat_composer.css",
        "chat_escape.js",
        "chat_files.js",
        "chat_outbox.js",
        "chat_queue.js",
        "chat_question.js",
        "chat_slash.js",
        "chat_suggestions.js",
        "chat_markdown.js",
        "chat.css",
        "chat_surfaces.css",
        "chat_standing.css",
    )
}
_MARKDOWN: Final = [
    "marked@18.2.1",
    # Fetched by the browser only when an answer has code, formulas or diagrams.
    "lowlight@3.3.0",
    "highlight.js@11.11.1",
    "katex@0.18.10",
    "mermaid@12.3.0",
    "dompurify@3.4.18",
]


def _attached(chat_id: rx.Var[str], workflow: rx.Var[str], title: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str], rx.Var[str]]:
    return chat_id, workflow, title


def _tools(chat_id: rx.Var[str], arrived: rx.Var[bool]) -> tuple[rx.Var[str], rx.Var[bool]]:
    return chat_id, arrived


def _stands(
    chat_id: rx.Var[str], workflow: rx.Var[str], code: rx.Var[str], reason: rx.Var[str]
) -> tuple[rx.Var[str], rx.Var[str], rx.Var[str], rx.Var[str]]:
    return chat_id, workflow, code, reason


def _one(workflow: rx.Var[str]) -> tuple[rx.Var[str]]:
    return (workflow,)


class Conversation(rx.Component):
    """Status line, message log and composer of one chat, fed by ``/ws/chat``.

    Children are drawn at the end of the log (the open UI tools).
    """

    library = _CODE["chat_pane.js"]
    tag = "Conversation"
    lib_dependencies: list[str] = _MARKDOWN

    chat_id: rx.Var[str]
    workflow: rx.Var[str]
    fresh: rx.Var[int]
    surface: rx.Var[str]
    labels: rx.Var[dict[str, Any]]
    greeting: rx.Var[str]
    logo: rx.Var[str]
    bubble: rx.Var[str]

    on_attached: rx.EventHandler[_attached]  # type: ignore[type-arg,valid-type]
    on_tools: rx.EventHandler[_tools]  # type: ignore[type-arg,valid-type]
    on_stands: rx.EventHandler[_stands]  # type: ignore[type-arg,valid-type]
    on_unread: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]
    on_escape: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]
    on_again: rx.EventHandler[_one]  # type: ignore[type-arg,valid-type]
    on_artifact: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]


class Markdown(rx.Component):
    """Markdown without raw HTML and without remote images; ``text`` may change, blocks are memoised."""

    library = _CODE["chat_markdown.js"]
    tag = "Prose"
    lib_dependencies: list[str] = _MARKDOWN

    text: rx.Var[str]
    labels: rx.Var[dict[str, Any]]


def conversation(*children: Any, **props: Any) -> rx.Component:
    """The live conversation."""
    return Conversation.create(*children, **props)


def markdown(text: Any, labels: dict[str, Any]) -> rx.Component:
    """Markdown text of a runtime."""
    return Markdown.create(text=text, labels=labels)
