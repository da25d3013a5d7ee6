"""Pages of the token engine."""
