"""State of the plans page."""

import asyncio
from typing import ClassVar, TypedDict

import reflex as rx

from mozaiks_shell.appconfig.service import Plan, catalogue
from mozaiks_shell.billing import service
from mozaiks_shell.billing.standing import PlanView
from mozaiks_shell.foundation.access import Access, Principal
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import moment, money, msg, tr
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.ui.state import ShellState, event

_PER = {
    "daily": msg("a day"),
    "weekly": msg("a week"),
    "monthly": msg("a month"),
    "yearly": msg("a year"),
    "lifetime": msg("once"),
}
WAIT_STEPS, WAIT_SECONDS = 15, 2.0  # how long the page watches for a payment to be confirmed
_ASK_STRIPE_AT = {3, 8, 14}  # a webhook is faster; asking heals one that was lost


class PlanCard(TypedDict):
    """A plan as the page shows it. ``action``: empty or ``choose``: a button with ``label``."""

    name: str
    title: str
    price: str
    per: str
    description: str
    features: list[str]
    current: bool
    wanted: bool
    action: str
    label: str
    main: bool


class Plans(ShellState):
    """What can be had, what I have, and the ways from one to the other."""

    access: ClassVar[Access | None] = Access.signed_in()

    cards: list[PlanCard] = []
    loaded: bool = False
    line: str = ""
    alert: bool = False  # the line is one to act on
    ask_admin: bool = False
    can_cancel: bool = False
    can_portal: bool = False
    cancel_text: str = ""
    payment: str = ""  # "", waiting, late, done
    payment_text: str = ""
    error: str = ""
    _awaited: str = ""

    @event
    async def enter(self):  # type: ignore[no-untyped-def]
        """Every visit: show the plans; after a checkout, watch for the confirmation."""
        query = self.router.url.query_parameters
        self.error = ""
        self.payment = ""
        named = _named(query.get("plan", ""))
        paid = query.get("checkout") == "success"
        await self._show(named.name if named and not paid else "")
        if paid and named is not None:
            self._awaited = named.name
            if await _confirmed(self._me(), named.name):
                self._say_done(named)
            else:
                self.payment = "waiting"
                self.payment_text = tr(
                    "Your payment for {plan} is being confirmed. This takes a few seconds.", plan=tr(named.title)
                )
                yield Plans.watch

    @event(background=True, supersedes=True)
    async def watch(self):  # type: ignore[no-untyped-def]
        """Look for the confirmed payment for half a minute, then say honestly that it is late."""
        async with self:
            principal, plan = self._me(), catalogue().get(self._awaited)
            socket = self.router.session.session_id
        if plan is None:
            return
        for step in range(WAIT_STEPS):
            await asyncio.sleep(WAIT_SECONDS)
            if await _confirmed(principal, plan.name, ask=step in _ASK_STRIPE_AT):
                async with self:
                    await self._show("")
                    self._say_done(plan)
                return
            async with self:
                if self.payment != "waiting" or self.router.session.session_id != socket:
                    return
        async with self:
            self.payment = "late"
            self.payment_text = tr(
                "The payment for {plan} is not confirmed yet. Nothing is lost: your plan changes as soon as it is.",
                plan=tr(plan.title),
            )

    @event
    async def check_again(self):  # type: ignore[no-untyped-def]
        """Ask the payment service now."""
        plan = catalogue().get(self._awaited)
        self.error = ""
        try:
            confirmed = plan is not None and await _confirmed(self._me(), plan.name, ask=True, quiet=False)
        except ShellError as problem:
            self.error = problem.message
            return
        await self._show("")
        if plan is not None and confirmed:
            self._say_done(plan)

    @event
    async def choose(self, name: str):  # type: ignore[no-untyped-def]
        """Take a plan: at once for an administrator, through the hosted checkout where plans are sold.

        The page goes there itself: a form post that is redirected to another origin is stopped in Chromium by the
        policy's ``form-action 'self'``; a navigation by script is not.
        """
        self.error = ""
        try:
            url = await service.choose_plan(self._me(), name if isinstance(name, str) else "")
        except ShellError as problem:
            self.error = problem.message
            return
        if url:
            yield rx.redirect(url)
        else:
            await self._show("")

    @event
    async def open_portal(self):  # type: ignore[no-untyped-def]
        """Go to the payment service's own page for cards and invoices."""
        self.error = ""
        try:
            yield rx.redirect(await service.portal(self._me()))
        except ShellError as problem:
            self.error = problem.message

    @event
    async def cancel(self):  # type: ignore[no-untyped-def]
        """Cancel at the period's end."""
        self.error = ""
        try:
            await service.cancel(self._me())
        except ShellError as problem:
            self.error = problem.message
        await self._show("")

    def _say_done(self, plan: Plan) -> None:
        self.payment = "done"
        self.payment_text = tr("You are on the {plan} plan now.", plan=tr(plan.title))

    async def _show(self, wanted: str) -> None:
        me = self._me()
        view, provider = await service.plan_of(me), get_settings().billing_provider
        own = service.sells() or (provider == "manual" and me.has_role("admin"))
        self.cards = _cards(view, wanted, own)
        self.line = _line(view) if provider != "none" else tr("Everything is open to everybody here.")
        self.alert = provider != "none" and (view.status not in ("active", "trialing") or view.cancel_at_period_end)
        self.ask_admin = provider == "manual" and not own
        paid = view.name not in ("unlimited", catalogue().default.name)
        show = catalogue().settings
        self.can_cancel = paid and not view.cancel_at_period_end and not view.lifetime and show.show_cancel_button
        self.can_portal = service.sells() and paid
        self.cancel_text = _with_day(
            view,
            msg("You keep {plan} until the end of the current period."),
            msg("You keep {plan} until {day}, the end of the current period."),
        )
        self.loaded = True


async def _confirmed(principal: Principal, name: str, *, ask: bool = False, quiet: bool = True) -> bool:
    """Whether the person has this plan now; ``ask`` asks the payment service first, ``quiet`` overlooks its failure."""
    if ask:
        try:
            await service.reconcile(principal)
        except ShellError:
            if not quiet:
                raise
    return (await service.plan_of(principal)).name == name


def _named(text: object) -> Plan | None:
    """The plan an address names, by name or title."""
    wanted = text.strip().lower() if isinstance(text, str) else ""
    return next((plan for plan in catalogue().subscription_plans if wanted in (plan.name.lower(), plan.title.lower())), None)


def _cards(view: PlanView, wanted: str, own: bool) -> list[PlanCard]:
    cards = [_card(plan, view, wanted, own) for plan in catalogue().subscription_plans]
    above = (
        card for card, plan in zip(cards, catalogue().subscription_plans, strict=True) if card["action"] and plan.rank > view.rank
    )
    main = next((card for card in cards if card["wanted"]), None) or next(above, None)
    if main:
        main["main"] = True
    return cards


def _card(plan: Plan, view: PlanView, wanted: str, own: bool) -> PlanCard:
    current = plan.name == view.name
    sold = get_settings().billing_provider != "stripe" or bool(plan.stripe_price_id)
    covered = view.lifetime and plan.rank < view.rank
    action = "choose" if own and not current and sold and not covered and plan != catalogue().default else ""
    if current and view.cancel_at_period_end and own and sold:
        action = "choose"
    choice = msg("Keep {plan}") if current else msg("Upgrade to {plan}") if plan.rank > view.rank else msg("Switch to {plan}")
    label = tr(choice, plan=tr(plan.title))
    return PlanCard(
        name=plan.name,
        title=tr(plan.title),
        price=price_text(plan),
        per="" if plan.price == 0 else tr(_PER[plan.billing_cycle]),
        description=plan.description,
        features=plan.features,
        current=current,
        wanted=plan.name == wanted and not current,
        action=action,
        label=label,
        main=False,
    )


def price_text(plan: Plan) -> str:
    """``$12``, ``9,99 €``: as the person's language writes it, without cents where there are none."""
    return money(plan.price, plan.currency)


def _line(view: PlanView) -> str:
    plan = tr(view.title)
    if view.status == "past_due":
        return _with_day(
            view,
            msg("The last payment for {plan} did not go through. You keep access while it is tried again."),
            msg("The last payment for {plan} did not go through. You keep access until {day} while it is tried again."),
        )
    if view.trial_ends is not None:
        return tr("You are trying {plan}. The trial ends on {day}.", plan=plan, day=moment(view.trial_ends, "date"))
    if view.cancel_at_period_end:
        return _with_day(view, msg("{plan} is cancelled."), msg("{plan} is cancelled and stays open until {day}."))
    if view.renews_at is not None:
        return tr("Your plan is {plan}. It renews on {day}.", plan=plan, day=moment(view.renews_at, "date"))
    if view.status in ("canceled", "inactive"):
        return tr("Your plan has ended. It is {plan} now.", plan=plan)
    return _with_day(view, msg("Your plan is {plan}."), msg("Your plan is {plan} until {day}."))


def _with_day(view: PlanView, without: str, text: str) -> str:
    """``text`` with the plan and the day it ends, or ``without`` when no day is known."""
    end = view.ends_at or view.renews_at
    return tr(text, plan=tr(view.title), day=moment(end, "date")) if end else tr(without, plan=tr(view.title))
