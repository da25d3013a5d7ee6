"""The tenancy wall (D8, F-259): below every ORM statement, so that the code above it cannot forget.

A table is an :class:`AppRow` (belongs to an app), a :class:`UserRow` (belongs to one person in an app) or a
:class:`SystemRow` (belongs to an app, and no person's session ever sees it). A session carries a :class:`Scope`;
the wall adds it to every select, update and delete, stamps new rows, and in a person's session refuses what it
cannot see through: raw SQL, bare tables, bulk writes by primary key.

The wall stops mistakes. A plugin that wants to climb it can: it is Python in this process.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Alias, Select, Table, event, false
from sqlalchemy.orm import FromStatement, Mapper, ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.elements import ColumnClause, TextClause
from sqlmodel import Field, SQLModel

from mozaiks_shell.foundation.errors import Forbidden

SCOPE_COLUMNS = ("app_id", "user_id")


class AppRow(SQLModel):
    """Mixin: a row that belongs to an app. ``app_id`` is stamped by the wall."""

    app_id: str = Field(default="", index=True, max_length=64)


class UserRow(AppRow):
    """Mixin: a row that belongs to one person in one app. Both columns are stamped by the wall."""

    user_id: str = Field(default="", index=True, max_length=64)


class SystemRow(AppRow):
    """Mixin: a row of the app that only system sessions see (accounts, audit, payment events)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a session may see. ``user_id`` None means every person of the app (system work)."""

    app_id: str
    user_id: str | None


class BehindWall(Forbidden):
    """A statement that the wall cannot scope was refused."""

    code = "BEHIND_WALL"


class WalledSession(Session):
    """The session whose ways around the unit of work are closed while it belongs to a person."""

    def _closed(self, way: str) -> None:
        if is_personal(self):
            raise BehindWall(f"{way} would pass by the tenancy wall. Add, change and delete rows through the session.")

    def connection(self, *args: Any, **kwargs: Any) -> Any:
        self._closed("A raw connection")
        return super().connection(*args, **kwargs)

    def bulk_save_objects(self, *args: Any, **kwargs: Any) -> None:
        self._closed("bulk_save_objects")
        super().bulk_save_objects(*args, **kwargs)

    def bulk_insert_mappings(self, *args: Any, **kwargs: Any) -> None:
        self._closed("bulk_insert_mappings")
        super().bulk_insert_mappings(*args, **kwargs)

    def bulk_update_mappings(self, *args: Any, **kwargs: Any) -> None:
        self._closed("bulk_update_mappings")
        super().bulk_update_mappings(*args, **kwargs)


def is_personal(session: Session) -> bool:
    """True when the session belongs to one person, not to the system."""
    scope: Scope | None = session.info.get("scope")
    return scope is not None and scope.user_id is not None


def scoped_tables(base: type[AppRow] = AppRow) -> list[type[AppRow]]:
    """Every mapped table below ``base``, however deep."""
    found: list[type[AppRow]] = []
    for child in base.__subclasses__():
        if "__table__" in vars(child):
            found.append(child)
        found += scoped_tables(child)
    return found


@event.listens_for(Mapper, "after_mapper_constructed")
def _forget_criteria(_: Any, __: Any) -> None:
    _criteria.cache_clear()


@lru_cache(maxsize=2048)
def _criteria(scope: Scope) -> tuple[ExecutableOption, ...]:
    """Lambdas, not expressions: only those are adapted to an alias in a join's ON clause."""
    app_id, user_id = scope.app_id, scope.user_id
    wall: list[ExecutableOption] = []
    for table in scoped_tables():
        if user_id is not None and issubclass(table, SystemRow):
            wall.append(with_loader_criteria(table, false(), include_aliases=True))
        elif user_id is not None and issubclass(table, UserRow):
            wall.append(
                with_loader_criteria(table, lambda cls: (cls.app_id == app_id) & (cls.user_id == user_id), include_aliases=True)
            )
        else:
            wall.append(with_loader_criteria(table, lambda cls: cls.app_id == app_id, include_aliases=True))
    return tuple(wall)


@event.listens_for(Session, "do_orm_execute")
def _scope_statements(state: ORMExecuteState) -> None:
    scope: Scope | None = state.session.info.get("scope")
    if scope is None or state.is_column_load or state.is_relationship_load:
        return
    if scope.user_id is not None:
        _refuse_opaque(state)
        if state.is_insert or state.is_update:
            _check_values(state, scope)
    if not state.is_insert:
        state.statement = state.statement.options(*_criteria(scope))


def _refuse_opaque(state: ORMExecuteState) -> None:
    """Raw SQL and bare tables carry no mapping to hang a criterion on."""
    statement: Any = state.statement
    if not state.is_orm_statement or isinstance(statement, FromStatement):
        raise BehindWall("Raw SQL and bare tables pass by the tenancy wall. Select, update and delete mapped classes.")
    elements: list[Any] = list(visitors.iterate(statement))
    alone = sum(isinstance(one, Select) for one in elements) == 1
    mapped = _mapped_tables(statement) if alone else set()  # what ``session.get`` writes: the mapped table's own columns
    for element in elements:
        if isinstance(element, TextClause) or (isinstance(element, ColumnClause) and element.is_literal and element.name != "*"):
            raise BehindWall(f"The raw SQL {str(element)[:60]!r} passes by the tenancy wall. Write it with mapped columns.")
        bare = isinstance(element, ColumnClause) and "parententity" not in element._annotations and _is_bare(element.table)
        if bare and element.table not in mapped:
            raise BehindWall(f"The bare column {element} passes by the tenancy wall. Use its mapped class.")
        if isinstance(element, Select):
            sources = [*element._raw_columns, *element._from_obj, *(join[0] for join in element._setup_joins)]
            for source in sources:
                if _is_bare(source):
                    raise BehindWall(f"The bare table {source} passes by the tenancy wall. Use its mapped class.")


def _mapped_tables(statement: Any) -> set[Any]:
    entities = [one._annotations.get("parententity") for one in getattr(statement, "_raw_columns", ())]
    return {entity.local_table for entity in entities if entity is not None and entity.is_mapper}


def _is_bare(source: Any) -> bool:
    """A table, or an alias of one, that did not come from a mapped class."""
    if not isinstance(source, Table | Alias) or "parententity" in source._annotations:
        return False
    return isinstance(source, Table) or _is_bare(source.element)


def _check_values(state: ORMExecuteState, scope: Scope) -> None:
    """Writes by statement may not name another scope; inserts are stamped; updates by primary key are refused."""
    statement: Any = state.statement
    if state.is_update and isinstance(state.parameters, list | tuple):
        raise BehindWall("An update by a list of primary keys passes by the tenancy wall. Change the rows one by one.")
    own = {"app_id": scope.app_id, "user_id": scope.user_id}
    for key, value in _values(statement, state.parameters):
        if key in own and getattr(value, "value", value) != own[key]:
            raise Forbidden("This row belongs to somebody else.", code="TENANT_MISMATCH")
    if state.is_insert:
        columns = statement.table.c
        stamp = {name: own[name] for name in SCOPE_COLUMNS if name in columns}
        if isinstance(state.parameters, list | tuple):
            for row in state.parameters:
                row.update(stamp)
        else:
            state.statement = statement.values(stamp)


def _values(statement: Any, parameters: Any) -> Iterable[tuple[str, Any]]:
    for column, value in (statement._values or {}).items():
        yield getattr(column, "key", column), value
    for rows in statement._multi_values:
        for row in rows:
            yield from ((getattr(column, "key", column), value) for column, value in dict(row).items())
    for given in parameters if isinstance(parameters, list | tuple) else [parameters or {}]:
        if isinstance(given, Mapping):
            yield from given.items()


@event.listens_for(Session, "before_flush")
def _scope_rows(opened: Session, _: Any, __: Any) -> None:
    scope: Scope | None = opened.info.get("scope")
    if scope is None:
        return
    for row in opened.new:
        if isinstance(row, AppRow):
            row.app_id = row.app_id or scope.app_id
        if isinstance(row, UserRow) and scope.user_id is not None:
            row.user_id = row.user_id or scope.user_id
    for row in [*opened.new, *opened.dirty, *opened.deleted]:
        if isinstance(row, AppRow) and row.app_id != scope.app_id:
            raise Forbidden("This row belongs to another app.", code="TENANT_MISMATCH")
        if isinstance(row, UserRow) and scope.user_id is not None and row.user_id != scope.user_id:
            raise Forbidden("This row belongs to another person.", code="TENANT_MISMATCH")
        if isinstance(row, SystemRow) and scope.user_id is not None:
            raise Forbidden("Only the system writes this row.", code="TENANT_MISMATCH")
