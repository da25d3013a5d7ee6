"""A sign-in provider in one file (F-053)."""

from urllib.parse import parse_qs, urlsplit

import pytest

from mozaiks_shell.foundation.errors import Unavailable
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.accounts import principal_of, register
from mozaiks_shell.identity.errors import IssuerFailed, SwitchedOff, WrongCredentials
from mozaiks_shell.identity.issuer import issuer
from mozaiks_shell.identity.state import issuer_name

ASK = ("POST", "/v1/accounts:signInWithPassword")


@pytest.fixture
def firebase(provide, outside, database):
    provide("auth", "firebase_auth", FIREBASE_AUTH_API=outside.base, FIREBASE_AUTH_KEY="k")
    outside.answers[ASK] = (200, {"localId": "uid-7", "email": "ada@example.com", "displayName": "Ada Lovelace"})
    return outside


async def test_f053_it_signs_a_person_in(firebase):
    user = await identity.sign_in("ada@example.com", "her password there")
    assert (user.email, user.full_name, user.issuer, user.subject) == (
        "ada@example.com",
        "Ada Lovelace",
        "auth:firebase_auth",
        "uid-7",
    )
    assert "editor" in principal_of(user).roles and user.password_hash == ""
    assert (await identity.sign_in("ada@example.com", "her password there")).id == user.id
    principal = await identity.resolve(await identity.open_session(user))
    assert principal is not None and principal.name == "Ada Lovelace"


async def test_f053_a_wrong_password_is_one(firebase):
    firebase.answers[ASK] = (400, {"error": {"message": "INVALID_PASSWORD"}})
    with pytest.raises(WrongCredentials):
        await identity.sign_in("ada@example.com", "wrong")


async def test_f053_local_accounts_work_beside_it_until_they_are_off(firebase, monkeypatch):
    await register("root", "a long enough password", "root@example.com")
    firebase.answers[ASK] = (400, {})
    assert (await identity.sign_in("root", "a long enough password")).username == "root"
    monkeypatch.setenv("MOZAIKS_LOCAL_ACCOUNTS", "false")
    get_settings.cache_clear()
    with pytest.raises(WrongCredentials):
        await identity.sign_in("root", "a long enough password")
    firebase.answers[ASK] = (200, {"localId": "uid-7", "email": "ada@example.com", "displayName": "Ada"})
    assert (await identity.sign_in("ada@example.com", "x")).subject == "uid-7"


async def test_f053_it_takes_over_nobodys_account(firebase):
    await register("ada", "a long enough password", "ada@example.com")
    with pytest.raises(IssuerFailed) as refused:
        await identity.sign_in("ada@example.com", "her password there")
    assert refused.value.code == "OIDC_EMAIL_TAKEN"


async def test_f053_when_it_is_down_it_is_said(firebase):
    firebase.answers[ASK] = (500, {})
    with pytest.raises(Unavailable):
        await identity.sign_in("ada@example.com", "x")


async def test_without_one_local_accounts_may_be_off(settings, monkeypatch, database):
    monkeypatch.setenv("MOZAIKS_LOCAL_ACCOUNTS", "false")
    monkeypatch.setenv("MOZAIKS_OIDC_AUTHORITY", "https://id.test")
    monkeypatch.setenv("MOZAIKS_OIDC_CLIENT_ID", "c")
    get_settings.cache_clear()
    with pytest.raises(SwitchedOff):
        await identity.sign_in("ada", "x")


PAGE = """
from mozaiks_shell.sdk.providers import Identity, Visit

class Provider:
    title = "Company badge"

    def __init__(self, settings):
        self.people = {"card-1": "Eve Moreau"}

    async def authorize_url(self, visit: Visit, *, again: bool = False) -> str:
        return f"https://badge.test/?state={visit.state}&back={visit.redirect_uri}"

    async def identity(self, visit: Visit, code: str, iss: str) -> Identity:
        return Identity("", code, full_name=self.people[code])
"""


async def test_f053_a_page_of_its_own(provide, database):
    provide("auth", "badge", PAGE)
    assert issuer_name() == "Company badge" and not identity.asks_for_passwords()
    departure = await identity.leave_for_issuer("/settings")
    query = parse_qs(urlsplit(departure.url).query)
    answer = {"state": query["state"][0], "code": "card-1"}
    user, wanted = await identity.return_from_issuer(answer, departure.browser_secret)
    assert (user.full_name, user.issuer, wanted) == ("Eve Moreau", "auth:badge", "/settings")
    with pytest.raises(IssuerFailed):  # a replayed answer
        await identity.return_from_issuer(answer, departure.browser_secret)
    again = await identity.leave_for_issuer("/")
    state = parse_qs(urlsplit(again.url).query)["state"][0]
    with pytest.raises(IssuerFailed) as refused:
        await identity.return_from_issuer({"state": state, "code": "card-9"}, again.browser_secret)
    assert refused.value.code == "OIDC_DOWN" and "KeyError" in refused.value.why
    assert await issuer().sign_out_url("/sign-in") == ""
