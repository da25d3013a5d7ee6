// The live conversation: status line, log, composer. Text streams past React (see chat_stream.js).
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { useNavigate } from "react-router";
import { Composer } from "./chat_composer.js";
import { money } from "./chat_cost.js";
import { useFocus, useScroll } from "./chat_hooks.js";
import { picturesOf } from "./chat_images.js";
import { Log } from "./chat_log.js";
import { ownPath } from "./chat_markdown.js";
import { Outbox } from "./chat_outbox.js";
import { Suggestions } from "./chat_suggestions.js";
import { Status } from "./chat_status.js";
import { ChatStream, OVER } from "./chat_stream.js";
import "./chat.css";
import "./chat_surfaces.css";

const ANNOUNCED_MS = 3_000;

const plain = (text) => text.replace(/```[\s\S]*?```/g, " ").replace(/[#*_`>|[\]]/g, "").replace(/\s+/g, " ").trim().slice(0, 400);

const Greeting = ({ text, logo }) =>
  jsxs("p", { className: "mzc-empty", children: [logo && jsx("img", { src: logo, alt: "", className: "mzc-logo" }), jsx("span", { dir: "auto", children: text })] });

export function Conversation(props) {
  const { chatId, workflow, fresh, children } = props;
  const [labels] = useState(props.labels);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const navigate = useNavigate();
  const [root, scroller, content, box] = [useRef(null), useRef(null), useRef(null), useRef(null)];
  const scrolling = useRef(null);
  const [announcement, announce] = useState("");
  const [stream] = useState(
    () =>
      new ChatStream({
        attached: (...chat) => latest.current.onAttached?.(...chat),
        tools: (...news) => latest.current.onTools?.(...news),
        stands: (...how) => latest.current.onStands?.(...how),
        navigate: (path) => ownPath(path) === path && navigate(path),
        refused: (text) => {
          outbox.unsaid();
          stream.giveBack(text);
        },
        unheard: ({ id, text }) => {
          outbox.unsaid();
          outbox.add(text, [], { id, first: true });
        },
        older: () => scrolling.current?.keep(),
        arrived: ({ role, who, text }) => {
          if (role === "user") return;
          scrolling.current?.missed();
          announce(`${who ? `${who}: ` : ""}${plain(text || "")}`);
          if (latest.current.surface === "closed") latest.current.onUnread?.();
        },
      }),
  );
  const [outbox] = useState(() => new Outbox(stream, labels, ({ text, files }, why) => stream.giveBack(text, why, files)));
  const state = useSyncExternalStore(stream.subscribe, stream.getSnapshot, stream.getSnapshot);
  const { away, count: missed, toEnd, ...scroll } = useScroll(scroller, content, state.items[0]?.key, useCallback(() => stream.earlier(), [stream]));
  scrolling.current = scroll;
  stream.pinned = toEnd;
  useEffect(() => {
    if (chatId ? chatId !== stream.state.chat : fresh || !stream.state.chat) stream.open(chatId, workflow, !chatId && fresh > 0);
  }, [stream, chatId, workflow, fresh]);
  useEffect(() => {
    toEnd();
  }, [state.chat, state.caughtUp, toEnd]);
  useEffect(() => () => stream.close(), [stream]);
  useEffect(() => picturesOf(state.chat), [state.chat]);
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

  const { items, live, pending, progress, status, connection, caughtUp, earlier, loading, total, who } = state;
  const last = items.at(-1);
  const thinking = connection === "live" && status === "running" && !live && (pending.length > 0 || last?.role === "user" || last?.k === "step" || Boolean(who));
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
            caughtUp && !items.length && !live && !pending.length && !OVER.has(status) && jsx(Greeting, { text: props.greeting || labels.empty, logo: props.logo }),
            earlier &&
              jsx("button", {
                type: "button",
                className: "mzc-link mzc-earlier",
                "aria-busy": loading,
                onClick: () => stream.earlier(),
                children: loading ? labels.loadingEarlier : labels.earlier,
              }, "earlier"),
            jsx(Log, { items, live, heard: !OVER.has(status), choosing: state.choosing, feedback: state.feedback, labels, stream, onArtifact }, "log"),
            ...pending.map(({ id, text }) =>
              jsx("article", { className: "mzc-message mzc-pending", "data-role": "user", children: jsx("div", { className: "mzc-said", dir: "auto", children: text }) }, id),
            ),
            progress
              ? jsxs("div", {
                  className: "mzc-progress",
                  children: [
                    jsxs("span", { children: [progress.name && jsx("code", { children: progress.name }), progress.text] }),
                    progress.percent > 0 && jsx("progress", { max: 100, value: progress.percent, "aria-label": progress.name || progress.text }),
                  ],
                })
              : thinking && jsxs("div", { className: "mzc-thinking", children: [...[0, 1, 2].map((dot) => jsx("i", { "aria-hidden": true }, dot)), who && jsx("span", { children: who }, "who")] }),
            jsx(Suggestions, { state, labels, stream }, "suggestions"),
            children,
          ],
        }),
      }),
      away &&
        jsxs("button", {
          type: "button",
          className: "mzc-jump",
          "aria-label": missed ? `${labels.jump}. ${labels.newMessages}: ${missed}` : undefined,
          onClick: toEnd,
          children: [labels.jump, missed > 0 && jsx("b", { children: missed > 99 ? "99+" : missed })],
        }),
      total && jsx("p", { className: "mzc-total", title: labels.total, "aria-label": `${labels.total}: ${money(total)}`, children: money(total) }),
      jsx("div", { className: "mzc-write", inert: connection === "live" && OVER.has(status), children: jsx(Composer, { stream, outbox, state, labels, box, onFresh: again }) }),
      jsx("div", { className: "mzc-hear", role: "status", "aria-live": "polite", children: announcement }),
    ],
  });
}
