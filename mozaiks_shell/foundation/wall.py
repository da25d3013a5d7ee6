"""The tenancy wall (D8, F-259): below every statement, so that the code above it cannot forget.

A table is an :class:`AppRow` (belongs to an app), a :class:`UserRow` (belongs to one person in an app) or a
:class:`SystemRow` (belongs to an app, and no person's session ever sees it). A session carries a :class:`Scope`. The wall
works at two heights:

- Above, every ORM statement (eager and lazy loads and refreshes included) gets the scope as a criterion on each mapped
  class it can reach, and a person's statement that the wall cannot see through is refused (:mod:`.wall_check`).
- Below, every INSERT, UPDATE and DELETE that reaches the connection, the unit of work's own included, is stamped and
  narrowed (:mod:`.wall_writes`).

The wall stops mistakes. A plugin that wants to climb it can: it is Python in this process.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import CompoundSelect, Delete, Select, Update, event, false, inspect
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import ExecutableOption
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
    """Whose rows a session may see. ``user_id`` None means every person of the app (system work).

    ``owner``, when set, is the package (``mozaiks_plugins.notes``) whose tables alone the session may touch.
    """

    app_id: str
    user_id: str | None
    owner: str = ""

    def sees(self, table: type[AppRow]) -> bool:
        """Whether a session of this scope may touch the table at all."""
        if self.user_id is not None and issubclass(table, SystemRow):
            return False
        module = table.__module__
        return not self.owner or module == self.owner or module.startswith(self.owner + ".")


class BehindWall(Forbidden):
    """A statement that the wall cannot scope was refused."""

    code = "BEHIND_WALL"


class WalledSession(Session):
    """The session whose ways around the unit of work are closed while it belongs to a person."""

    def _closed(self, way: str) -> None:
        if is_personal(self) and not self.info.get("raw"):
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


def table_named(name: str) -> type[AppRow] | None:
    """The mapped class behind a table's name; None for tables that are not behind the wall."""
    return _by_name().get(name)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, type[AppRow]]:
    return {str(table.__tablename__): table for table in scoped_tables()}


@event.listens_for(Mapper, "after_mapper_constructed")
def _forget(_: Any, __: Any) -> None:
    for cached in (_criterion, _by_name, _reach, _all_reach):
        cached.cache_clear()


@lru_cache(maxsize=8192)
def _criterion(scope: Scope, table: type[AppRow]) -> ExecutableOption:
    """Lambdas, not expressions: only those are adapted to an alias in a join's ON clause."""
    app_id, user_id = scope.app_id, scope.user_id
    if not scope.sees(table):
        return with_loader_criteria(table, false(), include_aliases=True)
    if user_id is not None and issubclass(table, UserRow):
        return with_loader_criteria(table, lambda cls: (cls.app_id == app_id) & (cls.user_id == user_id), include_aliases=True)
    return with_loader_criteria(table, lambda cls: cls.app_id == app_id, include_aliases=True)


@lru_cache(maxsize=4096)
def _reach(mapper: Mapper[Any]) -> frozenset[type[AppRow]]:
    """The walled classes a statement on this mapper may bring along: its family, related ones, those in its expressions."""
    found: set[Mapper[Any]] = set()
    todo: list[Mapper[Any]] = [mapper]
    while todo:
        one = todo.pop()
        if one in found:
            continue
        found.add(one)
        todo += [*one.self_and_descendants, *one.iterate_to_root()]
        todo += [relation.mapper for relation in one.relationships]
        expressions = [relation.primaryjoin for relation in one.relationships]
        expressions += [column for attribute in one.column_attrs for column in attribute.columns]
        todo += [inner for expression in expressions for inner in mappers_in(expression)]
    return frozenset(one.class_ for one in found if issubclass(one.class_, AppRow) and "__table__" in vars(one.class_))


@lru_cache(maxsize=1)
def _all_reach() -> frozenset[type[AppRow]]:
    return frozenset(scoped_tables())


def mappers_in(statement: Any) -> set[Mapper[Any]]:
    """Every mapper that an element of the statement is annotated with."""
    found = set()
    for element in visitors.iterate(statement):
        entity = element._annotations.get("parententity")
        if entity is not None:
            found.add(entity.mapper)
    return found


def _reached(statement: Any) -> Iterable[type[AppRow]]:
    """The walled classes in a statement. What loader options bring along cannot be seen, so with them it is all."""
    if getattr(statement, "_with_options", ()):
        return _all_reach()
    found: set[type[AppRow]] = set()
    for mapper in mappers_in(statement):
        found |= _reach(mapper)
    return found


@event.listens_for(Session, "do_orm_execute")
def _scope_statements(state: ORMExecuteState) -> None:
    scope: Scope | None = state.session.info.get("scope")
    if scope is None:
        return
    made_by_sqlalchemy = state.is_column_load or state.is_relationship_load
    if scope.user_id is not None and not made_by_sqlalchemy and not state.session.info.get("raw"):
        check_statement(state)
    if state.is_column_load:  # a refresh takes no criteria from options
        state.statement = _narrowed_load(state, scope)
        return
    if state.is_insert or not isinstance(state.statement, Select | CompoundSelect | Update | Delete):
        return
    given = getattr(state.statement, "_with_options", ())
    reached = _sorted(_reached(state.statement))
    wall = [one for one in (_criterion(scope, table) for table in reached) if one not in given]
    if wall:
        state.statement = state.statement.options(*wall)
        if not state.is_orm_statement:  # SELECT EXISTS (…): without this the options would be passed over
            subject = {"compile_state_plugin": "orm", "plugin_subject": inspect(reached[0])}
            state.statement._set_propagate_attrs(subject)


def _narrowed_load(state: ORMExecuteState, scope: Scope) -> Any:
    """A load by primary key, of a row that never need have been read through the wall."""
    statement: Any = state.statement
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, AppRow):
        return statement
    if not scope.sees(mapper.class_):
        return statement.where(false())
    statement = statement.where(mapper.class_.app_id == scope.app_id)
    if scope.user_id is not None and issubclass(mapper.class_, UserRow):
        statement = statement.where(mapper.class_.user_id == scope.user_id)
    return statement


def _sorted(tables: Iterable[type[AppRow]]) -> list[type[AppRow]]:
    """In one order, so that SQLAlchemy's cache of compiled statements is hit."""
    return sorted(tables, key=lambda table: str(table.__tablename__))


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
        if isinstance(row, AppRow) and not scope.sees(type(row)):
            raise Forbidden("This row is not this plugin's to write.", code="TENANT_MISMATCH")


@event.listens_for(Session, "after_begin")
def _tell_connection(opened: Session, _: Any, connection: Any) -> None:
    """The connection carries the scope down to :mod:`.wall_writes` for as long as the transaction lasts, and whose it is."""
    if (scope := opened.info.get("scope")) is not None:
        connection.execution_options(mozaiks_scope=scope, mozaiks_info=opened.info)


from mozaiks_shell.foundation.wall_check import check_statement  # noqa: E402 - it needs the error above
