"""Operator files (brand, navigation, plans, capabilities): models, loader, validator."""
