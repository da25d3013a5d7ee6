"""Every table belongs to an app or to a person in an app, and the wall keeps them apart (D8, F-259)."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import AppRow, Scope
from mozaiks_shell.foundation.errors import Forbidden, NotSignedIn
from mozaiks_shell.identity.models import Session, User
from tests.invariants.product import assembled, import_models

ADA, EVE, ELSEWHERE = Scope("dev-app", "usr_ada"), Scope("dev-app", "usr_eve"), Scope("other-app", "usr_ada")


def test_every_table_is_an_app_row_or_a_user_row():
    assert {one["name"]: one["class"] for one in assembled()["tables"] if one["scope"] is None} == {}


def test_every_table_has_the_scope_columns():
    import_models()
    for table in db.scoped_tables():
        columns = SQLModel.metadata.tables[str(table.__tablename__)].columns
        assert not columns["app_id"].nullable, table.__tablename__


@pytest.fixture
async def sessions(database):
    """One session row of Ada, one of Eve, and one of an Ada of another app."""
    rows = {}
    for name, scope in {"ada": ADA, "eve": EVE, "elsewhere": ELSEWHERE}.items():
        async with db.session(scope) as opened:
            row = Session(secret_digest=name, expires_at=now() + timedelta(hours=1))
            opened.add(row)
        rows[name] = row
    return rows


async def digests(scope: Scope) -> list[str]:
    async with db.session(scope) as opened:
        return sorted((await opened.execute(select(Session.secret_digest))).scalars())


async def test_rows_are_stamped(sessions):
    assert (sessions["ada"].app_id, sessions["ada"].user_id) == ("dev-app", "usr_ada")
    assert (sessions["elsewhere"].app_id, sessions["elsewhere"].user_id) == ("other-app", "usr_ada")


async def test_a_person_sees_their_own_rows_only(sessions):
    assert await digests(ADA) == ["ada"]
    assert await digests(EVE) == ["eve"]
    assert await digests(ELSEWHERE) == ["elsewhere"]
    assert await digests(Scope("dev-app", None)) == ["ada", "eve"]


async def test_asking_for_others_by_name_finds_nothing(sessions):
    async with db.session(ADA) as opened:
        stranger = select(Session).where(col(Session.user_id) == "usr_eve")
        assert (await opened.execute(stranger)).first() is None
        assert await opened.get(Session, sessions["eve"].id) is None
        assert await opened.get(Session, sessions["elsewhere"].id) is None
        assert (await opened.execute(select(func.count()).select_from(Session))).scalar_one() == 1


async def test_joins_aliases_and_subqueries_stay_inside(sessions):
    async with db.session(ADA) as opened:
        other = aliased(Session)
        pairs = await opened.execute(select(Session.secret_digest, other.secret_digest).join(other, other.id != ""))
        assert pairs.all() == [("ada", "ada")]
        inner = select(Session.secret_digest).where(col(Session.secret_digest).in_(select(other.secret_digest)))
        assert (await opened.execute(inner)).scalars().all() == ["ada"]
        counted = select(select(func.count(col(Session.id))).scalar_subquery())
        assert (await opened.execute(counted)).scalar_one() == 1


async def test_bulk_updates_and_deletes_touch_nobody_else(sessions):
    async with db.session(ADA) as opened:
        await opened.execute(update(Session).values(ip="changed"))
    async with db.session(Scope("dev-app", None)) as opened:
        rows = (await opened.execute(select(Session.secret_digest, Session.ip))).all()
    assert sorted(map(tuple, rows)) == [("ada", "changed"), ("eve", "")]
    async with db.session(ADA) as opened:
        await opened.execute(delete(Session))
    assert (await digests(ADA), await digests(EVE), await digests(ELSEWHERE)) == ([], ["eve"], ["elsewhere"])


async def test_nobody_writes_into_anothers_name(sessions):
    for wrong in ({"user_id": "usr_eve"}, {"app_id": "other-app"}):
        with pytest.raises(Forbidden):
            async with db.session(ADA) as opened:
                opened.add(Session(secret_digest="forged", expires_at=now(), **wrong))
    assert await digests(EVE) == ["eve"]


async def test_a_row_cannot_be_carried_across_the_wall(sessions):
    with pytest.raises(Forbidden):
        async with db.session(EVE) as opened:
            stolen = await opened.merge(sessions["eve"])
            stolen.user_id = "usr_ada"
    with pytest.raises(Forbidden):
        async with db.session(EVE) as opened:
            opened.add(sessions["ada"])
            sessions["ada"].ip = "stolen"
    async with db.session(ADA) as opened:
        assert (await opened.execute(select(Session.ip))).scalar_one() == ""


async def test_without_a_person_there_is_no_session(database):
    with pytest.raises(NotSignedIn):
        async with db.session():
            pass


async def test_people_of_two_apps_in_one_database_do_not_meet(database):
    for app in ("dev-app", "other-app"):
        async with db.session(Scope(app, None)) as opened:
            opened.add(User(username="ada", email="ada@example.com"))
    async with db.session(Scope("other-app", None)) as opened:
        assert [user.app_id for user in (await opened.execute(select(User))).scalars()] == ["other-app"]


def test_the_wall_knows_every_table():
    import_models()
    mapped = {str(table.__tablename__) for table in db.scoped_tables(AppRow)}
    ours = {one["name"] for one in assembled()["tables"] if one["class"].startswith("mozaiks_shell.")}
    assert ours <= mapped


async def test_statements_that_would_pass_the_wall_are_refused(sessions):
    bypasses = [
        select(Session.__table__.c.secret_digest),
        text("SELECT secret_digest FROM identity_session"),
        insert(Session).values(id="x", secret_digest="forged", app_id="dev-app", user_id="usr_eve", expires_at=now()),
        update(Session).values(user_id="usr_eve"),
        update(Session).values({Session.app_id: "other-app"}),
    ]
    for statement in bypasses:
        with pytest.raises(Forbidden):
            async with db.session(ADA) as opened:
                await opened.execute(statement)
    assert (await digests(ADA), await digests(EVE), await digests(ELSEWHERE)) == (["ada"], ["eve"], ["elsewhere"])


async def test_a_reload_keeps_the_wall(sessions):
    async with db.session(ADA) as opened:
        row = await opened.get(Session, sessions["ada"].id)
        await opened.refresh(row)
        assert row.secret_digest == "ada"
