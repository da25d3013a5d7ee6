"""The plugin, loaded for each test."""

from pathlib import Path

from mozaiks_shell.sdk.testing import plugin_fixture

plugin = plugin_fixture(Path(__file__).parents[1])
