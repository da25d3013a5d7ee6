"""Plans, subscriptions, the one gate, payment providers."""
