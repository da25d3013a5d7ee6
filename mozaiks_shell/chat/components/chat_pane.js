// The live conversation: status line, log, composer. Text streams past React (see chat_stream.js).
import { memo, useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useNavigate } from "react-router";
import { mzDate } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";
import { ChatStream, unanswered } from "./chat_stream.js";
import { Choice } from "./chat_choice.js";
import { Composer } from "./chat_composer.js";
import { CopyButton, ownPath, Prose } from "./chat_markdown.js";
import "./chat.css";

const NEAR_END_PX = 48;
const ANNOUNCED_MS = 3_000;
const BY_HAND_MS = 1_000;
const OVER = new Set(["completed", "interrupted", "stopped", "failed"]);
const HAND = ["wheel", "touchmove", "keydown", "pointerdown"];

// Everything up to the last blank line outside a code fence is final and may become Markdown.
function split(text) {
  const cut = text.lastIndexOf("\n\n");
  const head = cut < 0 ? "" : text.slice(0, cut + 2);
  return (head.split("```").length - 1) % 2 ? ["", text] : [head, text.slice(head.length)];
}

function Writing({ stream, labels }) {
  const [blocks, setBlocks] = useState([]);
  const tail = useRef(null);
  useEffect(() => {
    let done = 0;
    return stream.watchText((text) => {
      if (text.length < done) {
        done = 0;
        setBlocks([]);
      }
      const [head, rest] = split(text.slice(done));
      if (head) {
        done += head.length;
        setBlocks((before) => [...before, head]);
      }
      if (tail.current) tail.current.textContent = rest;
    });
  }, [stream]);
  return jsxs("div", {
    className: "mzc-writing",
    children: [
      ...blocks.map((text, index) => jsx(Prose, { text, labels }, index)),
      jsx("div", { ref: tail, className: "mzc-tail" }, "tail"),
    ],
  });
}

const Message = memo(function Message({ item, named, heard, labels, stream }) {
  const { role, who, text, at, cancelled, undelivered } = item;
  const note = cancelled ? labels.stopped : undelivered ? labels.undelivered : item.queued && heard ? labels.queued : "";
  const body =
    role === "user" ? jsx("div", { className: "mzc-said", dir: "auto", children: text }) : jsx(Prose, { text: text || "", labels });
  return jsxs("article", {
    className: "mzc-message",
    "data-role": role,
    "data-undelivered": undelivered || undefined,
    "aria-label": role === "user" ? labels.you : who || undefined,
    title: at ? mzDate(at, "datetime") : undefined,
    children: [
      named && role === "agent" && jsx("div", { className: "mzc-who", children: who }),
      body,
      note &&
        jsxs("div", {
          className: "mzc-note",
          children: [
            jsx("span", { children: note }),
            undelivered && jsx("button", { type: "button", className: "mzc-link", onClick: () => stream.giveBack(text), children: labels.writeAgain }),
          ],
        }),
      role === "agent" && jsx(CopyButton, { text: () => text, label: labels.copyMessage, done: labels.copied, className: "mzc-copy" }),
    ],
  });
});

const Tool = memo(function Tool({ item, labels, onArtifact }) {
  const artifact = item.display !== "inline";
  if (item.state === "open" && !artifact) return null; // drawn in Python at the end of the log
  const told = { answered: labels.answered, dismissed: labels.dismissed, expired: labels.expired }[item.state] || labels.shown;
  return jsxs("div", {
    className: "mzc-event",
    "data-state": item.state,
    children: [
      jsx("strong", { children: item.title || item.component }),
      jsx("span", { children: item.summary ? `${told}: ${item.summary}` : told }),
      item.state === "open" &&
        jsx("button", { type: "button", className: "mz-button mz-button-small mz-secondary mzc-beside", onClick: onArtifact, children: labels.openArtifact }),
    ],
  });
});

const Log = memo(function Log({ items, heard, choosing, labels, stream, onArtifact }) {
  let speaker = "";
  return items.map((item) => {
    if (item.k === "tool") return jsx(Tool, { item, labels, onArtifact }, item.key);
    if (item.k === "choice") return jsx(Choice, { item, busy: item.over ? "" : choosing, labels, stream }, item.key);
    if (item.k === "ask") return jsx("p", { className: "mzc-question", children: item.prompt }, item.key);
    const name = `${item.role}:${item.who}`;
    const named = name !== speaker;
    speaker = name;
    return jsx(Message, { item, named, heard, labels, stream }, item.key);
  });
});

function Status({ state, labels, onAgain, onRetry }) {
  const { connection, status, detail, delayed, items } = state;
  const asked = items.some(unanswered); // its card offers the way out
  const line = {
    connecting: [detail || labels.connecting],
    reconnecting: [labels.reconnecting, labels.retry, onRetry],
    signedOut: [labels.signedOut, labels.reload, () => location.reload()],
    refused: [labels.refused, labels.again, onAgain],
    unopened: [detail || labels.refused, labels.retry, onRetry],
    crowded: [labels.crowded, labels.retry, onRetry],
    live: {
      connecting: [labels.runtimeConnecting],
      completed: [labels.completed, labels.again, onAgain],
      interrupted: [labels.interrupted, labels.again, onAgain],
      stopped: [labels.wasStopped, labels.again, onAgain],
      failed: [labels.runtimeDown, labels.again, onAgain],
    }[status] || (delayed && [detail]),
  }[connection];
  const tone = connection !== "live" ? connection : delayed ? "delayed" : status;
  return jsx("div", {
    className: "mzc-status",
    role: "status",
    "data-tone": tone,
    children: line && [
      jsx("span", { children: connection === "live" && detail ? detail : line[0] }, "text"),
      line[1] && !(asked && connection === "live") && jsx("button", { type: "button", className: "mz-button mz-button-small mz-secondary", onClick: line[2], children: line[1] }, "way-out"),
    ],
  });
}

// Stays at the end while the reader is there; keeps the reader's line when the width changes.
function useScroll(scroller, content) {
  const pinned = useRef(true);
  const anchor = useRef(null);
  const [away, setAway] = useState(false);
  const toEnd = useCallback(() => {
    pinned.current = true;
    setAway(false);
    scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [scroller]);
  useEffect(() => {
    const box = scroller.current;
    let width = box.clientWidth;
    let [top, height, touched] = [0, 0, 0];
    const hand = () => (touched = performance.now());
    const onScroll = () => {
      if (box.clientWidth !== width) return;
      const person = box.scrollHeight === height || performance.now() - touched < BY_HAND_MS;
      if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX) pinned.current = true;
      else if (box.scrollTop < top && person) pinned.current = false; // not the browser, after something became shorter
      [top, height] = [box.scrollTop, box.scrollHeight];
      setAway(!pinned.current);
      const line = [...content.current.children].find((one) => one.offsetTop + one.offsetHeight > box.scrollTop);
      anchor.current = line && { line, into: (box.scrollTop - line.offsetTop) / (line.offsetHeight || 1) };
    };
    const observer = new ResizeObserver(() => {
      if (pinned.current) box.scrollTop = box.scrollHeight;
      else if (box.clientWidth !== width && anchor.current?.line.isConnected) {
        const { line, into } = anchor.current;
        box.scrollTop = line.offsetTop + into * line.offsetHeight;
      }
      width = box.clientWidth;
      [top, height] = [box.scrollTop, box.scrollHeight];
    });
    observer.observe(box);
    observer.observe(content.current);
    const heard = [["scroll", onScroll], ...HAND.map((name) => [name, hand])];
    heard.forEach(([name, listener]) => box.addEventListener(name, listener, { passive: true }));
    return () => {
      observer.disconnect();
      heard.forEach(([name, listener]) => box.removeEventListener(name, listener));
    };
  }, [scroller, content]);
  return [away, toEnd];
}

// Focus goes to the composer when a person opens the pane (not when a reload brings the widget back; the overlay is
// modal, however it came) and returns to the bubble on closing; Tab stays inside the overlay.
function useFocus(root, box, { surface, bubble, chatId, fresh }, escape) {
  const before = useRef(null);
  useEffect(() => {
    const was = before.current;
    before.current = surface;
    if (surface === "closed") {
      if (was && was !== "closed") document.getElementById(bubble)?.focus();
    } else if (was !== surface && (surface === "overlay" || (navigator.userActivation?.isActive ?? true))) box.current?.focus({ preventScroll: true });
  }, [surface, bubble, box]);
  useEffect(() => {
    const lost = document.activeElement === document.body; // the line that was pressed went with its list
    if (lost && before.current !== "closed" && navigator.userActivation?.isActive) box.current?.focus({ preventScroll: true });
  }, [chatId, fresh, box]);
  useEffect(() => {
    const pane = root.current.closest("[data-surface]");
    const keys = (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) {
        event.preventDefault();
        escape();
      } else if (event.key === "Tab" && pane.dataset.surface === "overlay") {
        const stops = [...pane.querySelectorAll("a[href],button,input,select,textarea,[tabindex='0']")];
        const reachable = stops.filter((one) => !one.disabled && one.type !== "hidden" && one.getClientRects().length && !one.closest("[inert]"));
        const edge = event.shiftKey ? reachable[0] : reachable.at(-1);
        if (document.activeElement !== edge) return;
        event.preventDefault();
        (event.shiftKey ? reachable.at(-1) : reachable[0]).focus();
      }
    };
    pane.addEventListener("keydown", keys);
    return () => pane.removeEventListener("keydown", keys);
  }, [root, escape]);
}

const plain = (text) => text.replace(/```[\s\S]*?```/g, " ").replace(/[#*_`>|[\]]/g, "").replace(/\s+/g, " ").trim().slice(0, 400);

export function Conversation(props) {
  const { chatId, workflow, fresh, children } = props;
  const [labels] = useState(props.labels);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const navigate = useNavigate();
  const [root, scroller, content, box] = [useRef(null), useRef(null), useRef(null), useRef(null)];
  const [announcement, announce] = useState("");
  const [stream] = useState(
    () =>
      new ChatStream({
        attached: (...chat) => latest.current.onAttached?.(...chat),
        tools: (...news) => latest.current.onTools?.(...news),
        navigate: (path) => ownPath(path) === path && navigate(path),
        refused: (text, unheard) => stream.giveBack(text, unheard ? labels.notSent : ""),
        arrived: ({ role, who, text }) => {
          if (role === "user") return;
          announce(`${who ? `${who}: ` : ""}${plain(text || "")}`);
          if (latest.current.surface === "closed") latest.current.onUnread?.();
        },
      }),
  );
  const state = useSyncExternalStore(stream.subscribe, stream.getSnapshot, stream.getSnapshot);
  const [away, toEnd] = useScroll(scroller, content);
  stream.pinned = toEnd;
  useEffect(() => {
    if (chatId ? chatId !== stream.state.chat : fresh || !stream.state.chat) stream.open(chatId, workflow, !chatId && fresh > 0);
  }, [stream, chatId, workflow, fresh]);
  useEffect(() => {
    toEnd();
  }, [state.chat, state.caughtUp, toEnd]);
  useEffect(() => () => stream.close(), [stream]);
  useEffect(() => {
    const heard = setTimeout(() => announce(""), ANNOUNCED_MS);
    return () => clearTimeout(heard);
  }, [announcement]);
  const held = root.current?.contains(document.activeElement);
  useLayoutEffect(() => {
    if (held && document.activeElement === document.body) box.current?.focus({ preventScroll: true }); // what had it is gone
  });
  useFocus(root, box, props, useCallback(() => latest.current.onEscape?.(), []));
  const again = () => latest.current.onAgain?.(stream.state.workflow || workflow);
  const onArtifact = useCallback(() => latest.current.onArtifact?.(), []);

  const { items, live, pending, progress, status, connection, caughtUp } = state;
  const last = items.at(-1);
  const thinking = connection === "live" && status === "running" && !live && (pending.length > 0 || last?.role === "user");
  const named = live && (last?.role !== "agent" || last?.who !== live.who);
  return jsxs("div", {
    ref: root,
    className: "mzc-stream",
    children: [
      jsx(Status, { state, labels, onAgain: again, onRetry: () => stream.retry() }),
      jsx("div", {
        ref: scroller,
        className: "mzc-scroller",
        tabIndex: 0,
        role: "log",
        "aria-live": "off",
        "aria-label": labels.log,
        "aria-busy": Boolean(live),
        children: jsxs("div", {
          ref: content,
          className: "mzc-content",
          children: [
            caughtUp && !items.length && !live && !pending.length && jsx("p", { className: "mzc-empty", children: labels.empty }),
            jsx(Log, { items, heard: !OVER.has(status), choosing: state.choosing, labels, stream, onArtifact }),
            ...pending.map(({ id, text }) =>
              jsx("article", { className: "mzc-message mzc-pending", "data-role": "user", children: jsx("div", { className: "mzc-said", dir: "auto", children: text }) }, id),
            ),
            live &&
              jsxs("article", {
                className: "mzc-message",
                "data-role": "agent",
                children: [named && jsx("div", { className: "mzc-who", children: live.who }), jsx(Writing, { stream, labels }, live.id)],
              }),
            thinking && jsx("div", { className: "mzc-thinking", "aria-hidden": true, children: [0, 1, 2].map((dot) => jsx("i", {}, dot)) }),
            progress &&
              jsxs("div", {
                className: "mzc-progress",
                children: [jsx("span", { children: progress.text }), jsx("progress", { max: 100, value: progress.percent ?? undefined, "aria-label": progress.text })],
              }),
            children,
          ],
        }),
      }),
      away && jsx("button", { type: "button", className: "mzc-jump", onClick: toEnd, children: labels.jump }),
      jsx(Composer, { stream, state, labels, box }),
      jsx("div", { className: "mzc-hear", role: "status", "aria-live": "polite", children: announcement }),
    ],
  });
}
