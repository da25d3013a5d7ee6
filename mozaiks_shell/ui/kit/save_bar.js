import { useEffect, useRef, useState } from "react";
import { jsx } from "@emotion/react";
import { useBlocker } from "react-router";

// Forms of this page with changes nobody has saved yet.
const unsaved = new Set();

const changed = (control) => {
  if (!control.name || control.disabled) return false;
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control.tagName === "SELECT") {
    const options = [...control.options];
    const stored = options.find((one) => one.defaultSelected) || options[0];
    return control.selectedOptions[0] !== stored;
  }
  return "defaultValue" in control && control.type !== "file" && control.value !== control.defaultValue;
};

// What the controls show now is what is stored: the state that `reset` goes back to.
const keep = (control) => {
  if (control.type === "checkbox" || control.type === "radio") control.defaultChecked = control.checked;
  else if (control.tagName === "SELECT") for (const one of control.options) one.defaultSelected = one.selected;
  else if ("defaultValue" in control && control.type !== "file") control.defaultValue = control.value;
};

// Which bar was pressed before the page was loaded anew.
const remember = (id) => { try { sessionStorage.setItem("mz-saved", id); } catch { /* private mode: not said */ } };
const recall = () => { try { return sessionStorage.getItem("mz-saved"); } catch { return ""; } };

// The foot of a form. `saved` and `failed` are numbers that grow with every answer of the server: one stores what is
// shown, the other brings the focus to the first mistaken control. Controls elsewhere on the page may belong to the
// form by their `form` attribute. With `reload` the page is loaded anew after success (a language, for instance).
export function MzSaveBar({ saved, failed, words, clear, always, reload, children, ...rest }) {
  const ref = useRef(null);
  const [state, setState] = useState("clean");
  const now = useRef(state);
  const go = (next) => {
    now.current = next;
    setState(next);
    if (next === "dirty") unsaved.add(ref.current);
    else unsaved.delete(ref.current);
  };
  const form = () => ref.current.closest("form");
  const look = () => go([...form().elements].some(changed) ? "dirty" : now.current === "saved" ? "saved" : "clean");

  useEffect(() => {
    const own = form();
    const input = (event) => event.target.form === own && look();
    const submit = () => go("busy");
    const reset = () => setTimeout(() => own.isConnected && look());
    const leave = (event) => now.current === "dirty" && event.preventDefault();
    document.addEventListener("input", input);
    own.addEventListener("submit", submit);
    own.addEventListener("reset", reset);
    window.addEventListener("beforeunload", leave);
    const bar = ref.current;
    return () => {
      document.removeEventListener("input", input);
      own.removeEventListener("submit", submit);
      own.removeEventListener("reset", reset);
      window.removeEventListener("beforeunload", leave);
      unsaved.delete(bar);
    };
  }, []);

  useEffect(() => {
    if (!reload || recall() !== rest.id) return;
    remember("");
    go("saved");
    ref.current.querySelector("[type=submit]").focus();
    const timer = setTimeout(() => now.current === "saved" && go("clean"), 5000);
    return () => clearTimeout(timer);
  }, []);

  const first = useRef({ saved, failed });
  useEffect(() => {
    if (saved === first.current.saved) return;
    first.current.saved = saved;
    if (clear) form().reset();
    else [...form().elements].forEach(keep);
    if (reload) { // said by the new page; this one is busy until then
      remember(rest.id);
      location.reload();
      return;
    }
    go("saved");
    const timer = setTimeout(() => now.current === "saved" && go("clean"), 5000);
    return () => clearTimeout(timer);
  }, [saved]);
  useEffect(() => {
    if (failed === first.current.failed) return;
    first.current.failed = failed;
    go("dirty");
    requestAnimationFrame(() => [...form().elements].find((one) => one.getAttribute("aria-invalid") === "true")?.focus());
  }, [failed]);

  const idle = state === "busy" || (!always && state !== "dirty");
  const note = { dirty: words.dirty, busy: words.busy, saved: words.saved }[state] || "";
  return jsx("div", { ...rest, ref, "data-state": state },
    jsx("div", { className: "mz-savebar-note" },
      jsx("span", { role: "status" }, note), state === "clean" ? children : null),
    state === "dirty" && jsx("button", { type: "reset", className: "mz-button mz-ghost mz-savebar-undo" }, words.discard),
    jsx("button", {
      type: "submit", className: "mz-button mz-primary", "aria-disabled": idle || undefined,
      onClick: (event) => idle && event.preventDefault(),
    }, words.save));
}

// Asks before going elsewhere with something unsaved. One per page.
export function MzLeaveGuard({ words }) {
  const blocker = useBlocker(({ currentLocation, nextLocation }) =>
    unsaved.size > 0 && currentLocation.pathname !== nextLocation.pathname);
  const ref = useRef(null);
  const blocked = blocker.state === "blocked";
  useEffect(() => {
    if (blocked && !ref.current.open) ref.current.showModal();
    if (!blocked && ref.current.open) ref.current.close();
  }, [blocked]);
  const stay = () => blocker.state === "blocked" && blocker.reset();
  const leave = () => { unsaved.clear(); blocker.proceed(); };
  return jsx("dialog", { ref, className: "mz-dialog", "aria-labelledby": "mz-leave-title", onClose: stay },
    jsx("div", { className: "mz-dialog-body" },
      jsx("h2", { id: "mz-leave-title", className: "mz-card-title" }, words.title),
      jsx("p", { className: "mz-dialog-text" }, words.text),
      jsx("div", { className: "mz-row mz-gap-2 mz-dialog-foot" },
        jsx("button", { type: "button", className: "mz-button mz-danger", onClick: leave }, words.leave),
        jsx("button", { type: "button", className: "mz-button mz-primary", autoFocus: true, onClick: () => ref.current.close() }, words.stay))));
}
