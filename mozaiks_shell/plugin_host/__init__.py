"""Plugins: discovery, manifest, loader, quarantine, registry, migrations, execution (D10)."""
