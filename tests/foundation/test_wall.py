"""The wall against every way of writing and reading that SQLAlchemy offers a plugin (F-259)."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, delete, func, insert, literal_column, select, text, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.errors import Forbidden
from mozaiks_shell.foundation.wall import BehindWall, Scope
from mozaiks_shell.identity.models import User
from mozaiks_shell.notifications.models import Notification as Note
from mozaiks_shell.usage.models import UsageEntry as Use

ADA, EVE, SYSTEM = Scope("dev-app", "usr_ada"), Scope("dev-app", "usr_eve"), Scope("dev-app", None)
N = Note.__table__


@pytest.fixture
async def rows(database):
    """One notification and one usage entry each, with the same chat id so that joins would match."""
    for scope in (ADA, EVE):
        async with db.session(scope) as opened:
            opened.add(Note(id=f"n_{scope.user_id}", type="t", title=f"title of {scope.user_id}", link="shared"))
            opened.add(Use(id=f"u_{scope.user_id}", event_id=scope.user_id, chat_id="shared", model=f"model of {scope.user_id}"))
    async with db.session(SYSTEM) as opened:
        opened.add(User(id="usr_eve", username="eve", email="eve@example.com", password_hash="hash"))


async def titles() -> dict[str, str]:
    async with db.session(SYSTEM) as opened:
        return dict((await opened.execute(select(Note.user_id, Note.title))).all())


async def test_joins_to_an_alias_stay_inside(rows):
    other, two = aliased(Note), aliased(Use)
    on = [
        select(Note.title, other.title).outerjoin(other, other.link == Note.link),
        select(Use.model, other.title).outerjoin(other, other.link == Use.chat_id),
        select(other.title, two.model).join(two, two.chat_id == other.link),
        select(Note.title, select(other.title).where(other.link == Note.link).limit(1).scalar_subquery()),
        select(Note.title, func.count(other.id)).outerjoin(other, other.link == Note.link).group_by(Note.title),
    ]
    async with db.session(ADA) as opened:
        for query in on:
            answer = (await opened.execute(query)).all()
            assert len(answer) == 1, query
            assert "eve" not in str(answer), query


@pytest.mark.parametrize(
    "statement",
    [
        select(N.c.title),
        select(N),
        select(Note.id, N.c.title).join(N, N.c.link == Note.link),
        select(Note.id).where(Note.link.in_(select(N.c.link))),  # type: ignore[attr-defined]
        select(Note).where(text("1 = 1 OR 1 = 1")),
        select(Note).where(literal_column("1 OR 1") == 1),
        select(Note).order_by(text("created_at")),
        select(Note).from_statement(text("SELECT * FROM notifications_notification")),
        text("SELECT title FROM notifications_notification"),
        update(N).values(title="taken"),
        delete(N),
        insert(N).values(id="x", title="planted", app_id="dev-app", user_id="usr_eve"),
    ],
    ids=lambda one: str(one)[:60],
)
async def test_what_the_wall_cannot_see_through_is_refused(rows, statement):
    before = await titles()
    with pytest.raises(BehindWall):
        async with db.session(ADA) as opened:
            await opened.execute(statement)
    assert await titles() == before


async def test_closed_ways_around_the_unit_of_work(rows):
    before = await titles()
    stolen = {"id": "n_usr_eve", "user_id": "usr_ada", "title": "taken"}
    ways = [
        lambda s: s.bulk_update_mappings(Note, [stolen]),
        lambda s: s.bulk_insert_mappings(Note, [{**stolen, "id": "new"}]),
        lambda s: s.bulk_save_objects([Note(id="new", type="t", title="planted", user_id="usr_eve")]),
        lambda s: s.connection(),
        lambda s: s.execute(update(Note), [stolen]),
        lambda s: s.execute(update(N).where(N.c.id == bindparam("b")), [{"b": "n_usr_eve", "title": "taken"}]),
    ]
    for way in ways:
        with pytest.raises(BehindWall):
            async with db.session(ADA) as opened:
                await opened.run_sync(way)
    assert await titles() == before


async def test_statements_cannot_name_another_person_or_app(rows):
    before = await titles()
    moment = datetime.now(UTC)
    row = {"id": "new", "type": "t", "title": "planted", "message": "", "link": "", "created_at": moment}
    for wrong in ({"user_id": "usr_eve"}, {"app_id": "other"}):
        for statement, parameters in (
            (insert(Note).values(**row, **wrong), None),
            (insert(Note), [{**row, **wrong}]),
            (insert(Note).values([{**row, **wrong}]), None),
            (update(Note).values(**wrong), None),
            (update(Note).values({col(getattr(Note, next(iter(wrong)))): next(iter(wrong.values()))}), None),
        ):
            with pytest.raises(Forbidden):
                async with db.session(ADA) as opened:
                    await opened.execute(statement, parameters)
    assert await titles() == before


async def test_inserts_by_statement_are_stamped(rows):
    moment = datetime.now(UTC)
    row = {"type": "t", "title": "mine", "message": "", "link": "", "created_at": moment}
    async with db.session(ADA) as opened:
        await opened.execute(insert(Note).values(id="one", **row))
        await opened.execute(insert(Note), [{"id": "two", **row}, {"id": "three", **row}])
    async with db.session(ADA) as opened:
        assert sorted((await opened.execute(select(Note.id))).scalars()) == ["n_usr_ada", "one", "three", "two"]
    async with db.session(EVE) as opened:
        assert (await opened.execute(select(Note.id))).scalars().all() == ["n_usr_eve"]


async def test_no_person_sees_accounts(rows):
    async with db.session(EVE) as opened:
        assert (await opened.execute(select(User.password_hash))).all() == []
        assert await opened.get(User, "usr_eve") is None
    with pytest.raises(Forbidden):
        async with db.session(EVE) as opened:
            opened.add(User(username="x", email="x@example.com"))


async def test_ordinary_work_still_works(rows):
    async with db.session(ADA) as opened:
        named = select(Note).order_by(col(Note.created_at).desc()).limit(5)
        assert [one.user_id for one in (await opened.execute(named)).scalars()] == ["usr_ada"]
        latest = select(Note.link, func.max(Note.created_at).label("last")).group_by(Note.link).subquery()
        joined = select(Note.title, latest.c.last).join(latest, latest.c.link == Note.link)
        assert len((await opened.execute(joined)).all()) == 1
        recent = select(Note.id).where(Note.type == "t").cte("recent")
        assert (await opened.execute(select(Note.title).join(recent, recent.c.id == Note.id))).scalars().all() == [
            "title of usr_ada"
        ]
        assert (await opened.execute(update(Note).where(col(Note.link) == "shared").values(title=Note.title + "!"))).rowcount == 1  # type: ignore[attr-defined]
        assert (await opened.execute(select(func.count()).select_from(Note))).scalar_one() == 1
        assert (await opened.execute(delete(Note).where(col(Note.link) == "shared"))).rowcount == 1  # type: ignore[attr-defined]
    assert await titles() == {"usr_eve": "title of usr_eve"}
