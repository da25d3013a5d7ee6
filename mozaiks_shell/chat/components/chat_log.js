// The messages of one chat: what is written, and what is being written. Long logs are drawn page by page; the browser
// skips what is far from the screen, but finds words in it and reads it aloud.
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";
import { mzDate, mzN } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";
import { Actions } from "./chat_actions.js";
import { Growing, blocksOf } from "./chat_blocks.js";
import { Choice } from "./chat_choice.js";
import { money } from "./chat_cost.js";
import { Attachment } from "./chat_files.js";
import { Blocks, Prose } from "./chat_markdown.js";
import { Question } from "./chat_question.js";

const PAGE = 40; // items drawn together
const NEAR = 2; // pages at the end that are always drawn

// An agent's text: the same place while it is being written and after, so that nothing is drawn twice.
function Answer({ text, live, stream, labels }) {
  const [grown, setGrown] = useState(null);
  useEffect(() => {
    if (!live) return undefined;
    let reader = new Growing();
    return stream.watchText((whole) => {
      if (whole.length < reader.at) reader = new Growing();
      reader.grow(whole);
      setGrown({ done: reader.done, tail: reader.tail });
    });
  }, [live, stream]);
  const whole = useMemo(() => (live ? null : blocksOf(text || "")), [live, text]);
  const { done, tail } = whole ? { done: whole } : grown || { done: [] };
  return jsx("div", {
    className: "mzc-prose",
    dir: "auto",
    "data-live": live || undefined,
    children: jsx(Blocks, { done, tail, labels }),
  });
}

const ARROW = jsx("svg", { viewBox: "0 0 24 24", "aria-hidden": true, className: "mzc-arrow", children: jsx("path", { d: "M5 12h14M13 6l6 6-6 6" }) });

// Who speaks; with who spoke before when one agent hands over to another.
function Who({ who, from, labels }) {
  if (!from) return jsx("div", { className: "mzc-who", children: who });
  return jsxs("div", {
    className: "mzc-who",
    "data-handoff": true,
    children: [jsx("span", { children: from }), ARROW, jsx("span", { className: "mzc-hear", children: labels.handsOver }), jsx("strong", { children: who })],
  });
}

const Message = memo(function Message({ item, named, from, heard, live, last, given, labels, stream }) {
  const { role, who, text, at, cancelled, undelivered, spent } = item;
  const note = cancelled ? labels.stopped : undelivered ? labels.undelivered : item.queued && heard ? labels.queued : "";
  const body =
    role === "user"
      ? jsx("div", { className: "mzc-said", dir: "auto", children: text })
      : role === "agent"
        ? jsx(Answer, { text, live, stream, labels })
        : jsx(Prose, { text: text || "", labels });
  return jsxs("article", {
    className: "mzc-message",
    "data-role": role,
    "data-undelivered": undelivered || undefined,
    "aria-label": role === "user" ? labels.you : who || undefined,
    title: at ? mzDate(at, "datetime") : undefined,
    children: [
      named && role === "agent" && jsx(Who, { who, from, labels }),
      body,
      note &&
        jsxs("div", {
          className: "mzc-note",
          children: [
            jsx("span", { children: note }),
            undelivered && jsx("button", { type: "button", className: "mzc-link", onClick: () => stream.giveBack(text), children: labels.writeAgain }),
            undelivered && heard && jsx("button", { type: "button", className: "mzc-link", onClick: () => stream.sayAgain(text), children: labels.sayAgain }),
          ],
        }),
      spent && !live && jsx("div", { className: "mzc-spent", children: money(spent) }),
      !live && (role === "agent" || (role === "user" && !undelivered)) && jsx(Actions, { item, heard, last, given, labels, stream }),
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

// Tools that ran one after the other: a quiet line that tells how many, with their names inside.
function Steps({ steps, labels }) {
  const names = steps.map((one) => one.name || one.text).filter(Boolean);
  const failed = steps.some((one) => one.state === "failed");
  return jsxs("details", {
    className: "mzc-steps",
    children: [
      jsxs("summary", {
        children: [
          jsx("span", { children: mzN("{count} tool used", "{count} tools used", steps.length) }),
          steps.length === 1 && jsx("code", { children: names[0] }),
          failed && jsx("span", { className: "mzc-failed", children: labels.stepFailed }),
        ],
      }),
      jsx("ol", {
        children: steps.map((one) =>
          jsxs("li", { children: [jsx("code", { children: one.name || one.text }), one.name && one.text && jsx("span", { children: one.text }), one.state === "failed" && jsx("span", { className: "mzc-failed", children: labels.stepFailed })] }, one.key),
        ),
      }),
    ],
  });
}

const same = (a, b) => a.length === b.length && a.every((one, index) => one === b[index]);

const Page = memo(
  function Page({ items, before, far, heard, choosing, feedback, newest, live, labels, stream, onArtifact }) {
    const box = useRef(null);
    const [height, measured] = useState(0);
    useEffect(() => {
      if (!far || height) return undefined;
      const frame = requestAnimationFrame(() => measured(box.current?.offsetHeight || 0));
      return () => cancelAnimationFrame(frame);
    }, [far, height]);
    let [speaker, agent, steps] = [before.speaker, before.agent, []];
    const drawn = [];
    const message = (item, isLive) => {
      const name = `${item.role}:${item.who}`;
      const named = name !== speaker;
      const from = named && item.role === "agent" && agent && agent !== item.who ? agent : "";
      speaker = name;
      if (item.role !== "notice") agent = item.role === "agent" ? item.who : "";
      const last = item.key === newest;
      drawn.push(jsx(Message, { item, named, from, heard, live: isLive, last, given: feedback[item.id], labels, stream }, item.key));
    };
    const flush = () => {
      if (steps.length) drawn.push(jsx(Steps, { steps, labels }, steps[0].key));
      steps = [];
    };
    for (const item of items) {
      if (item.k === "step") {
        steps.push(item);
        continue;
      }
      flush();
      if (item.k === "tool") drawn.push(jsx(Tool, { item, labels, onArtifact }, item.key));
      else if (item.k === "choice") drawn.push(jsx(Choice, { item, busy: item.over ? "" : choosing, labels, stream }, item.key));
      else if (item.k === "ask") drawn.push(jsx(Question, { item, answer: item.answer, heard, labels, stream }, item.key));
      else if (item.k === "attachment") drawn.push(jsx(Attachment, { item, labels }, item.key));
      else message(item, false);
    }
    flush();
    if (live) message({ key: live.id, role: "agent", who: live.who }, true);
    const skipped = far && height > 0;
    return jsx("div", { ref: box, className: skipped ? "mzc-page mzc-far" : "mzc-page", style: skipped ? { containIntrinsicBlockSize: `auto ${height}px` } : undefined, children: drawn });
  },
  (a, b) =>
    same(a.items, b.items) &&
    same(Object.values(a.before), Object.values(b.before)) &&
    ["far", "live", "heard", "choosing", "feedback", "newest"].every((one) => a[one] === b[one]),
);

// Where pages begin is remembered by the item that begins them, so that older items and new ones change no other page;
// an answer stays where it was `written`.
function pagesOf(items, begins, written) {
  const pages = [];
  for (const item of items) {
    const full = pages.at(-1)?.length >= PAGE && item.key !== written;
    if (!pages.length || full || begins.has(item.key)) {
      begins.add(item.key);
      pages.push([]);
    }
    pages.at(-1).push(item);
  }
  return pages;
}

export const Log = memo(function Log({ items, live, heard, choosing, feedback, labels, stream, onArtifact }) {
  const [begins] = useState(() => new Set());
  const written = useRef("");
  const drawn = useMemo(() => pagesOf(items, begins, written.current), [items, begins]);
  useEffect(() => {
    if (live) written.current = live.id;
  }, [live]);
  const pages = !drawn.length && live ? [[]] : drawn;
  const answer = items.findLast((one) => one.k === "message" && one.role === "agent")?.key;
  let before = { speaker: "", agent: "" };
  return pages.map((page, index) => {
    const here = before;
    const last = page.findLast((item) => item.role && item.role !== "notice");
    if (last) before = { speaker: `${last.role}:${last.who}`, agent: last.role === "agent" ? last.who : "" };
    const end = index === pages.length - 1;
    const key = page[0]?.key ?? live.id;
    const newest = page.some((item) => item.key === answer) ? answer : "";
    const props = { items: page, before: here, far: pages.length - index > NEAR, heard, choosing, feedback, newest, live: end ? live : null };
    return jsx(Page, { ...props, labels, stream, onArtifact }, key);
  });
});
