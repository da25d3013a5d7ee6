"""Two at once, on SQLite and on PostgreSQL: one founder, one account per name, one use of a state."""

import asyncio

import pytest

from mozaiks_shell.foundation import limits
from mozaiks_shell.foundation.errors import TooMany
from mozaiks_shell.identity import service
from mozaiks_shell.identity.models import User
from mozaiks_shell.identity.ports import IssuerIdentity

PASSWORD = "correct horse battery"


async def test_two_people_racing_on_a_fresh_installation_give_one_admin(either_database):
    assert await service.is_fresh_installation()
    people = await asyncio.gather(*[service.register(f"user{n}", PASSWORD, f"user{n}@example.com") for n in range(8)])
    assert sorted(person.roles for person in people) == ["admin"] + ["user"] * 7
    assert not await service.is_fresh_installation()


async def test_two_people_racing_for_one_name_give_one_account(either_database):
    wish = [service.register("same", PASSWORD, f"user{n}@example.com") for n in range(5)]
    results = await asyncio.gather(*wish, return_exceptions=True)
    assert sum(isinstance(one, User) for one in results) == 1
    assert all(isinstance(one, User) or one.code == "ACCOUNT_EXISTS" for one in results)


async def test_one_person_in_two_browsers_gets_one_account(either_database):
    jane = IssuerIdentity("https://issuer.example", "not-hex|1", "jane", "jane@example.com", "Jane Doe", ("editor",))
    people = await asyncio.gather(*[service.user_of(jane) for _ in range(5)])
    assert len({person.id for person in people}) == 1 and await service.is_fresh_installation() is False


async def test_one_state_is_used_once(either_database, forger, configure):
    configure(MOZAIKS_OIDC_AUTHORITY=forger.url, MOZAIKS_OIDC_CLIENT_ID="shell")
    departure = await service.leave_for_issuer("/")
    state = departure.url.partition("&state=")[2].partition("&")[0]
    no = {"state": state, "error": "access_denied"}
    tries = [service.return_from_issuer(no, departure.browser_secret) for _ in range(5)]
    codes = [error.code for error in await asyncio.gather(*tries, return_exceptions=True)]
    assert sorted(codes) == ["OIDC_DENIED"] + ["OIDC_STATE"] * 4


async def test_a_session_on_either_database(either_database, later):
    secret = await service.open_session(await service.register("ada", PASSWORD, "ada@example.com"))
    later(minutes=6)
    assert await service.resolve(secret)
    later(days=31)
    assert await service.resolve(secret) is None
    assert await service.close_all_sessions((await service.authenticate("ada", PASSWORD)).id) == 1


@pytest.mark.parametrize("login", ["a\x00b", "\ud800", "' OR 1=1 --", "x" * 10_000])
async def test_strange_logins_reach_no_database(either_database, login):
    with pytest.raises(Exception, match="wrong") as refused:
        await service.sign_in(login, PASSWORD)
    assert refused.value.code == "WRONG_CREDENTIALS"


async def test_the_limit_is_shared_through_redis(configure, redis_url):
    configure(REDIS_URL=redis_url)
    for _ in range(2):
        await limits.hit("sign-in", "ada", 2)
    configure(REDIS_URL=redis_url)  # another process: new settings, new limiter, same Redis
    with pytest.raises(TooMany):
        await limits.hit("sign-in", "ada", 2)
    await limits.forget("sign-in", "ada", 2)
    await limits.hit("sign-in", "ada", 2)
