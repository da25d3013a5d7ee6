"""``python -m mozaiks_shell.plugin_host``: the plugins as a service of their own (F-094)."""

import importlib

if __name__ == "__main__":
    importlib.import_module("mozaiks_shell.cli.plugin_service").main()  # the command line is a floor above
