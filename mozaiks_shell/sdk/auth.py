"""``auth``: who is here (F-292, F-299)."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mozaiks_shell.billing import service as _billing
from mozaiks_shell.billing.service import PlanView
from mozaiks_shell.foundation.access import Principal, current_principal
from mozaiks_shell.foundation.errors import NotSignedIn
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.plugin_host.service import either_way
from mozaiks_shell.ui.state import tell_states

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The signed-in person.

    Attributes:
        id: Stable id, the ``user_id`` of their rows.
        roles: Lower-case role names.
        app_id: The app they are signed in to.
    """

    id: str
    email: str
    name: str
    roles: frozenset[str]
    app_id: str

    def has_role(self, *names: str) -> bool:
        """True when the person holds any of the roles; admins hold all."""
        return Principal(self.id, self.app_id, roles=self.roles).has_role(*names)


def current_user() -> CurrentUser:
    """The person on whose behalf this code runs: in ``execute``, in State handlers, in the plugin's own routes.

    Raises:
        NotSignedIn: nobody is signed in.

    Example:
        >>> current_user().email
        'ada@example.com'
    """
    person = current_principal()
    if person is None or not person.user_id:  # a job of the app acts for nobody in particular
        raise NotSignedIn(tr("Sign in to continue."))
    return _as_user(person)


def _as_user(person: Principal) -> CurrentUser:
    return CurrentUser(person.user_id, person.email, person.name, person.roles, person.app_id)


def current_plan() -> Any:
    """The current person's plan now, a :class:`PlanView`: ``name``, ``title``, ``rank``, ``status`` and dates.

    Awaited in ``async`` code, called plainly in ``def``. In a State: ``await self.plan``.

    Raises:
        NotSignedIn: nobody is signed in.

    Example:
        >>> (await auth.current_plan()).name
        'pro'
    """
    person = current_principal()
    if person is None or not person.user_id:
        raise NotSignedIn(tr("Sign in to continue."))
    return either_way(_billing.plan_of(person))


def require_user(function: Function) -> Function:
    """Decorator: refuse anonymous callers with 401. For ``def`` and ``async def`` alike.

    Example:
        >>> @auth.require_user
        ... def create_task(request):
        ...     return {"owner": auth.current_user().id}
    """
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*args: Any, **kwargs: Any) -> Any:
            current_user()
            return await function(*args, **kwargs)

        return later  # type: ignore[return-value]

    @functools.wraps(function)
    def now(*args: Any, **kwargs: Any) -> Any:
        current_user()
        return function(*args, **kwargs)

    return now  # type: ignore[return-value]


tell_states(_as_user, _billing.plan_of)

__all__ = ["CurrentUser", "PlanView", "current_plan", "current_user", "require_user"]
