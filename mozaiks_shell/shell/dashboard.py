"""Sections of the start page, for rooms and plugins::

@section("Open invoices", order=30, access=Access.plan("pro"))
def open_invoices() -> rx.Component: ...
"""

from mozaiks_shell.shell.slots import dashboard

section = dashboard.section

__all__ = ["section"]
