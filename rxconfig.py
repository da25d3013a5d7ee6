"""Reflex reads its configuration from here; what stands in it is in the package."""

from mozaiks_shell.hosting.reflex_config import config as config
