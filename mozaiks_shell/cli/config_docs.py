"""The field tables of ``docs/configuration-files.md``, generated from the models that read the files."""

import json
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mozaiks_shell.appconfig.overview import NAMES
from mozaiks_shell.appconfig.schemas import models, schemas
from mozaiks_shell.foundation.settings import ROOT

PAGE = ROOT / "docs" / "configuration-files.md"
_MARK = re.compile(r"<!-- fields:(?P<name>[a-z_.]+):begin -->.*?<!-- fields:(?P=name):end -->", re.DOTALL)


def page(text: str) -> str:
    """The page with fresh tables between its markers.

    Raises:
        ValueError: a file has no markers.
    """
    schemas()  # registers every file
    found = {match["name"] for match in _MARK.finditer(text)}
    if missing := sorted(set(NAMES) - found):
        raise ValueError(f"docs/configuration-files.md needs markers for {', '.join(missing)}")
    return _MARK.sub(lambda match: _block(match["name"]), text)


def _block(name: str) -> str:
    told: dict[type[BaseModel], str] = {}
    if name == "theme_config.json":  # its themes are written in the brand's notation
        list(fields(models("brand.json")[0], "", told))
        told = {model: f"{path} in `brand.json`" for model, path in told.items()}
    tables = [table(model, dict(told)) for model in models(name)]
    if len(tables) > 1:
        tables = [f"*{_first_line(model)}*\n\n{one}" for model, one in zip(models(name), tables, strict=True)]
    return "\n\n".join([f"<!-- fields:{name}:begin -->", *tables, f"<!-- fields:{name}:end -->"])


def table(model: type[BaseModel], told: dict[type[BaseModel], str]) -> str:
    """One row for each field, those of inner shapes under their path; shapes in ``told`` are named, not opened."""
    rows = [
        f"| `{path}` | {kind} | {_default(info)} | {_cell(said)} |"
        for path, kind, info, said in fields(model, "", {**told, model: ""})
    ]
    return "\n".join(["| Field | Kind | Default | Meaning |", "|---|---|---|---|", *rows])


def fields(model: type[BaseModel], prefix: str, told: dict[type[BaseModel], str]) -> Iterator[tuple[str, str, FieldInfo, str]]:
    """``(path, kind, field, meaning)`` of every field at any depth; a shape that was shown before is named, not opened."""
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        inner, suffix = _inner(info.annotation)
        kind, said = _kind(info.annotation), info.description or ""
        if inner is not None and inner in told:
            yield path, f"{kind}, as {told[inner] or 'this shape'}", info, said
        else:
            yield path, kind, info, said or (_first_line(inner) if inner else "")
        if inner is not None and inner not in told:
            told[inner] = f"`{path}`"
            yield from fields(inner, f"{path}{suffix}.", told)


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _inner(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return next((found for one in get_args(annotation) if (found := _inner(one))[0]), (None, ""))
    if origin in {list, tuple}:
        model, suffix = _inner(get_args(annotation)[0])
        return model, f"[]{suffix}"
    if origin is dict:
        model, suffix = _inner(get_args(annotation)[1])
        return (model, f".<name>{suffix}") if model else (None, "")
    return (annotation, "") if isinstance(annotation, type) and issubclass(annotation, BaseModel) else (None, "")


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in get_args(annotation))
    if origin in {Union, types.UnionType}:
        kinds = [_kind(one) for one in get_args(annotation) if one is not type(None)]
        return " or ".join(dict.fromkeys(kinds))
    if origin in {list, tuple}:
        return "list"
    if origin is dict:
        return "object"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "object"
    return {str: "text", int: "number", float: "number", bool: "true or false"}.get(annotation, "any")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True)
    if default is PydanticUndefined or default in (None, "", [], {}, ()) or isinstance(default, BaseModel):
        return ""
    return f"`{json.dumps(default, default=str)}`" if not isinstance(default, str) else f"`{default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _first_line(model: type[BaseModel]) -> str:
    line = (model.__doc__ or "").strip().splitlines()[0]
    return re.sub(r" ?\(F-\d+\)| Our extension\.", "", line).replace("``", "`")


def wanted() -> dict[Path, str]:
    """The page as it should be."""
    return {PAGE: page(PAGE.read_text("utf-8"))}
