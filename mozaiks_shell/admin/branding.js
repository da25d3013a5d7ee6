import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { jsx } from "@emotion/react";

// At most one call in `pause` milliseconds while a value keeps changing; the last one is always told.
const usePaced = (call, pause) => {
  const state = useRef({ timer: 0, next: null, call });
  state.current.call = call;
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return (value) => {
    const now = state.current;
    now.next = { value };
    if (now.timer) return;
    now.timer = setTimeout(() => {
      now.timer = 0;
      now.call?.(now.next.value);
    }, pause);
  };
};

// One colour: the browser's own picker and a text box that say the same.
export function MzColor({ id, value, shown, ratio, level, label, words, onPick }) {
  const [text, setText] = useState(value);
  const typing = useRef(false);
  useEffect(() => { if (!typing.current) setText(value); }, [value]);
  const tell = usePaced(onPick, 90);
  const tellText = usePaced(onPick, 250);
  const wrong = level === "error";
  return jsx("span", { className: "mz-color", "data-level": level || undefined },
    jsx("span", { className: "mz-color-well", style: { backgroundColor: shown } },
      jsx("input", { type: "color", value: shown, "aria-label": words.picker.replace("{color}", label),
        onChange: (event) => { setText(event.target.value); tell(event.target.value); } })),
    jsx("input", { id, className: "mz-color-text", type: "text", value: text, placeholder: shown, spellCheck: false, autoComplete: "off", maxLength: 64,
      "aria-label": label, "aria-invalid": wrong || undefined, "aria-describedby": level ? id + "-note" : undefined,
      onFocus: () => { typing.current = true; },
      onBlur: () => { typing.current = false; if (level !== "error" || text === value) setText(value); },
      onChange: (event) => { setText(event.target.value); tellText(event.target.value); } }),
    ratio ? jsx("span", { className: "mz-color-ratio", title: words.ratio }, ratio) : null,
    value ? jsx("button", { type: "button", className: "mz-color-clear", "aria-label": words.clear.replace("{color}", label), title: words.auto,
      onClick: () => { setText(""); onPick?.(""); } }, "×") : null);
}

// A part of the page that wears another look. Values go through the style object, one property each: none can leave it.
export function MzLook({ look, faces, mode, label, children }) {
  const ref = useRef(null);
  useLayoutEffect(() => {
    const style = ref.current.style;
    for (const name of [...style]) if (!(name in look)) style.removeProperty(name);
    for (const [name, value] of Object.entries(look)) if (/^--[a-z0-9-]+$/.test(name)) style.setProperty(name, value);
  }, [look]);
  useEffect(() => {
    for (const { family, src } of faces || []) {
      if ([...document.fonts].some((font) => font.family.replace(/["']/g, "") === family)) continue;
      const font = new FontFace(family, `url("${new URL(src, location.origin).href}")`);
      document.fonts.add(font);
      font.load().catch(() => document.fonts.delete(font));
    }
  }, [faces]);
  return jsx("figure", { className: "mz-look", "aria-label": label },
    jsx("figcaption", { className: "mz-look-title" }, label),
    jsx("div", { ref, className: "mz-preview " + mode, inert: true }, children));
}

// Reads a text file of this computer. It never leaves it as a file, only as text.
export function MzTextFile({ accept, most, onText, children, ...rest }) {
  const input = useRef(null);
  const read = async (event) => {
    const file = event.target.files[0];
    event.target.value = "";
    if (file) onText?.(file.size > most ? "" : await file.text());
  };
  return jsx("span", { className: "mz-file" },
    jsx("button", { ...rest, type: "button", onClick: () => input.current.click() }, children),
    jsx("input", { ref: input, type: "file", accept, hidden: true, tabIndex: -1, "aria-hidden": true, onChange: read }));
}
