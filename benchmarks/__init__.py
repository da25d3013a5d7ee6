"""Benchmarks of Mozaiks Shell, each against a comparator measured in the same run. See README.md."""
