"""F-149: who has the database, or a backup of it, cannot sign: private keys are encrypted at rest."""

import stat

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlmodel import select, update

from mozaiks_shell.broker import keys, tokens
from mozaiks_shell.broker.models import SigningKey
from mozaiks_shell.foundation import clock, db, sealing
from mozaiks_shell.foundation.errors import Unavailable
from mozaiks_shell.foundation.settings import get_settings
from tests.broker.strict import Refused, Rules
from tests.broker.test_tokens import HERE, kid, mint, shift
from tests.servers import create_database, postgres

SECRET, OTHER = "a secret of more than thirty-two characters", "another secret of more than thirty-two letters"


@pytest.fixture
def rules(database):
    """The published rules, and a process that knows no key yet."""
    restart()
    yield Rules(tokens.jwks, cache_seconds=0)
    clock.use(None)
    restart()


def restart(monkeypatch=None, secret: str | None = None) -> None:
    """The process begins anew, perhaps with another secret."""
    if monkeypatch is not None:
        monkeypatch.setenv("MOZAIKS_SECRET_KEY", secret or "")
    get_settings.cache_clear()
    sealing._own.cache_clear()
    keys._cache.parsed, keys._cache.ring, keys._cache.settings = {}, None, None
    keys.forget()


async def pems() -> dict[str, str]:
    async with db.system_session() as opened:
        return {row.slot: row.pem for row in (await opened.execute(select(SigningKey))).scalars()}


async def plain() -> dict[str, str]:
    """Write the keys as a version of before did."""
    async with db.system_session() as opened:
        for row in (await opened.execute(select(SigningKey))).scalars():
            row.pem = sealing.opened(keys._SEALED_FOR, row.pem, row.kid)
    return await pems()


async def test_f149_no_private_key_is_in_the_database(rules, tmp_path):
    await rules.socket(await mint(), HERE)
    await shift(hours=2)
    await keys.rotate()
    await rules.socket(await mint(), HERE)
    found = await pems()
    assert len(found) == 3 and all(sealing.is_sealed(pem) for pem in found.values())
    file = get_settings().data_dir / sealing.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and len(file.read_text().strip()) >= 64
    async with db.system_session() as opened:
        await opened.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    private = [sealing.opened(keys._SEALED_FOR, pem, name) for name, pem in (await by_kid()).items()]
    assert all("PRIVATE KEY" in pem for pem in private)
    for part in get_settings().data_dir.glob("mozaiks.db*"):
        raw = part.read_bytes()
        assert b"PRIVATE KEY" not in raw and file.read_bytes().strip() not in raw


async def by_kid() -> dict[str, str]:
    async with db.system_session() as opened:
        return {row.kid: row.pem for row in (await opened.execute(select(SigningKey))).scalars()}


async def test_f149_plain_keys_of_before_go_on_and_are_encrypted(rules):
    token = await mint()
    await plain()
    restart()
    again = await mint()
    assert kid(again) == kid(token), "the ring was made anew for nothing"
    await rules.socket(token, HERE)
    assert all(sealing.is_sealed(pem) for pem in (await pems()).values())
    restart()
    assert kid(await mint()) == kid(token)


async def test_f149_another_secret_makes_the_ring_anew_and_old_tokens_end(rules, monkeypatch):
    restart(monkeypatch, SECRET)
    token = await mint()
    assert not (get_settings().data_dir / sealing.FILE).exists()
    restart(monkeypatch, OTHER)
    with pytest.raises(Unavailable, match="the same MOZAIKS_SECRET_KEY") as refused:
        await mint()  # the keys are seconds old: a process beside this one may have made them
    assert refused.value.code == "KEYS_OF_ANOTHER_SECRET" and len(await pems()) == 2
    await shift(minutes=2)
    fresh = await mint()
    assert kid(fresh) != kid(token)
    await rules.socket(fresh, HERE)
    with pytest.raises(Refused, match="401 Invalid signing key"):
        await rules.socket(token, HERE)
    restart(monkeypatch, OTHER)
    assert kid(await mint()) == kid(fresh)


async def test_f149_a_sealed_key_opens_for_its_own_row_alone(rules):
    await mint()
    found = await by_kid()
    (one, first), (two, _) = found.items()
    with pytest.raises(sealing.CannotOpen, match="damaged"):
        sealing.opened(keys._SEALED_FOR, first, two)
    with pytest.raises(sealing.CannotOpen):
        sealing.opened("something else", first, one)
    with pytest.raises(sealing.CannotOpen, match="damaged"):
        sealing.opened(keys._SEALED_FOR, first[:-8] + "AAAAAAA=", one)
    assert sealing.seal("p", "x") != sealing.seal("p", "x"), "a nonce is used once"
    async with db.system_session() as opened:
        await opened.execute(update(SigningKey).values(pem=first))
    restart()
    with pytest.raises(Unavailable, match="is damaged"):
        await mint()


@pytest.mark.parametrize("change", ["alone", "secret"])
async def test_f149_a_database_server_needs_a_secret_that_is_the_same_for_all(database, monkeypatch, change):
    with postgres() as server:
        monkeypatch.setenv("DATABASE_URL", create_database(server, f"keys_{change}"))
        restart(monkeypatch, SECRET if change == "secret" else "")
        assert sealing.possible() is (change == "secret")
    if change == "alone":
        with pytest.raises(LookupError):
            sealing.seal("p", "x")
    else:
        assert sealing.opened("p", sealing.seal("p", "x")) == "x"
    assert not (get_settings().data_dir / sealing.FILE).exists()
    monkeypatch.delenv("DATABASE_URL")
    restart()


def test_f149_a_short_secret_is_refused(database, monkeypatch):
    monkeypatch.setenv("MOZAIKS_SECRET_KEY", "short")
    get_settings.cache_clear()
    with pytest.raises(ValidationError, match="MOZAIKS_SECRET_KEY: needs at least 32 characters"):
        get_settings()
    monkeypatch.delenv("MOZAIKS_SECRET_KEY")
    get_settings.cache_clear()


async def test_f149_without_a_secret_the_keys_work_and_the_log_says_that_they_are_plain(rules, monkeypatch, capsys):
    with monkeypatch.context() as without:
        without.setattr(sealing, "_secret", lambda _: b"")  # as on PostgreSQL
        await rules.socket(await mint(), HERE)
        assert all(pem.startswith("-----BEGIN") for pem in (await pems()).values())
        assert "plain text; set MOZAIKS_SECRET_KEY" in capsys.readouterr().out
    restart()
    await rules.socket(await mint(), HERE)
    assert all(sealing.is_sealed(pem) for pem in (await pems()).values())
