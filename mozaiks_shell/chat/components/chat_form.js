// A form that says beside each field what is wrong with it, in the browser's own words, and leads to the first of them.
import { useEffect, useRef } from "react";
import { jsx } from "react/jsx-runtime";
import "./chat_tools.css";

const saying = (control) => document.getElementById(`${control.dataset.field}-says`);

function tell(control) {
  const says = saying(control);
  if (!says) return;
  says.textContent = control.validity.valid ? "" : control.validationMessage;
  control.setAttribute("aria-invalid", String(!control.validity.valid));
}

// problem: what the server found wrong with what was sent; its fields are marked already
export function ToolForm({ problem, children, ...rest }) {
  const form = useRef(null);
  useEffect(() => {
    const box = form.current;
    let first = null;
    const invalid = (event) => {
      event.preventDefault(); // no bubble over the page: the field says it
      tell(event.target);
      if (first) return;
      first = event.target;
      setTimeout(() => {
        first.focus();
        first = null;
      });
    };
    const changed = ({ target }) => {
      if (!target.dataset.field) return;
      target.closest(".mzc-field")?.setAttribute("data-edited", "");
      if (target.getAttribute("aria-invalid") === "true") tell(target);
    };
    const sent = () => box.querySelectorAll("[data-edited]").forEach((one) => one.removeAttribute("data-edited"));
    box.addEventListener("invalid", invalid, true);
    box.addEventListener("input", changed);
    box.addEventListener("submit", sent);
    return () => {
      box.removeEventListener("invalid", invalid, true);
      box.removeEventListener("input", changed);
      box.removeEventListener("submit", sent);
    };
  }, []);
  useEffect(() => {
    if (problem) form.current.querySelector("[aria-invalid=true]")?.focus();
  }, [problem]);
  return jsx("form", { ...rest, ref: form, children });
}
