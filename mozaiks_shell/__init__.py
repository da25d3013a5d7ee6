"""Mozaiks Shell: the pure-Python product shell (MozaiksCore on Reflex)."""

__version__ = "0.1.0"
