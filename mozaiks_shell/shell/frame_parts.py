"""The frame's client-side parts (``frame.js``) and the router's own link, as components."""

from typing import Any

import reflex as rx
from reflex_base.vars import VarData
from reflex_base.vars.base import Var
from reflex_components_core.base.error_boundary import ErrorBoundary

_FRAME_JS = "$/public" + rx.asset("frame.js", shared=True)

# Runs before the first paint: what this browser remembers of the sidebar and of being signed in.
HEAD_SCRIPT = (
    "try{var d=document.documentElement.dataset,s=localStorage;"
    'if(s.getItem("mz-nav")==="mini")d.nav="mini";'
    'if(s.getItem("mz-person")!=="1")d.person="none"}catch(e){}'
)


class FrameRoot(rx.Component):
    """``bare``: the ways in; ``gated``: routes that are only served to people. Everything else is for both."""

    library = _FRAME_JS
    tag = "MzFrame"

    bare: rx.Var[list[str]]
    gated: rx.Var[list[str]]
    signed_in: rx.Var[bool]
    ready: rx.Var[bool]


class Sidebar(rx.Component):
    """The sidebar and its drawer."""

    library = _FRAME_JS
    tag = "MzSidebar"


class NavToggle(rx.Component):
    """The button that collapses the sidebar."""

    library = _FRAME_JS
    tag = "MzNavToggle"


class Toaster(rx.Component):
    """Shows ``Notices.items``."""

    library = _FRAME_JS
    tag = "MzToaster"

    items: rx.Var[list[Any]]


class NavLink(rx.Component):
    """A link that says ``aria-current="page"`` when it leads to where we are, without asking the server."""

    library = _FRAME_JS
    tag = "MzNavLink"

    to: rx.Var[str]
    exact: rx.Var[bool]


class PageBoundary(ErrorBoundary):
    """Catches a page that breaks while rendering; going elsewhere makes it whole again."""

    reset_keys: rx.Var[list[str]]


HERE: Var[list[str]] = Var(
    _js_expr="[mzHere.pathname]",
    _var_type=list[str],
    _var_data=VarData(imports={"react-router": "useLocation"}, hooks={"const mzHere = useLocation();": None}),
)
