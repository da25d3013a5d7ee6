// Commands after a slash: the pane's own and those of plugins. Words that begin no command are a message like any other.
import { useEffect, useRef, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { mzT } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";

const NAMED = /^\/([a-z][a-z0-9-]*)(?:\s+([\s\S]*))?$/;
const BEGUN = /^\/([a-z0-9-]*)$/;
export const MENU = "mzc-commands";

function builtIn(labels, { live, chat }) {
  return [
    { name: "new", description: labels.commandNew },
    live && { name: "stop", description: labels.commandStop },
    chat && { name: "export", description: labels.commandExport },
  ].filter(Boolean);
}

function download(path) {
  const link = document.createElement("a");
  link.href = path;
  link.download = "";
  link.click();
}

async function perform(chat, name, words, lost) {
  try {
    const path = `/api/chats/${encodeURIComponent(chat)}/commands/${encodeURIComponent(name)}`;
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ words }) });
    const told = await answer.json();
    return answer.ok ? { told: told.text } : { problem: told.detail || lost };
  } catch {
    return { problem: lost };
  }
}

// act: {say(text), fill(text), fresh(), stop()}. Gives what the text box needs: the menu, its keys, and `run`.
export function useSlash({ text, state, labels, act }) {
  const [at, setAt] = useState(0);
  const [closed, close] = useState(false);
  const [answer, say] = useState({}); // what a command told: {told} or {problem}
  const { chat, offers } = state;
  const all = [...builtIn(labels, state), ...(offers?.commands || [])];
  const begun = BEGUN.exec(text)?.[1];
  const rank = (one) => (one.name.startsWith(begun) ? 0 : 1);
  const found = begun === undefined || closed ? [] : all.filter((one) => one.name.includes(begun)).sort((one, other) => rank(one) - rank(other));
  const current = Math.min(at, found.length - 1);
  useEffect(() => setAt(0), [begun]);
  useEffect(() => {
    if (!text.startsWith("/")) close(false);
  }, [text]);
  useEffect(() => say({}), [chat]);

  const carryOut = async (command, words) => {
    act.fill("");
    say({});
    if (command.name === "new" && !("template" in command)) act.fresh();
    else if (command.name === "stop" && !("template" in command)) act.stop();
    else if (command.name === "export" && !("template" in command)) download(`/api/chats/${encodeURIComponent(chat)}/export`);
    else if (command.template) {
      const written = command.template.replaceAll("{words}", words).trim();
      if (command.template.includes("{words}") && !words) act.fill(written);
      else act.say(written);
    } else {
      say({ busy: true });
      const result = await perform(chat, command.name, words, labels.commandLost);
      say(result);
      if (result.problem) act.fill(`/${command.name} ${words}`.trim());
    }
  };
  const pick = (command) => (command.hint ? act.fill(`/${command.name} `) : carryOut(command, ""));
  return {
    found,
    current,
    answer,
    pick,
    open: found.length > 0,
    close: () => close(true),
    named: (said) => NAMED.test(said),
    // Whether what is written is a command; then it is carried out.
    run: (said) => {
      const [, name, words = ""] = NAMED.exec(said) || [];
      const command = name && all.find((one) => one.name === name);
      if (!command || (name === "new" && words)) return false;
      carryOut(command, words.trim());
      return true;
    },
    keys: (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!found.length || event.shiftKey) return false;
      if (step) setAt((current + step + found.length) % found.length);
      else if (event.key === "Enter" || event.key === "Tab") pick(found[current]);
      else return false;
      event.preventDefault();
      return true;
    },
  };
}

export function Commands({ slash, labels }) {
  const { found, current, answer, pick } = slash;
  const list = useRef(null);
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: "nearest" });
  }, [current, found.length]);
  return jsxs("div", {
    className: "mzc-slash",
    children: [
      found.length > 0 &&
        jsx("ul", {
          ref: list,
          id: MENU,
          role: "listbox",
          tabIndex: 0, // it scrolls; the keys of the text box choose
          "aria-label": labels.commands,
          className: "mzc-commands",
          children: found.map((one, index) =>
            jsxs(
              "li",
              {
                id: `${MENU}-${index}`,
                role: "option",
                "aria-selected": index === current,
                onPointerDown: (event) => event.preventDefault(), // the focus stays in the text box
                onClick: () => pick(one),
                children: [
                  jsxs("span", { className: "mzc-command", children: [jsx("bdi", { dir: "ltr", children: `/${one.name}` }), one.hint && jsx("i", { children: ` ${mzT(one.hint)}` })] }),
                  jsx("span", { children: mzT(one.description) }),
                ],
              },
              one.name,
            ),
          ),
        }),
      jsx("p", { role: "status", className: "mzc-told", children: answer.busy ? "…" : answer.told || "" }),
      answer.problem && jsx("p", { role: "alert", className: "mzc-error", children: answer.problem }),
    ],
  });
}
