"""Charts as shapes that an SVG shows (F-181): bar, line, area and pie, computed here, so that the browser needs no library.

The figures themselves stand in a table behind the picture, for people who cannot see it and for those who want to know.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from mozaiks_shell.chat.components.wording import dicts, humane, text
from mozaiks_shell.foundation.i18n import number, percent

WIDTH: Final = 400.0
HEIGHT: Final = 230.0
MAX_POINTS: Final = 200
MAX_SERIES: Final = 6
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 10.0, 10.0, 26.0
_LABELS: Final = 8  # words beneath the axis, at most
_KINDS: Final = {"bar": "bar", "column": "bar", "line": "line", "area": "area", "pie": "pie", "donut": "pie", "doughnut": "pie"}


class TickItem(TypedDict):
    at: str
    text: str


class ShapeItem(TypedDict):
    """A path; ``kind`` is ``bar``, ``line``, ``area``, ``dot`` or ``slice``, ``tone`` the number of its colour."""

    d: str
    kind: str
    tone: str
    title: str


class LegendItem(TypedDict):
    label: str
    tone: str
    note: str


class ChartItem(TypedDict):
    """What the SVG draws (user units), and the figures as ``head`` and ``body`` of a table."""

    label: str
    grid: list[TickItem]
    marks: list[TickItem]
    shapes: list[ShapeItem]
    legend: list[LegendItem]
    head: list[str]
    body: list[list[str]]


@dataclass(frozen=True, slots=True)
class _Data:
    names: list[str]
    series: list[tuple[str, list[float | None]]]


def chart_of(payload: Mapping[str, Any]) -> list[ChartItem]:
    """The chart of a payload; none when it holds no figures.

    Known are ``{"type", "labels", "series": [{"label", "data"}]}`` (``datasets``, too) and rows:
    ``{"type", "data": [{"month": "May", "sales": 3}], "x": "month", "y": "sales" or [..]}``.
    """
    kind = _KINDS.get(text(payload.get("kind") or payload.get("chart_type") or payload.get("type"), 20).lower(), "bar")
    data = _data(payload)
    if not data.names or not any(value is not None for _, values in data.series for value in values):
        return []
    shapes, grid, marks, legend = _pie(data) if kind == "pie" else _axes(kind, data)
    first = text(payload.get("x_label"), 80) or ""
    return [
        ChartItem(
            label=text(payload.get("title"), 200),
            grid=grid,
            marks=marks,
            shapes=shapes,
            legend=legend,
            head=[first, *(name for name, _ in data.series)],
            body=[[name, *(_shown(values[at]) for _, values in data.series)] for at, name in enumerate(data.names)],
        )
    ]


def _data(payload: Mapping[str, Any]) -> _Data:
    labels = payload.get("labels") or payload.get("categories")
    given = dicts(payload.get("series") or payload.get("datasets"), MAX_SERIES)
    if isinstance(labels, list) and given and any(isinstance(one.get("data", one.get("values")), list) for one in given):
        names = [text(one, 60) for one in labels[:MAX_POINTS]]
        series = [
            (
                text(one.get("label") or one.get("name"), 60) or str(at + 1),
                _figures(one.get("data", one.get("values")), len(names)),
            )
            for at, one in enumerate(given)
        ]
        return _Data(names, series)
    rows = dicts(payload.get("data") or payload.get("rows"), MAX_POINTS)
    if not rows:
        return _Data([], [])
    across = text(payload.get("x") or payload.get("x_key"), 80) or next(
        (str(name) for name, value in rows[0].items() if not _is_figure(value)), next(iter(rows[0]), "")
    )
    wanted = payload.get("y") or payload.get("y_keys") or given
    keys = _keys(wanted) or [
        (str(name), humane(name)) for name, value in rows[0].items() if str(name) != across and _is_figure(value)
    ]
    series = [(label, [_figure(row.get(key)) for row in rows]) for key, label in keys[:MAX_SERIES]]
    return _Data([text(row.get(across), 60) for row in rows], series)


def _keys(wanted: object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for one in wanted if isinstance(wanted, list) else [wanted]:
        if isinstance(one, Mapping):
            key = text(one.get("key") or one.get("field") or one.get("name"), 80)
            found.append((key, text(one.get("label"), 60) or humane(key)))
        elif isinstance(one, str) and one:
            found.append((one[:80], humane(one)))
    return found


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e15


def _figure(value: object) -> float | None:
    return float(value) if _is_figure(value) else None  # type: ignore[arg-type]


def _figures(value: object, count: int) -> list[float | None]:
    found = [_figure(one) for one in value[:count]] if isinstance(value, list) else []
    return found + [None] * (count - len(found))


# -- with axes ---------------------------------------------------------------------------------------------------------

_Drawing = tuple[list[ShapeItem], list[TickItem], list[TickItem], list[LegendItem]]


def _axes(kind: str, data: _Data) -> _Drawing:
    values = [value for _, each in data.series for value in each if value is not None]
    low, high, step = _scale(min(0.0, *values) if kind != "line" else min(values), max(0.0, *values), kind)
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def y(value: float) -> float:
        return _TOP + tall * (high - value) / (high - low)

    slot = wide / len(data.names)
    shapes: list[ShapeItem] = []
    for tone, (label, each) in enumerate(data.series):
        points = [(_LEFT + slot * (at + 0.5), y(value), at) for at, value in enumerate(each) if value is not None]
        if kind == "bar":
            width = slot * 0.72 / len(data.series)
            for middle, top, at in points:
                left = middle - slot * 0.36 + width * tone
                shapes.append(_shape(_bar(left, top, width, y(0.0)), "bar", tone, _told(label, data, at, each)))
            continue
        if len(points) > 1:
            line = "M" + "L".join(f"{x:.1f} {top:.1f}" for x, top, _ in points)
            if kind == "area":
                base = y(max(low, 0.0))
                shapes.append(
                    _shape(f"{line}L{points[-1][0]:.1f} {base:.1f}L{points[0][0]:.1f} {base:.1f}Z", "area", tone, label)
                )
            shapes.append(_shape(line, "line", tone, label))
        radius = 3.0 if len(points) <= 40 else 1.5
        shapes += [_shape(_dot(x, top, radius), "dot", tone, _told(label, data, at, each)) for x, top, at in points]
    grid = [
        TickItem(at=f"{y(low + step * at):.1f}", text=_short(low + step * at)) for at in range(round((high - low) / step) + 1)
    ]
    every = math.ceil(len(data.names) / _LABELS)
    marks = [
        TickItem(at=f"{_LEFT + slot * (at + 0.5):.1f}", text=_cut(name, slot * every))
        for at, name in enumerate(data.names)
        if at % every == 0
    ]
    legend = [LegendItem(label=label, tone=str(tone), note="") for tone, (label, _) in enumerate(data.series)]
    return shapes, grid, marks, legend if len(legend) > 1 else []


def _scale(low: float, high: float, kind: str) -> tuple[float, float, float]:
    """Round ends of the axis, and the step between its lines. A line that stays far from zero need not show it."""
    if kind == "line" and low > 0 and low < (high - low) * 2:
        low = 0.0
    if high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= raw)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def _bar(left: float, top: float, width: float, base: float) -> str:
    """A bar with its free corners rounded."""
    height = abs(base - top)
    radius = min(3.0, width / 2, height)
    turn = radius if top <= base else -radius
    return (
        f"M{left:.1f} {base:.1f}V{top + turn:.1f}Q{left:.1f} {top:.1f} {left + radius:.1f} {top:.1f}"
        f"H{left + width - radius:.1f}Q{left + width:.1f} {top:.1f} {left + width:.1f} {top + turn:.1f}V{base:.1f}Z"
    )


def _dot(x: float, y: float, radius: float) -> str:
    return f"M{x - radius:.1f} {y:.1f}a{radius} {radius} 0 1 0 {radius * 2} 0a{radius} {radius} 0 1 0 {-radius * 2} 0Z"


# -- a pie -------------------------------------------------------------------------------------------------------------


def _pie(data: _Data) -> _Drawing:
    """Shares of the first series; what is not positive has none."""
    _, values = data.series[0]
    pieces = [(name, value) for name, value in zip(data.names, values, strict=True) if value is not None and value > 0]
    pieces = sorted(pieces, key=lambda one: -one[1])
    whole = sum(value for _, value in pieces)
    middle, top, radius, hole = WIDTH / 2, HEIGHT / 2, HEIGHT / 2 - 8, HEIGHT / 4 - 8
    shapes: list[ShapeItem] = []
    legend: list[LegendItem] = []
    angle = -math.pi / 2
    for at, (name, value) in enumerate(pieces):
        tone, share = min(at, MAX_SERIES), value / whole
        end = angle + math.tau * min(share, 0.99999)
        title = f"{name}: {_shown(value)} ({percent(share)})"
        shapes.append(_shape(_slice(middle, top, radius, hole, angle, end), "slice", tone, title))
        if at < MAX_SERIES:
            legend.append(LegendItem(label=name, tone=str(tone), note=percent(share)))
        angle = end
    return shapes, [], [], legend


def _slice(x: float, y: float, radius: float, hole: float, begin: float, end: float) -> str:
    large = int(end - begin > math.pi)
    points = [
        (x + size * math.cos(angle), y + size * math.sin(angle)) for size, angle in
        ((radius, begin), (radius, end), (hole, end), (hole, begin))
    ]  # fmt: skip
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    return (
        f"M{ax:.2f} {ay:.2f}A{radius:.2f} {radius:.2f} 0 {large} 1 {bx:.2f} {by:.2f}"
        f"L{cx:.2f} {cy:.2f}A{hole:.2f} {hole:.2f} 0 {large} 0 {dx:.2f} {dy:.2f}Z"
    )


# -- words -------------------------------------------------------------------------------------------------------------


def _shape(d: str, kind: str, tone: int, title: str) -> ShapeItem:
    return ShapeItem(d=d, kind=kind, tone=str(tone), title=title)


def _told(label: str, data: _Data, at: int, values: Sequence[float | None]) -> str:
    shown = _shown(values[at])
    return f"{data.names[at]}: {shown}" if len(data.series) == 1 else f"{data.names[at]}, {label}: {shown}"


def _shown(value: float | None) -> str:
    return "" if value is None else number(int(value) if value.is_integer() else value)


def _short(value: float) -> str:
    """A number beside the axis: ``1.5M`` rather than seven digits."""
    for size, mark in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if mark == "k" else size
            return f"{_shown(round(value / unit, 2))}{mark}"
    return _shown(round(value, 6))


def _cut(name: str, room: float) -> str:
    most = max(3, int(room / 6.2))
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
