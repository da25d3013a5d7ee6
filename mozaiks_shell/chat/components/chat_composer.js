// The text box: grows with its text, takes files, keeps a draft per chat, and lets texts wait while an answer is written.
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useEscape } from "./chat_escape.js";
import { Chips, objection } from "./chat_files.js";
import { newId, OVER } from "./chat_stream.js";
import { working } from "./chat_outbox.js";
import { Queue } from "./chat_queue.js";
import { Commands, MENU, useSlash } from "./chat_slash.js";
import "./chat_composer.css";

const SEND = jsx("svg", { viewBox: "0 0 24 24", "aria-hidden": true, children: jsx("path", { d: "M12 19V5M5 12l7-7 7 7" }) });
const CLIP = jsx("svg", {
  viewBox: "0 0 24 24",
  "aria-hidden": true,
  children: jsx("path", { d: "m21.4 11.05-9.19 9.19a6 6 0 0 1-8.49-8.49l8.57-8.57A4 4 0 1 1 18 8.84l-8.59 8.57a2 2 0 0 1-2.83-2.83l8.49-8.48" }),
});
const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");

// The draft of this chat and this person. What is typed before it is known who is there is put to what was kept.
function useDraft(outbox, { chat, me }, secret) {
  const [text, setText] = useState("");
  const [owner, typed] = [useRef(""), useRef("")];
  useEffect(() => {
    if (!me) return;
    const [early, kept] = [owner.current ? "" : typed.current, outbox.draft(chat)];
    owner.current = me;
    typed.current = early && kept && kept !== early ? `${kept}\n${early}` : early || kept;
    setText(typed.current);
    outbox.keep(chat, typed.current);
  }, [outbox, chat, me]);
  const write = useCallback(
    (value) => {
      typed.current = value;
      setText(value);
      outbox.keep(chat, secret ? "" : value);
    },
    [outbox, chat, secret],
  );
  return [text, write];
}

// Files dropped anywhere on the conversation.
function useDrop(form, take) {
  const [over, setOver] = useState(false);
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });
  useEffect(() => {
    const area = form.current.closest(".mzc-stream");
    const drag = (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event) => !area.contains(event.relatedTarget) && setOver(false);
    const drop = (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(false);
      latest.current([...event.dataTransfer.files]);
    };
    const heard = [["dragenter", drag], ["dragover", drag], ["dragleave", leave], ["drop", drop]];
    heard.forEach(([name, listener]) => area.addEventListener(name, listener));
    return () => heard.forEach(([name, listener]) => area.removeEventListener(name, listener));
  }, [form]);
  return over;
}

export function Composer({ stream, outbox, state, labels, box, onFresh }) {
  const queue = useSyncExternalStore(outbox.subscribe, outbox.getSnapshot, outbox.getSnapshot);
  const secret = Boolean(state.ask?.password);
  const [text, write] = useDraft(outbox, state, secret);
  const [held, hold] = useState({}); // files by chat
  const [refused, setRefused] = useState("");
  const [editing, edit] = useState(null); // {before}: what stood here when an earlier message was taken up again
  const [form, picker] = [useRef(null), useRef(null)];
  const { chat, offers } = state;
  const files = held[chat] || [];
  const setFiles = (list, where = chat) => hold((before) => ({ ...before, [where]: list }));
  useEffect(() => {
    setRefused("");
    edit(null);
  }, [chat]);
  useEffect(() => setRefused(state.refusal || ""), [state.refusal]);
  useLayoutEffect(() => {
    const area = box.current;
    if (area?.tagName !== "TEXTAREA") return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [text, secret, box]);

  const attach = (added) => {
    const [list, problems] = [[...files], []];
    for (const file of added) {
      const problem = offers ? objection(file, offers.uploads, list.length, labels) : labels.notConnected;
      if (problem) problems.push(problem);
      else list.push({ id: newId(), file });
    }
    setFiles(list);
    setRefused([...new Set(problems)].join(" "));
    box.current?.focus({ preventScroll: true });
  };
  const dropping = useDrop(form, attach);

  stream.giveBack = (lost, why, returned = []) => {
    write([lost, text].filter(Boolean).join("\n"));
    if (returned.length) setFiles([...returned.map(({ id, file }) => ({ id, file })), ...files]);
    if (why) setRefused(why);
    else box.current?.focus({ preventScroll: true });
  };
  stream.rewrite = (again) => {
    edit({ before: editing?.before ?? text });
    write(again);
    setRefused("");
    box.current?.focus({ preventScroll: true });
  };
  stream.answerAsk = (id, answer, file) => {
    const problem = file && (offers ? objection(file.file, offers.uploads, 0, labels) : labels.notConnected);
    setRefused(problem || "");
    if (!problem) outbox.add(answer, file ? [file] : [], { answer: id, first: true });
    stream.pinned?.();
  };
  stream.sayAgain = (again) => {
    outbox.add(again);
    stream.pinned?.();
  };
  const leaveEditing = () => {
    write(editing.before);
    edit(null);
  };
  const busy = working(state);
  const act = { say: (said) => stream.sayAgain(said), fill: write, fresh: onFresh, stop: () => stream.stop() };
  const slash = useSlash({ text: secret ? "" : text, state, labels, act });
  useEscape(form, Boolean(editing) || slash.open, slash.open ? slash.close : leaveEditing);
  const send = (event) => {
    event?.preventDefault();
    const said = text.trim();
    if (!said && !files.length) return;
    if (!secret && !files.length && slash.run(said)) return setRefused("");
    if (!secret && !offers && slash.named(said)) return setRefused(labels.notConnected); // perhaps a plugin's
    const over = state.connection === "live" && OVER.has(state.status);
    if (over && files.length) return setRefused(labels.over);
    if (secret || over) {
      if (!stream.say(said)) return setRefused(labels.notConnected); // a secret waits nowhere
      outbox.said();
    } else outbox.add(said, files);
    write(editing?.before || "");
    edit(null);
    setFiles([]);
    setRefused("");
    stream.pinned?.();
    box.current?.focus();
  };
  const keys = (event) => {
    if (event.nativeEvent.isComposing || event.keyCode === 229) return; // the key belongs to the input method
    if (slash.keys(event)) return;
    if (event.key === "Enter" && !event.shiftKey) send(event);
  };
  const pasted = (event) => {
    const found = [...event.clipboardData.files];
    if (!found.length) return;
    event.preventDefault();
    attach(found);
  };
  const input = {
    ref: box,
    value: text,
    "aria-label": labels.message,
    "aria-describedby": refused ? "mzc-refused" : undefined,
    "aria-autocomplete": secret ? undefined : "list",
    "aria-controls": slash.open ? MENU : undefined,
    "aria-activedescendant": slash.open ? `${MENU}-${slash.current}` : undefined,
    placeholder: secret ? labels.password : busy ? labels.next : labels.placeholder,
    onChange: (event) => write(event.target.value),
    onKeyDown: keys,
    onPaste: pasted,
    className: "mzc-input",
  };
  const later = busy || state.connection !== "live" ? labels.sendLater : labels.send;
  return jsxs("form", {
    ref: form,
    className: "mzc-composer",
    onSubmit: send,
    children: [
      jsx(Queue, {
        queue,
        why: queue.length ? outbox.waits() : "",
        labels,
        onEdit: (id) => {
          const entry = outbox.take(id);
          if (entry) stream.giveBack(entry.text, "", entry.files);
        },
        onRemove: (id) => {
          outbox.take(id);
          box.current?.focus({ preventScroll: true });
        },
        onNow: (id) => outbox.sendNow(id),
      }),
      jsx(Commands, { slash, labels }),
      refused && jsx("p", { id: "mzc-refused", role: "alert", className: "mzc-error", children: refused }),
      editing &&
        jsxs("div", {
          className: "mzc-editing",
          children: [
            jsx("span", { role: "status", children: labels.editing }),
            jsx("button", { type: "button", className: "mzc-link", onClick: leaveEditing, children: labels.cancelEdit }),
          ],
        }),
      jsxs("div", {
        className: "mzc-box",
        children: [
          jsx(Chips, { files, labels, onRemove: (id) => setFiles(files.filter((one) => one.id !== id)) }),
          offers?.uploads &&
            !secret &&
            jsxs("div", {
              className: "mzc-attach",
              children: [
                jsx("button", {
                  type: "button",
                  className: "mzc-round mzc-quiet",
                  "aria-label": labels.attach,
                  title: labels.attach,
                  onClick: () => picker.current.click(),
                  children: CLIP,
                }),
                jsx("input", {
                  ref: picker,
                  type: "file",
                  multiple: true,
                  hidden: true,
                  tabIndex: -1,
                  "aria-label": labels.attach,
                  accept: offers.uploads.types.join(",") || undefined,
                  onChange: (event) => {
                    attach([...event.target.files]);
                    event.target.value = "";
                  },
                }),
              ],
            }),
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
            "aria-label": later,
            title: later,
            disabled: !text.trim() && !files.length,
            children: SEND,
          }),
        ],
      }),
      dropping && jsx("div", { className: "mzc-drop", "aria-hidden": true, children: jsx("span", { children: offers?.uploads ? labels.drop : labels.noFiles }) }),
    ],
  });
}
