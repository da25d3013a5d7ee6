// The text box: grows with its text, keeps a draft per chat in this tab, Enter sends.
import { useCallback, useEffect, useLayoutEffect, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";

const DRAFT = "mozaiks.chat.draft.";

export function Composer({ stream, state, labels, box }) {
  const draftKey = DRAFT + (state.chat || "new");
  const [text, setText] = useState("");
  const [refused, setRefused] = useState("");
  const secret = Boolean(state.ask?.password);
  useEffect(() => {
    const early = sessionStorage.getItem(DRAFT + "new"); // typed before the chat had an id
    if (state.chat && early) {
      if (!sessionStorage.getItem(draftKey)) sessionStorage.setItem(draftKey, early);
      sessionStorage.removeItem(DRAFT + "new");
    }
    setText(sessionStorage.getItem(draftKey) || "");
    setRefused("");
  }, [draftKey, state.chat]);
  useEffect(() => setRefused(state.refusal || ""), [state.refusal]);
  useLayoutEffect(() => {
    const area = box.current;
    if (area?.tagName !== "TEXTAREA") return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [text, secret, box]);
  const write = useCallback(
    (value) => {
      setText(value);
      if (!secret && value) sessionStorage.setItem(draftKey, value);
      else sessionStorage.removeItem(draftKey);
    },
    [draftKey, secret],
  );
  stream.giveBack = (lost, why) => {
    write(text ? `${lost}\n${text}` : lost);
    if (why) setRefused(why);
    else box.current?.focus({ preventScroll: true });
  };
  const send = (event) => {
    event?.preventDefault();
    if (!text.trim()) return;
    if (stream.say(text.trim())) {
      write("");
      setRefused("");
      stream.pinned?.();
    } else setRefused(navigator.onLine ? labels.notConnected : labels.offline);
    box.current?.focus();
  };
  const keys = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) send(event);
  };
  const input = {
    ref: box,
    value: text,
    "aria-label": labels.message,
    "aria-describedby": refused ? "mzc-refused" : undefined,
    placeholder: secret ? labels.password : labels.placeholder,
    onChange: (event) => write(event.target.value),
    onKeyDown: keys,
    className: "mzc-input",
  };
  return jsxs("form", {
    className: "mzc-composer",
    onSubmit: send,
    children: [
      refused && jsx("p", { id: "mzc-refused", role: "alert", className: "mzc-error", children: refused }),
      jsxs("div", {
        className: "mzc-box",
        children: [
          secret ? jsx("input", { type: "password", autoComplete: "off", ...input }) : jsx("textarea", { rows: 1, ...input }),
          state.live &&
            jsx("button", {
              type: "button",
              className: "mzc-round mzc-stop",
              "aria-label": labels.stop,
              title: labels.stop,
              onClick: () => stream.stop(),
              children: jsx("span", { "aria-hidden": true }),
            }),
          jsx("button", {
            type: "submit",
            className: "mzc-round",
            "aria-label": labels.send,
            title: labels.send,
            disabled: !text.trim(),
            children: jsx("svg", {
              viewBox: "0 0 24 24",
              "aria-hidden": true,
              children: jsx("path", { d: "M12 19V5M5 12l7-7 7 7" }),
            }),
          }),
        ],
      }),
    ],
  });
}
