import { useEffect, useRef, useState } from "react";
import { jsx } from "@emotion/react";

// What was typed and is not stored yet, by the name of what is edited. Written with every key, so that a closed tab, a
// lost connection or a crash costs nothing; gone as soon as the server has it.
const at = (name) => "mz-draft:" + name;
const keep = (name, draft) => { try { localStorage.setItem(at(name), JSON.stringify(draft)); } catch { /* private mode */ } };
const kept = (name) => { try { return JSON.parse(localStorage.getItem(at(name))); } catch { return null; } };
const drop = (name) => { try { localStorage.removeItem(at(name)); } catch { /* private mode */ } };

const values = (form) => Object.fromEntries([...new FormData(form)].filter(([, one]) => typeof one === "string"));

const PAUSE = 700; // ms without a key before it is sent
const PATIENCE = 8000; // ms to wait for an answer before it is sent again

// A form that saves itself. `onSave` gets {name, values, turn, version}; the server says it is stored by giving `turn`
// back as `saved`. One save is under way at a time, so `version` is always the one the text was based on.
export function MzAutosave({ name, saved, version, onSave, words, children, ...rest }) {
  const ref = useRef(null);
  const [state, setState] = useState("clean");
  const now = useRef({});
  Object.assign(now.current, { saved, version, onSave, name });
  const work = useRef({ typed: 0, sent: 0, pause: 0, again: 0, base: null }).current; // base: what a draft put back stood on
  const stood = () => work.base ?? now.current.version;

  const send = () => {
    clearTimeout(work.pause);
    if (work.typed <= Math.max(work.sent, now.current.saved) || work.sent > now.current.saved) return;
    work.sent = work.typed;
    clearTimeout(work.again);
    work.again = setTimeout(() => { work.sent = 0; setState("waiting"); send(); }, PATIENCE);
    setState("busy");
    now.current.onSave({ name, values: values(ref.current), turn: work.sent, version: stood() });
  };
  const later = () => { clearTimeout(work.pause); work.pause = setTimeout(send, PAUSE); };
  const touch = () => {
    work.typed = Math.max(Date.now(), work.typed + 1);
    keep(name, { values: values(ref.current), turn: work.typed, version: stood() });
  };

  useEffect(() => {
    const form = ref.current;
    const input = () => { touch(); setState("dirty"); later(); };
    const leave = () => { if (document.visibilityState === "hidden") send(); };
    const key = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); send(); }
    };
    const submit = (event) => { event.preventDefault(); send(); };
    form.addEventListener("input", input);
    form.addEventListener("keydown", key);
    form.addEventListener("submit", submit);
    form.addEventListener("focusout", send);
    document.addEventListener("visibilitychange", leave);
    const draft = kept(name);
    if (draft?.values && draft.turn > now.current.saved) {
      for (const control of form.elements) {
        if (!control.name || !(control.name in draft.values) || control.value === draft.values[control.name]) continue;
        control.value = draft.values[control.name];
        work.typed = draft.turn;
      }
      if (work.typed) { work.base = draft.version; setState("dirty"); later(); } else drop(name);
    }
    return () => {
      send(); // the page goes elsewhere within the app: the handler still hears it
      clearTimeout(work.again);
      form.removeEventListener("input", input);
      form.removeEventListener("keydown", key);
      form.removeEventListener("submit", submit);
      form.removeEventListener("focusout", send);
      document.removeEventListener("visibilitychange", leave);
    };
  }, [name]);

  useEffect(() => {
    if (!work.sent || saved < work.sent) return;
    clearTimeout(work.again);
    work.sent = 0;
    work.base = null;
    if (saved >= work.typed) { drop(name); setState("saved"); } else send();
  }, [saved]);

  const note = { busy: words.busy, saved: words.saved, waiting: words.waiting }[state] || "";
  return jsx("form", { ...rest, ref, "data-state": state, noValidate: true, autoComplete: "off" }, children,
    jsx("p", { className: "mz-autosave-note", role: "status" }, note));
}
