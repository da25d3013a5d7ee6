import { Children, Fragment, useEffect, useLayoutEffect, useRef, useState } from "react";
import { jsx } from "@emotion/react";
import { Link, useLocation, useNavigationType } from "react-router";
import { mzT } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";

const root = () => document.documentElement;
const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode: not kept */ } };
const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const folded = () => { try { return JSON.parse(kept("mz-folds")) || []; } catch { return []; } };

// Prerendered pages end in a slash, visited ones do not.
const usePath = () => useLocation().pathname.replace(/(.)\/$/, "$1");

const leads = (to, exact, path) => !!to && (path === to || (!exact && path.startsWith(to + "/")));
const chevron = jsx("svg", { className: "mz-icon mz-chevron mz-flip", viewBox: "0 0 24 24", width: 14, height: 14, "aria-hidden": true },
  jsx("path", { d: "m9 18 6-6-6-6" }));

// The outermost box; the footer is its last child but one and stands after the page, which Reflex appends.
// Ways in (sign-in) show the visitor's navigation; gated pages are only served to people; on all others data-person
// decides, which the server (or the head script) has set before the first paint.
export function MzFrame({ bare, gated, signedIn, ready, layout, wordmark, children }) {
  const path = usePath();
  usePlace();
  useEffect(started, []);
  useEffect(() => {
    if (!ready) return;
    keep("mz-person", signedIn ? "1" : "0");
    if (signedIn) delete root().dataset.person;
    else root().dataset.person = "none";
  }, [ready, signedIn]);
  useEffect(() => {
    if (!ready) return;
    keep("mz-layout", JSON.stringify(layout));
    window.mzLayout(layout);
    root().toggleAttribute("data-wordmark", wordmark);
  }, [ready, layout, wordmark]);
  useLayoutEffect(() => { document.getElementById("mz-folds")?.remove(); closeMenus(); }, [path]);
  const look = "mz-frame" + (bare.includes(path) ? " mz-frame-bare" : gated.includes(path) ? "" : " mz-frame-open");
  const ref = useRef(null);
  // An address without a prerendered page is served with another page's HTML; React keeps its attributes.
  useEffect(() => { ref.current.className = look; }, [look]);
  const all = Children.toArray(children), page = all.pop(), footer = all.pop();
  return jsx("div", { className: look, ref, onClick: chosen, onKeyDown: arrows, onPointerOver: inFull },
    all, page, footer, jsx(Arrival, { path }));
}

// From here on everything on the page answers; what was pressed before is done now.
const started = () => {
  const timer = setTimeout(() => { root().dataset.runs = "1"; window.mzEarly?.(); });
  return () => clearTimeout(timer);
};

// Going back or reloading leads to the same place on the page. Pages fill up after they have come, so the router alone
// would find them too short: the place is sought until it is there, or somebody scrolls.
const places = () => { try { return JSON.parse(sessionStorage.getItem("mz-places")) || {}; } catch { return {}; } };
function usePlace() {
  const { key } = useLocation(), back = useNavigationType() === "POP";
  useLayoutEffect(() => {
    let wanted = back ? places()[key] || 0 : 0;
    const end = () => { wanted = 0; watch.disconnect(); };
    const seek = () => {
      if (wanted) window.scrollTo(0, wanted);
      if (Math.abs(scrollY - wanted) < 2) end();
    };
    const watch = new ResizeObserver(seek);
    if (wanted) watch.observe(document.body);
    const timer = setTimeout(end, 15000), stop = new AbortController(), { signal } = stop;
    for (const act of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(act, end, { signal, passive: true });
    let y = wanted;
    addEventListener("scroll", () => { y = wanted || scrollY; }, { signal, passive: true });
    const note = () => {
      const others = Object.entries(places()).filter(([other]) => other !== key).slice(-49);
      try { sessionStorage.setItem("mz-places", JSON.stringify(Object.fromEntries([...others, [key, y]]))); } catch { /* not kept */ }
    };
    addEventListener("pagehide", note, { signal });
    return () => { end(); clearTimeout(timer); stop.abort(); note(); };
  }, [key]);
}

const closeMenus = () => document.querySelectorAll(".mz-menu:popover-open").forEach((menu) => menu.hidePopover());

// A line of a menu was chosen: the menu has done its work.
const chosen = (e) => {
  if (e.target.closest?.(".mz-menu a, .mz-menu [data-done]") || e.target.closest?.(".mz-sidebar:popover-open :is(a, [data-done])"))
    e.target.closest(":popover-open")?.hidePopover();
};

// Up and down lead through the lines of an open menu.
const arrows = (e) => {
  const menu = e.target.closest?.(".mz-menu:popover-open");
  if (!menu || (e.key !== "ArrowDown" && e.key !== "ArrowUp") || e.target.type === "radio") return;
  const lines = [...menu.querySelectorAll("a, button, input")].filter((one) => one.checkVisibility());
  const at = lines.indexOf(e.target) + (e.key === "ArrowDown" ? 1 : -1);
  lines[(at + lines.length) % lines.length]?.focus();
  e.preventDefault();
};

// What is cut off can be read in full by resting on it.
const inFull = (e) => {
  const text = e.target.closest?.(".mz-truncate");
  if (text && text.clientWidth > 1 && text.scrollWidth > text.clientWidth) text.title = text.textContent;
  else text?.removeAttribute("title");
};

// Says where one has arrived: nothing reloads, so a screen reader would not.
function Arrival({ path }) {
  const [title, setTitle] = useState("");
  const from = useRef(path);
  useEffect(() => {
    if (from.current === path) return;
    from.current = path;
    const timer = setTimeout(() => setTitle(document.title), 400);
    return () => clearTimeout(timer);
  }, [path]);
  return jsx("div", { className: "mz-hidden", role: "status" }, title);
}

// The sidebar: beside the page where there is room, else a drawer (native popover) that closes on navigation. While the
// drawer is open, Tab goes around in it.
export function MzSidebar({ children, ...rest }) {
  const ref = useRef(null);
  const path = usePath();
  useEffect(() => {
    const close = () => ref.current?.matches(":popover-open") && ref.current.hidePopover();
    close();
    const wide = window.matchMedia("(min-width: 900px)");
    wide.addEventListener("change", close);
    return () => wide.removeEventListener("change", close);
  }, [path]);
  const lines = () => [...ref.current.querySelectorAll("a, button")].filter((one) => one.checkVisibility({ visibilityProperty: true }));
  const opened = (e) => {
    if (e.target !== ref.current || e.newState !== "open") return;
    const inNav = lines().filter((one) => one.closest(".mz-nav"));
    (inNav.find((one) => one.hasAttribute("aria-current")) || inNav[0])?.focus();
  };
  const around = (e) => {
    if (e.key !== "Tab" || !ref.current.matches(":popover-open")) return;
    const all = lines(), edge = e.shiftKey ? all[0] : all[all.length - 1];
    if (e.target !== edge) return;
    e.preventDefault();
    all[e.shiftKey ? all.length - 1 : 0].focus();
  };
  // Esc also puts away what only hovering has brought up.
  const keys = (e) => { if (e.key === "Escape") ref.current.dataset.quiet = ""; around(e); };
  const loud = () => delete ref.current.dataset.quiet;
  return jsx("aside", { ...rest, ref, popover: "auto", onToggle: opened, onKeyDown: keys, onPointerLeave: loud, onBlur: loud }, children);
}

// Scrolls a line of the navigation into sight, and nothing else: not the page.
const reveal = (line) => {
  const box = line.closest(".mz-nav");
  if (!box) return;
  const one = line.getBoundingClientRect(), all = box.getBoundingClientRect();
  box.scrollTop += Math.max(0, one.bottom + 8 - all.bottom) - Math.max(0, all.top + 8 - one.top);
};

export function MzNavLink({ to, exact, ...rest }) {
  const path = usePath();
  const here = leads(to, exact, path);
  const ref = useRef(null);
  useEffect(() => {
    if (here) requestAnimationFrame(() => ref.current && reveal(ref.current));
    else ref.current.removeAttribute("aria-current");
  }, [here]);
  return jsx(Link, { ...rest, ref, to, "aria-current": here ? "page" : undefined });
}

// Open or folded, as this browser remembers; arriving at a page inside opens it. The head script has folded it before
// the first paint.
function useFold(id, here) {
  const [open, setOpen] = useState(true);
  useLayoutEffect(() => setOpen(!folded().includes(id)), [id]);
  useLayoutEffect(() => { if (here) setOpen(true); }, [here]);
  const toggle = () => {
    const others = folded().filter((one) => one !== id);
    keep("mz-folds", JSON.stringify(open ? [...others, id].slice(-99) : others));
    setOpen(!open);
  };
  return [open, toggle];
}

// Lines with a depth, as a tree.
const nest = (lines, entries) => {
  const tops = [], above = [];
  entries.forEach((entry, at) => {
    const depth = Math.min(entry.depth || 0, above.length);
    const one = { entry, line: lines[at], under: [] };
    (depth ? above[depth - 1].under : tops).push(one);
    above.splice(depth, 9, one);
  });
  return tops;
};
const within = (one, path) => one.under.some((other) => leads(other.entry.path, other.entry.exact, path) || within(other, path));

// A group of the navigation. `children` are the lines of `entries`, in order.
export function MzNavGroup({ title, entries, children }) {
  const path = usePath();
  const tree = nest(Children.toArray(children), entries);
  const here = tree.some((one) => leads(one.entry.path, one.entry.exact, path) || within(one, path));
  const fold = "g:" + title;
  const [open, toggle] = useFold(fold, here && path);
  const list = jsx("ul", { "data-open": open || !title }, tree.map((one) => jsx(Entry, { key: one.entry.id, one, path })));
  if (!title) return jsx("div", { className: "mz-nav-group" }, list);
  return jsx("div", { className: "mz-nav-group", "data-fold": fold },
    jsx("h2", { className: "mz-nav-heading" },
      jsx("button", { type: "button", "aria-expanded": open, onClick: toggle }, jsx("span", { className: "mz-truncate", dir: "auto" }, mzT(title)), chevron)), list);
}

function Entry({ one, path }) {
  const { entry, line, under } = one;
  const fold = "e:" + entry.id;
  const [open, toggle] = useFold(fold, within(one, path) && path);
  const name = mzT(entry.title, {}, entry.domain);
  if (!under.length) return entry.kind === "group" ? null : jsx("li", { className: "mz-nav-item" }, line);
  const switches = { type: "button", "aria-expanded": open, onClick: toggle };
  return jsx("li", { className: "mz-nav-item mz-nav-parent", "data-fold": fold },
    entry.kind === "group"
      ? jsx("button", { ...switches, className: "mz-nav-link" }, line, chevron)
      : jsx("div", { className: "mz-nav-row" }, line,
          jsx("button", { ...switches, className: "mz-nav-fold", "aria-label": mzT("Pages beneath {name}", { name }) }, chevron)),
    jsx("ul", { "data-open": open, "data-title": name }, under.map((other) => jsx(Entry, { key: other.entry.id, one: other, path }))));
}

// Collapses the sidebar to icons. The head script has applied the kept choice before the first paint.
export function MzNavToggle({ children, ...rest }) {
  const [mini, setMini] = useState(false);
  useEffect(() => {
    const look = () => setMini(root().dataset.nav === "mini");
    const watch = new MutationObserver(look);
    watch.observe(root(), { attributeFilter: ["data-nav"] });
    look();
    return () => watch.disconnect();
  }, []);
  const toggle = () => {
    root().dataset.nav = mini ? "" : "mini";
    keep("mz-nav", mini ? "open" : "mini");
  };
  const name = mini ? mzT("Expand sidebar") : mzT("Collapse sidebar");
  return jsx("button", { ...rest, type: "button", onClick: toggle, "aria-label": name }, children, jsx("span", { className: "mz-nav-words" }, name));
}

// Where we are. The server's word counts; until it has come, the navigation knows.
export function MzCrumbs({ crumbs, nav, ...rest }) {
  const path = usePath();
  // An address without a page of its own is served with the start page's frame: React first draws what is there.
  const [first, setFirst] = useState(() => servedTrail(nav, path));
  useEffect(() => setFirst(null), []);
  const told = first || (crumbs.length && crumbs[crumbs.length - 1].path === path ? crumbs : trail(nav, path));
  if (!told.length) return null;
  return jsx("nav", { ...rest, "aria-label": mzT("Breadcrumbs") }, jsx("ol", {}, told.map((one, at) => {
    const last = at === told.length - 1, text = { className: "mz-truncate", dir: "auto" };
    return jsx("li", { key: at }, at > 0 && chevron,
      last ? jsx("span", { ...text, "aria-current": "page" }, mzT(one.title, {}, one.domain))
        : one.path ? jsx(Link, { ...text, to: one.path }, mzT(one.title, {}, one.domain)) : jsx("span", text, mzT(one.title, {}, one.domain)));
  })));
}

const servedTrail = (nav, path) => {
  if (typeof document === "undefined") return trail(nav, path);
  const there = [...document.querySelectorAll(".mz-crumbs li")].map((one) => one.textContent).join("/");
  const says = (told) => told.map((one) => mzT(one.title, {}, one.domain)).join("/") === there;
  return [path, "/"].map((one) => trail(nav, one)).find(says) || [];
};

const trail = (groups, path) => {
  for (const group of groups) {
    const above = [];
    for (const entry of group.entries) {
      above.splice(entry.depth || 0, 9, entry);
      if (entry.path === path) return above.slice();
    }
  }
  return [];
};

// A list one narrows by typing; each line is an <li>, some may come later.
export function MzFinder({ label, onOpen, children, ...rest }) {
  const ref = useRef(null), box = useRef(null);
  const narrow = () => {
    const wanted = box.current.value.trim().toLowerCase();
    const lines = [...ref.current.querySelectorAll("li")];
    for (const line of lines) {
      const text = line.textContent.toLowerCase();
      line.hidden = !wanted.split(/\s+/).every((word) => text.includes(word));
      delete line.dataset.first;
    }
    const first = wanted && lines.find((line) => !line.hidden);
    if (first) first.dataset.first = "";
  };
  useEffect(() => {
    const panel = ref.current.closest("[popover]"), more = new MutationObserver(narrow);
    const toggled = (e) => {
      more.disconnect();
      if (e.newState !== "open") return;
      box.current.value = "";
      more.observe(ref.current, { childList: true, subtree: true });
      narrow();
      onOpen?.();
      box.current.focus();
    };
    panel.addEventListener("toggle", toggled);
    return () => panel.removeEventListener("toggle", toggled);
  }, []);
  const choose = (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault();
    ref.current.querySelector("li:not([hidden]) :is(a, button)")?.click();
  };
  return jsx("div", { ...rest, ref }, jsx("input", { ref: box, type: "text", role: "searchbox", className: "mz-input", placeholder: label,
    "aria-label": label, autoComplete: "off", spellCheck: false, onInput: narrow, onKeyDown: choose }), children);
}

// Messages from handlers. Each is shown once per tab, even when the page is loaded again.
export function MzToaster({ items }) {
  const [shown, setShown] = useState([]);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (!items?.length) return;
    const seen = Number(sessionStorage.getItem("mz-notice") || 0);
    const fresh = items.filter((one) => one.id > seen);
    if (!fresh.length) return;
    sessionStorage.setItem("mz-notice", String(fresh[fresh.length - 1].id));
    setShown((old) => [...old, ...fresh].slice(-4));
  }, [items]);
  useEffect(() => {
    const next = shown.find((one) => one.tone !== "danger");
    if (!next || held) return;
    const timer = setTimeout(() => setShown((old) => old.filter((one) => one !== next)), 6000 / Math.max(1, shown.length - 1));
    return () => clearTimeout(timer);
  }, [shown, held]);
  const drop = (one) => () => setShown((old) => old.filter((other) => other !== one));
  return jsx("div", { className: "mz-toasts", role: "region", "aria-label": mzT("Notices"), "aria-live": "polite",
    onPointerEnter: () => setHeld(true), onPointerLeave: () => setHeld(false), onFocus: () => setHeld(true), onBlur: () => setHeld(false) },
  shown.map((one) => jsx("div", { key: one.id, className: "mz-toast mz-tone-" + one.tone, role: one.tone === "danger" ? "alert" : undefined },
    jsx("span", { className: "mz-toast-dot", "aria-hidden": true }),
    jsx("span", { className: "mz-toast-text" }, one.text),
    jsx("button", { type: "button", className: "mz-toast-close", "aria-label": mzT("Close notice"), onClick: drop(one) }, "×"))));
}
