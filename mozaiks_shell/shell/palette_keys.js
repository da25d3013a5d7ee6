// Always there, small: listens for the keys of palette and shortcuts, and fetches the palette when somebody is about to use
// it (a modifier key goes down, the pointer nears its button) or the browser has nothing else to do.
import { Fragment, useEffect, useRef, useState } from "react";
import { jsx } from "react/jsx-runtime";
import { useNavigate } from "react-router";

const IDLE_MS = 2500;
const SEQUENCE_MS = 1500;
const OFF = "mz-keys-off";

// Which dialog is open ("", "palette" or "keys"). One for the page, so that buttons anywhere can open it.
const watchers = new Set();
let mode = "";
export const palette = {
  get: () => mode,
  subscribe(watcher) {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  },
  show(next) {
    if (mode === next) return;
    mode = next;
    watchers.forEach((watcher) => watcher());
  },
};

export const apple = typeof navigator !== "undefined" && /Mac|iP(hone|ad|od)/.test(navigator.platform);
const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

// Single keys as shortcuts can be switched off (WCAG 2.1.4): people who speak to their computer press keys without meaning to.
export const singleKeys = {
  on: () => remembered(OFF) !== "1",
  set(on) { try { localStorage.setItem(OFF, on ? "0" : "1"); } catch { /* private mode: until the next load */ } },
};

// The letter on the key, also on keyboards of other scripts.
function letter(event) {
  const key = event.key.toLowerCase();
  if (key.length === 1 && key > "\u007f") return event.code.replace(/^Key(.)$/, "$1").toLowerCase();
  return key;
}

// A box in a dialog that has just closed keeps the focus until the next frame; nobody types there.
const typing = (target) =>
  target.checkVisibility?.() !== false &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest?.("[role=textbox],[role=menu],[role=listbox]"));

// Pages of the navigation as {keys, path, title, entry}; those of people without the page are not in it.
export function keyed(nav, top, core) {
  const entries = [...nav.flatMap((group) => group.entries), ...top];
  return entries
    .map((entry) => ({ keys: entry.shortcut || (entry.gate === "ok" && core[entry.path]) || "", entry }))
    .filter(({ keys, entry }, at, all) => keys && entry.gate === "ok" && all.findIndex((one) => one.keys === keys) === at);
}

export function MzPaletteHost({ nav = [], top = [], core, commands, signedIn, ready, onRun, onTrigger, children }) {
  const [wanted, want] = useState(false);
  const navigate = useNavigate();
  const latest = useRef(null);
  useEffect(() => {
    latest.current = { nav, top, core, commands, here: !ready || signedIn, onRun, onTrigger, navigate };
  });
  useEffect(() => {
    if (apple) document.documentElement.dataset.apple = "";
    const open = (which) => {
      if (!latest.current.here) return;
      want(true);
      palette.show(which);
    };
    const near = () => latest.current.here && want(true);

    let typed = "";
    let forget = 0;
    const go = ({ entry, id, path }) => {
      const { navigate: visit, onRun: run, onTrigger: trigger } = latest.current;
      if (entry) return entry.kind === "workflow" ? trigger(entry.id) : entry.href ? location.assign(entry.href) : visit(entry.path);
      return path ? visit(path) : run(id);
    };
    const keys = (event) => {
      if (event.isComposing || event.defaultPrevented || !event.key) return;
      if (event.key === "Meta" || event.key === "Control") return near();
      const key = letter(event);
      const mod = apple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
      if (mod && !event.altKey && !event.shiftKey && key === "k") {
        event.preventDefault();
        return palette.get() === "palette" ? palette.show("") : open("palette");
      }
      if (palette.get() || document.querySelector("dialog[open]:not(.mz-pal, .mz-shortcuts)") || !latest.current.here) return;
      const { nav: groups, top: more, core: known, commands: acts } = latest.current;
      const wishes = [...keyed(groups, more, known), ...acts];
      if (mod && !event.altKey) {
        const wish = wishes.find((one) => one.keys === `mod+${key}`);
        if (wish) {
          event.preventDefault();
          go(wish);
        }
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || key.length !== 1 || typing(event.target) || !singleKeys.on()) return;
      if (key === "?") {
        event.preventDefault();
        return open("keys");
      }
      clearTimeout(forget);
      for (const tried of typed ? [`${typed} ${key}`, key] : [key]) {
        const wish = wishes.find((one) => one.keys === tried);
        typed = "";
        if (wish) {
          event.preventDefault();
          return go(wish);
        }
        if (wishes.some((one) => one.keys.startsWith(`${tried} `))) {
          typed = tried;
          forget = setTimeout(() => (typed = ""), SEQUENCE_MS);
          return;
        }
      }
    };
    const click = (event) => {
      const button = event.target.closest?.("[data-mz-palette]");
      if (!button) return;
      button.closest("[popover]")?.hidePopover?.();
      open(button.dataset.mzPalette);
    };
    const hover = (event) => event.target.closest?.("[data-mz-palette]") && near();
    const heard = [["keydown", keys], ["click", click], ["pointerover", hover], ["focusin", hover]];
    heard.forEach(([name, listener]) => addEventListener(name, listener));
    let idle = 0;
    const later = setTimeout(() => (idle = window.requestIdleCallback?.(near) || 0), IDLE_MS);
    return () => {
      clearTimeout(later);
      clearTimeout(forget);
      if (idle) cancelIdleCallback(idle);
      heard.forEach(([name, listener]) => removeEventListener(name, listener));
    };
  }, []);
  return wanted ? jsx(Fragment, { children }) : null;
}
