// The line above the messages: how the connection stands, and the way out. That the chat is over, or could not be opened,
// is told by the card at its end.
import { jsx } from "react/jsx-runtime";
import "./chat_standing.css";

export function Status({ state, labels, onAgain, onRetry }) {
  const { connection, status, detail, delayed } = state;
  const line = {
    connecting: [detail || labels.connecting],
    reconnecting: [labels.reconnecting, labels.retry, onRetry],
    signedOut: [labels.signedOut, labels.reload, () => location.reload()],
    refused: [labels.refused, labels.again, onAgain],
    crowded: [labels.crowded, labels.retry, onRetry],
    live: status === "connecting" ? [detail || labels.runtimeConnecting] : delayed && [detail],
  }[connection];
  return jsx("div", {
    className: "mzc-status",
    role: "status",
    "data-tone": connection !== "live" ? connection : delayed ? "delayed" : status,
    children: line && [
      jsx("span", { children: line[0] }, "text"),
      line[1] && jsx("button", { type: "button", className: "mz-button mz-button-small mz-secondary", onClick: line[2], children: line[1] }, "way-out"),
    ],
  });
}
