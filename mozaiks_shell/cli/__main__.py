"""``python -m mozaiks_shell.cli``."""

from mozaiks_shell.cli.main import app

app()
