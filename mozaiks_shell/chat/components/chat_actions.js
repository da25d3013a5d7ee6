// What can be done with a message: copy it, ask again, edit and resend, say what one thinks of it. One Tab stop each.
import { memo, useRef, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { Feedback, useFeedback } from "./chat_feedback.js";
import { CopyButton } from "./chat_markdown.js";
import { spoken } from "./chat_stream.js";

const MASKED = /^•+$/;
const icon = (...paths) => jsx("svg", { viewBox: "0 0 24 24", "aria-hidden": true, children: paths.map((d) => jsx("path", { d }, d)) });
const AGAIN = icon("M3 12a9 9 0 1 0 3-6.7L3 8", "M3 3v5h5");
const PEN = icon("M12 20h9M16.5 3.5a2.12 2.12 0 0 1 3 3L7 19l-4 1 1-4z");
const UP = icon("M7 10v12", "M15 5.9 14 10h5.8a2 2 0 0 1 2 2.6l-2.4 8a2 2 0 0 1-1.9 1.4H4a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2h2.8a2 2 0 0 0 1.8-1.1L12 2a3.1 3.1 0 0 1 3 3.9z");
const DOWN = icon("M17 14V2", "M9 18.1 10 14H4.2a2 2 0 0 1-2-2.6l2.4-8A2 2 0 0 1 6.5 2H20a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-2.8a2 2 0 0 0-1.8 1.1L12 22a3.1 3.1 0 0 1-3-3.9z");

// Arrow keys go from button to button; Tab goes on to the next message.
function keys(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const forward = getComputedStyle(event.currentTarget).direction === "rtl" ? -step : step;
  buttons[(buttons.indexOf(document.activeElement) + forward + buttons.length) % buttons.length].focus();
}

function question(stream, item) {
  const { items } = stream.state;
  return items.slice(0, items.indexOf(items.find((one) => one.key === item.key))).findLast(spoken);
}

export const Actions = memo(function Actions({ item, heard, last, given, labels, stream }) {
  const agent = item.role === "agent";
  const row = useRef(null);
  const [stop, setStop] = useState(0); // which button Tab reaches
  const feedback = useFeedback(stream, item, given, labels);
  const asked = agent && last && heard ? question(stream, item) : null;
  const buttons = [];
  const button = (name, drawn, onClick, more = {}) =>
    buttons.push((tabIndex, onFocus) => jsx("button", { type: "button", className: "mzc-act", "aria-label": name, title: name, onClick, tabIndex, onFocus, ...more, children: drawn }, name));
  if (!MASKED.test(item.text))
    buttons.push((tabIndex, onFocus) => jsx(CopyButton, { text: () => item.text, label: labels.copyMessage, done: labels.copied, className: "mzc-act", tabIndex, onFocus }, "copy"));
  if (!agent && heard && !MASKED.test(item.text) && !item.queued) button(labels.editMessage, PEN, () => stream.rewrite(item.text));
  if (asked && !MASKED.test(asked.text)) button(labels.askAgain, AGAIN, () => stream.sayAgain(asked.text));
  if (agent) {
    button(labels.helpful, UP, () => feedback.press("up"), { "aria-pressed": given?.verdict === "up" });
    button(labels.unhelpful, DOWN, () => feedback.press("down"), { "aria-pressed": given?.verdict === "down" });
  }
  return jsxs("div", {
    className: "mzc-after",
    "data-kept": last || Boolean(given) || undefined,
    children: [
      jsx("div", {
        ref: row,
        role: "toolbar",
        "aria-label": labels.actions,
        className: "mzc-acts",
        onKeyDown: keys,
        children: buttons.map((draw, index) => draw(index === Math.min(stop, buttons.length - 1) ? 0 : -1, () => setStop(index))),
      }),
      jsx(Feedback, { feedback, labels }),
    ],
  });
});
