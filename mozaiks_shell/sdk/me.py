"""``me``: who looks at the page, for components (F-299). In handlers use ``self.user`` and ``await self.plan`` instead.

rx.el.p(sdk.t("Hello {name}, you are on {plan}.", name=sdk.me.name, plan=sdk.me.plan))
"""

import reflex as rx

from mozaiks_shell.shell.state import Frame


class Me:
    """Vars of the person at this browser. They are for showing; what somebody may do is decided by ``access``."""

    @property
    def name(self) -> rx.Var[str]:
        """Full name, else user name; empty for a visitor."""
        return Frame.name  # type: ignore[return-value]

    @property
    def plan(self) -> rx.Var[str]:
        """Title of the plan, to be shown with ``t(...)``."""
        return Frame.plan  # type: ignore[return-value]

    @property
    def signed_in(self) -> rx.Var[bool]:
        """False for a visitor."""
        return Frame.signed_in  # type: ignore[return-value]

    @property
    def is_admin(self) -> rx.Var[bool]:
        """Whether they are an administrator."""
        return Frame.is_admin  # type: ignore[return-value]

    @property
    def initials(self) -> rx.Var[str]:
        """Up to two letters of the name."""
        return Frame.initials  # type: ignore[return-value]

    @property
    def avatar(self) -> rx.Var[str]:
        """Address of their picture; empty without one."""
        return Frame.avatar  # type: ignore[return-value]

    @property
    def locale(self) -> rx.Var[str]:
        """Their language: ``en``, ``de``."""
        return Frame.locale  # type: ignore[return-value]


me = Me()

__all__ = ["Me", "me"]
