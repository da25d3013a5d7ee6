"""One file per outside system the broker talks to."""
