// The list of keyboard shortcuts, on "?".
import { useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { mzT } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";
import { apple, keyed, palette, singleKeys } from "./palette_keys.js";

const shown = () => palette.get() === "keys";
const NAMES = { esc: "Esc" };
const cap = (key) => NAMES[key] || (/^[a-z]$/.test(key) ? key.toUpperCase() : key);

// "g t" as two keys, "mod+k" as the key of this machine and K.
export function Combo({ keys }) {
  const parts = keys.split(" ").flatMap((token) => (token.startsWith("mod+") ? [apple ? "⌘" : "Ctrl", cap(token.slice(4))] : [cap(token)]));
  return jsx("span", { className: "mz-combo", dir: "ltr", children: parts.map((part, number) => jsx("kbd", { children: part }, number)) });
}

export function MzShortcuts({ nav, top, core, items, glyphs, onOpen }) {
  const open = useSyncExternalStore(palette.subscribe, shown, () => false);
  const [single, setSingle] = useState(true);
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const box = dialog.current;
    if (open && !box.open) {
      setSingle(singleKeys.on());
      box.showModal();
      onOpen();
    }
    if (!open && box.open) box.close();
  }, [open, onOpen]);
  const toggle = (event) => {
    singleKeys.set(event.target.checked);
    setSingle(event.target.checked);
  };
  const pages = keyed(nav, top, core).map(({ keys, entry }) => [keys, mzT(entry.title, undefined, entry.domain)]);
  const commands = items.filter((one) => one.shortcut).map((one) => [one.shortcut, one.title]);
  const groups = [
    [mzT("Everywhere"), [["mod+k", mzT("Search or jump to…")], ["?", mzT("Keyboard shortcuts")], ["esc", mzT("Close what is open")]]],
    [mzT("Go to"), pages],
    [mzT("Commands"), commands],
  ].filter(([, lines]) => lines.length);
  const close = () => palette.show("");
  return jsx("dialog", {
    ref: dialog, className: "mz-dialog mz-shortcuts", "aria-labelledby": "mz-shortcuts-title", onClose: () => shown() && !dialog.current.open && close(),
    onKeyDown: (event) => event.key === "Escape" && (event.preventDefault(), dialog.current.close(), close()),
    onClick: (event) => event.target === dialog.current && close(),
    children: open && jsxs("div", { className: "mz-dialog-body", children: [
      jsxs("div", { className: "mz-card-head", children: [
        jsx("h2", { id: "mz-shortcuts-title", className: "mz-card-title", children: mzT("Keyboard shortcuts") }),
        jsx("button", { type: "button", className: "mz-button mz-ghost mz-button-small", "aria-label": mzT("Close"), onClick: close, children: glyphs.x }),
      ] }),
      ...groups.map(([title, lines]) => jsxs("section", { "aria-label": title, children: [
        jsx("h3", { className: "mz-shortcuts-heading", children: title }),
        jsx("dl", { className: "mz-shortcuts-list", children: lines.map(([keys, text]) => jsxs("div", { "data-off": !single && !keys.startsWith("mod+") && keys !== "esc" ? "" : undefined, children: [jsx("dt", { children: text }), jsx("dd", { children: jsx(Combo, { keys }) })] }, keys + text)) }),
      ] }, title)),
      jsxs("label", { className: "mz-check mz-shortcuts-switch", children: [
        jsx("input", { type: "checkbox", role: "switch", className: "mz-switch", checked: single, onChange: toggle }),
        jsx("span", { children: mzT("Single-key shortcuts") }),
      ] }),
    ] }),
  });
}
