"""One line for lists and logs: no Markdown, no secrets, the words of the form."""

import pytest

from mozaiks_shell.chat.summary import LONGEST, answer_summary, plain
from mozaiks_shell.runtime.workflows.project_brief import form


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("### Result\n\n**Basic** comes [first](https://x.example/a_b).", "Result Basic comes first."),
        ("- one\n- `two`\n1. three\n> > four", "one two three four"),
        ("> - quoted", "quoted"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("| A | B |\n|---|---|\n| 1 | 2 |", "A B 1 2"),
        ("These pages:\n- [Home](/) – start.\n- [Tasks](/plugins/ta", "These pages: Home – start. Tasks"),
        ("snake_case_name and 3 - 2 stay", "snake_case_name and 3 - 2 stay"),
        ("an *old* _word_ and ~~no~~", "an old word and no"),
        ("2 * 3 * 4 = 24, a_b_c, x*y", "2 * 3 * 4 = 24, a_b_c, x*y"),
        ("![Logo](/logo.png) [cut off](https://x.exa", "Logo cut off"),
        ("---\nA\n\n***", "A"),
        ("", ""),
    ],
)
def test_plain_text_of_markdown(markdown, text):
    assert plain(markdown) == text


def test_the_answer_of_a_form_in_its_own_words():
    values = {"notes": "", "deadline": "2027-03-01", "kind": "website", "name": "Spring relaunch"}
    said = {"status": "success", "action": "submit", "data": values}
    assert answer_summary(form(), said) == "Spring relaunch · Website · 1 March 2027"
    assert answer_summary(form(), {"data": {"values": values}}) == "Spring relaunch · Website · 1 March 2027"
    assert answer_summary(form(), {"status": "cancelled", "action": "cancel", "data": {}}) == "Not now"


@pytest.mark.parametrize(
    ("payload", "response", "summary"),
    [
        ({}, {"status": "success", "action": "accept", "data": {}}, "Use this"),
        ({"actions": [{"id": "go", "label": "Go on"}]}, {"action": "go"}, "Go on"),
        ({}, {"action": "try_again"}, "Try again"),
        (
            {},
            {"n": 3, "on": "2027-02-30", "tags": ["a", "b"], "yes": True, "no": False, "deep": {"x": 1}},
            "3 · 2027-02-30 · a, b · yes",
        ),
        ({"fields": [{"name": "p", "type": "password"}]}, {"data": {"p": "hunter2", "api_key": "k", "Password": "x"}}, ""),
        ({"fields": "?", "actions": 3}, {"data": None, "action": None}, ""),
        ({"fields": [{"name": "b", "label": "Tell me"}]}, {"data": {"b": True}}, "Tell me"),
    ],
)
def test_whatever_shape_it_has(payload, response, summary):
    assert answer_summary(payload, response) == summary


def test_it_stays_short():
    long = answer_summary({}, {"data": {str(n): "x y " * 50 for n in range(9)}})
    assert len(long) <= LONGEST and long.endswith("…")
