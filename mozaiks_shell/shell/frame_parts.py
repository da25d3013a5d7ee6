"""The frame's client-side parts (``frame.js``) and the router's own link, as components."""

import json
from collections.abc import Mapping
from typing import Any, Final

import reflex as rx
from reflex_base.vars import VarData
from reflex_base.vars.base import Var
from reflex_components_core.base.error_boundary import ErrorBoundary

from mozaiks_shell.ui.i18n import I18N_JS, t

assert I18N_JS == "$/public/external/mozaiks_shell/ui/i18n/i18n.js", "frame.js imports it by this path"
SIDEBAR: Final = "mz-sidebar"
_FRAME_JS: Final = "$/public" + rx.asset("frame.js", shared=True)

# Runs before the first paint: the layout as the server says it, else as this browser last saw it, else as it was
# built; then what this browser remembers of the sidebar and, where the server has not said, of being signed in.
_HEAD_SCRIPT: Final = """
(function(){var d=document.documentElement.dataset,s={getItem:function(){return null}};try{s=localStorage}catch(e){}
window.mzLayout=function(l){d.side=l.side;d.bar=l.header?l.sticky?"":"static":"none";d.fixed=l.collapsible?"":"1";
d.nav=l.collapsible&&(s.getItem("mz-nav")||(l.collapsed?"mini":""))==="mini"?"mini":""};
try{mzLayout(JSON.parse(d.layout||s.getItem("mz-layout")||'BUILT'));
if(!d.served&&s.getItem("mz-person")!=="1")d.person="none";
var f=JSON.parse(s.getItem("mz-folds")||"[]");
if(f.length){var e=document.createElement("style");e.id="mz-folds";e.textContent=f.map(function(k){
return'[data-fold="'+CSS.escape(k)+'"]:not(:has([aria-current=page]))>ul'}).join()+"{height:0;visibility:hidden}";
document.head.append(e)}}catch(e){}})()
"""


def head_script(layout: Mapping[str, Any]) -> str:
    """The inline script of every page's head, for a product built with this layout."""
    return _HEAD_SCRIPT.replace("BUILT", json.dumps(dict(layout))).replace("\n", "")


class FrameRoot(rx.Component):
    """``bare``: the ways in; ``gated``: routes that are only served to people. Everything else is for both.

    The last child must be the footer; it ends up after the page.
    """

    library = _FRAME_JS
    tag = "MzFrame"

    bare: rx.Var[list[str]]
    gated: rx.Var[list[str]]
    signed_in: rx.Var[bool]
    ready: rx.Var[bool]
    layout: rx.Var[dict[str, Any]]
    wordmark: rx.Var[bool]


class Sidebar(rx.Component):
    """The sidebar and its drawer."""

    library = _FRAME_JS
    tag = "MzSidebar"


class NavGroup(rx.Component):
    """A group of the navigation: one child per entry, in their order; nests them by ``depth``."""

    library = _FRAME_JS
    tag = "MzNavGroup"

    title: rx.Var[str]
    entries: rx.Var[list[Any]]


class NavToggle(rx.Component):
    """The button that collapses the sidebar."""

    library = _FRAME_JS
    tag = "MzNavToggle"


class NavLink(rx.Component):
    """A link that says ``aria-current="page"`` when it leads to where we are, without asking the server."""

    library = _FRAME_JS
    tag = "MzNavLink"

    to: rx.Var[str]
    exact: rx.Var[bool]


class Crumbs(rx.Component):
    """Where we are: ``crumbs`` of State when they are about this page, else the way through ``nav``."""

    library = _FRAME_JS
    tag = "MzCrumbs"

    crumbs: rx.Var[list[Any]]
    nav: rx.Var[list[Any]]


class Finder(rx.Component):
    """A list one narrows by typing; ``on_open`` runs when the panel around it opens."""

    library = _FRAME_JS
    tag = "MzFinder"

    label: rx.Var[str]
    on_open: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type]


class Toaster(rx.Component):
    """Shows ``Notices.items``."""

    library = _FRAME_JS
    tag = "MzToaster"

    items: rx.Var[list[Any]]


class PageBoundary(ErrorBoundary):
    """Catches a page that breaks while rendering; going elsewhere makes it whole again."""

    reset_keys: rx.Var[list[str]]


HERE: Var[list[str]] = Var(
    _js_expr="[mzHere.pathname]",
    _var_type=list[str],
    _var_data=VarData(imports={"react-router": "useLocation"}, hooks={"const mzHere = useLocation();": None}),
)


def titled(entry: Any, key: str = "title") -> Var[str]:
    """The title of an entry of State, from the catalogue its ``domain`` names."""
    plain = t(entry[key].to(str))
    return Var(f"mzT({entry[key]}, {{}}, {entry['domain']})", _var_type=str, _var_data=plain._get_all_var_data())


def some(items: Var[Any], test: str) -> Var[bool]:
    """Whether one of a list's items passes ``test``, a JavaScript expression about ``one``."""
    return Var(f"{items}.some((one) => {test})", _var_type=bool, _var_data=items._get_all_var_data())
