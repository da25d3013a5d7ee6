"""Reading a file somebody wrote by hand: limits, encodings, keys written twice, and the line of everything."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozaiks_shell.appconfig.document import DEEPEST, LARGEST, Unreadable, parse, places, read

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def every(value, where=()):
    """All places of a value."""
    yield where
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield from every(one, (*where, key))


@given(JSON, st.sampled_from([None, 1, 4]))
@settings(max_examples=150, deadline=None)
def test_every_value_has_its_line(value, indent):
    found, twice = places(json.dumps(value, indent=indent))
    assert set(found) == set(every(value)) and not twice
    if indent is None:
        assert set(found.values()) == {1}


def test_lines_count_from_one():
    text = '{\n  "a": [\n    1,\n    {"b": "x"}\n  ],\n\n  "c": null\n}'
    found, _ = places(text)
    assert found == {(): 1, ("a",): 2, ("a", 0): 3, ("a", 1): 4, ("a", 1, "b"): 4, ("c",): 7}


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(data)
    try:
        document = read(file)
    except Unreadable as refused:
        assert str(refused)
    else:
        assert document.line(()) == document.text[: len(document.text) - len(document.text.lstrip())].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("", "is empty", 1),
        ("  \n\n", "is empty", 1),
        ('{\n  "a": 1,\n}', "is not JSON", 3),
        ('{\n  // the name\n  "a": 1}', "is not JSON", 2),
        ('{"a": NaN}', "is no number", None),
        ('{"a": ' + "9" * 5000 + "}", "is not JSON", None),
        ('\n{"a": "one\\u0000two"}', "holds a control character", 2),
        ('{"a": "\\ud800"}', "holds a control character", 1),
        ('{"\\u0007": 1}', "holds a control character", 1),
        ("[" * 40 + "]" * 40, f"nested deeper than {DEEPEST}", 1),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, f"nested deeper than {DEEPEST}", None),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text, said, line):
    with pytest.raises(Unreadable, match=said) as refused:
        parse(text)
    assert refused.value.line == line


def test_five_megabytes_are_refused_without_being_read(tmp_path):
    file = tmp_path / "big.json"
    file.write_text(json.dumps({"pages": ["x" * 1000] * 5000}))
    assert file.stat().st_size > 5 * LARGEST
    with pytest.raises(Unreadable, match=r"larger than 1000 kB \(5\.0 MB\)"):
        read(file)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    file = tmp_path / "bom.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read(file).raw == {"a": 1}


def test_other_encodings_are_named_with_their_line(tmp_path):
    file = tmp_path / "latin.json"
    file.write_bytes('{\n "a": "für"}'.encode("latin-1"))
    with pytest.raises(Unreadable, match="not UTF-8") as refused:
        read(file)
    assert refused.value.line == 2


def test_a_key_written_twice_is_named_where_it_stands():
    document = parse('{\n "a": {"x": 1,\n  "x": 2},\n "b": [{"y": 1}, {"y": 1, "y": 2}]\n}')
    assert [finding.where for finding in document.findings] == [("a", "x"), ("b", 1, "y")]
    assert document.raw["a"]["x"] == 2
