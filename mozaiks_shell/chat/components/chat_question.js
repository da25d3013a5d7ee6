// What the run asks: its words, and controls that fit. Answered once; told when nobody waits for the answer any more.
import { memo, useRef } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { newId } from "./chat_stream.js";

// item: {prompt, choices: [{label, value}], file, over, by}; answer is the text it was answered with, as it stands in the log.
export const Question = memo(function Question({ item, answer, heard, labels, stream }) {
  const picker = useRef(null);
  const { prompt, choices = [], file, over } = item;
  const open = heard && !over;
  const expired = over === "expired" || (!over && !heard);
  const name = prompt || (file ? labels.whichFile : labels.whichOne);
  const note = expired ? labels.expiredQuestion : over && !answer && (choices.length || file) ? labels.answeredElsewhere : "";
  return jsxs("section", {
    className: "mzc-question",
    role: "group", // not a landmark: a chat has many
    "aria-label": labels.question,
    "data-over": over || (expired ? "expired" : undefined),
    children: [
      (prompt || choices.length > 0 || file) && jsx("p", { dir: "auto", children: name }),
      choices.length > 0 &&
        jsx("div", {
          role: "group",
          "aria-label": name,
          className: "mzc-answers",
          children: choices.map(({ label, value }) =>
            jsx(
              "button",
              {
                type: "button",
                className: "mz-button mz-button-small mz-secondary",
                disabled: !open,
                "aria-pressed": over ? answer === label : undefined,
                onClick: () => stream.answerAsk(item.id, value),
                children: label,
              },
              value,
            ),
          ),
        }),
      file &&
        jsxs("div", {
          className: "mzc-answers",
          children: [
            jsx("button", {
              type: "button",
              className: "mz-button mz-button-small mz-secondary",
              disabled: !open,
              onClick: () => picker.current.click(),
              children: labels.chooseFile,
            }),
            jsx("input", {
              ref: picker,
              type: "file",
              hidden: true,
              tabIndex: -1,
              "aria-label": labels.chooseFile,
              onChange: (event) => {
                const [chosen] = event.target.files;
                if (chosen) stream.answerAsk(item.id, chosen.name, { id: newId(), file: chosen });
                event.target.value = "";
              },
            }),
          ],
        }),
      jsx("p", { role: "status", className: "mzc-note", children: note }),
    ],
  });
});
