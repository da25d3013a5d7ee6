// Files for a chat: checked here so that a refusal comes at once, sent with progress, drawn in the log.
import { memo } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { mzNumber } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";

const UNITS = ["B", "kB", "MB", "GB"];
const isolate = (text) => (getComputedStyle(document.documentElement).direction === "rtl" ? `\u2068${text}\u2069` : text);
export const put = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? isolate(values[name]) : whole));

export function size(bytes) {
  const step = bytes ? Math.min(UNITS.length - 1, Math.floor(Math.log(bytes) / Math.log(1000))) : 0;
  const value = bytes / 1000 ** step;
  return `${mzNumber(step && value < 10 ? Math.round(value * 10) / 10 : Math.round(value))} ${UNITS[step]}`;
}

// Why this file may not be put into the chat; "" when it may. uploads: {most, count, types}, null where none are taken.
export function objection(file, uploads, held, labels) {
  if (!uploads) return labels.noFiles;
  const { name } = file;
  if (held >= uploads.count) return put(labels.tooMany, { count: mzNumber(uploads.count) });
  if (!file.size) return put(labels.emptyFile, { name });
  if (file.size > uploads.most) return put(labels.tooLarge, { name, size: size(file.size), most: size(uploads.most) });
  if (uploads.types.length && !uploads.types.some((one) => name.toLowerCase().endsWith(one)))
    return put(labels.wrongKind, { name, kinds: uploads.types.join(", ") });
  return "";
}

// {done, abort}; done gives why it was refused, "" when it arrived.
export function upload(chat, file, onPart, lost) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve) => {
    const told = () => {
      try {
        return JSON.parse(request.responseText).detail;
      } catch {
        return "";
      }
    };
    request.upload.onprogress = (event) => event.lengthComputable && onPart(event.loaded / event.total);
    request.onload = () => resolve(request.status < 300 ? "" : told() || request.statusText || String(request.status));
    request.onerror = request.onabort = () => resolve(lost);
    const form = new FormData();
    form.append("chatId", chat);
    form.append("intent", "context");
    form.append("file", file, file.name);
    request.open("POST", "/api/chat/upload");
    request.send(form);
  });
  return { done, abort: () => request.abort() };
}

const FILE = jsxs("svg", {
  viewBox: "0 0 24 24",
  "aria-hidden": true,
  children: [jsx("path", { d: "M14 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8z" }), jsx("path", { d: "M14 2v6h6" })],
});
const CROSS = jsx("svg", { viewBox: "0 0 24 24", "aria-hidden": true, children: jsx("path", { d: "M6 6l12 12M18 6L6 18" }) });
export const Cross = () => CROSS;

// files: [{id, file, part}]; part is how much of it was sent, 0 to 1, while it is.
export function Chips({ files, labels, onRemove }) {
  if (!files.length) return null;
  return jsx("ul", {
    className: "mzc-chips",
    "aria-label": labels.files,
    children: files.map(({ id, file, part }) =>
      jsxs(
        "li",
        {
          className: "mzc-chip",
          children: [
            FILE,
            jsxs("span", {
              className: "mzc-chip-text",
              children: [jsx("bdi", { className: "mzc-chip-name", children: file.name }), jsx("bdi", { dir: "ltr", children: size(file.size) })],
            }),
            part !== undefined && jsx("progress", { max: 1, value: part, "aria-label": put(labels.sendingFile, { name: file.name }) }),
            onRemove &&
              jsx("button", {
                type: "button",
                className: "mzc-chip-remove",
                "aria-label": put(labels.removeFile, { name: file.name }),
                title: put(labels.removeFile, { name: file.name }),
                onClick: () => onRemove(id),
                children: CROSS,
              }),
          ],
        },
        id,
      ),
    ),
  });
}

// A file that is in the chat: item {id, name, size}.
export const Attachment = memo(function Attachment({ item, labels }) {
  return jsx("article", {
    className: "mzc-message mzc-attached",
    "data-role": "user",
    "aria-label": labels.you,
    children: jsxs("a", {
      className: "mzc-chip",
      href: `/api/files/${encodeURIComponent(item.id)}`,
      download: item.name,
      children: [
        FILE,
        jsxs("span", {
          className: "mzc-chip-text",
          children: [jsx("bdi", { className: "mzc-chip-name", children: item.name }), jsx("bdi", { dir: "ltr", children: size(item.size) })],
        }),
      ],
    }),
  });
});
