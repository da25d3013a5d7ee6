"""What a browser sends is compared with the handler's signature before the handler runs."""

from typing import Any, Literal, TypedDict

import pytest

from mozaiks_shell.ui.payload import misfit


class Place(TypedDict):
    x: int


class Demo:
    def text(self, text: str, tone: Literal["calm", "loud"] = "calm") -> None: ...
    def many(self, ids: list[str], limit: int | None = None) -> None: ...
    def form(self, form: dict[str, str]) -> None: ...
    def place(self, place: Place, on: bool, size: float) -> None: ...
    def loose(self, value, *, more: Any = None, **rest: int) -> None: ...
    def later(self, thing: "NobodyKnows") -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("text", {"text": "a"}),
        ("text", {"text": "a", "tone": "loud"}),
        ("many", {"ids": []}),
        ("many", {"ids": ["a"], "limit": None}),
        ("many", {"ids": ["a"], "limit": "3"}),
        ("form", {"form": {"name": "a", "checked": True}}),
        ("place", {"place": {"x": 1}, "on": False, "size": 3}),
        ("loose", {"value": {"any": ["thing"]}, "other": 1}),
        ("later", {"thing": 1}),
    ],
)
def test_what_fits_passes(handler: str, payload: dict[str, Any]):
    assert misfit(getattr(Demo, handler), payload) == ""


@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("text", {}),
        ("text", {"text": None}),
        ("text", {"text": ["a"]}),
        ("text", {"text": "a", "tone": "shrill"}),
        ("text", {"text": "a", "self": "b"}),
        ("text", {"text": "a", "unknown": 1}),
        ("many", {"ids": "abc"}),
        ("many", {"ids": [1]}),
        ("many", {"ids": [], "limit": "three"}),
        ("many", {"ids": [], "limit": True}),
        ("form", {"form": []}),
        ("place", {"place": [], "on": False, "size": 3}),
        ("place", {"place": {}, "on": 1, "size": 3}),
        ("place", {"place": {}, "on": True, "size": "NaN?"}),
    ],
)
def test_what_does_not_fit_is_told(handler: str, payload: dict[str, Any]):
    assert misfit(getattr(Demo, handler), payload)
