"""``plugins``: services of Mozaiks that an app may be connected to (F-099, F-296). Permission ``payments``.

    checkout = await sdk.plugins.mozaiks_pay.create_checkout(plan_id="pro-plan", user_id=user.id)

On in managed mode. Elsewhere every call raises :class:`NotEnabled` until the operator connects the service with the pair
``MOZAIKS_PAYMENT_ENABLED`` and ``MOZAIKS_PAYMENT_API_URL`` (``MOZAIKS_MARKETING_…``). Awaited in ``async`` code, called
plainly in ``def``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.errors import Forbidden, Invalid, NotSignedIn, ShellError, TimedOut, Unavailable, Upstream
from mozaiks_shell.foundation.http import client
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host.permissions import Permission, demand
from mozaiks_shell.plugin_host.service import either_way


class NotEnabled(Unavailable):
    """This app is not connected to the service; ``details["service"]`` and ``details["settings"]`` say to which and how."""

    code = "EXTENSION_NOT_ENABLED"


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the person pays."""

    url: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as the service keeps it. ``data`` is its whole answer."""

    id: str
    data: dict[str, Any]


class MozaiksPay:
    """``plugins.mozaiks_pay``."""

    def create_checkout(self, plan_id: str, user_id: str = "") -> Any:
        """A page of MozaiksPay where a person buys a plan, as a :class:`Checkout`.

        Args:
            plan_id: The plan's id at MozaiksPay.
            user_id: Who buys. Default and normally the current person; administrators may name another.

        Raises:
            NotEnabled: the app is not connected.
            Forbidden: ``PERMISSION_MISSING``, or another person than the current one.
            NotSignedIn, Invalid, TimedOut, Upstream: nobody is there; the service refused, is slow, or failed.

        Example:
            >>> checkout = await sdk.plugins.mozaiks_pay.create_checkout(plan_id="pro-plan", user_id=user.id)
            >>> return sdk.rx.redirect(checkout.url, is_external=True)
        """
        demand(Permission.PAYMENTS)
        return either_way(_checkout(plan_id, user_id))


class MozaiksMarketing:
    """``plugins.mozaiks_marketing``."""

    def create_campaign(self, name: str, platforms: Sequence[str], budget: float) -> Any:
        """Start a campaign at MozaiksMarketing, as a :class:`Campaign`.

        Args:
            name: For people.
            platforms: Where: ``["meta", "google"]``.
            budget: In whole units of the currency agreed with the service; more than 0.

        Raises:
            NotEnabled, Forbidden, NotSignedIn, Invalid, TimedOut, Upstream: as :meth:`MozaiksPay.create_checkout`.

        Example:
            >>> await sdk.plugins.mozaiks_marketing.create_campaign("Launch Campaign", ["meta", "google"], budget=1000)
        """
        demand(Permission.PAYMENTS)
        return either_way(_campaign(name, list(platforms), budget))


async def _checkout(plan_id: str, user_id: str) -> Checkout:
    settings = get_settings()
    base = _connected("MozaiksPay", "MOZAIKS_PAYMENT", settings.payment_enabled, settings.payment_url)
    buyer = _person(user_id)
    if not plan_id:
        raise Invalid("A plan has an id.")
    body = {
        "scope": "app", "appId": settings.app_id, "plan": plan_id, "planId": plan_id, "userId": buyer,
        "metadata": {"userId": buyer},
    }  # fmt: skip
    answer = await _post("MozaiksPay", base, "/api/mozaiks/pay/checkout", body)
    url = answer.get("checkoutUrl") or answer.get("checkout_url") or answer.get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise Upstream("MozaiksPay gave no address for the checkout.", code="EXTENSION_FAILED")
    return Checkout(url, str(answer.get("sessionId") or answer.get("session_id") or ""))


async def _campaign(name: str, platforms: list[str], budget: float) -> Campaign:
    settings = get_settings()
    base = _connected("MozaiksMarketing", "MOZAIKS_MARKETING", settings.marketing_enabled, settings.marketing_url)
    person = _person("")
    if not name or not platforms or not all(isinstance(one, str) and one for one in platforms) or not budget > 0:
        raise Invalid("A campaign has a name, platforms and a budget above 0.")
    body = {"name": name, "platforms": platforms, "budget": budget, "appId": settings.app_id, "userId": person}
    answer = await _post("MozaiksMarketing", base, "/campaigns", body)
    return Campaign(str(answer.get("id") or answer.get("campaignId") or ""), answer)


def _connected(service: str, prefix: str, enabled: bool | None, url: str) -> str:
    wanted = enabled if enabled is not None else get_settings().hosting_mode == "managed"
    if wanted and url:
        return url
    needed = [f"{prefix}_ENABLED=true", f"{prefix}_API_URL"]
    raise NotEnabled(
        f"This app is not connected to {service}. An operator connects it with {' and '.join(needed)}.",
        service=service,
        settings=needed,
    )


def _person(user_id: str) -> str:
    person = current_principal()
    if person is None or not person.user_id:
        raise NotSignedIn(tr("Sign in to continue."))
    if user_id and user_id != person.user_id and not person.has_role("admin"):
        raise Forbidden(tr("This belongs to somebody else."), code="NOT_YOURS")
    return user_id or person.user_id


async def _post(service: str, base: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    key = get_settings().gateway_api_key.get_secret_value()
    headers = {"x-correlation-id": new_id("cor"), **({"x-mozaiks-app-key": key} if key else {})}
    try:
        async with client(base, timeout=20.0, headers=headers) as web:
            answer = await web.post(path, json=body)
    except httpx.TimeoutException as error:
        raise TimedOut(f"{service} did not answer in time.", code="EXTENSION_TIMED_OUT") from error
    except httpx.HTTPError as error:
        raise Upstream(f"{service} cannot be reached.", code="EXTENSION_UNREACHABLE") from error
    told = _object(answer)
    if answer.status_code >= 300:
        raise _refused(service, answer.status_code, str(told.get("detail") or told.get("error") or ""))
    return told


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _refused(service: str, status: int, reason: str) -> ShellError:
    if status in {400, 404, 409, 422}:
        return Invalid(f"{service} refused: {reason[:300] or status}.", code="EXTENSION_REFUSED")
    return Upstream(f"{service} failed ({status}).", code="EXTENSION_FAILED", reason=reason[:300])


mozaiks_pay = MozaiksPay()
mozaiks_marketing = MozaiksMarketing()

__all__ = [
    "Campaign", "Checkout", "MozaiksMarketing", "MozaiksPay", "NotEnabled", "mozaiks_marketing", "mozaiks_pay",
]  # fmt: skip
