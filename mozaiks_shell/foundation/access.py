"""The words of access: who someone is, what a page or handler asks for, what was decided (D2).

Declarations live beside the thing they guard; :func:`mozaiks_shell.billing.service.authorize`
is the only place that decides.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["public", "signed_in", "role", "plan"]
Reason = Literal["ok", "sign_in", "role", "plan"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person, as of this request or event.

    ``locale``, ``timezone`` and ``theme`` are what they chose; empty means they leave it to us. ``avatar`` is the
    version of their picture, empty without one.
    """

    user_id: str
    app_id: str
    name: str = ""
    email: str = ""
    roles: frozenset[str] = frozenset()
    session_id: str = ""
    locale: str = ""
    timezone: str = ""
    theme: str = ""
    avatar: str = ""

    def has_role(self, *names: str) -> bool:
        """True when the person holds any of the roles; case does not matter, admin holds all."""
        mine = {role.lower() for role in self.roles}
        return bool(mine & {"admin", "superadmin"}) or any(name.lower() in mine for name in names)


@dataclass(frozen=True, slots=True)
class Access:
    """What a page, handler, route or plugin action demands.

    Build with :meth:`public`, :meth:`signed_in`, :meth:`role` or :meth:`plan`.
    """

    kind: Kind
    names: tuple[str, ...] = field(default=())

    @classmethod
    def public(cls) -> "Access":
        """Anyone, signed in or not."""
        return cls("public")

    @classmethod
    def signed_in(cls) -> "Access":
        """Anyone with a live session."""
        return cls("signed_in")

    @classmethod
    def role(cls, *names: str) -> "Access":
        """Someone who holds any of these roles (admins hold all)."""
        return cls("role", names)

    @classmethod
    def plan(cls, *names: str) -> "Access":
        """Someone whose plan is one of these, or ranks above the lowest of them in the catalogue."""
        return cls("plan", names)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of the gate. ``needed`` is the title of the role or plan that would open it."""

    allowed: bool
    reason: Reason = "ok"
    needed: str = ""

    @property
    def status(self) -> int:
        """HTTP status that tells this decision: 200, 401 or 403."""
        return 200 if self.allowed else 401 if self.reason == "sign_in" else 403


_principal: ContextVar[Principal | None] = ContextVar("mozaiks_principal", default=None)


def current_principal() -> Principal | None:
    """The person on whose behalf this request, event or plugin call runs; None when anonymous."""
    return _principal.get()


def set_principal(principal: Principal | None) -> None:
    """Set once per request or event, by the gate, before any other code runs."""
    _principal.set(principal)
