"""Token ledger fed by events."""
