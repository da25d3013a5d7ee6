"""Datasette with so many one-file plugins, each with one hook: ``datasette_app.py COUNT``, port in ``PORT``."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGIN = '''"""Adds a function to SQL."""

from datasette import hookimpl


@hookimpl
def prepare_connection(conn):
    conn.create_function("items_{number}", 1, lambda value: len(str(value)))
'''

folder = Path(tempfile.mkdtemp())
for number in range(int(sys.argv[1])):
    (folder / f"made_{number:04d}.py").write_text(PLUGIN.format(number=number), "utf-8")
serve = [sys.executable, "-m", "datasette", "serve", "--memory", "--plugins-dir", str(folder)]
raise SystemExit(subprocess.call([*serve, "--host", "127.0.0.1", "--port", os.environ["PORT"]]))
