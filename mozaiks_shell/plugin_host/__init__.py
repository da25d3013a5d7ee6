"""Discovery, loading, quarantine and execution of plugins."""
