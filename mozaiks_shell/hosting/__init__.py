"""Start-up, health, headers, static pages."""
