// Markdown of a runtime: no raw HTML, links that open safely, pictures of others only when the person wants them.
import { memo, useEffect, useMemo, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useNavigate } from "react-router";
import { blocksOf } from "./chat_blocks.js";
import { Code } from "./chat_code.js";
import { Picture } from "./chat_images.js";
import "./chat_answers.css";

const SERVER = /^\/+(api|auth|brand|ws|login|_[^/]*|\.well-known)(\/|$)/i;
const SAFE = new Set(["http:", "https:", "mailto:"]);
const ENTITY = /&(?:#x[0-9a-f]{1,6}|#\d{1,7}|[a-z][a-z0-9]{1,31});/gi;

// Where an address leads: {path} to a page of this app, {href} elsewhere, null where no agent may send anybody
// (our own server: a click there acts with the person's cookie) or nowhere.
function target(href) {
  try {
    const url = new URL(href, location.href);
    if (!SAFE.has(url.protocol)) return null;
    if (url.origin !== location.origin) return { href };
    return SERVER.test(decodeURIComponent(url.pathname)) ? null : { path: url.pathname + url.search + url.hash };
  } catch {
    return null;
  }
}

// The path when the address is a page of this app, else null.
export const ownPath = (href) => target(href)?.path ?? null;

let reader;
function decoded(text) {
  if (!text.includes("&")) return text;
  reader ||= new DOMParser();
  return text.replace(ENTITY, (one) => reader.parseFromString(one, "text/html").body.textContent);
}

function Link({ href, children }) {
  const navigate = useNavigate();
  const to = target(href);
  if (!href || !to) return jsx("span", { children });
  const { path } = to;
  if (!path || href.startsWith("#")) return jsx("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", children });
  const go = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    navigate(path);
  };
  return jsx("a", { href: path, onClick: go, children });
}

const COPY = jsxs("svg", {
  viewBox: "0 0 24 24",
  "aria-hidden": true,
  children: [jsx("rect", { x: 8, y: 8, width: 14, height: 14, rx: 2 }), jsx("path", { d: "M4 16a2 2 0 0 1-2-2V4c0-1.1.9-2 2-2h10a2 2 0 0 1 2 2" })],
});

export function CopyButton({ text, label, done, className, ...more }) {
  const [copied, setCopied] = useState(false);
  const told = () => {
    setCopied(true);
    setTimeout(() => setCopied(false), 1600);
  };
  const copy = () => navigator.clipboard?.writeText(text()).then(told, () => {}); // the browser may forbid it
  return jsx("button", { type: "button", className, "aria-label": label, title: label, onClick: copy, ...more, children: copied ? done : COPY });
}

// A formula: its source until the program that draws it is there, and where it cannot be drawn.
function Formula({ token, open }) {
  const [Drawn, load] = useState(null);
  useEffect(() => {
    if (open) return undefined;
    let here = true;
    import("./chat_math.js").then((math) => here && load(() => math.Formula), () => {});
    return () => (here = false);
  }, [open]);
  const source = jsx("code", { className: "mzc-formula-source", children: token.text });
  return Drawn && !open ? jsx(Drawn, { text: token.text, display: token.display, fallback: source }) : source;
}

const MARKS = { strong: "strong", em: "em", del: "del" };

function inline(tokens, labels, open) {
  return (tokens || []).map((token, index) => {
    switch (token.type) {
      case "strong":
      case "em":
      case "del":
        return jsx(MARKS[token.type], { children: inline(token.tokens, labels, open) }, index);
      case "codespan":
        return jsx("code", { children: token.text }, index);
      case "br":
        return jsx("br", {}, index);
      case "checkbox":
        return jsx("input", { type: "checkbox", checked: token.checked, disabled: true, readOnly: true, className: "mzc-check" }, index);
      case "formula":
        return jsx(Formula, { token, open }, index);
      case "image":
        return jsx(Picture, { src: decoded(token.href), alt: decoded(token.text), labels, Link }, index);
      case "link": {
        const href = decoded(token.href);
        if (!token.tokens?.some((one) => one.type === "image")) return jsx(Link, { href, children: inline(token.tokens, labels, open) }, index);
        return jsxs("span", { children: [...inline(token.tokens, labels, open), " ", jsx(Link, { href, children: href }, "to")] }, index);
      }
      case "html":
        return token.raw;
      default:
        if (token.tokens) return jsx("span", { children: inline(token.tokens, labels, open) }, index);
        return token.type === "text" && !token.escaped ? decoded(token.text) : (token.text ?? token.raw);
    }
  });
}

function items(list, labels, open) {
  return list.items.map((item, index) =>
    jsx("li", { className: item.task ? "mzc-task" : undefined, children: item.tokens.map((token, at) => block(token, labels, open, at, !item.loose)) }, index),
  );
}

function cells(row, tag, labels) {
  return row.map((cell, index) =>
    jsx(tag, { scope: tag === "th" ? "col" : undefined, "data-align": cell.align || undefined, children: inline(cell.tokens, labels) }, index),
  );
}

function block(token, labels, open, key, tight = false) {
  switch (token.type) {
    case "paragraph":
      return tight ? jsx("span", { children: inline(token.tokens, labels, open) }, key) : jsx("p", { children: inline(token.tokens, labels, open) }, key);
    case "heading":
      return jsx(`h${token.depth}`, { children: inline(token.tokens, labels, open) }, key);
    case "code":
      return jsx(Code, { token, open: Boolean(token.open), labels, CopyButton }, key);
    case "list":
      return token.ordered
        ? jsx("ol", { start: token.start === 1 ? undefined : token.start, children: items(token, labels, open) }, key)
        : jsx("ul", { children: items(token, labels, open) }, key);
    case "blockquote":
      return jsx("blockquote", { children: token.tokens.map((one, at) => block(one, labels, open, at)) }, key);
    case "hr":
      return jsx("hr", {}, key);
    case "formula":
      return jsx("div", { className: "mzc-scroll mzc-formula", tabIndex: 0, children: jsx(Formula, { token, open }) }, key);
    case "table":
      return jsx(
        "div",
        {
          className: "mzc-scroll",
          tabIndex: 0,
          children: jsxs("table", {
            className: "mzc-table",
            children: [
              jsx("thead", { children: jsx("tr", { children: cells(token.header, "th", labels) }) }),
              jsx("tbody", { children: token.rows.map((row, at) => jsx("tr", { children: cells(row, "td", labels) }, at)) }),
            ],
          }),
        },
        key,
      );
    case "space":
    case "def":
      return null;
    case "html":
      return jsx("p", { children: token.raw }, key);
    default:
      return inline([token], labels, open)[0];
  }
}

// Labels never change while the page lives, so a new object with the same words redraws nothing.
const Block = memo(
  ({ token, labels, open }) => block(token, labels, open),
  (before, after) =>
    before.token.raw === after.token.raw && before.token.refs === after.token.refs && before.open === after.open && before.token.open === after.token.open,
);

// `done` and `tail` are blocks (chat_blocks.js); those of `tail` are still being written.
export function Blocks({ done, tail = [], labels }) {
  return [
    ...done.map((token, index) => jsx(Block, { token, labels, open: false }, index)),
    ...tail.map((token, index) => jsx(Block, { token, labels, open: true }, done.length + index)),
  ];
}

export const Prose = memo(
  function Prose({ text, labels }) {
    const done = useMemo(() => blocksOf(text), [text]);
    return jsx("div", { className: "mzc-prose", dir: "auto", children: jsx(Blocks, { done, labels }) });
  },
  (before, after) => before.text === after.text,
);
