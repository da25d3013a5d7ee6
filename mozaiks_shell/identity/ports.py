"""What identity asks of an OpenID Connect issuer, and what it gets back."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Visit:
    """One sign-in under way: what we told the issuer and must find again in its answer."""

    state: str
    nonce: str
    code_verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class IssuerIdentity:
    """A person as a verified ID token names them. ``issuer`` and ``subject`` together are the key (F-232)."""

    issuer: str
    subject: str
    username: str = ""
    email: str = ""
    full_name: str = ""
    roles: tuple[str, ...] = ()


class Issuer(Protocol):
    """An OpenID Connect issuer. Every method raises ``IssuerFailed`` when the issuer is down or cannot be trusted."""

    async def authorize_url(self, visit: Visit, *, again: bool = False) -> str:
        """Where to send the browser: code flow, PKCE S256, state and nonce.

        With ``again`` the issuer asks for the password even of somebody who is signed in there.
        """
        ...

    async def identity(self, visit: Visit, code: str, iss: str) -> IssuerIdentity:
        """Redeem the code and verify the ID token. ``iss`` is the callback's parameter (RFC 9207), or empty."""
        ...

    async def sign_out_url(self, return_to: str) -> str:
        """The issuer's own sign-out page (RP-initiated logout), or an empty string."""
        ...
