"""What a person's session refuses: statements that the wall cannot see through (F-259)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import CTE, Delete, Insert, Join, Select, Table, TableClause, Update, inspect
from sqlalchemy.orm import FromStatement, Mapper, ORMExecuteState
from sqlalchemy.orm.util import AliasedInsp
from sqlalchemy.sql.elements import BinaryExpression, ColumnClause, Extract, TextClause, UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.sql.selectable import AliasedReturnsRows, SelectBase, TextualSelect

from mozaiks_shell.foundation import wall
from mozaiks_shell.foundation.errors import Forbidden

_DML = (Insert, Update, Delete)
_HARMLESS = re.compile(r"\*|\d+|NULL", re.IGNORECASE)  # what SQLAlchemy itself writes as literal columns, in EXISTS for one
_OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|?]{1,4}|(not )?(like|ilike|glob|match|regexp|similar to)|overlaps", re.IGNORECASE)
# Functions that run SQL given as text, or reach the server's files, settings, locks and connections.
_DANGEROUS = re.compile(
    r"pragma_.*|load_extension|readfile|writefile|edit|fts3_tokenizer|zeroblob"
    r"|(query|table|schema|database|cursor)_to_.*|dblink.*|lo_.*|pg_(?!typeof$|column_size$).*|set_config|current_setting"
    r"|(next|set|last|curr)val|copy_.*|txid_.*|currtid.*|inet_(client|server)_.*",
    re.IGNORECASE,
)


def check_statement(state: ORMExecuteState) -> None:
    """Judge a statement of a person's session before it runs.

    Raises:
        BehindWall: raw SQL, bare tables, or a construct that would read or write outside the scope.
        Forbidden: it names another app or person.
    """
    statement: Any = state.statement
    if isinstance(statement, FromStatement) or not (state.is_orm_statement or isinstance(statement, Select)):
        raise wall.BehindWall("Raw SQL and bare tables pass by the tenancy wall. Select, update and delete mapped classes.")
    if state.is_update and isinstance(state.parameters, list | tuple):
        raise wall.BehindWall("An update by a list of primary keys passes by the tenancy wall. Change the rows one by one.")
    if isinstance(statement, _DML):
        _only_target(statement)
    for element, mapped in _walk(statement):
        _judge(element, mapped, top=element is statement)
    if state.is_insert or state.is_update:
        _check_values(state)


def _walk(statement: Any) -> Iterator[tuple[Any, frozenset[Any]]]:
    """Every element once, with the tables whose bare columns may stand there because their mapped class is read there."""
    top = frozenset([statement.table]) if isinstance(statement, _DML) else frozenset[Any]()
    seen: set[tuple[int, frozenset[Any]]] = set()
    stack: list[tuple[Any, frozenset[Any], frozenset[Any]]] = [(statement, top, top)]
    while stack:
        element, mapped, outer = stack.pop()
        if isinstance(element, Select):
            own = _mapped_tables(element)
            correlated = element._correlate_except is not None or bool(element._correlate)
            mapped, outer = (own | outer | _links(outer) if correlated else own), own | outer
        if (id(element), mapped) in seen:
            continue
        seen.add((id(element), mapped))
        yield element, mapped
        entity = element._annotations.get("parententity")
        if isinstance(entity, AliasedInsp) and not isinstance(entity.selectable, TableClause):
            stack.append((entity.selectable, frozenset(), frozenset()))
        stack += [(child, mapped, outer) for child in element.get_children()]


def _mapped_tables(select: Any) -> frozenset[Any]:
    """What the mapped classes named in this SELECT, not in one inside it, are read from: bare columns of that are theirs."""
    found, todo = set(), [*_sources(select), *select.get_children()]
    while todo:
        element = todo.pop()
        entity = element._annotations.get("parententity")
        if isinstance(entity, Mapper):
            found.add(entity.local_table)
        elif isinstance(entity, AliasedInsp):
            found.add(entity.selectable)
        if not isinstance(element, SelectBase | AliasedReturnsRows):
            todo += element.get_children()
    return frozenset(found)


def _links(tables: frozenset[Any]) -> frozenset[Any]:
    """Tables between two of a many-to-many relationship of these: ``.any()`` reads them by themselves."""
    names = {table.name for table in tables if isinstance(table, Table)}
    names |= {
        table.element.name for table in tables if isinstance(table, AliasedReturnsRows) and isinstance(table.element, Table)
    }
    mapped = [one for one in map(wall.table_named, names) if one is not None]
    return frozenset(
        relation.secondary for one in mapped for relation in inspect(one).relationships if relation.secondary is not None
    )


def _sources(select: Any) -> Iterator[Any]:
    todo = [*select._raw_columns, *select._from_obj, *(join[0] for join in select._setup_joins)]
    while todo:
        source = todo.pop()
        if isinstance(source, Join):
            todo += [source.left, source.right]
        else:
            yield source


def _judge(element: Any, mapped: frozenset[Any], top: bool) -> None:
    if isinstance(element, TextClause | TextualSelect):
        raise _refused(f"The raw SQL {str(element)[:60]!r}", "Write it with mapped columns.")
    if isinstance(element, ColumnClause):
        if element.is_literal and not _HARMLESS.fullmatch(element.name):
            raise _refused(f"The raw SQL {element.name[:60]!r}", "Write it with mapped columns.")
        if "parententity" not in element._annotations and _is_bare(element.table) and element.table not in mapped:
            raise _refused(f"The bare column {element}", "Use its mapped class.")
    if isinstance(element, Select):
        for source in _sources(element):
            if _is_bare(source) and not (source in mapped and source in _links(mapped)):
                raise _refused(f"The bare table {source}", "Use its mapped class.")
    if isinstance(element, _DML) and not top:
        raise _refused("A write inside another statement", "Execute it on its own.")
    if isinstance(element, FunctionElement) and _DANGEROUS.fullmatch(str(getattr(element, "name", ""))):
        raise _refused(f"The function {getattr(element, 'name', '')}", "Functions of mapped columns are fine.")
    if isinstance(element, Extract) and not element.field.isidentifier():
        raise _refused(f"The field {element.field!r}", "Name one, such as 'year'.")
    if isinstance(element, BinaryExpression | UnaryExpression):
        for operator in (element.operator, getattr(element, "modifier", None)):
            if isinstance(operator, custom_op) and not _OPERATOR.fullmatch(operator.opstring.strip()):
                raise _refused(f"The operator {operator.opstring[:40]!r}", "Use SQLAlchemy's own operators.")
    for name in ("_prefixes", "_suffixes", "_hints", "_statement_hints"):
        if getattr(element, name, None) and isinstance(element, Select | CTE | Insert | Update | Delete):
            raise _refused("Raw SQL before, after or as a hint of a statement", "Leave it out.")
    entity = element._annotations.get("parententity")
    if isinstance(entity, AliasedInsp) and _foreign_selectable(entity):
        raise _refused(f"An alias of {entity.mapper.class_.__name__} over another table", "Alias the mapped class itself.")


def _foreign_selectable(entity: Any) -> bool:
    table = entity.selectable
    while isinstance(table, AliasedReturnsRows):
        table = table.element
    return isinstance(table, TableClause) and not any(table == own for own in entity.mapper.tables)


def _is_bare(source: Any) -> bool:
    """A table, or an alias of one, that did not come from a mapped class."""
    if source is None or "parententity" in source._annotations:
        return False
    return isinstance(source, TableClause) or (isinstance(source, AliasedReturnsRows) and _is_bare(source.element))


def _only_target(statement: Any) -> None:
    """A write touches its target alone: further tables of UPDATE … FROM and DELETE … USING, and rows an INSERT selects,
    would be read without the scope. Subqueries of an update or delete are scoped and fine."""
    target = statement.table._annotations.get("parententity")
    todo: list[Any] = [one for one in statement.get_children() if one is not statement.table]
    while todo:
        element = todo.pop()
        if isinstance(element, Select):
            if isinstance(statement, Insert):
                raise _refused("An insert that selects", "Read the rows first, then add them.")
            continue
        entity = element._annotations.get("parententity")
        if entity is not None and target is not None and entity.mapper is not target.mapper:
            raise _refused("A write with a second table beside its own", "Use a subquery.")
        todo += element.get_children()


def _check_values(state: ORMExecuteState) -> None:
    """Writes by statement may not name another scope; inserts are stamped."""
    statement: Any = state.statement
    scope: wall.Scope = state.session.info["scope"]
    own = {"app_id": scope.app_id, "user_id": scope.user_id}
    for key, value in _values(statement, state.parameters):
        if key in own and getattr(value, "value", value) != own[key]:
            raise Forbidden("This row belongs to somebody else.", code="TENANT_MISMATCH")
    if state.is_insert:
        columns = statement.table.c
        stamp = {name: own[name] for name in wall.SCOPE_COLUMNS if name in columns}
        if isinstance(state.parameters, list | tuple):
            for row in state.parameters:
                row.update(stamp)
        elif statement._multi_values:
            state.statement = _stamped(statement, stamp)
        else:
            state.statement = statement.values(stamp)


def _stamped(statement: Any, stamp: dict[str, Any]) -> Any:
    """``insert(X).values([...])`` with the stamp in every row."""
    copy = statement._generate()
    copy._multi_values = tuple(
        [{getattr(column, "key", column): value for column, value in dict(row).items()} | stamp for row in rows]
        for rows in statement._multi_values
    )
    return copy


def _values(statement: Any, parameters: Any) -> Iterable[tuple[str, Any]]:
    for column, value in (statement._values or {}).items():
        yield getattr(column, "key", column), value
    for rows in statement._multi_values:
        for row in rows:
            yield from ((getattr(column, "key", column), value) for column, value in dict(row).items())
    for given in parameters if isinstance(parameters, list | tuple) else [parameters or {}]:
        if isinstance(given, Mapping):
            yield from given.items()


def _refused(what: str, instead: str) -> "wall.BehindWall":
    return wall.BehindWall(f"{what} passes by the tenancy wall. {instead}")
