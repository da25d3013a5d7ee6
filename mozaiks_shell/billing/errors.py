"""Errors of billing."""

from mozaiks_shell.foundation.errors import Conflict, Forbidden, Invalid, ShellError, Upstream


class BadSignature(ShellError):
    """A webhook that the provider did not sign, or signed too long ago."""

    status = 400
    code = "BAD_SIGNATURE"


class UnknownPrice(Invalid):
    """A live subscription to a price no plan of the catalogue is sold under."""

    code = "UNKNOWN_PRICE"


class NotForSale(Conflict):
    """The plan cannot be bought here."""

    code = "NOT_FOR_SALE"


class NothingToCancel(Conflict):
    """There is no running subscription."""

    code = "NOTHING_TO_CANCEL"


class SetByAdministrator(Forbidden):
    """Plans are set by an administrator of this installation."""

    code = "PLAN_SET_BY_ADMIN"


class PaymentUpstream(Upstream):
    """The payment service failed or refused."""

    code = "PAYMENT_SERVICE"


class UsageRefused(Upstream):
    """The payment service will never take this report of usage; telling it again cannot help."""

    code = "USAGE_REFUSED"
