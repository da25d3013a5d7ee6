"""Use cases of identity, in one place for the other rooms: accounts, sessions, ways in."""

from mozaiks_shell.identity.accounts import (
    authenticate,
    describe,
    find_user,
    is_fresh_installation,
    own_id,
    principal_of,
    register,
    update_profile,
    user_of,
)
from mozaiks_shell.identity.issuer import issuer_sign_out_url, leave_for_issuer, return_from_issuer
from mozaiks_shell.identity.sessions import (
    bearer_in,
    claims_of,
    close_all_sessions,
    close_session,
    close_session_of,
    cookie_in,
    cookie_name,
    live_sessions,
    open_session,
    principal_from,
    resolve,
    secret_in,
)
from mozaiks_shell.identity.sign_in import safe_next, sign_in, sign_up

__all__ = [
    "authenticate",
    "bearer_in",
    "claims_of",
    "close_all_sessions",
    "close_session",
    "close_session_of",
    "cookie_in",
    "cookie_name",
    "describe",
    "find_user",
    "is_fresh_installation",
    "issuer_sign_out_url",
    "leave_for_issuer",
    "live_sessions",
    "open_session",
    "own_id",
    "principal_from",
    "principal_of",
    "register",
    "resolve",
    "return_from_issuer",
    "safe_next",
    "secret_in",
    "sign_in",
    "sign_up",
    "update_profile",
    "user_of",
]
