// Formulas (KaTeX). Arrives when an answer has one.
import { useLayoutEffect, useRef, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import katex from "katex";
import sheet from "katex/dist/katex.min.css?inline";
import size3 from "katex/dist/fonts/KaTeX_Size3-Regular.woff2?url&no-inline";

// A font this small was put into the style sheet as data:, which our policy does not load.
const looks = new CSSStyleSheet();
looks.replaceSync(sheet.replace(/url\(["']?data:font\/woff2[^)]*\)/, `url(${size3})`));
document.adoptedStyleSheets = [...document.adoptedStyleSheets, looks];

const LIMITS = { throwOnError: true, trust: false, strict: "ignore", maxSize: 20, maxExpand: 500 };

export function Formula({ text, display, fallback }) {
  const place = useRef(null);
  const [broken, setBroken] = useState("");
  useLayoutEffect(() => {
    try {
      katex.render(text, place.current, { ...LIMITS, displayMode: display });
    } catch {
      setBroken(text);
    }
  }, [text, display]);
  return jsxs("span", { dir: "ltr", children: [jsx("span", { ref: place, hidden: broken === text }), broken === text && fallback] });
}
