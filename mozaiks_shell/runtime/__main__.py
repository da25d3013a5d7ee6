"""``python -m mozaiks_shell.runtime``: see :mod:`mozaiks_shell.runtime.server`."""

import sys

from .server import main

sys.exit(main())
