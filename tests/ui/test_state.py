"""A State that does not say who may call it is told how, in words."""

from typing import ClassVar

import pytest

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.ui.state import ShellState


def test_access_without_classvar_is_refused_with_the_line_to_write():
    with pytest.raises(TypeError, match=r"Loose: write `access: ClassVar\[Access \| None\]"):

        class Loose(ShellState):
            access = Access.signed_in()


def test_access_with_classvar_or_inherited_is_fine():
    class Tight(ShellState):
        access: ClassVar[Access | None] = Access.signed_in()

    class Tighter(Tight):
        pass

    assert Tighter.access == Access.signed_in()
