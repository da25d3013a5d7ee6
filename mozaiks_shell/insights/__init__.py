"""Sign-up and activity counters fed by events."""
