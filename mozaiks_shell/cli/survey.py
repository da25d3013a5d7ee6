"""``python -m mozaiks_shell.cli.survey``: load the product without serving it and tell, as JSON, what ``doctor`` wants to know.

A process of its own, because pages and plugins can be declared once in a process.
"""

import contextlib
import io
import json
import sys
from dataclasses import asdict
from typing import Any


def survey() -> dict[str, Any]:
    """Problems of the configuration, asked when all pages are declared, and what became of every plugin."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        import mozaiks_shell.mozaiks_shell  # noqa: F401 - declares the pages
        from mozaiks_shell.appconfig.service import configuration_problems
        from mozaiks_shell.plugin_host.service import plugin_reports

        problems = [asdict(one) for one in configuration_problems()]
        plugins = [{"name": one.name, "state": one.state, "reason": one.reason} for one in plugin_reports()]
    return {"problems": problems, "plugins": plugins}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(survey()))
