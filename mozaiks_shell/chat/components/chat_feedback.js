// Thumbs up or down for an answer, and words if the person likes. One of each message; pressing it again takes it back.
import { useEffect, useRef, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useEscape } from "./chat_escape.js";

async function tell(chat, message, body) {
  try {
    const path = `/api/chats/${encodeURIComponent(chat)}/messages/${encodeURIComponent(message)}/feedback`;
    const answer = await fetch(path, body ? { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : { method: "DELETE" });
    return answer.ok;
  } catch {
    return false;
  }
}

export function useFeedback(stream, item, given, labels) {
  const [asking, ask] = useState(""); // the verdict whose words are asked for
  const [told, say] = useState("");
  const show = (value) => {
    const { [item.id]: _, ...others } = stream.state.feedback;
    stream.set({ feedback: value ? { ...others, [item.id]: value } : others });
  };
  const save = async (value) => {
    show(value);
    if (await tell(stream.state.chat, item.id, value)) return true;
    show(given);
    ask("");
    say(labels.feedbackLost);
    return false;
  };
  return {
    asking,
    told,
    press: async (verdict) => {
      say("");
      if (given?.verdict === verdict) {
        ask("");
        await save(null);
      } else if (await save({ verdict, words: "" })) ask(verdict);
    },
    words: async (words) => {
      const verdict = asking;
      ask("");
      if (!words || (await save({ verdict, words }))) say(labels.thanks);
    },
  };
}

export function Feedback({ feedback, labels }) {
  const { asking, told, words } = feedback;
  const area = useRef(null);
  useEffect(() => {
    if (asking) area.current.focus({ preventScroll: true });
    if (asking) area.current.form.scrollIntoView({ block: "nearest" });
  }, [asking]);
  const send = (event) => {
    event.preventDefault();
    words(area.current.value.trim());
  };
  const form = useRef(null);
  useEscape(form, asking, () => words(""));
  const name = asking === "up" ? labels.whatWasGood : labels.whatWasWrong;
  return [
    asking &&
      jsxs(
        "form",
        {
          className: "mzc-feedback",
          onSubmit: send,
          ref: form,
          children: [
            jsx("textarea", { ref: area, rows: 2, maxLength: 2000, "aria-label": name, placeholder: name, className: "mz-input" }),
            jsxs("div", {
              className: "mzc-actions",
              children: [
                jsx("button", { type: "submit", className: "mz-button mz-button-small mz-primary", children: labels.giveWords }),
                jsx("button", { type: "button", className: "mz-button mz-button-small mz-ghost", onClick: () => words(""), children: labels.skipWords }),
              ],
            }),
          ],
        },
        asking,
      ),
    jsx("p", { role: "status", className: "mzc-note", children: told }, "told"),
  ];
}
