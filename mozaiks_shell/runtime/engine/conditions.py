"""Conditions of hand-offs: ``${ready} == True and ${count} > 2``. Parsed, never evaluated as code."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_VARIABLE = re.compile(r"\$\{\s*([A-Za-z_][\w.]*)\s*\}")
_LONGEST = 2000
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
_WORDS = {"true": True, "false": False, "null": None, "none": None}


class ExpressionError(ValueError):
    """Not an expression of this small language."""


@dataclass(frozen=True)
class Expression:
    """A parsed condition and the variables it reads."""

    tree: ast.expr
    names: frozenset[str]

    def true_for(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds. Missing variables are None; what cannot be compared does not hold."""
        try:
            return bool(_value(self.tree, values))
        except (TypeError, ValueError, ZeroDivisionError):
            return False


def compile_expression(text: str) -> Expression:
    """Parse ``text``. ``!``, ``&`` and ``|`` are read as not, and, or.

    Raises:
        ExpressionError: empty, too long, or more than names, literals, comparisons, and/or/not and len().
    """
    if not text.strip() or len(text) > _LONGEST:
        raise ExpressionError("it is empty" if not text.strip() else "it is too long")
    names: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        key = f"_v{len(names)}_"
        names[key] = match[1]
        return f" {key} "

    source = _outside_quotes(_VARIABLE.sub(stand_in, text))
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise ExpressionError("it is no expression") from None
    tree = _Named(names).visit(tree)
    _check(tree)
    used = frozenset(n.id.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id.lower() not in _WORDS)
    return Expression(tree, used - {"len"})


def _outside_quotes(text: str) -> str:
    parts = re.split(r"('[^']*'|\"[^\"]*\")", text)
    for index in range(0, len(parts), 2):
        part = re.sub(r"&&?", " and ", parts[index])
        part = re.sub(r"\|\|?", " or ", part)
        parts[index] = re.sub(r"!(?!=)", " not ", part)
    return "".join(parts)


class _Named(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


_ALLOWED = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Name, ast.Load, ast.Constant,
    ast.List, ast.Tuple, ast.Call, *_COMPARE,
)  # fmt: skip


def _check(tree: ast.expr) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise ExpressionError(f"{type(node).__name__} is not allowed")
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1 and not node.keywords
        ):
            raise ExpressionError("the only function is len()")


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _WORDS[name.lower()] if name.lower() in _WORDS and name not in values else _lookup(name, values)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, values) for item in items]
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_value(part, values) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _value(inner, values)
        case ast.UnaryOp(operand=inner):
            return -_value(inner, values)
        case ast.Call(args=[inner]):
            return len(_value(inner, values) or ())
        case ast.Compare(left=left, ops=ops, comparators=others):
            before = _value(left, values)
            for op, other in zip(ops, others, strict=True):
                after = _value(other, values)
                if not _COMPARE[type(op)](before, after):
                    return False
                before = after
            return True
    raise ExpressionError(f"{type(node).__name__} is not allowed")


def _lookup(name: str, values: Mapping[str, Any]) -> Any:
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
