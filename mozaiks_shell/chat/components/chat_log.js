// The messages of one chat: what is written, and what is being written.
import { memo, useEffect, useRef, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { mzDate } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";
import { Actions } from "./chat_actions.js";
import { Choice } from "./chat_choice.js";
import { Attachment } from "./chat_files.js";
import { Prose } from "./chat_markdown.js";
import { Question } from "./chat_question.js";

// Everything up to the last blank line outside a code fence is final and may become Markdown.
function split(text) {
  const cut = text.lastIndexOf("\n\n");
  const head = cut < 0 ? "" : text.slice(0, cut + 2);
  return (head.split("```").length - 1) % 2 ? ["", text] : [head, text.slice(head.length)];
}

export function Writing({ stream, labels }) {
  const [blocks, setBlocks] = useState([]);
  const tail = useRef(null);
  useEffect(() => {
    let done = 0;
    return stream.watchText((text) => {
      if (text.length < done) {
        done = 0;
        setBlocks([]);
      }
      const [head, rest] = split(text.slice(done));
      if (head) {
        done += head.length;
        setBlocks((before) => [...before, head]);
      }
      if (tail.current) tail.current.textContent = rest;
    });
  }, [stream]);
  return jsxs("div", {
    className: "mzc-writing",
    children: [
      ...blocks.map((text, index) => jsx(Prose, { text, labels }, index)),
      jsx("div", { ref: tail, className: "mzc-tail" }, "tail"),
    ],
  });
}

const Message = memo(function Message({ item, named, heard, last, given, labels, stream }) {
  const { role, who, text, at, cancelled, undelivered } = item;
  const note = cancelled ? labels.stopped : undelivered ? labels.undelivered : item.queued && heard ? labels.queued : "";
  const body =
    role === "user" ? jsx("div", { className: "mzc-said", dir: "auto", children: text }) : jsx(Prose, { text: text || "", labels });
  return jsxs("article", {
    className: "mzc-message",
    "data-role": role,
    "data-undelivered": undelivered || undefined,
    "aria-label": role === "user" ? labels.you : who || undefined,
    title: at ? mzDate(at, "datetime") : undefined,
    children: [
      named && role === "agent" && jsx("div", { className: "mzc-who", children: who }),
      body,
      note &&
        jsxs("div", {
          className: "mzc-note",
          children: [
            jsx("span", { children: note }),
            undelivered && jsx("button", { type: "button", className: "mzc-link", onClick: () => stream.giveBack(text), children: labels.writeAgain }),
            undelivered && heard && jsx("button", { type: "button", className: "mzc-link", onClick: () => stream.sayAgain(text), children: labels.sayAgain }),
          ],
        }),
      (role === "agent" || (role === "user" && !undelivered)) && jsx(Actions, { item, heard, last, given, labels, stream }),
    ],
  });
});

const Tool = memo(function Tool({ item, labels, onArtifact }) {
  const artifact = item.display !== "inline";
  if (item.state === "open" && !artifact) return null; // drawn in Python at the end of the log
  const told = { answered: labels.answered, dismissed: labels.dismissed, expired: labels.expired }[item.state] || labels.shown;
  return jsxs("div", {
    className: "mzc-event",
    "data-state": item.state,
    children: [
      jsx("strong", { children: item.title || item.component }),
      jsx("span", { children: item.summary ? `${told}: ${item.summary}` : told }),
      item.state === "open" &&
        jsx("button", { type: "button", className: "mz-button mz-button-small mz-secondary mzc-beside", onClick: onArtifact, children: labels.openArtifact }),
    ],
  });
});

export const Log = memo(function Log({ items, heard, choosing, feedback, labels, stream, onArtifact }) {
  let speaker = "";
  const newest = items.findLast((one) => one.k === "message" && one.role === "agent");
  return items.map((item) => {
    if (item.k === "tool") return jsx(Tool, { item, labels, onArtifact }, item.key);
    if (item.k === "choice") return jsx(Choice, { item, busy: item.over ? "" : choosing, labels, stream }, item.key);
    if (item.k === "attachment") return jsx(Attachment, { item, labels }, item.key);
    if (item.k === "ask") return jsx(Question, { item, answer: item.by && items.find((one) => one.key === item.by)?.text, heard, labels, stream }, item.key);
    const name = `${item.role}:${item.who}`;
    const named = name !== speaker;
    speaker = name;
    return jsx(Message, { item, named, heard, last: item === newest, given: feedback[item.id], labels, stream }, item.key);
  });
});
