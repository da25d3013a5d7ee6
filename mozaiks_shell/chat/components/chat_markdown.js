// Markdown of a runtime: no raw HTML, no remote images, links that open safely.
import { memo, useRef, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useNavigate } from "react-router";
import ReactMarkdown from "react-markdown";
import remarkGfm from "remark-gfm";

const GFM = [remarkGfm];
const SERVER = /^\/+(api|auth|brand|ws|login|_[^/]*|\.well-known)(\/|$)/i;

// Where an address leads: {path} to a page of this app, {href} elsewhere, null where no agent may send anybody
// (our own server: a click there acts with the person's cookie) or nowhere.
function target(href) {
  try {
    const url = new URL(href, location.href);
    if (url.origin !== location.origin) return { href };
    return SERVER.test(decodeURIComponent(url.pathname)) ? null : { path: url.pathname + url.search + url.hash };
  } catch {
    return null;
  }
}

// The path when the address is a page of this app, else null.
export const ownPath = (href) => target(href)?.path ?? null;

function Link({ href = "", children }) {
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

const Image = ({ src = "", alt }) => jsx(Link, { href: src, children: alt || src });

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

const components = (labels) => ({
  a: Link,
  img: Image,
  pre: function Code({ children }) {
    const box = useRef(null);
    const text = () => box.current?.innerText ?? "";
    return jsxs("div", {
      className: "mzc-code",
      children: [
        jsx("pre", { ref: box, tabIndex: 0, children }),
        jsx(CopyButton, { text, label: labels.copyCode, done: labels.copied, className: "mzc-copy" }),
      ],
    });
  },
  table: ({ children }) => jsx("div", { className: "mzc-scroll", tabIndex: 0, children: jsx("table", { className: "mzc-table", children }) }),
});

// Labels never change while the page lives, so a new object with the same words redraws nothing.
export const Prose = memo(
  function Prose({ text, labels }) {
    const [drawn] = useState(() => components(labels));
    return jsx("div", {
      className: "mzc-prose",
      dir: "auto",
      children: jsx(ReactMarkdown, { remarkPlugins: GFM, components: drawn, children: text }),
    });
  },
  (before, after) => before.text === after.text,
);
