"""A runtime's payload may hold anything; the item the pane draws is typed and bounded."""

import json

import pytest

from mozaiks_shell.chat.components import blocks  # noqa: F401 - registers the built-in components
from mozaiks_shell.chat.components.fields import checked
from mozaiks_shell.chat.components.links import safe_href
from mozaiks_shell.chat.components.payload import MAX_ROWS, block_of, pairs, tool_item
from mozaiks_shell.chat.components.registry import renderers

HOSTILE = [None, 7, "text", [], [None], {"a": {"b": [1, {"c": object}]}}, [{"name": None}], True, float("nan")]


@pytest.mark.parametrize("component", [*sorted(renderers()), "x.y"])
@pytest.mark.parametrize("value", HOSTILE)
def test_no_payload_breaks_an_item(component, value):
    words = """title fields schema series data labels files images steps row_actions percent src optimistic required properties
    columns rows items children actions values content error options"""
    keys = words.split()
    item = tool_item("t", component, "inline", "", dict.fromkeys(keys, value))
    json.dumps(item)


def test_unknown_component_lists_its_content():
    item = tool_item("t", "acme.chart", "inline", "Chart", {"due_date": "2026-01-01", "ok": True, "display": "inline"})
    assert item["title"] == "Chart"
    assert [(line["title"], line["text"]) for line in item["lines"]] == [("Due date", "2026-01-01"), ("Ok", "Yes")]
    assert item["payload"] == {} and [action["id"] for action in item["actions"]] == ["accept", "dismiss"]


def test_a_plugins_component_gets_the_payload():
    assert tool_item("t", "acme.chart", "inline", "", {"points": [1, 2]}, raw=True)["payload"] == {"points": [1, 2]}


def test_form_fields_keep_their_values():
    payload = {
        "fields": [
            {"name": "agree", "type": "boolean"},
            {"name": "n", "type": "integer", "min": 1},
            {"name": "c", "options": ["a", "b"]},
        ],
        "values": {"agree": True, "n": 3, "c": "b"},
    }
    agree, number, choice = block_of("core.form", payload)["fields"]
    assert (agree["type"], agree["checked"]) == ("checkbox", True)
    assert (number["type"], number["value"], number["min"]) == ("number", "3", "1")
    assert (choice["type"], choice["value"], [one["label"] for one in choice["options"]]) == ("select", "b", ["a", "b"])


def test_submitted_values_have_types():
    fields = block_of("core.form", {"fields": [
        {"name": "agree", "type": "checkbox"}, {"name": "n", "type": "number"},
        {"name": "when", "type": "date"}, {"name": "note"},
    ]})["fields"]  # fmt: skip
    values, wrong = checked(fields, {"agree": "on", "n": "2.5", "when": "", "note": " x ", "__tool": "t"})
    assert wrong == {} and values == {"agree": True, "n": 2.5, "when": None, "note": "x"}


def test_table_is_cut_and_columns_are_guessed():
    block = block_of("core.table", {"rows": [{"a_b": 1.5, "c": None}] * (MAX_ROWS + 9)})
    assert [column["label"] for column in block["columns"]] == ["A b", "C"]
    assert len(block["rows"]) == MAX_ROWS and [cell["text"] for cell in block["rows"][0]["cells"]] == ["1.5", ""]


def test_composite_holds_typed_parts():
    item = tool_item("t", "core.composite", "inline", "", {"children": [
        {"component": "core.markdown", "content": "**x**"},
        {"type": "core.list", "payload": {"items": ["a", {"title": "b", "href": "javascript:x"}]}},
    ]})  # fmt: skip
    assert [part["component"] for part in item["parts"]] == ["core.markdown", "core.list"]
    assert item["parts"][0]["text"] == "**x**" and item["parts"][1]["lines"][1]["href"] == ""


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x", "JaVaScRiPt:x", 7, None]
)
def test_unsafe_addresses_are_no_links(href):
    assert safe_href(href) == ""


@pytest.mark.parametrize(
    "href",
    [
        "/auth/logout", "/AUTH/logout", "/%61uth/logout", "/x/../auth/logout", "/x\\..\\auth/logout", "/au\tth/logout", "/login",
        "/api/auth/logout?everywhere=true", "/__mozaiks/admin/analytics", "/_event", "/ws/chat", "/.well-known/jwks.json",
        "http://localhost:3000/auth/logout", "HTTP://LocalHost:3000//auth/logout", "http://a@127.0.0.1:3000/auth/logout",
        "http:/auth/logout", "http://[/auth",
    ],
)  # fmt: skip
def test_nor_do_addresses_of_our_own_server(href):
    assert safe_href(href) == ""


@pytest.mark.parametrize(
    "href", ["/settings", "/authors", "/plugins/api", "https://example.com", "https://example.com/auth/x", "mailto:a@example.com"]
)
def test_safe_addresses_stay(href):
    assert safe_href(href) == href


def test_nested_values_are_readable():
    assert pairs({"a": {"b": [1, 2]}})[0]["text"] == "b: 1, 2"
