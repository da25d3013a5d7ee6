"""The fixtures for plugin authors, as pytest finds them by itself where the package is installed."""

pytest_plugins = ["mozaiks_shell.pytest_plugin"]
