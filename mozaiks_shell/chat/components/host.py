"""``window.mozaiksChat`` on every page (F-176): a few bytes that keep calls, and what answers them once the page runs."""

from typing import Any, Final

import reflex as rx

from mozaiks_shell.chat.state import ChatState

VISITOR_ID: Final = "mzc-visitor"
_SCRIPT: Final = (
    "(function(w){var q=[];function n(k){return function(o){q.push([k,o]);if(c.wake)c.wake()}}"
    'var c=w.mozaiksChat={open:n("open"),close:n("close"),take:function(){return q.splice(0)}}})(window)'
)


def host_script() -> rx.Component:
    """For the head of every page: calls before the program runs are kept."""
    return rx.el.script(_SCRIPT)


def _wish(mode: rx.Var[str], chat_id: rx.Var[str], workflow_name: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str], rx.Var[str]]:
    return mode, chat_id, workflow_name


class ChatHost(rx.Component):
    """Answers the calls and dispatches ``mozaiks:chat:open`` and ``mozaiks:chat:close`` on the document."""

    library = rx.asset("chat_host.js", shared=True).importable_path
    tag = "ChatHost"

    surface: rx.Var[str]
    mode: rx.Var[str]
    chat_id: rx.Var[str]
    workflow: rx.Var[str]
    asked: rx.Var[int]
    ready: rx.Var[bool]
    signed_in: rx.Var[bool]
    visitor: rx.Var[str]

    on_open: rx.EventHandler[_wish]  # type: ignore[type-arg,valid-type]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]


def chat_host() -> rx.Component:
    """The answering part; draws nothing."""
    props: dict[str, Any] = {
        "surface": ChatState.surface,
        "mode": ChatState.mode,
        "chat_id": ChatState.chat_id,
        "workflow": ChatState.workflow,
        "asked": ChatState.asked_for,
        "ready": ChatState.ready,
        "signed_in": ChatState.signed_in,
        "visitor": VISITOR_ID,
        "on_open": ChatState.host_open,
        "on_close": ChatState.host_close,
    }
    return ChatHost.create(**props)
