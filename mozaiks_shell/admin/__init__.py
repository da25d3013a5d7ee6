"""Operator pages over the other rooms' services."""
