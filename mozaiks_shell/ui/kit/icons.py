"""Icons: Lucide drawings inlined as SVG, so that no request and no icon library is needed (F-032).

The drawings are Lucide's (ISC licence, see ``lucide.LICENSE``).
"""

import reflex as rx

from mozaiks_shell.ui.icon_names import COMMON, FALLBACK, drawings, known
from mozaiks_shell.ui.kit._props import Child, given
from mozaiks_shell.ui.page import pages


def _svg(name: str, size: int | rx.Var[int], label: Child = "", class_name: str = "") -> rx.Component:
    hearing = {"role": "img", "aria_label": label} if given(label) else {"aria_hidden": "true"}
    drawing = {"dangerouslySetInnerHTML": {"__html": drawings()[known(name)]}}
    return rx.el.svg(
        view_box="0 0 24 24", width=size, height=size, class_name=f"mz-icon {class_name}".strip(), custom_attrs=drawing, **hearing
    )


_further: set[str] = set()


def draw_also(*names: str) -> None:
    """Have these icons at hand for :func:`named_icon`, too: names that only a configuration file says."""
    _further.update(known(name) for name in names if name and "." not in name)


@rx.memo
def named_icon(name: rx.Var[str], size: rx.Var[int]) -> rx.Component:
    """An icon whose name arrives with State: one of :data:`COMMON` or of the declared pages'."""
    names = sorted({*COMMON, *_further, *(known(page.icon) for page in pages() if "." not in page.icon)})
    return rx.match(name, *[(one, _svg(one, size)) for one in names], _svg(FALLBACK, size))


def icon(name: str | rx.Var[str], size: int = 16, label: Child = "", class_name: str = "") -> rx.Component:
    """An icon in the text's colour.

    Args:
        name: A Lucide name (``list-checks``), an image file of the app's assets (``spark.svg``), or a Var holding a Lucide name.
        size: Edge in CSS pixels.
        label: What a screen reader says; empty hides a decorative icon from it. Not for a Var.
        class_name: A further class. Not for a Var.
    """
    if isinstance(name, rx.Var):
        return named_icon(name=name.to(str), size=size)
    if "." in name:
        return rx.el.img(src=f"/brand/assets/{name}", alt=label, width=size, height=size, class_name="mz-icon")
    return _svg(name, size, label, class_name)
