"""The mozaiks-shell command."""
