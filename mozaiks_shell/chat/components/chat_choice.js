// What may be done about a run whose connection was lost: offered by the shell, chosen by the person.
import { memo } from "react";
import { jsx, jsxs } from "react/jsx-runtime";

function Option({ option, first, busy, stream }) {
  const hint = `mzc-hint-${option.id}`;
  return jsxs("li", {
    children: [
      jsx("button", {
        type: "button",
        className: `mz-button mz-button-small ${first ? "mz-primary" : "mz-secondary"}`,
        "aria-describedby": hint,
        disabled: Boolean(busy),
        "aria-busy": busy === option.id || undefined,
        onClick: () => stream.choose(option.id),
        children: option.label,
      }),
      jsx("span", { id: hint, children: option.hint }),
    ],
  });
}

// item: {reason, options: [{id, label, hint}], chosen, chat}; once it was answered only a line of it is left.
export const Choice = memo(function Choice({ item, busy, labels, stream }) {
  if (item.over) {
    const taken = item.options.find((one) => one.id === item.chosen);
    return jsxs("div", {
      className: "mzc-event",
      children: [
        jsx("span", { children: taken ? `${item.reason} ${labels.chose}: ${taken.label}` : item.reason }),
        item.chat &&
          jsx("button", { type: "button", className: "mz-button mz-button-small mz-secondary", onClick: () => stream.open(item.chat, stream.state.workflow, false), children: labels.openNext }),
      ],
    });
  }
  return jsxs("section", {
    className: "mzc-choice",
    "aria-label": labels.choice,
    children: [
      jsx("p", { children: item.reason }),
      jsx("ul", {
        children: item.options.map((option, index) => jsx(Option, { option, first: !index, busy, stream }, option.id)),
      }),
    ],
  });
});
