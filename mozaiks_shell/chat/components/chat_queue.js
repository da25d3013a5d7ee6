// Texts that wait for their turn, above the text box: each can be taken up again or taken away.
import { jsx, jsxs } from "react/jsx-runtime";
import { Chips, Cross, put } from "./chat_files.js";

const PEN = jsx("svg", { viewBox: "0 0 24 24", "aria-hidden": true, children: jsx("path", { d: "M12 20h9M16.5 3.5a2.12 2.12 0 0 1 3 3L7 19l-4 1 1-4z" }) });

// why: what the first of them waits for: connection, over, answer, files, question, "" while it is being sent.
export function Queue({ queue, why, labels, onEdit, onRemove, onNow }) {
  const told = {
    connection: labels.waitsConnection,
    over: labels.waitsOver,
    answer: labels.waitsAnswer,
    files: labels.waitsFiles,
    question: labels.waitsQuestion,
  };
  const sending = queue.some((one) => one.upload);
  return jsxs("div", {
    className: "mzc-queue",
    children: [
      jsx("p", { role: "status", className: "mzc-queue-why", children: queue.length ? (sending ? labels.sendingFiles : told[why] || "") : "" }),
      queue.length > 0 &&
        jsx("ol", {
          "aria-label": labels.waiting,
          children: queue.map((entry, index) =>
            jsxs(
              "li",
              {
                children: [
                  entry.text && jsx("span", { className: "mzc-queue-text", dir: "auto", title: entry.text, children: entry.text }),
                  jsx(Chips, { files: entry.files, labels }),
                  jsxs("span", {
                    className: "mzc-queue-tools",
                    children: [
                      !index &&
                        (why === "question" || why === "files") &&
                        jsx("button", { type: "button", className: "mzc-link", onClick: () => onNow(entry.id), children: labels.sendNow }),
                      !entry.upload &&
                        jsx("button", {
                          type: "button",
                          className: "mzc-chip-remove",
                          "aria-label": put(labels.editWaiting, { text: entry.text.slice(0, 60) }),
                          title: labels.edit,
                          onClick: () => onEdit(entry.id),
                          children: PEN,
                        }),
                      jsx("button", {
                        type: "button",
                        className: "mzc-chip-remove",
                        "aria-label": put(labels.removeWaiting, { text: entry.text.slice(0, 60) }),
                        title: labels.remove,
                        onClick: () => onRemove(entry.id),
                        children: jsx(Cross, {}),
                      }),
                    ],
                  }),
                ],
              },
              entry.id,
            ),
          ),
        }),
    ],
  });
}
