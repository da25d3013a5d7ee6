"""The list of chats says how each stands."""

import inspect
from datetime import UTC, datetime
from typing import get_args

import pytest

from mozaiks_shell.chat.routes import Status
from mozaiks_shell.chat.service import ChatSummary
from mozaiks_shell.shell import chat_links
from mozaiks_shell.shell.pages import chat as page

QUIET = {"connecting", "completed"}  # nothing a person has to know


def listed(status: str) -> str:
    summary = ChatSummary("c1", "Assistant", "Trip", status, datetime(2026, 3, 2, tzinfo=UTC), "Hello")
    return chat_links._row(summary, "Assistant", "message-circle")["status"]


@pytest.mark.parametrize("status", sorted(get_args(Status)))
def test_every_status_a_person_should_know_has_a_word(status):
    assert listed(status) == ("" if status in QUIET else status)
    assert (f'("{status}", badge(' in inspect.getsource(page._open)) is (status not in QUIET)
