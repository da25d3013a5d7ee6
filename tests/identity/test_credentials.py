"""F-233, F-235: changing the password, the list of sessions, proving anew who one is."""

import asyncio

import pytest

from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.identity import service
from mozaiks_shell.identity.accounts import find_login
from mozaiks_shell.identity.credentials import account_console
from mozaiks_shell.identity.ports import IssuerIdentity

PASSWORD = "correct horse battery"
NEW = "staple battery horse"
JANE = IssuerIdentity("https://issuer.example", "sub|1", "jane", "jane@example.com", "Jane Doe")


async def enter(login: str = "ada"):
    """Another session; returns its secret and its principal."""
    secret = await service.open_session(await find_login(login))
    return secret, await service.resolve(secret)


@pytest.fixture
async def ada(either_database):
    await service.register("ada", PASSWORD, "ada@example.com", "Ada Lovelace")
    await service.register("eve", PASSWORD, "eve@example.com")
    return (await enter())[1]


async def code_of(awaitable) -> str:
    with pytest.raises(ShellError) as refused:
        await awaitable
    return refused.value.code


async def test_f233_a_new_password_ends_every_other_session(ada, heard):
    other, _ = await enter()
    token = await service.open_session(await find_login("ada"), kind="token")
    foreign, _ = await enter("eve")
    heard.clear()
    assert await service.change_password(ada, PASSWORD, NEW, NEW) == 2
    assert await service.resolve(other) is None and await service.resolve(token, "token") is None
    assert await service.resolve(foreign) and [one.id for one in await service.list_sessions(ada)] == [ada.session_id]
    assert [event.name for event in heard] == ["user.password_changed", "user.signed_out", "user.signed_out"]
    assert PASSWORD not in str(heard) and NEW not in str(heard)
    assert (await service.authenticate("ada", NEW)).id == ada.user_id
    assert await code_of(service.authenticate("ada", PASSWORD)) == "WRONG_CREDENTIALS"


@pytest.mark.parametrize(
    ("old", "new", "again", "code"),
    [
        ("not it at all", NEW, NEW, "WRONG_PASSWORD"),
        ("", NEW, NEW, "WRONG_PASSWORD"),
        (PASSWORD, NEW, NEW + "x", "VALIDATION_ERROR"),
        (PASSWORD, PASSWORD, PASSWORD, "VALIDATION_ERROR"),
        (PASSWORD, "short", "short", "VALIDATION_ERROR"),
        (PASSWORD, "password123", None, "VALIDATION_ERROR"),
        (PASSWORD, "ada lovelace", None, "VALIDATION_ERROR"),
        (PASSWORD, "x" * 300, None, "VALIDATION_ERROR"),
    ],
)
async def test_f233_a_wrong_change_changes_nothing(ada, old, new, again, code):
    other, _ = await enter()
    assert await code_of(service.change_password(ada, old, new, again)) == code
    assert await service.resolve(other) and await service.authenticate("ada", PASSWORD)


async def test_f233_guessing_the_old_password_is_limited_together_with_signing_in(ada):
    for _ in range(10):
        await code_of(service.change_password(ada, "not it at all", NEW))
    assert await code_of(service.change_password(ada, PASSWORD, NEW)) == "LIMIT_EXCEEDED"
    assert await code_of(service.sign_in("ada", PASSWORD)) == "LIMIT_EXCEEDED"
    assert await code_of(service.prove_again(ada, PASSWORD)) == "LIMIT_EXCEEDED"


async def test_f233_of_two_changes_at_once_one_wins(ada):
    both = [service.change_password(ada, PASSWORD, f"{NEW} {n}") for n in range(2)]
    results = await asyncio.gather(*both, return_exceptions=True)
    winners = [n for n, one in enumerate(results) if isinstance(one, int)]
    assert len(winners) == 1 and await service.authenticate("ada", f"{NEW} {winners[0]}")


async def test_f233_people_of_the_issuer_are_sent_to_its_account_console(either_database, configure):
    jane = service.principal_of(await service.user_of(JANE), "ses")
    configure(MOZAIKS_OIDC_AUTHORITY="https://id.example/realms/mozaiks", MOZAIKS_OIDC_CLIENT_ID="x")
    with pytest.raises(ShellError) as refused:
        await service.change_password(jane, "", NEW)
    assert (refused.value.code, refused.value.details["url"]) == (
        "PASSWORD_ELSEWHERE",
        "https://id.example/realms/mozaiks/account",
    )
    configure(MOZAIKS_OIDC_ACCOUNT_URL="https://id.example/me")
    assert account_console() == "https://id.example/me"
    configure(MOZAIKS_OIDC_AUTHORITY="https://other.example", MOZAIKS_OIDC_ACCOUNT_URL="")
    assert account_console() == ""


async def test_f233_proving_anew(ada, later):
    await service.prove_again(ada, PASSWORD)
    assert await code_of(service.prove_again(ada, "not it at all")) == "WRONG_PASSWORD"
    assert await code_of(service.prove_again(ada)) == "WRONG_PASSWORD"
    secret = await service.open_session(await service.user_of(JANE))
    jane = await service.resolve(secret)
    await service.prove_again(jane)
    later(minutes=11)
    assert await code_of(service.prove_again(jane)) == "SIGN_IN_AGAIN"
    assert await code_of(service.prove_again(jane, PASSWORD)) == "SIGN_IN_AGAIN"


async def test_f233_the_issuer_is_asked_to_ask_again(either_database, configure, forger):
    configure(MOZAIKS_OIDC_AUTHORITY=forger.url, MOZAIKS_OIDC_CLIENT_ID="shell")
    assert "prompt=login" in (await service.leave_for_issuer("/", again=True)).url
    assert "prompt=" not in (await service.leave_for_issuer("/")).url


async def test_f235_sessions_are_listed_and_ended_one_by_one(ada, later):
    other, there = await enter()
    foreign, eve = await enter("eve")
    listed = await service.list_sessions(ada)
    assert {one.id: one.current for one in listed} == {ada.session_id: True, there.session_id: False}
    assert all(one.created_at.tzinfo and one.expires_at > one.created_at for one in listed)
    assert await code_of(service.end_session(ada, eve.session_id)) == "SESSION_NOT_FOUND"
    await service.end_session(ada, there.session_id)
    assert await service.resolve(other) is None and await service.resolve(foreign)
    assert await code_of(service.end_session(ada, there.session_id)) == "SESSION_NOT_FOUND"
    later(days=8)
    assert await service.list_sessions(ada) == []
