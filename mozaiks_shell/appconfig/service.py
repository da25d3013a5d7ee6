"""What other rooms use of the app's configuration."""

from mozaiks_shell.appconfig.loader import ConfigError, load, path_of
from mozaiks_shell.appconfig.plans import Catalogue, Cycle, Plan, catalogue

__all__ = ["Catalogue", "ConfigError", "Cycle", "Plan", "catalogue", "load", "path_of"]
