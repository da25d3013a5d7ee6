"""What other rooms use of the app's configuration."""

from mozaiks_shell.appconfig.brand import theme_config
from mozaiks_shell.appconfig.chat_look import NO_LOOK, ChatLook, chat_look
from mozaiks_shell.appconfig.layout import Layout, layout
from mozaiks_shell.appconfig.live import on_change
from mozaiks_shell.appconfig.loader import ConfigError, load, path_of
from mozaiks_shell.appconfig.navigation import Navigation, NavItem, Trigger, navigation
from mozaiks_shell.appconfig.overview import configuration_problems
from mozaiks_shell.appconfig.plans import Catalogue, Cycle, Plan, catalogue
from mozaiks_shell.appconfig.problems import Problem
from mozaiks_shell.appconfig.settings_config import SettingsConfig, settings_config
from mozaiks_shell.appconfig.themes import ThemeConfig
from mozaiks_shell.appconfig.ui_config import UiConfig, ui_config

__all__ = [
    "NO_LOOK", "Catalogue", "ChatLook", "ConfigError", "Cycle", "Layout", "NavItem", "Navigation", "Plan", "Problem",
    "SettingsConfig", "ThemeConfig", "Trigger", "UiConfig", "catalogue", "chat_look", "configuration_problems", "layout", "load",
    "navigation", "on_change", "path_of", "settings_config", "theme_config", "ui_config",
]  # fmt: skip
