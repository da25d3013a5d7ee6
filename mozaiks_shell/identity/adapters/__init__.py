"""Outside systems that identity talks to."""
