"""``mozaiks-shell``: make apps and plugins, check them, look after an installation. Wiring only.

Each module named below has ``register(app)``, which adds its commands.
"""

import typer

from mozaiks_shell.cli import (
    about,
    check,
    database,
    doctor,
    initialise,
    keys,
    new,
    openapi,
    papers,
    plugin_service,
    runtime,
    validate,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate a Mozaiks Shell installation and write plugins.")
for module in (about, check, database, doctor, initialise, keys, new, openapi, papers, plugin_service, runtime, validate):
    module.register(app)
