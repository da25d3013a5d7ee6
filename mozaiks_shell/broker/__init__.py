"""Who may start which AI session: capabilities, execution tokens, runtime HTTP client."""
