"""One operator page per module."""
