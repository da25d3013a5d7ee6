// The live conversation: status line, log, composer. Text streams past React (see chat_stream.js).
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useNavigate } from "react-router";
import { Composer } from "./chat_composer.js";
import { useFocus, useScroll } from "./chat_hooks.js";
import { Log, Writing } from "./chat_log.js";
import { ownPath } from "./chat_markdown.js";
import { Status } from "./chat_status.js";
import { ChatStream, OVER } from "./chat_stream.js";
import "./chat.css";

const ANNOUNCED_MS = 3_000;

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
        stands: (...how) => latest.current.onStands?.(...how),
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
            caughtUp && !items.length && !live && !pending.length && !OVER.has(status) && jsx("p", { className: "mzc-empty", children: labels.empty }),
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
      jsx("div", { className: "mzc-write", inert: connection === "live" && OVER.has(status), children: jsx(Composer, { stream, state, labels, box }) }),
      jsx("div", { className: "mzc-hear", role: "status", "aria-live": "polite", children: announcement }),
    ],
  });
}
