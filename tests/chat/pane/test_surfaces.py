"""F-174 and F-171: every event in every state of the pane, as a table."""

from collections.abc import Callable
from itertools import product

import pytest

from mozaiks_shell.chat import surfaces
from mozaiks_shell.chat.surfaces import DRAWERS, LAYOUTS, MODES, SURFACES, View, problems

Step = Callable[[View], View]

EVENTS: dict[str, Step] = {
    "open": surfaces.opened,
    "open on a page of chats": lambda view: surfaces.opened(view, widget=False),
    "expand": surfaces.expanded,
    "fill": surfaces.filled,
    "shrink": surfaces.shrunk,
    "shrink on a page of chats": lambda view: surfaces.shrunk(view, widget=False),
    "close": surfaces.closed,
    "ask": surfaces.asking,
    "workflow": surfaces.working,
    "artifact": surfaces.arrived,
    "artifact alone": lambda view: surfaces.arrived(view, alone=True),
    "show": surfaces.shown,
    **{f"layout {one}": lambda view, one=one: surfaces.laid(view, one) for one in (*LAYOUTS, "nonsense")},
    **{f"drawer {one}": lambda view, one=one: surfaces.drawn(view, one) for one in (*DRAWERS, "nonsense")},
}  # fmt: skip


def every() -> list[View]:
    """Every combination, legal or not."""
    parts = (SURFACES, MODES, LAYOUTS, ("split", "minimized", "full", "view"), DRAWERS, (False, True))
    return [View(*one) for one in product(*parts)]


LEGAL = [view for view in every() if not problems(view)]


def reached() -> set[View]:
    """What events lead to from a fresh tab."""
    found, edge = {View()}, [View()]
    while edge:
        edge = [after for view in edge for step in EVENTS.values() if (after := step(view)) not in found]
        found.update(edge)
    return found


@pytest.mark.parametrize("event", EVENTS)
def test_f174_no_event_in_any_state_leads_to_an_illegal_one(event):
    assert {view: wrong for view in LEGAL if (wrong := problems(EVENTS[event](view)))} == {}


def test_f174_exactly_the_legal_states_can_be_reached():
    assert reached() == set(LEGAL)
    assert 0 < len(LEGAL) < len(every())


def test_f174_what_a_browser_remembers_is_made_legal_and_what_is_legal_stays():
    assert [view for view in every() if problems(surfaces.restored(view))] == []
    assert [view for view in LEGAL if surfaces.restored(view) != view] == []
    assert surfaces.restored(View("<script>", "<script>", "<script>", "<script>", "<script>")) == View()  # fmt: skip


@pytest.mark.parametrize("view", [view for view in LEGAL if view.mode == "ask"])
def test_f174_ask_is_always_full(view):
    assert all(surfaces.laid(view, layout).layout == "full" for layout in LAYOUTS)


@pytest.mark.parametrize("alone", [False, True])
def test_f174_an_artifact_forces_workflow_with_it_in_sight(alone):
    for view in LEGAL:
        after = surfaces.arrived(view, alone=alone)
        assert (after.mode, after.drawer) == ("workflow", "expanded")
        assert after.layout == ("view" if alone else view.before if view.layout == "full" else view.layout)


def test_f174_the_remembered_layout_is_never_view():
    for view in LEGAL:
        alone = surfaces.laid(surfaces.working(view), "view")
        assert alone.before == view.before != "view"
        back = surfaces.working(surfaces.asking(alone))
        assert back.layout == view.before


def test_f171_bubble_widget_overlay_page_and_back():
    steps = [surfaces.opened, surfaces.expanded, surfaces.filled, *[surfaces.shrunk] * 3]
    view, seen = View(), []
    for step in steps:
        view = step(view)
        seen.append(view.surface)
    assert seen == ["widget", "overlay", "page", "overlay", "widget", "closed"]


def test_f172_a_page_of_chats_has_no_widget():
    assert surfaces.opened(View(), widget=False).surface == "overlay"
    assert surfaces.shrunk(View("overlay"), widget=False).surface == "closed"


def test_f171_an_artifact_opens_the_overlay_once_unless_the_pane_was_made_small():
    assert surfaces.arrived(View("widget")).surface == "overlay"
    assert surfaces.arrived(surfaces.shrunk(View("overlay"))).surface == "widget"
    assert surfaces.arrived(View("closed")).surface == "closed"
    assert surfaces.shown(surfaces.shrunk(View("overlay"))).surface == "overlay", "who asks for it gets it"


@pytest.mark.parametrize(
    ("before", "drawer", "after"),
    [
        (("full", "hidden"), "peek", ("split", "peek")),
        (("split", "peek"), "expanded", ("split", "expanded")),
        (("split", "expanded"), "hidden", ("full", "hidden")),
        (("view", "expanded"), "peek", ("split", "peek")),
        (("view", "expanded"), "expanded", ("view", "expanded")),
        (("minimized", "expanded"), "peek", ("minimized", "peek")),
    ],
)
def test_f175_the_drawer_and_the_layout_agree(before, drawer, after):
    layout, position = before
    moved = surfaces.drawn(View("overlay", "workflow", layout, "split", position), drawer)
    assert (moved.layout, moved.drawer) == after
