// window.mozaiksChat and its events, for the page around the pane (F-176). What was called earlier waits in a list.
import { useEffect, useRef } from "react";

const word = (value) => (typeof value === "string" ? value.slice(0, 128) : "");

export function ChatHost({ surface, mode, chatId, workflow, asked, ready, signedIn, visitor, onOpen, onClose }) {
  const latest = useRef({});
  const before = useRef(["closed", 0]);
  useEffect(() => {
    latest.current = { mode, chatId, workflow, onOpen, onClose };
  });
  useEffect(() => {
    const host = window.mozaiksChat;
    if (!ready || !host?.take) return undefined;
    host.wake = () => {
      for (const [what, told] of host.take()) {
        if (!signedIn) what === "open" && document.getElementById(visitor)?.showPopover();
        else if (what === "open") latest.current.onOpen(word(told?.mode), word(told?.chat_id), word(told?.workflow_name));
        else latest.current.onClose();
      }
    };
    host.wake();
    return () => {
      host.wake = null;
    };
  }, [ready, signedIn, visitor]);
  useEffect(() => {
    const [was, times] = before.current;
    before.current = [surface, asked];
    const open = surface !== "closed";
    if (open ? was !== "closed" && asked === times : was === "closed") return;
    const detail = { mode: latest.current.mode, chat_id: latest.current.chatId, workflow_name: latest.current.workflow, surface };
    document.dispatchEvent(new CustomEvent(`mozaiks:chat:${open ? "open" : "close"}`, { detail, bubbles: true }));
  }, [surface, asked]);
  return null;
}
