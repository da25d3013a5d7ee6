"""The session broker: the only way to a run. Capabilities, execution tokens, the runtime's HTTP API (F-140)."""
