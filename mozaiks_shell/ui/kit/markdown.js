// Markdown a person wrote: no raw HTML, no remote images, links inside the app without a page load.
import { memo } from "react";
import { jsx } from "react/jsx-runtime";
import { Link as Inside } from "react-router";
import ReactMarkdown from "react-markdown";
import remarkGfm from "remark-gfm";

const GFM = [remarkGfm];
const SERVER = /^\/+(api|auth|brand|ws|login|_[^/]*|\.well-known)(\/|$)/i; // a click there acts with the person's cookie

function Link({ href = "", children }) {
  if (!href) return jsx("span", { children });
  if (href.startsWith("#")) return jsx("a", { href, children });
  let url;
  try { url = new URL(href, location.href); } catch { return jsx("span", { children }); }
  if (url.origin !== location.origin) return jsx("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", children });
  let path = url.pathname;
  try { path = decodeURIComponent(path); } catch { /* as it is */ }
  if (SERVER.test(path)) return jsx("span", { children });
  return jsx(Inside, { to: url.pathname + url.search + url.hash, children });
}

// The page's own headings stand above, so the text's begin at level 2.
const heading = (level) => ({ children }) => jsx("h" + Math.min(level + 1, 6), { className: "mz-prose-h" + level, children });

const components = {
  a: Link,
  img: ({ src = "", alt }) => jsx(Link, { href: src, children: alt || src }),
  input: ({ checked }) => jsx("span", { className: "mz-prose-box", "data-done": checked ? "" : undefined, "aria-hidden": true }),
  pre: ({ children }) => jsx("pre", { tabIndex: 0, children }),
  table: ({ children }) => jsx("div", { className: "mz-prose-scroll", tabIndex: 0, children: jsx("table", { children }) }),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((level) => ["h" + level, heading(level)])),
};

export const MzMarkdown = memo(function MzMarkdown({ text, ...rest }) {
  return jsx("div", { ...rest, dir: "auto", children: jsx(ReactMarkdown, { remarkPlugins: GFM, components, children: text || "" }) });
});
