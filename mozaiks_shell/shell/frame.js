import { useEffect, useRef, useState } from "react";
import { jsx } from "@emotion/react";
import { Link, useLocation } from "react-router";

const root = () => document.documentElement;
const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode: not kept */ } };

// Prerendered pages end in a slash, visited ones do not.
const usePath = () => useLocation().pathname.replace(/(.)\/$/, "$1");

// The outermost box. Ways in (sign-in) show the visitor's navigation; gated pages are only served to people; on all
// others the head script's guess (data-person) decides until the server has said who is here.
export function MzFrame({ bare, gated, signedIn, ready, children }) {
  const path = usePath();
  useEffect(() => {
    if (!ready) return;
    keep("mz-person", signedIn ? "1" : "0");
    if (signedIn) delete root().dataset.person;
    else root().dataset.person = "none";
  }, [ready, signedIn]);
  const look = "mz-frame" + (bare.includes(path) ? " mz-frame-bare" : gated.includes(path) ? "" : " mz-frame-open");
  const ref = useRef(null);
  // An address without a prerendered page is served with another page's HTML; React keeps its attributes.
  useEffect(() => { ref.current.className = look; }, [look]);
  return jsx("div", { className: look, ref }, children, jsx(Arrival, { path }));
}

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

// The sidebar: beside the page where there is room, else a drawer (native popover) that closes on navigation.
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
  return jsx("aside", { ...rest, ref, popover: "auto" }, children);
}

export function MzNavLink({ to, exact, ...rest }) {
  const path = usePath();
  const here = path === to || (!exact && path.startsWith(to + "/"));
  const ref = useRef(null);
  useEffect(() => {
    if (here) ref.current.scrollIntoView({ block: "nearest" });
    else ref.current.removeAttribute("aria-current");
  }, [here]);
  return jsx(Link, { ...rest, ref, to, "aria-current": here ? "page" : undefined });
}

// Collapses the sidebar to icons. The head script has applied the kept choice before the first paint.
export function MzNavToggle({ children, ...rest }) {
  const [mini, setMini] = useState(false);
  useEffect(() => setMini(root().dataset.nav === "mini"), []);
  const toggle = () => {
    if (mini) delete root().dataset.nav;
    else root().dataset.nav = "mini";
    keep("mz-nav", mini ? "" : "mini");
    setMini(!mini);
  };
  const name = mini ? "Expand sidebar" : "Collapse sidebar";
  return jsx("button", { ...rest, type: "button", onClick: toggle, "aria-label": name, title: name }, children);
}

// Messages from handlers. Each is shown once per tab, even when the page is loaded again.
export function MzToaster({ items }) {
  const [shown, setShown] = useState([]);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    const seen = Number(sessionStorage.getItem("mz-notice") || 0);
    const fresh = (items || []).filter((one) => one.id > seen);
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
  return jsx("div", { className: "mz-toasts", role: "region", "aria-label": "Notices", "aria-live": "polite",
    onPointerEnter: () => setHeld(true), onPointerLeave: () => setHeld(false), onFocus: () => setHeld(true), onBlur: () => setHeld(false) },
  shown.map((one) => jsx("div", { key: one.id, className: "mz-toast mz-tone-" + one.tone, role: one.tone === "danger" ? "alert" : undefined },
    jsx("span", { className: "mz-toast-dot", "aria-hidden": true }),
    jsx("span", { className: "mz-toast-text" }, one.text),
    jsx("button", { type: "button", className: "mz-toast-close", "aria-label": "Close notice", onClick: drop(one) }, "×"))));
}
