"""The lower half of the wall: every write that reaches a connection, the unit of work's own included (F-259).

The unit of work trusts what is in the session. A row that was never read through the wall (a detached one added back, an
invented one) would be written by its primary key alone; an upsert changes whatever row has the key. So each UPDATE and DELETE
gets the scope in its WHERE, each ON CONFLICT DO UPDATE in its own, and each INSERT is stamped.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Delete, Engine, Insert, Table, Update, and_, event, false
from sqlmodel import SQLModel

from mozaiks_shell.foundation.errors import Forbidden
from mozaiks_shell.foundation.wall import SCOPE_COLUMNS, Scope, UserRow, table_named


def guard_writes(engine: Engine) -> None:
    """Put the wall below every connection of this engine whose session has a scope."""
    event.listen(engine, "before_execute", _before, retval=True)


def _before(connection: Any, statement: Any, many: Any, one: Any, options: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    if isinstance(statement, Insert | Update | Delete):
        scope: Scope | None = connection.get_execution_options().get("mozaiks_scope")
        table = statement.table
        if scope is not None and isinstance(table, Table) and table.metadata is SQLModel.metadata:
            if isinstance(statement, Insert):
                statement, many, one = _insert(statement, table, scope, many, one)
            else:
                _check_set(statement, scope, [*many, one])
                statement = _narrowed(statement, table, scope)
    return statement, many, one


def _criterion(table: Table, scope: Scope) -> ColumnElement[bool] | None:
    """What the rows of this table in scope have in common; None for tables that are not behind the wall."""
    owner = table_named(table.name)
    if owner is None:
        return None
    if not scope.sees(owner):
        return false()
    own = table.c.app_id == scope.app_id
    if scope.user_id is not None and issubclass(owner, UserRow):
        own = and_(own, table.c.user_id == scope.user_id)
    return own


def _narrowed(statement: Any, table: Table, scope: Scope) -> Any:
    own = _criterion(table, scope)
    return statement if own is None else statement.where(own)


def _insert(statement: Any, table: Table, scope: Scope, many: Any, one: Any) -> tuple[Any, Any, Any]:
    owner = table_named(table.name)
    if owner is None:
        return statement, many, one
    if not scope.sees(owner):
        raise Forbidden("This row is not this plugin's to write.", code="TENANT_MISMATCH")
    whole = scope.user_id is None  # the system names people itself; another app it does not
    own = {name: getattr(scope, name) for name in SCOPE_COLUMNS if name in table.c and not (whole and name == "user_id")}
    _check_set(statement, scope, [*many, one], own)
    if not whole and not statement._multi_values and not statement.select:
        said = {getattr(column, "key", column) for column in statement._values or ()}
        missing = {name: value for name, value in own.items() if name not in said}
        many = [{**missing, **row} for row in many]
        if not many:
            one = {**missing, **one}
    conflict = getattr(statement, "_post_values_clause", None)
    if conflict is not None and hasattr(conflict, "update_whereclause"):
        _refuse_moving(dict(conflict.update_values_to_set), own)
        mine = and_(*(table.c[name] == value for name, value in own.items()))
        narrowed = conflict._clone()
        narrowed.update_whereclause = mine if conflict.update_whereclause is None else and_(conflict.update_whereclause, mine)
        statement = statement._generate()
        statement._post_values_clause = narrowed
    return statement, many, one


def _check_set(statement: Any, scope: Scope, rows: list[Any], own: Mapping[str, Any] | None = None) -> None:
    """No write moves a row to another app, nor in a person's session to another person."""
    if own is None:
        own = {"app_id": scope.app_id} | ({"user_id": scope.user_id} if scope.user_id is not None else {})
    said = {getattr(column, "key", column): value for column, value in (getattr(statement, "_values", None) or {}).items()}
    _refuse_moving(said, own)
    for row in rows:
        _refuse_moving(row, own)


def _refuse_moving(values: Mapping[Any, Any], own: Mapping[str, Any]) -> None:
    for column, value in values.items():
        name = getattr(column, "key", column)
        if name not in own:
            continue
        told = getattr(value, "effective_value", getattr(value, "value", value))
        if told is not None and told != own[name]:
            raise Forbidden("This row belongs to somebody else.", code="TENANT_MISMATCH")
