"""Errors of identity, and the one place that says each of them to a person.

A page gets only a code in its address and looks the sentence up here, so a crafted link cannot put words on it.
"""

from typing import Final

from mozaiks_shell.foundation.errors import Conflict, Forbidden, Invalid, NotSignedIn, ShellError
from mozaiks_shell.foundation.i18n import msg, tr

MESSAGES: Final[dict[str, str]] = {
    "WRONG_CREDENTIALS": msg("The name or the password is wrong."),
    "LIMIT_EXCEEDED": msg("Too many tries in a short time. Please wait a minute and try again."),
    "LOCAL_ACCOUNTS_OFF": msg("Signing in with a password is switched off here."),
    "REGISTRATION_OFF": msg("New accounts are created by an administrator here."),
    "NAME_INVALID": msg("Use 2 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit."),
    "EMAIL_INVALID": msg("This does not look like an e-mail address."),
    "FULL_NAME_INVALID": msg("The full name may have at most 120 characters, without line breaks."),
    "PASSWORD_SHORT": msg("Choose a password of at least 10 characters."),
    "PASSWORD_LONG": msg("The password may have at most 256 characters."),
    "PASSWORD_COMMON": msg("This password is among the first that attackers try. Please choose another one."),
    "PASSWORD_IS_NAME": msg("The password must not be your name or e-mail address."),
    "ACCOUNT_EXISTS": msg("An account with this name or e-mail address exists already. Perhaps you want to sign in?"),
    "OIDC_OFF": msg("Single sign-on is not set up here."),
    "OIDC_DENIED": msg("You cancelled signing in at the other page, so nothing happened."),
    "OIDC_STATE": msg("This sign-in was used already or took too long. Please try again."),
    "OIDC_REFUSED": msg("The sign-in service refused the request. Please try again, or tell an administrator."),
    "OIDC_UNTRUSTED": msg("The answer of the sign-in service could not be verified, so you were not signed in."),
    "OIDC_DOWN": msg("The sign-in service cannot be reached right now. Please try again in a moment."),
    "OIDC_EMAIL_TAKEN": msg(
        "An account with your e-mail address exists already. Sign in with its password, or ask an administrator."
    ),
    "ACCOUNT_DISABLED": msg("This account is disabled. Please ask an administrator."),
    "WRONG_PASSWORD": msg("This is not your current password."),
    "PASSWORD_SAME": msg("The new password is the same as the present one."),
    "PASSWORD_MISMATCH": msg("The two new passwords are not the same."),
    "PASSWORD_ELSEWHERE": msg("Your password is kept by the sign-in service, so it is changed there."),
}

FIELDS: Final[dict[str, str]] = {
    "NAME_INVALID": "username",
    "EMAIL_INVALID": "email",
    "FULL_NAME_INVALID": "full_name",
    "PASSWORD_SHORT": "password",
    "PASSWORD_LONG": "password",
    "PASSWORD_COMMON": "password",
    "PASSWORD_IS_NAME": "password",
    "PASSWORD_SAME": "password",
    "PASSWORD_MISMATCH": "password_again",
}


def sentence(code: str) -> str:
    """What :data:`MESSAGES` says, in the language of this request."""
    return tr(MESSAGES[code])


class WrongCredentials(NotSignedIn):
    """Wrong name or password, or a disabled account: the answer does not say which.

    With ``WRONG_PASSWORD`` somebody who is signed in did not prove to be themself; that is a 403.
    """

    code = "WRONG_CREDENTIALS"

    def __init__(self, code: str = "WRONG_CREDENTIALS") -> None:
        super().__init__(sentence(code), code=code)
        if code == "WRONG_PASSWORD":
            self.status = 403


class SignInAgain(Forbidden):
    """The act needs a fresh sign-in at the issuer: ``/auth/oidc/start?again=1&next=…``."""

    code = "SIGN_IN_AGAIN"


class PasswordElsewhere(Conflict):
    """The password is the issuer's; ``url`` is where it can be changed, or empty."""

    code = "PASSWORD_ELSEWHERE"

    def __init__(self, url: str) -> None:
        super().__init__(sentence(self.code), url=url)


class AccountExists(Conflict):
    """The name or the e-mail address is taken."""

    code = "ACCOUNT_EXISTS"

    def __init__(self) -> None:
        super().__init__(sentence(self.code))


class SwitchedOff(Forbidden):
    """The operator switched this way in off (F-051). ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(sentence(code), code=code)


class InvalidAccount(Invalid):
    """Fields of an account are wrong. ``codes`` are keys of :data:`MESSAGES`; ``errors`` names the fields."""

    def __init__(self, codes: list[str]) -> None:
        self.codes = codes
        errors = [{"field": FIELDS[code], "code": code, "message": sentence(code)} for code in codes]
        super().__init__(" ".join(one["message"] for one in errors), errors=errors)


class ProtectedField(Invalid):
    """An update names keys that nobody may write (F-230)."""

    status = 400
    code = "PROTECTED_FIELD"


class IssuerFailed(ShellError):
    """A sign-in at the issuer did not succeed. ``code`` is an ``OIDC_*`` or account code; ``why`` goes to the log only."""

    status = 502
    code = "OIDC_REFUSED"

    def __init__(self, code: str, why: str = "") -> None:
        self.why, self.next_path = why, "/"
        super().__init__(sentence(code), code=code)
