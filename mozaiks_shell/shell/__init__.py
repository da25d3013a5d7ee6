"""The frame around every page, and the core pages."""
