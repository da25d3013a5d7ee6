// The command palette: a native dialog with a combobox over a list. Fetched on first use (see palette_keys.js).
import { useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useNavigate } from "react-router";
import { ColorModeContext } from "$/utils/context-registry";
import { locale, mzDate, mzN, mzT } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";
import { habit, score, use, used } from "./palette_rank.js";
import { apple, palette } from "./palette_keys.js";
import { Combo, MzShortcuts } from "./palette_sheet.js";

const DEBOUNCE_MS = 140;
const ANNOUNCE_MS = 500;
const MOST = { recent: 5, section: 8, search: 6 };

const shown = () => palette.get() === "palette";
const dock = () => document.querySelector(".mzc-dock");
const sidebarToggle = () => [...document.querySelectorAll(".mz-nav-toggle")].find((one) => one.getClientRects().length);

// Sends a form as a person would, for what the server answers with another page.
function submit(action, fields = {}) {
  const form = Object.assign(document.createElement("form"), { action, method: "post", hidden: true });
  for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  form.submit();
}

// Pages, workflows, chats, commands and actions in one shape.
function useLines(props) {
  const { nav, top, items, chat, words, core, plans } = props;
  const modes = useContext(ColorModeContext);
  return useMemo(() => {
    const pages = [...nav.flatMap((group) => group.entries.map((entry) => ({ ...entry, group: group.title }))), ...top.map((entry) => ({ ...entry, group: "" }))];
    const seen = new Set();
    const lines = [];
    for (const entry of pages) {
      const workflow = entry.kind === "workflow";
      const target = entry.href || entry.path || entry.id;
      if (entry.kind === "group" || !target || seen.has(target)) continue;
      seen.add(target);
      const locked = entry.gate === "plan";
      lines.push({
        id: `page:${target}`, section: "pages", title: mzT(entry.title, undefined, entry.domain), icon: entry.icon,
        text: entry.group ? mzT(entry.group) : "", words: Object.hasOwn(words, entry.id) ? words[entry.id] : "",
        needed: locked ? entry.needed || mzT("Bigger plan") : "", shortcut: locked ? "" : entry.shortcut || core[entry.path] || "",
        path: locked && plans ? `/plans?plan=${encodeURIComponent(entry.needed || "")}` : entry.href || entry.path,
        trigger: workflow && !locked ? entry.id : "",
      });
    }
    for (const one of items) {
      if (one.kind === "locale") {
        if (one.id !== locale) lines.push({ id: `locale:${one.id}`, section: "actions", page: "locale", lang: one.id, title: one.title, icon: "languages", words: `${mzT("Language")} language ${one.id}`, locale: one.id });
      } else if (one.kind === "workflow") {
        const path = one.needed && plans ? `/plans?plan=${encodeURIComponent(one.needed)}` : `/chat/${encodeURIComponent(one.id)}`;
        lines.push({ ...one, id: `workflow:${one.id}`, section: "workflows", words: one.id, path, workflow: one.needed ? "" : one.id });
      } else if (one.kind === "chat") {
        lines.push({ ...one, id: `chat:${one.id}`, section: "chats", icon: "message-circle", chat: one.id, passing: true });
      } else if (one.kind === "page") {
        if (!seen.has(one.path)) lines.push({ ...one, id: `page:${one.path}`, section: "pages", words: one.keywords });
      } else lines.push({ ...one, id: `command:${one.id}`, section: "commands", words: one.keywords, command: one.path ? "" : one.id });
    }
    const action = (id, icon, title, more) => lines.push({ id: `action:${id}`, section: "actions", icon, title, text: "", ...more });
    if (chat) {
      action("new-chat", "square-pen", mzT("New chat"), { act: "newChat", words: "assistant agent ask conversation" });
      action("open-chat", "message-circle", mzT("Open chat"), { act: "openChat", words: "assistant agent conversation" });
    }
    action("theme", "sun-moon", mzT("Change theme…"), { enter: "theme", words: "appearance dark light color colour" });
    for (const [mode, icon, title] of [["light", "sun", mzT("Light theme")], ["dark", "moon", mzT("Dark theme")], ["system", "monitor", mzT("System theme")]])
      action(`theme-${mode}`, icon, title, { page: "theme", mode, current: modes?.rawColorMode === mode, words: "appearance mode" });
    if (items.some((one) => one.kind === "locale" && one.id !== locale)) action("locale", "languages", mzT("Change language…"), { enter: "locale", words: "language locale" });
    action("sidebar", "panel-left", mzT("Collapse or expand the sidebar"), { act: "sidebar", words: "navigation menu" });
    action("keys", "keyboard", mzT("Keyboard shortcuts"), { act: "keys", shortcut: "?", words: "help keys" });
    action("sign-out", "log-out", mzT("Sign out"), { act: "signOut", words: "log out logout" });
    return lines;
  }, [nav, top, items, chat, words, core, plans, modes?.rawColorMode]);
}

const SECTIONS = () => ({
  recent: mzT("Recently used"), pages: mzT("Pages"), chats: mzT("Recent chats"), workflows: mzT("Workflows"),
  actions: mzT("Actions"), commands: mzT("Commands"),
});

// Lines as groups [{key, title, lines}] for what was typed on this level ("" or "theme", "locale").
function arrange(lines, query, level, found, kept) {
  const open = lines.filter((one) => (one.act !== "sidebar" || sidebarToggle()) && (one.act !== "openChat" || dock()));
  const titles = SECTIONS();
  const group = (key, members) => ({ key, title: titles[key], lines: members });
  if (level) {
    const here = open.filter((one) => one.page === level);
    const fitting = query ? here.map((one) => [score(query, one), one]).filter(([points]) => points).sort(([a], [b]) => b - a).map(([, one]) => one) : here;
    return [{ key: level, title: level === "theme" ? mzT("Theme") : mzT("Language"), lines: fitting }].filter((one) => one.lines.length);
  }
  if (!query) {
    const root = open.filter((one) => !one.page);
    const before = root.filter((one) => kept[one.id] && !one.passing).sort((one, other) => kept[other.id][1] - kept[one.id][1]).slice(0, MOST.recent);
    const rest = (key) => root.filter((one) => one.section === key && !before.includes(one));
    return [group("recent", before), ...["pages", "chats", "workflows", "actions", "commands"].map((key) => group(key, rest(key)))].filter((one) => one.lines.length);
  }
  const ranked = open
    .map((one) => ({ one, points: score(query, one) }))
    .filter(({ points }) => points)
    .map(({ one, points }) => ({ one, points: points + habit(kept, one.id) - (one.needed ? 25 : 0) - (one.page ? 6 : 0) }))
    .sort((a, b) => b.points - a.points);
  const sections = new Map();
  for (const { one } of ranked) {
    if (!sections.has(one.section)) sections.set(one.section, []);
    if (sections.get(one.section).length < MOST.section) sections.get(one.section).push(one);
  }
  const groups = [...sections].map(([key, members]) => group(key, members));
  const listed = new Set(groups.flatMap((one) => one.lines.map((line) => line.path)).filter(Boolean));
  if (found.query === query)
    found.groups.forEach((one, number) => {
      const members = one.items.filter((item) => !listed.has(item.path)).map((item, at) => ({ ...item, id: `found:${number}:${at}`, passing: true }));
      if (members.length) groups.push({ key: `found-${number}`, title: one.title, lines: members });
    });
  return groups;
}

function Line({ line, id, active, glyph, onPick, onPoint }) {
  const press = (event) => onPick(line, event.ctrlKey || event.metaKey || event.button === 1);
  return jsxs("div", {
    id, role: "option", "aria-selected": active, className: "mz-pal-line", "data-locked": line.needed ? "" : undefined, lang: line.lang,
    onClick: press, onAuxClick: (event) => event.button === 1 && press(event), onPointerMove: onPoint,
    children: [
      glyph(line.icon || "file"),
      jsxs("span", { className: "mz-pal-words", children: [
        jsx("span", { className: "mz-pal-title", children: line.title }),
        line.text && jsx("span", { className: "mz-pal-text", children: line.text }),
      ] }),
      line.needed && jsxs("span", { className: "mz-pal-needed", children: [glyph("lock"), line.needed] }),
      line.current && jsx("span", { className: "mz-pal-note", children: mzT("In use") }),
      line.when && jsx("span", { className: "mz-pal-note", children: mzDate(line.when, "relative") }),
      line.enter && jsx("span", { className: "mz-pal-go mz-flip", "aria-hidden": true, children: glyph("chevron-right") }),
      line.shortcut && jsx(Combo, { keys: line.shortcut }),
    ],
  });
}

function Foot() {
  const hint = (keys, text) => jsxs("span", { children: [jsx(Combo, { keys }), text] });
  return jsxs("footer", { className: "mz-pal-foot", "aria-hidden": true, children: [
    hint("↑ ↓", mzT("Navigate")), hint("↵", mzT("Open")), hint("mod+↵", mzT("New tab")), hint("esc", mzT("Close")),
  ] });
}

export function MzPalette(props) {
  const { found, loaded, glyphs, iconOf, onOpen, onSearch } = props;
  const open = useSyncExternalStore(palette.subscribe, shown, () => false);
  const dialog = useRef(null);
  const input = useRef(null);
  const list = useRef(null);
  const base = useId();
  const [typed, type] = useState("");
  const [level, enter] = useState("");
  const [active, activate] = useState(""); // id of a line; empty for the first
  const [announcement, announce] = useState("");
  const [kept, recall] = useState({});
  const navigate = useNavigate();
  const modes = useContext(ColorModeContext);
  const query = typed.trim();
  const lines = useLines(props);
  const groups = useMemo(() => (open ? arrange(lines, query, level, found, kept) : []), [open, lines, query, level, found, kept]);
  const flat = groups.flatMap((group) => group.lines.map((line) => ({ ...line, key: `${group.key}/${line.id}` })));
  const at = Math.max(0, flat.findIndex((one) => one.key === active));
  const searching = !level && query.length > 1 && !(found.query === query && found.done);
  const glyph = (name) => jsx("span", { className: "mz-pal-icon", "aria-hidden": true, children: name.includes(".") ? jsx("img", { src: `/brand/assets/${name}`, alt: "", width: 17, height: 17 }) : glyphs[name] || iconOf(name) });

  useLayoutEffect(() => {
    const box = dialog.current;
    if (open && !box.open) {
      type("");
      enter("");
      activate("");
      announce("");
      recall(used());
      box.showModal();
      input.current.focus();
      onOpen();
    }
    if (!open && box.open) box.close();
  }, [open, onOpen]);
  useEffect(() => {
    if (!open || level || query.length < 2) return;
    const timer = setTimeout(() => onSearch(query), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [open, level, query, onSearch]);
  useEffect(() => {
    if (!open || (!query && !level)) return;
    const timer = setTimeout(() => announce(flat.length ? mzN("{count} result", "{count} results", flat.length) : mzT("Nothing found")), ANNOUNCE_MS);
    return () => clearTimeout(timer);
  }, [open, query, level, flat.length]);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    if (at === 0 && list.current) list.current.scrollTop = 0;
  }, [at, groups]);

  const write = (text) => {
    type(text);
    activate("");
  };
  const descend = (next) => {
    enter(next);
    write("");
    input.current.focus();
  };
  const pick = (line, apart) => {
    if (line.enter) return descend(line.enter);
    if (!line.passing) use(line.id);
    if (apart && line.path) {
      window.open(line.path, "_blank", "noopener");
      return palette.show("");
    }
    palette.show("");
    const chat = line.chat || /^\/chat\?chat_id=([^&#]+)$/.exec(line.path || "")?.[1];
    if (chat && dock()) props.onChat(decodeURIComponent(chat));
    else if (line.workflow && dock()) props.onStart(line.workflow);
    else if (line.trigger) props.onTrigger(line.trigger);
    else if (line.command) props.onRun(line.command);
    else if (line.locale) submit("/auth/locale", { locale: line.locale, next: location.pathname + location.search });
    else if (line.mode) {
      modes?.setColorMode(line.mode);
      props.onTheme(line.mode);
    } else if (line.act) act(line.act);
    else if (line.path?.startsWith("/")) navigate(line.path);
    else if (line.path) window.open(line.path, "_blank", "noopener");
  };
  const act = (name) => {
    if (name === "newChat") props.onStart("");
    else if (name === "openChat") props.onOpenChat();
    else if (name === "sidebar") sidebarToggle()?.click();
    else if (name === "keys") palette.show("keys");
    else if (name === "signOut") submit("/auth/sign-out");
  };
  const move = (to) => flat.length && activate(flat[(to + flat.length) % flat.length].key);
  const keys = (event) => {
    if (event.nativeEvent.isComposing) return;
    const page = 8;
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + page, flat.length - 1), PageUp: Math.max(at - page, 0), Home: 0, End: flat.length - 1 };
    const caret = event.key === "Home" || event.key === "End";
    if (event.key in steps && !event.altKey && !event.shiftKey && !(caret && event.ctrlKey)) {
      event.preventDefault();
      move(steps[event.key]);
    } else if (event.key === "Enter" && flat[at]) {
      event.preventDefault();
      pick(flat[at], apple ? event.metaKey : event.ctrlKey);
    } else if (event.key === "Backspace" && level && !typed) descend("");
  };
  const cancel = (event) => {
    event.preventDefault();
    if (level) return descend("");
    dialog.current.close();
    palette.show("");
  };
  const escape = (event) => event.key === "Escape" && !event.nativeEvent.isComposing && cancel(event); // before the browser, so that the next key is not lost
  const nothing = !flat.length && !searching;
  const label = level === "theme" ? mzT("Choose a theme…") : level === "locale" ? mzT("Choose a language…") : mzT("Search or jump to…");
  const optionId = (number) => `${base}-${number}`;
  let number = -1;
  return jsxs("dialog", {
    ref: dialog, className: "mz-pal", "aria-label": mzT("Command palette"), onCancel: cancel, onKeyDown: escape,
    onClose: () => shown() && !dialog.current.open && palette.show(""), onClick: (event) => event.target === dialog.current && palette.show(""),
    children: [
      jsxs("div", { className: "mz-pal-box", children: [
        jsxs("div", { className: "mz-pal-head", "data-busy": searching || !loaded ? "" : undefined, children: [
          level ? jsx("button", { type: "button", className: "mz-pal-back mz-flip", "aria-label": mzT("Back"), onClick: () => descend(""), children: glyph("arrow-left") }) : glyph("search"),
          jsx("input", {
            ref: input, type: "text", className: "mz-pal-input", role: "combobox", "aria-label": label, placeholder: label, value: typed, maxLength: 100,
            "aria-expanded": flat.length > 0, "aria-controls": `${base}-list`, "aria-autocomplete": "list", "aria-activedescendant": flat.length ? optionId(at) : undefined,
            autoComplete: "off", autoCorrect: "off", autoCapitalize: "off", spellCheck: false, enterKeyHint: "go", dir: typed ? "auto" : undefined,
            onChange: (event) => write(event.target.value), onKeyDown: keys,
          }),
          jsx("button", { type: "button", className: "mz-pal-close", "aria-label": mzT("Close"), onClick: () => palette.show(""), children: [jsx("kbd", { "aria-hidden": true }, "key"), jsx("span", { children: glyph("x") }, "sign")] }),
        ] }),
        jsx("div", {
          ref: list, id: `${base}-list`, role: "listbox", "aria-label": mzT("Suggestions"), className: "mz-pal-list", hidden: !flat.length, tabIndex: -1,
          onMouseDown: (event) => event.preventDefault(), // the caret stays in the text box
          children: groups.map((group) => jsxs("div", { role: "group", "aria-labelledby": `${base}-${group.key}`, className: "mz-pal-group", children: [
            jsx("div", { id: `${base}-${group.key}`, className: "mz-pal-heading", role: "presentation", children: group.title }),
            ...group.lines.map((line) => {
              number += 1;
              const [mine, key] = [number, `${group.key}/${line.id}`];
              return jsx(Line, { line, id: optionId(mine), active: mine === at, glyph, onPick: pick, onPoint: () => mine !== at && activate(key) }, key);
            }),
          ] }, group.key)),
        }),
        searching && !flat.length && jsx("div", { className: "mz-pal-wait", "aria-hidden": true, children: [0, 1, 2].map((bone) => jsx("span", { className: "mz-bone" }, bone)) }),
        nothing && jsxs("div", { className: "mz-pal-none", children: [
          jsx("p", { className: "mz-empty-title", children: query ? mzT("Nothing found for “{query}”", { query }) : mzT("Nothing here yet") }),
          jsx("p", { className: "mz-empty-text", children: mzT("Try another word, or the name of a page.") }),
        ] }),
        jsx(Foot, {}),
      ] }),
      jsx("div", { className: "mz-hidden", role: "status", children: announcement }),
    ],
  });
}

// Both dialogs; the list of shortcuts shares the palette's data.
export function MzPaletteDialogs(props) {
  return [jsx(MzPalette, props, "palette"), jsx(MzShortcuts, props, "shortcuts")];
}
