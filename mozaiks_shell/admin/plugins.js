import { useEffect, useRef, useState } from "react";
import { jsx } from "@emotion/react";

// Copies a line and says so for a moment. Without a clipboard (plain http elsewhere) the line is selected instead.
export function MzCopy({ text, words, children, ...rest }) {
  const [done, setDone] = useState(""), ref = useRef(null), timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(words.copied);
    } catch {
      const line = ref.current.querySelector("code"), range = document.createRange();
      range.selectNodeContents(line);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      setDone(words.selected);
    }
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(""), 2500);
  };
  return jsx("div", { ...rest, ref },
    jsx("code", { dir: "ltr", translate: "no" }, text),
    jsx("button", { type: "button", className: "mz-button mz-secondary mz-button-small", onClick: copy }, children, jsx("span", {}, done || words.copy)),
    jsx("span", { className: "mz-hidden", role: "status" }, done));
}
