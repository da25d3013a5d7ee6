"""One core page per module."""
