"""Whatever stands in a file: the shell reads what it can, says where the rest is wrong, and never falls over."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mozaiks_shell.appconfig.live import files
from mozaiks_shell.appconfig.overview import NAMES, configuration_problems, standings
from mozaiks_shell.appconfig.schemas import models
from mozaiks_shell.appconfig.service import catalogue, layout, navigation, settings_config, theme_config, ui_config
from tests.appconfig.folder import SAMPLES

configuration_problems()  # registers every file
TWO_SHAPES = {"navigation.json": ["navigation.pages.json", "navigation.routes.json"]}


def _names(schema):
    if isinstance(schema, dict):
        for name, one in schema.items():
            if name == "properties":
                yield from one
            yield from _names(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from _names(one)


def nonsense(name):
    """Values made of the file's own keys and of what does not belong there."""
    known = sorted({key for model in models(name) for key in _names(model.model_json_schema())})
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(
        ["/", "/admin", "javascript:alert(1)", "house", "x" * 5000, "\u202e", "#fff", "light", "../../x", "1px", "__proto__"]
    )  # fmt: skip
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(known) | st.text(max_size=5), inner, max_size=5)
        ),
    )


def read_everything():
    """What a page reads."""
    assert navigation().every() is not None and ui_config().header and layout().sidebar and settings_config().sections is not None
    assert catalogue().default and theme_config() is not None and len(standings()) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nonsense_never_breaks_and_is_always_located(configs, name, data):
    content = data.draw(nonsense(name))
    with suppress(FileNotFoundError):
        (configs.path / name).unlink()
    configs.look()
    configs.write(name, json.dumps(content))
    read_everything()
    for one in configuration_problems():
        assert one.path.startswith("$") and one.message and one.file and "\n" not in str(one) and len(str(one)) < 1200
        assert str(one).isprintable() and "could not be read" not in one.message


def spoilt(value, where, by):
    """The value with ``by`` at one place."""
    if not where:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[where[0]] = spoilt(value[where[0]], where[1:], by)
    return copy


def places(value, where=()):
    if where:
        yield where
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*where, key))


@pytest.mark.parametrize("name", NAMES)
def test_one_wrong_value_anywhere_is_named_there_or_nearby(configs, name):
    for source in TWO_SHAPES.get(name, [name]):
        good = json.loads(Path(SAMPLES / source).read_text("utf-8"))
        for where in places(good):
            for by in ({"nonsense": [1]}, -7.25):
                with suppress(FileNotFoundError):
                    (configs.path / name).unlink()
                configs.look()
                configs.write(name, spoilt(good, where, by))
                read_everything()
                for one in (one for one in configuration_problems() if one.file == name and one.level == "error"):
                    assert one.line == 1 and one.path.startswith("$") and "could not be read" not in one.message


def test_every_live_file_is_one_of_the_known_ones():
    assert {file.name for file in files() if "/" not in file.name} == set(NAMES)
