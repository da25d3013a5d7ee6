// What one could begin with, until something was said.
import { jsx } from "react/jsx-runtime";
import { mzT } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";
import { OVER } from "./chat_stream.js";

export function Suggestions({ state, labels, stream }) {
  const { items, live, pending, caughtUp, status, connection, offers, ask } = state;
  const begun = live || pending.length || items.some((one) => (one.k === "message" && one.role === "user") || one.k === "tool" || one.k === "attachment");
  const special = ask && (ask.password || ask.choices?.length || ask.file);
  if (!offers?.suggestions.length || !caughtUp || connection !== "live" || begun || special || OVER.has(status)) return null;
  return jsx("div", {
    role: "group",
    "aria-label": labels.suggestions,
    className: "mzc-suggestions",
    children: offers.suggestions.map(({ title, prompt, send }) => {
      const text = prompt || mzT(title);
      return jsx("button", { type: "button", className: "mzc-suggestion", onClick: () => (send ? stream.sayAgain(text) : stream.giveBack(text)), children: mzT(title) }, title);
    }),
  });
}
