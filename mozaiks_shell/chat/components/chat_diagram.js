// Diagrams (Mermaid). Arrives when an answer has one. What Mermaid draws is cleaned and shown as a picture: nothing in a
// picture runs, loads or can be clicked, whatever its text says.
import { useEffect, useState } from "react";
import { jsx } from "react/jsx-runtime";
import DOMPurify from "dompurify";
import mermaid from "mermaid";

const CLEAN = { USE_PROFILES: { svg: true, svgFilters: true }, FORBID_TAGS: ["image", "use", "foreignObject", "a", "script"] };
// Mermaid measures labels as HTML in our page: what would be a tag there becomes a sign that only looks like its beginning.
// Line breaks and <<stereotypes>> of class diagrams stay.
const TAGS = /<<[\w -]+>>|<br\s*\/?>|<(?=[a-z!/?])/gi;
const harmless = (text) => text.replace(TAGS, (found) => (found === "<" ? "\uFF1C" : found));

let [drawings, queue] = [0, Promise.resolve()];

function colours() {
  const look = getComputedStyle(document.documentElement);
  const canvas = document.createElement("canvas").getContext("2d");
  const plain = (name) => {
    canvas.fillStyle = look.getPropertyValue(name).trim();
    return canvas.fillStyle;
  };
  const [text, line, surface, soft, muted] = ["--color-text", "--color-line-strong", "--color-surface", "--color-accent-soft", "--color-muted"].map(plain);
  return {
    background: surface, primaryColor: soft, primaryTextColor: text, primaryBorderColor: line, lineColor: muted, textColor: text,
    secondaryColor: surface, tertiaryColor: surface, noteBkgColor: surface, noteTextColor: text, noteBorderColor: line,
    darkMode: document.documentElement.classList.contains("dark"),
  }; // prettier-ignore
}

// One at a time: Mermaid keeps its settings for all of them together.
function draw(text) {
  const work = async () => {
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: "strict",
      htmlLabels: false,
      flowchart: { htmlLabels: false },
      suppressErrorRendering: true,
      maxTextSize: 20_000,
      maxEdges: 300,
      theme: "base",
      fontFamily: "system-ui, sans-serif",
      themeVariables: colours(),
    });
    const { svg } = await mermaid.render(`mzc-diagram-${++drawings}`, harmless(text));
    const clean = DOMPurify.sanitize(svg, CLEAN);
    const root = new DOMParser().parseFromString(clean, "text/html").querySelector("svg");
    const [, , width, height] = (root?.getAttribute("viewBox") || "").split(/[\s,]+/).map(Number);
    if (!width || !height) throw new Error("nothing was drawn");
    root.setAttribute("width", width);
    root.setAttribute("height", height);
    root.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    const file = new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" });
    return { url: URL.createObjectURL(file), width: Math.ceil(width), height: Math.ceil(height) };
  };
  return (queue = queue.then(work, work));
}

function useTheme() {
  const [theme, setTheme] = useState(document.documentElement.className);
  useEffect(() => {
    const watch = new MutationObserver(() => setTheme(document.documentElement.className));
    watch.observe(document.documentElement, { attributeFilter: ["class"] });
    return () => watch.disconnect();
  }, []);
  return theme;
}

export function Diagram({ text, labels, failed }) {
  const theme = useTheme();
  const [picture, setPicture] = useState(null);
  useEffect(() => {
    let [here, url] = [true, ""];
    draw(text).then(
      (made) => {
        url = made.url;
        if (here) setPicture(made);
        else URL.revokeObjectURL(url);
      },
      () => here && failed(),
    );
    return () => {
      here = false;
      if (url) URL.revokeObjectURL(url);
    };
  }, [text, theme]); // eslint-disable-line react-hooks/exhaustive-deps
  if (!picture) return jsx("div", { className: "mzc-diagram", "aria-busy": true });
  const { url, width, height } = picture;
  return jsx("div", { className: "mzc-diagram", tabIndex: 0, children: jsx("img", { src: url, width, height, alt: labels.diagram, title: undefined }) });
}
