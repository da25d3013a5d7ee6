"""JSON from strangers: depth and text are bounded before anybody walks it."""

import pytest

from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.json_text import DEEPEST, checked, read_json


def nested(depth):
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("raw", ["1", '"a"', "null", '{"a":[1,{"b":"\\u00e9 \\ud83d\\ude00"}]}', nested(DEEPEST), b'"\xc3\xa9"'])
def test_ordinary_json_passes(raw):
    read_json(raw)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (nested(DEEPEST + 1), "TOO_DEEP"),
        (nested(900), "TOO_DEEP"),
        (nested(100_000), "TOO_DEEP"),
        ('{"a":' * 100_000, "TOO_DEEP"),
        ("", "NOT_JSON"),
        ("{", "NOT_JSON"),
        ("NaN", "NOT_JSON"),
        ('{"a":-Infinity}', "NOT_JSON"),
        ("9" * 5000, "NOT_JSON"),
        (b"\xff\xfe\xfa", "NOT_JSON"),
        ('"\\ud800"', "BAD_TEXT"),
        (b'"\xed\xa0\x80"', "BAD_TEXT"),
        ('[{"a":{"\\udfff":1}}]', "BAD_TEXT"),
        ('{"a":"x\\u0000"}', "BAD_TEXT"),
    ],
)
def test_the_rest_is_refused_with_a_reason(raw, code):
    with pytest.raises(Invalid) as refused:
        read_json(raw)
    assert (refused.value.status, refused.value.code) == (422, code)


def test_values_parsed_elsewhere_are_checked_alike():
    deep = []
    for _ in range(5000):
        deep = [deep]
    for bad in (deep, {"a": "\udc00"}):
        with pytest.raises(Invalid):
            checked(bad)
    assert checked({"a": [1, None, True, 2.5]}) == {"a": [1, None, True, 2.5]}
