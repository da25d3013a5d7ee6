import { Children, useEffect, useState, useSyncExternalStore } from "react";
import { jsx } from "@emotion/react";
import { Link, useLocation } from "react-router";
import { mzBoot, mzBrand, mzN, mzT } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";

const LIVE = typeof document !== "undefined";
const ROUTE = "/_error";
const fact = (LIVE && mzBoot("error")) || null;
// The server answers a failed navigation with the error page's HTML. The router has to start on that page's route, or
// its first render would not be what was served; the address bar gets the person's address back at once.
const address = fact ? window.location.pathname + window.location.search + window.location.hash : "";
if (fact) window.history.replaceState(window.history.state, "", ROUTE);

const never = () => () => {};
const useLive = (value, before) => useSyncExternalStore(never, () => value, () => before);

export function kindOf(error) {
  const { status, code } = error;
  if (status === 403) return code === "FEATURE_GATED" ? "plan" : code === "ROLE_NEEDED" ? "role" : "403";
  if (status === 502 || status === 504) return "upstream";
  return [401, 404, 429, 500, 503].includes(status) ? String(status) : "other";
}

// All kinds are in the served HTML, of which the style sheet shows one; from here on only that one is left.
export function MzErrors({ kinds, titles, children }) {
  const here = useLocation().pathname;
  const kind = fact && (here.startsWith(ROUTE) || here === window.location.pathname) ? kindOf(fact) : "404";
  const shown = useLive(kind, "");
  useEffect(() => {
    if (fact && window.location.pathname.startsWith(ROUTE)) window.history.replaceState(window.history.state, "", window.location.origin + address); // "//x" alone is a host
  }, []);
  useEffect(() => {
    if (shown) document.title = titles[shown] + " · " + mzBrand("name");
  }, [shown]);
  const all = Children.toArray(children);
  return jsx("div", { className: "mz-errors" + (shown ? " mz-errors-one" : "") }, shown ? all[kinds.indexOf(shown)] : all);
}

// What the server said, in place of the general sentence.
export function MzFact({ name, children }) {
  return useLive((fact && !String(fact.code || "").startsWith("HTTP_") && fact[name]) || null, null) || children;
}

// A sentence about the plan or role that would open it; the children where the server names none.
export function MzNeeded({ text, children }) {
  return useLive(fact?.needed ? mzT(text, { needed: fact.needed }) : null, null) || children;
}

export function MzSignInHere({ children, ...rest }) {
  const to = useLive(address && address !== "/" ? "/sign-in?next=" + encodeURIComponent(address) : "/sign-in", "/sign-in");
  return jsx(Link, { ...rest, to }, children);
}

export function MzPlanHere({ children, ...rest }) {
  const to = useLive(fact?.needed ? "/plans?plan=" + encodeURIComponent(fact.needed) : "/plans", "/plans");
  return jsx(Link, { ...rest, to }, children);
}

const reload = () => window.location.reload();

// A button that opens after the wait the server asked for.
export function MzRetry({ now, className }) {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const end = Date.now() + 1000 * Math.min(86400, Number(fact?.retry_after) || 0);
    const tick = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, []);
  const text = !left || now ? mzT("Try again") : mzN("Try again in {count} second", "Try again in {count} seconds", left);
  return jsx("button", { type: "button", className, onClick: reload, disabled: !now && left > 0 }, text);
}

// Asks for the page again, more and more seldom, until the answer is another one.
export function MzComingBack() {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    let stop = false, timer = 0, pause = Math.min(60, Number(fact?.retry_after) || 4);
    const look = async () => {
      try {
        const answer = await fetch(window.location.href, { cache: "no-store", headers: { accept: "application/json" } });
        if (!stop && answer.status !== 503) return reload();
      } catch { /* not there yet */ }
      pause = Math.min(60, pause * 1.6);
      count(Math.round(pause));
    };
    const count = (seconds) => {
      if (stop) return;
      setLeft(seconds);
      timer = setTimeout(() => (seconds > 1 ? count(seconds - 1) : look()), 1000);
    };
    count(Math.round(pause));
    return () => { stop = true; clearTimeout(timer); };
  }, []);
  const text = left ? mzN("Trying again in {count} second", "Trying again in {count} seconds", left) : mzT("Trying again…");
  return jsx("p", { className: "mz-error-wait", "aria-hidden": true }, jsx("span", { className: "mz-pulse" }), text);
}

// Status and code; where it is our fault, also the reference by which whoever helps finds it.
export function MzErrorFacts({ children }) {
  const told = useLive(fact, null);
  const [copied, setCopied] = useState(false);
  const reference = told && told.status >= 500 ? told.reference : "";
  const facts = told ? [told.status, told.code, reference].filter(Boolean) : [children].filter(Boolean);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(facts.join(" "));
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch { /* not allowed here: the text can be selected */ }
  };
  return jsx("p", { className: "mz-error-facts" },
    facts.map((one) => jsx("span", { key: one, className: "mz-mono", dir: "ltr" }, one)),
    reference && jsx("button", { type: "button", className: "mz-error-copy", onClick: copy }, copied ? mzT("Copied") : mzT("Copy")),
    reference && jsx("span", { className: "mz-hidden", role: "status" }, copied ? mzT("Copied") : ""));
}
