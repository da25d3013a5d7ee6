import { useEffect, useRef } from "react";
import { jsx } from "@emotion/react";

// A native <dialog>. Opened by a button with commandfor/command, or by the `open` prop.
export function MzDialog({ open, onClose, children, ...rest }) {
  const ref = useRef(null);
  useEffect(() => {
    const box = ref.current;
    if (open === true && !box.open) box.showModal();
    if (open === false && box.open) box.close();
  }, [open]);
  useEffect(() => {
    if ("commandForElement" in HTMLButtonElement.prototype) return;
    const act = (e) => {
      const button = e.target.closest?.(`[commandfor="${ref.current?.id}"]`);
      if (!button) return;
      if (button.getAttribute("command") === "show-modal") ref.current.showModal();
      else ref.current.close();
    };
    document.addEventListener("click", act);
    return () => document.removeEventListener("click", act);
  }, []);
  const backdrop = (e) => e.target === ref.current && ref.current.close();
  return jsx("dialog", { ...rest, ref, onClose: () => onClose?.(), onClick: backdrop },
    jsx("div", { className: "mz-dialog-body" }, children));
}
