"""People: local accounts, OIDC, sessions, roles."""
