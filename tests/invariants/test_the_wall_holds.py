"""Abuse 44, F-259: whatever a person's session is asked, over every model of the product and of its plugins, no row of
another person or another app is read, changed or removed. Statements are made up by hypothesis."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import event as happened
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    create_engine,
    delete,
    event,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    union,
    union_all,
    update,
)  # fmt: skip
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased, configure_mappers, joinedload, make_transient_to_detached, selectinload, subqueryload
from sqlmodel import Field, Relationship, SQLModel

from mozaiks_shell.foundation.errors import Forbidden
from mozaiks_shell.foundation.settings import Settings, get_settings
from mozaiks_shell.foundation.wall import AppRow, Scope, SystemRow, UserRow, WalledSession, scoped_tables
from mozaiks_shell.foundation.wall_writes import guard_writes
from mozaiks_shell.plugin_host import loader, registry
from tests.invariants.product import import_models

APPS, PEOPLE = ("app-a", "app-b"), ("usr-a", "usr-b")
ADA = Scope("app-a", "usr-a")
OFFICE = Scope("app-a", None)  # the system's own session: every person of one app
BEFORE: dict[tuple[Engine, Scope], list[Any]] = {}
REFERENCES = {"folder_id", "note_id", "tag_id"}  # a row of Ada's may name somebody else's


class WallTagging(UserRow, table=True):
    __tablename__ = "plg_wall_tagging"
    note_id: str = Field(foreign_key="plg_wall_note.id", primary_key=True)
    tag_id: str = Field(foreign_key="plg_wall_tag.id", primary_key=True)


class WallTag(UserRow, table=True):
    __tablename__ = "plg_wall_tag"
    id: str = Field(primary_key=True)
    title: str = ""
    notes: list["WallNote"] = Relationship(back_populates="tags", link_model=WallTagging)


class WallFolder(UserRow, table=True):
    __tablename__ = "plg_wall_folder"
    id: str = Field(primary_key=True)
    title: str = ""
    notes: list["WallNote"] = Relationship(back_populates="folder")


class WallNote(UserRow, table=True):
    __tablename__ = "plg_wall_note"
    id: str = Field(primary_key=True)
    title: str = ""
    folder_id: str | None = Field(default=None, foreign_key="plg_wall_folder.id")
    folder: WallFolder | None = Relationship(back_populates="notes", sa_relationship_kwargs={"lazy": "joined"})
    tags: list[WallTag] = Relationship(back_populates="notes", link_model=WallTagging)


class WallNotice(AppRow, table=True):
    __tablename__ = "plg_wall_notice"
    id: str = Field(primary_key=True)
    title: str = ""


def _key(app: str, person: str, number: int) -> int:
    """A number no other row has."""
    return 1000 * sum(map(ord, app)) + 10 * sum(map(ord, person)) + number


def value_for(column: Any, app: str, person: str, number: int) -> Any:
    """Something that fits the column; every text names the row's app and person."""
    if column.name in {"app_id", "user_id"}:
        return {"app_id": app, "user_id": person}[column.name]
    if column.name == "folder_id":  # a note of Ada's app in a folder of somebody else, and one in her own
        return f"{app}/{PEOPLE[number]}/id/0"
    if column.name in {"note_id", "tag_id"}:
        return f"{app}/{person if column.name == 'note_id' else PEOPLE[number]}/id/0"
    key = _key(app, person, number)
    kinds: list[tuple[Any, Any]] = [
        (JSON, {"note": f"{app}/{person}"}), (Boolean, False), (DateTime, datetime.now(UTC)), (Date, date(2026, 1, 1)),
        (Integer, key if column.primary_key else number), (Float, 1.5), (Numeric, 1), (LargeBinary, f"{app}/{person}".encode()),
    ]  # fmt: skip
    for kind, value in kinds:
        if isinstance(column.type, kind):
            return value
    said = f"{app}/{person}/{column.name}/{number}"
    return said[: column.type.length] if getattr(column.type, "length", None) else said


def fill(connection: Connection, models: list[type[AppRow]]) -> None:
    """Rows of everybody in every table."""
    for model in models:
        table = SQLModel.metadata.tables[str(model.__tablename__)]
        named = "system" if issubclass(model, SystemRow) else ""
        people = PEOPLE if issubclass(model, UserRow) else (named,)
        several = str(model.__tablename__).startswith("plg_wall")  # elsewhere one, for the sake of unique keys
        rows = [
            {column.name: value_for(column, app, person, number) for column in table.columns}
            for app in APPS
            for person in people
            for number in range(2 if several else 1)
        ]
        connection.execute(insert(table), rows)


@pytest.fixture(scope="module")
def models() -> Iterator[list[type[AppRow]]]:
    """Every mapped class of the product, of the plugins that come with it, and of this module."""
    import_models()
    get_settings.cache_clear()
    loader.load_all(get_settings())
    configure_mappers()
    found = [one for one in scoped_tables() if one.__module__.startswith(("mozaiks_", __name__))]
    found.sort(key=lambda one: str(one.__tablename__))
    assert {"plg_wall_note", "identity_user", "tasks_task"} <= {str(one.__tablename__) for one in found}
    yield found
    for plugin in registry.all_plugins():
        loader.unload(plugin.name)
    get_settings.cache_clear()


def filled(engine: Engine, models: list[type[AppRow]]) -> Engine:
    tables = [SQLModel.metadata.tables[str(one.__tablename__)] for one in models]
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")  # rows refer to nobody
        SQLModel.metadata.create_all(connection, tables=tables)
        fill(connection, models)
    guard_writes(engine)
    return engine


@pytest.fixture(scope="module")
def on_sqlite(models: list[type[AppRow]]) -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))  # or savepoints are no such
    yield filled(engine, models)
    engine.dispose()


@pytest.fixture(scope="module")
def on_postgresql(models: list[type[AppRow]], _postgres_server: str) -> Iterator[Engine]:
    from tests.servers import create_database

    url = Settings(DATABASE_URL=create_database(_postgres_server, "the_wall")).sql_url_sync  # type: ignore[call-arg]
    engine = filled(create_engine(url), models)
    yield engine
    engine.dispose()


# -- what hypothesis makes up ------------------------------------------------------------------------------------------


def keys(entity: Any) -> list[Any]:
    """The columns that tell whose a row is, and one more."""
    return [getattr(entity, name) for name in ("app_id", "user_id", "title") if hasattr(entity, name)]


@st.composite
def entities(draw: st.DrawFn, models: list[type[AppRow]]) -> Any:
    own = [WallNote, WallFolder, WallTag, WallNotice]
    model = draw(st.sampled_from(own) | st.sampled_from(models))
    return aliased(model) if draw(st.booleans()) else model


@st.composite
def conditions(draw: st.DrawFn, models: list[type[AppRow]], entity: Any, deep: int = 2) -> Any:
    kind = draw(st.integers(0, 8 if deep else 3))
    if kind == 0:
        return true()
    if kind == 1:
        return entity.app_id == draw(st.sampled_from(APPS))
    if kind == 2:
        return or_(entity.app_id == "app-b", entity.app_id != "app-b")
    if kind == 3:
        return ~(entity.app_id == "app-a")
    other = draw(entities(models))
    inner = draw(conditions(models, other, deep - 1))
    if kind == 4:
        return entity.app_id.in_(select(other.app_id).where(inner))
    if kind == 5:
        return exists(select(other.app_id).where(inner))
    if kind == 6:
        return exists().where(other.app_id != entity.app_id, inner)
    if kind == 7:
        return entity.app_id != select(func.max(other.app_id)).where(inner).scalar_subquery()
    relations = [
        one for one in ("folder", "notes", "tags") if hasattr(getattr(getattr(entity, one, None), "property", None), "uselist")
    ]
    if not relations:
        return true()
    relation = getattr(entity, draw(st.sampled_from(relations)))
    return relation.any() if relation.property.uselist else relation.has()


@st.composite
def reads(draw: st.DrawFn, models: list[type[AppRow]]) -> Any:
    one, two = draw(entities(models)), draw(entities(models))
    if one is two:
        two = aliased(two)
    where = draw(conditions(models, one))
    simple = select(*keys(one)).where(where)
    kind = draw(st.integers(0, 13))
    if kind == 0:
        return simple
    if kind == 1:
        return select(one).where(where)
    if kind == 2:
        return select(*keys(one), *keys(two)).join(two, two.app_id == one.app_id, isouter=draw(st.booleans())).where(where)
    if kind == 3:
        return select(*keys(one), *keys(two)).join(two, true(), full=draw(st.booleans()), isouter=True)
    if kind == 4:
        other = select(*keys(two)[: len(keys(one))]) if len(keys(two)) >= len(keys(one)) else select(*keys(one))
        return (union if draw(st.booleans()) else union_all)(simple, other)
    if kind == 5:
        part = simple.cte("part")
        return select(part, *keys(two)).join(two, true())
    if kind == 6:
        part = simple.subquery()
        return select(part)
    if kind == 7:
        return select(one.app_id, func.count(), func.min(two.app_id), func.max(two.app_id)).join(two, true()).group_by(one.app_id)
    if kind == 8:
        return select(select(func.max(two.app_id)).scalar_subquery(), *keys(one))
    if kind == 9:
        return select(exists(select(one.app_id).where(one.app_id == "app-b")), func.coalesce(None, "x"))
    if kind == 10:
        return select(func.first_value(one.app_id).over(order_by=one.app_id.desc()), *keys(one)).where(where)
    if kind == 11:
        load = draw(st.sampled_from([selectinload, joinedload, subqueryload]))
        return select(WallNote).options(load(WallNote.folder), load(WallNote.tags))  # type: ignore[arg-type]
    if kind == 12:
        return select(WallFolder).options(draw(st.sampled_from([selectinload, joinedload]))(WallFolder.notes))  # type: ignore[arg-type]
    whole = aliased(one, select(one).where(where).subquery()) if isinstance(one, type) else one
    return select(*keys(whole)).distinct()


@st.composite
def writes(draw: st.DrawFn, models: list[type[AppRow]]) -> Any:
    """A function of a session that tries to change rows."""
    model: Any = draw(st.sampled_from([WallNote, WallFolder, WallTag, WallNotice]) | st.sampled_from(models))
    free = [one.name for one in model.__table__.columns if not one.primary_key and isinstance(one.type, String)]
    name = draw(st.sampled_from(free or ["app_id"]))
    where = draw(conditions(models, model))
    foreign = {column.name: value_for(column, draw(st.sampled_from(APPS)), "usr-b", 0) for column in model.__table__.columns}
    mine = foreign | {name: getattr(ADA, name) for name in ("app_id", "user_id") if name in foreign}
    kind = draw(st.integers(0, 9))

    def faked(session: WalledSession) -> Any:
        row = model(**mine)
        make_transient_to_detached(row)
        session.add(row)
        return row

    def upsert(session: WalledSession) -> Any:
        dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        row = mine if draw_wrong else {key: value for key, value in foreign.items() if key not in {"app_id", "user_id"}}
        keys = [one.name for one in model.__table__.primary_key]
        return session.execute(
            dialect.insert(model).values(**row).on_conflict_do_update(index_elements=keys, set_={name: "taken"})
        )

    draw_wrong = draw(st.booleans())
    ways = [
        lambda s: s.execute(update(model).values({name: "taken"}).where(where)),
        lambda s: s.execute(delete(model).where(where)),
        lambda s: s.execute(update(model).values({name: "taken"}).where(where).returning(model)).all(),
        lambda s: s.execute(insert(model), [foreign]),
        upsert,
        lambda s: setattr(faked(s), name, "taken"),
        lambda s: s.delete(faked(s)),
        lambda s: s.refresh(faked(s)),
        lambda s: s.merge(model(**(foreign if draw_wrong else mine))),
        lambda s: [s.delete(one) for one in s.execute(select(model).where(where)).unique().scalars()],
    ]
    return ways[kind]


# -- the property ------------------------------------------------------------------------------------------------------


def told(rows: Any) -> str:
    """Everything in an answer, as text: columns, loaded entities and what was loaded with them."""
    parts: list[str] = []
    todo, seen = [rows], set()
    while todo:
        one = todo.pop()
        if isinstance(one, AppRow):
            if id(one) not in seen:
                seen.add(id(one))
                todo += [value for key, value in vars(one).items() if not key.startswith("_") and key not in REFERENCES]
                todo += [getattr(one, name, None) for name in ("folder", "notes", "tags") if hasattr(type(one), name)]
        elif isinstance(one, list | tuple) or hasattr(one, "_mapping"):
            todo += list(one)
        else:
            parts.append(str(one))
    return " ".join(parts)


def foreign_rows(connection: Connection, models: list[type[AppRow]], scope: Scope) -> list[Any]:
    """What a session of this scope must leave as it is."""
    found = []
    for model in models:
        table = model.__table__  # type: ignore[attr-defined]
        foreign = table.c.app_id == "app-b"
        if scope.user_id is None:
            pass
        elif issubclass(model, UserRow):
            foreign = or_(foreign, table.c.user_id != "usr-a")
        elif issubclass(model, SystemRow):
            foreign = true()
        found += [(table.name, *row) for row in connection.execute(select(table).where(foreign).order_by(*table.primary_key))]
    return found


def run(engine: Engine, models: list[type[AppRow]], data: st.DataObject) -> None:
    scope = data.draw(st.sampled_from([ADA, ADA, OFFICE]), label="scope")
    hidden = ("app-b", "usr-b", "system") if scope is ADA else ("app-b",)
    with engine.connect() as connection:
        connection.begin()  # the session's own commits are savepoints in it
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        if (engine, scope) not in BEFORE:  # every example is taken back, so it is the same for all
            BEFORE[engine, scope] = foreign_rows(connection, models, scope)
        session = WalledSession(connection, info={"scope": scope}, join_transaction_mode="create_savepoint")
        try:
            if data.draw(st.booleans(), label="write"):
                data.draw(writes(models))(session)
                session.flush()
            else:
                answer = told(session.execute(data.draw(reads(models))).unique().all())
                assert not any(mark in answer for mark in hidden), answer
                session.expire_all()
            session.commit()
        except (Forbidden, SQLAlchemyError) as error:
            note(f"refused: {error}")
            happened(f"refused: {type(error).__name__}: {str(error)[:70]}")
            session.rollback()
        finally:
            session.close()
            connection.execution_options(mozaiks_scope=None)
        assert foreign_rows(connection, models, scope) == BEFORE[engine, scope]
        connection.rollback()


slow = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@settings(slow, max_examples=200)
@given(data=st.data())
def test_abuse44_no_row_of_others_is_read_or_changed_on_sqlite(on_sqlite, models, data):
    run(on_sqlite, models, data)


@settings(slow, max_examples=50)
@given(data=st.data())
def test_abuse44_nor_on_postgresql(on_postgresql, models, data):
    run(on_postgresql, models, data)
