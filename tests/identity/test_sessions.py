"""D3: sessions are opaque, fresh at every sign-in, revocable, and end when idle or old."""

import pytest
from sqlmodel import select

from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.identity import service
from mozaiks_shell.identity.models import Session, User

PASSWORD = "correct horse battery"


@pytest.fixture
async def ada(database):
    """A stored person."""
    return await service.register("ada", PASSWORD, "ada@example.com", "Ada Lovelace")


async def test_a_session_resolves_until_it_is_closed(ada, heard):
    secret = await service.open_session(ada)
    person = await service.resolve(secret)
    assert person and (person.user_id, person.name, person.email) == (ada.id, "Ada Lovelace", "ada@example.com")
    await service.close_session(secret)
    assert await service.resolve(secret) is None
    await service.close_session(secret)
    assert [event.name for event in heard] == ["user.signed_in", "user.signed_out"]


async def test_only_the_digest_is_stored(ada):
    secret = await service.open_session(ada)
    async with system_session() as db:
        stored = (await db.execute(select(Session))).scalars().one()
    assert secret not in str(stored.model_dump()) and len(secret) >= 43


async def test_a_disabled_person_is_out_at_the_next_request(ada):
    secret = await service.open_session(ada)
    token = await service.open_session(ada, kind="token")
    async with system_session() as db:
        (await db.execute(select(User))).scalars().one().disabled = True
    assert await service.resolve(secret) is None and await service.resolve(token, "token") is None
    with pytest.raises(Exception, match="name or the password") as refused:
        await service.authenticate("ada", PASSWORD)
    assert refused.value.code == "WRONG_CREDENTIALS"


async def test_roles_are_read_anew_every_time(ada):
    secret = await service.open_session(ada)
    async with system_session() as db:
        (await db.execute(select(User))).scalars().one().roles = "user"
    person = await service.resolve(secret)
    assert person and not person.has_role("admin")


async def test_an_idle_session_ends(configure, ada, later):
    configure(MOZAIKS_SESSION_IDLE_MINUTES="60")
    secret = await service.open_session(ada)
    later(minutes=61)
    assert await service.resolve(secret) is None


@pytest.mark.parametrize("idle", [1, 60])
async def test_use_keeps_a_session_awake(configure, ada, later, idle):
    configure(MOZAIKS_SESSION_IDLE_MINUTES=str(idle))
    secret = await service.open_session(ada)
    for step in range(1, 6):
        later(minutes=step * idle * 0.9)
        assert await service.resolve(secret), f"step {step}"


async def test_no_session_lives_longer_than_allowed(configure, ada, later):
    configure(MOZAIKS_SESSION_IDLE_MINUTES="60", MOZAIKS_SESSION_MAX_MINUTES="120")
    secret = await service.open_session(ada)
    for minutes in (50, 100, 119):
        later(minutes=minutes)
        assert await service.resolve(secret)
    later(minutes=120)
    assert await service.resolve(secret) is None


async def test_ended_sessions_are_swept_at_the_next_sign_in(ada, later):
    await service.open_session(ada)
    later(days=31)
    await service.open_session(ada)
    async with system_session() as db:
        assert len((await db.execute(select(Session))).scalars().all()) == 1


@pytest.mark.parametrize("secret", ["", "x", "x" * 10_000, "é" * 43, "' OR 1=1 --", "\x00"])
async def test_nonsense_is_nobody(ada, secret):
    assert await service.resolve(secret) is None
    await service.close_session(secret)


@pytest.mark.parametrize(
    "header",
    [
        "{name}={secret}",
        'theme={{"a":1}}; {name}={secret}',
        "a; b=c=d ;{name}={secret}; x",
        '{name}="{secret}"',
        "=;;{name}={secret}",
    ],
)
async def test_foreign_cookies_do_not_hide_ours(ada, header):
    secret = await service.open_session(ada)
    assert await service.principal_from(header.format(name=service.cookie_name(), secret=secret))


async def test_a_session_of_another_app_is_nobody(configure, ada):
    secret = await service.open_session(ada)
    configure(MOZAIKS_APP_ID="another-app")
    assert await service.resolve(secret) is None
    assert await service.is_fresh_installation()


def test_the_cookie_is_host_bound_over_https(settings, monkeypatch):
    assert service.cookie_name() == "mozaiks_session"
    monkeypatch.setattr(settings, "public_url", "https://app.example.com")
    assert service.cookie_name() == "__Host-mozaiks_session"
