"""People of the shell's tests, and pages declared for one test only."""

from collections.abc import Iterator

import pytest

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.ui import page as declared


@pytest.fixture
def ada() -> Principal:
    return Principal("usr_ada", "dev-app", "Ada Lovelace", "ada@example.com", frozenset({"user"}), "ses_ada")


@pytest.fixture
def root() -> Principal:
    return Principal("usr_root", "dev-app", "Root Admin", "root@example.com", frozenset({"admin"}), "ses_root")


@pytest.fixture
def no_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start from no declared page at all."""
    monkeypatch.setattr(declared, "_pages", {})
    yield
