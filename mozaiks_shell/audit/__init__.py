"""Append-only record of security-relevant acts."""
