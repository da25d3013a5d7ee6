"""The pane's surfaces and layouts as a state machine: pure functions from one :class:`View` to the next (F-171, F-174, F-175).

surface  ``closed`` (the bubble), ``widget``, ``overlay``, ``page`` (the whole window; the address stays as it is)
mode     ``ask`` (conversation alone), ``workflow`` (artifacts beside it)
layout   ``full``, ``split``, ``minimized``, ``view``: conversation to artifact 100/0, about 50/50, 10/90, 0/100
drawer   ``hidden``, ``peek``, ``expanded``: where the artifact is on a phone

What holds for every view is :func:`problems`; a table test asks it after every event in every state.
"""

from dataclasses import dataclass, replace
from typing import Final

SURFACES: Final = ("closed", "widget", "overlay", "page")
MODES: Final = ("ask", "workflow")
LAYOUTS: Final = ("full", "split", "minimized", "view")
DRAWERS: Final = ("hidden", "peek", "expanded")


@dataclass(frozen=True, slots=True)
class View:
    """What the pane looks like. ``before`` is the layout a workflow goes back to; ``small``: the person made the pane small,
    so an artifact does not make it large again."""

    surface: str = "closed"
    mode: str = "ask"
    layout: str = "full"
    before: str = "split"
    drawer: str = "hidden"
    small: bool = False


def problems(view: View) -> list[str]:
    """What must never be on the screen, and is; empty for every view that events lead to."""
    found = []
    for name, known in (("surface", SURFACES), ("mode", MODES), ("layout", LAYOUTS), ("drawer", DRAWERS)):
        if getattr(view, name) not in known:
            found.append(f"no such {name}")
    if view.mode == "ask" and view.layout != "full":
        found.append("ask is always full")
    if view.before not in {"split", "minimized"}:
        found.append("a workflow goes back to a layout with both")
    if view.layout in {"split", "minimized"} and view.before != view.layout:
        found.append("the layout that is seen is the one that is remembered")
    if view.small and view.surface == "page":
        found.append("the whole window is not small")
    if (view.layout == "full") != (view.drawer == "hidden"):
        found.append("the drawer is hidden exactly when there is nothing beside the conversation")
    if view.layout == "view" and view.drawer != "expanded":
        found.append("an artifact alone is a drawer that is up")
    return found


def restored(view: View) -> View:
    """What a browser remembered, which may be anything, as a view that can be."""
    mode = view.mode if view.mode in MODES else "ask"
    surface = view.surface if view.surface in SURFACES else "closed"
    before = view.before if view.before in {"split", "minimized"} else "split"
    layout = view.layout if view.layout in LAYOUTS else "split"
    drawer = view.drawer if view.drawer in DRAWERS else "peek"
    small = view.small is True and surface != "page"
    return _laid(View(surface, mode, "full", before, "hidden", small), layout, drawer)


# -- surfaces --------------------------------------------------------------------------------------------------------------


def opened(view: View, *, widget: bool = True) -> View:
    """The bubble was pressed. Pages without a widget, as those of the chats themselves, open the overlay."""
    if view.surface not in {"closed", "widget"}:
        return view
    return replace(view, surface="widget" if widget else "overlay")


def expanded(view: View) -> View:
    """More room. Who asks for it takes back that the pane stays small."""
    return replace(view, surface="page" if view.surface == "page" else "overlay", small=False)


def filled(view: View) -> View:
    """All the room there is."""
    return replace(view, surface="page", small=False)


def shrunk(view: View, *, widget: bool = True) -> View:
    """One step down: page, overlay, widget, bubble."""
    down = {"page": "overlay", "overlay": "widget" if widget else "closed"}
    return replace(view, surface=down.get(view.surface, "closed"), small=True)


def closed(view: View) -> View:
    """To the bubble."""
    return replace(view, surface="closed")


# -- mode and layout -------------------------------------------------------------------------------------------------------


def asking(view: View) -> View:
    """Ask: the conversation alone, whatever was beside it."""
    return _laid(replace(view, mode="ask"), "full")


def working(view: View) -> View:
    """Workflow: as it was left, with the artifact in reach."""
    return view if view.mode == "workflow" else _laid(replace(view, mode="workflow"), view.before, "peek")


def laid(view: View, layout: str) -> View:
    """Another layout; in ask there is one only, and what is no layout changes nothing."""
    return _laid(view, layout, view.drawer) if layout in LAYOUTS else view


def drawn(view: View, drawer: str) -> View:
    """The drawer of a phone was moved. Hiding it leaves the conversation alone."""
    if drawer not in DRAWERS:
        return view
    if drawer == "hidden":
        return laid(view, "full")
    layout = view.before if view.layout == "full" or (view.layout == "view" and drawer == "peek") else view.layout
    return _laid(view, layout, drawer)


def arrived(view: View, *, alone: bool = False) -> View:
    """A run showed an artifact: that is work, whatever the mode was. It opens the overlay, unless the person made the pane
    small, and never the closed bubble."""
    layout = "view" if alone else view.before if view.layout == "full" else view.layout
    larger = view.surface == "widget" and not view.small
    view = replace(view, mode="workflow", surface="overlay" if larger else view.surface)
    return _laid(view, layout, "expanded")


def shown(view: View, *, alone: bool = False) -> View:
    """The person wants to see the artifact."""
    return arrived(expanded(view), alone=alone)


def _laid(view: View, layout: str, drawer: str = "peek") -> View:
    if view.mode == "ask":
        layout = "full"
    before = layout if layout in {"split", "minimized"} else view.before
    if layout in {"full", "view"}:
        drawer = "hidden" if layout == "full" else "expanded"
    elif drawer == "hidden":
        drawer = "peek"
    return replace(view, layout=layout, before=before, drawer=drawer)
