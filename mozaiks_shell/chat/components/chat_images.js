// Pictures of other servers: nothing is asked for before the person wants to see it, and then our server fetches it.
import { useState, useSyncExternalStore } from "react";
import { jsx, jsxs } from "react/jsx-runtime";

const KEY = "mozaiks.chat.pictures.";
const RASTER = /^data:image\/(png|jpeg|gif|webp);base64,[a-z0-9+/=\s]+$/i;
const watchers = new Set();
let [chat, all, wanted] = ["", false, new Set()];

const tell = () => watchers.forEach((watcher) => watcher());
const subscribe = (watcher) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};

// The chat that is shown; what the person allows is allowed in it, for as long as the tab lives.
export function picturesOf(id) {
  if (!id || id === chat) return;
  [chat, all, wanted] = [id, sessionStorage.getItem(KEY + id) === "all", new Set()];
  tell();
}

function allow(src) {
  if (src) wanted = new Set([...wanted, src]);
  else {
    all = true;
    sessionStorage.setItem(KEY + chat, "all");
  }
  tell();
}

function remote(src) {
  try {
    const url = new URL(src, location.href);
    return /^https?:$/.test(url.protocol) && url.origin !== location.origin ? url : null;
  } catch {
    return null;
  }
}

const FRAME = jsxs("svg", {
  viewBox: "0 0 24 24",
  "aria-hidden": true,
  children: [jsx("rect", { x: 3, y: 3, width: 18, height: 18, rx: 2 }), jsx("circle", { cx: 9, cy: 9, r: 2 }), jsx("path", { d: "m21 15-3.1-3.1a2 2 0 0 0-2.8 0L6 21" })],
});

export function Picture({ src, alt, labels, Link }) {
  const shown = useSyncExternalStore(subscribe, () => Boolean(chat) && (all || wanted.has(src)));
  const [failed, setFailed] = useState(false);
  const url = remote(src);
  if (RASTER.test(src)) return jsx("img", { className: "mzc-picture", src, alt });
  if (!url) return jsx(Link, { href: src, children: alt || src });
  if (shown && !failed) {
    const ours = `/api/chats/${encodeURIComponent(chat)}/picture?url=${encodeURIComponent(src.trim())}`;
    return jsx(Link, { href: url.href, children: jsx("img", { className: "mzc-picture", src: ours, alt, loading: "lazy", onError: () => setFailed(true) }) });
  }
  return jsxs("span", {
    className: "mzc-remote",
    role: "group",
    "aria-label": alt || labels.picture,
    children: [
      FRAME,
      jsxs("span", {
        className: "mzc-remote-words",
        children: [jsx("span", { children: alt || labels.picture }), jsx("small", { children: failed ? labels.pictureFailed : `${labels.pictureFrom} ${url.host}` })],
      }),
      failed
        ? jsx(Link, { href: url.href, children: labels.pictureOpen })
        : jsxs("span", {
            className: "mzc-remote-ways",
            children: [
              jsx("button", { type: "button", className: "mz-button mz-button-small mz-secondary", onClick: () => allow(src), children: labels.pictureShow }),
              jsx("button", { type: "button", className: "mzc-link", onClick: () => allow(""), children: labels.pictureAll }),
            ],
          }),
    ],
  });
}
