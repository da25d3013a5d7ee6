// The line above the messages: how the connection and the run stand, and the way out.
import { jsx } from "react/jsx-runtime";
import { unanswered } from "./chat_stream.js";

export function Status({ state, labels, onAgain, onRetry }) {
  const { connection, status, detail, delayed, items } = state;
  const asked = items.some(unanswered); // its card offers the way out
  const line = {
    connecting: [detail || labels.connecting],
    reconnecting: [labels.reconnecting, labels.retry, onRetry],
    signedOut: [labels.signedOut, labels.reload, () => location.reload()],
    refused: [labels.refused, labels.again, onAgain],
    unopened: [detail || labels.refused, labels.retry, onRetry],
    crowded: [labels.crowded, labels.retry, onRetry],
    live: {
      connecting: [labels.runtimeConnecting],
      completed: [labels.completed, labels.again, onAgain],
      interrupted: [labels.interrupted, labels.again, onAgain],
      stopped: [labels.wasStopped, labels.again, onAgain],
      failed: [labels.runtimeDown, labels.again, onAgain],
    }[status] || (delayed && [detail]),
  }[connection];
  const tone = connection !== "live" ? connection : delayed ? "delayed" : status;
  return jsx("div", {
    className: "mzc-status",
    role: "status",
    "data-tone": tone,
    children: line && [
      jsx("span", { children: connection === "live" && detail ? detail : line[0] }, "text"),
      line[1] && !(asked && connection === "live") && jsx("button", { type: "button", className: "mz-button mz-button-small mz-secondary", onClick: line[2], children: line[1] }, "way-out"),
    ],
  });
}
