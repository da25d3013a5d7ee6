"""The UI kit: page declarations, the State base class, components on rx.el and CSS variables."""
