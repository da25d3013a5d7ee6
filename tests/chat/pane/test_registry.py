"""Renderers by component name: the built-in six, and a plugin's own."""

from collections.abc import Iterator

import pytest
import reflex as rx

from mozaiks_shell.chat.components import blocks, registry
from mozaiks_shell.chat.state import ChatState


@pytest.fixture
def acme() -> Iterator[str]:
    """A plugin's component, withdrawn afterwards."""

    @registry.register("acme.chart")
    def chart(tool: rx.Var) -> rx.Component:
        return rx.el.figure(tool["payload"]["caption"].to(str))

    yield "acme.chart"
    registry.withdraw(__name__)


def test_the_contracts_primitives_are_there():
    assert {"core.form", "core.table", "core.card", "core.list", "core.markdown", "core.composite"} <= set(registry.renderers())


def test_a_plugins_component_is_drawn_by_name(acme):
    drawn = str(rx.el.div(rx.foreach(ChatState.tools, blocks.tool_view)))
    assert "acme.chart" in drawn and "figure" in drawn


def test_a_taken_name_is_refused_with_both_owners(acme):
    def other(tool: rx.Var) -> rx.Component:
        return rx.el.div()

    with pytest.raises(registry.ComponentClash, match=r"core\.form"):
        registry.register("core.form")(other)


def test_withdrawing_a_plugin_leaves_the_others(acme):
    registry.withdraw(__name__)
    assert acme not in registry.renderers() and "core.form" in registry.renderers()
