// Inside the frame of an embedded chat: talks to the page around it, and to nobody else (decision 0013).
import { useEffect, useRef } from "react";

const word = (value) => (typeof value === "string" ? value.slice(0, 128) : "");

export function EmbedHost({ origins, signedIn, ready, surface, unread, mode, chatId, workflow, onOpen, onClose }) {
  const latest = useRef({});
  useEffect(() => {
    latest.current = { onOpen, onClose };
  });
  const asked = new URLSearchParams(globalThis.location?.search).get("origin") || "";
  const parent = origins.includes(asked) && globalThis.window?.parent !== globalThis.window ? asked : "";
  useEffect(() => {
    if (!parent || !ready) return undefined;
    const say = (what, more) => window.parent.postMessage({ mozaiks: what, ...more }, parent);
    const enter = async (ticket) => {
      const answer = await fetch("/auth/embed", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ticket }) });
      if (answer.ok) location.reload();
    };
    const heard = (event) => {
      if (event.source !== window.parent || event.origin !== parent) return;
      const { mozaiks: what, wish, ticket } = event.data || {};
      if (what === "ticket" && !signedIn && word(ticket)) enter(word(ticket));
      else if (!signedIn && what === "open") say("state", { surface: "widget", unread: 0 });
      else if (!signedIn && what === "close") say("state", { surface: "closed", unread: 0 });
      else if (what === "open") latest.current.onOpen(word(wish?.mode), word(wish?.chat_id), word(wish?.workflow_name));
      else if (what === "close") latest.current.onClose();
    };
    // Other pages of the app are never shown in the frame: a link opens a tab, and whatever else leaves loads a page that refuses.
    const link = (event) => {
      if (event.target.closest?.("[data-embed-close]")) return say("state", { surface: "closed", unread: 0 });
      const target = event.target.closest?.("a[href]");
      if (!target || target.hasAttribute("download")) return undefined;
      event.preventDefault();
      event.stopPropagation();
      return window.open(target.href, "_blank", "noopener");
    };
    const back = () => !signedIn && !document.hidden && location.reload(); // from the tab where one signs in
    addEventListener("message", heard);
    document.addEventListener("click", link, true);
    document.addEventListener("visibilitychange", back);
    say("ready");
    if (!signedIn) say("ticket");
    return () => {
      removeEventListener("message", heard);
      document.removeEventListener("click", link, true);
      document.removeEventListener("visibilitychange", back);
    };
  }, [parent, ready, signedIn]);
  useEffect(() => {
    if (!parent || !ready || !signedIn) return;
    const look = getComputedStyle(document.documentElement);
    const [fill, ink] = ["--color-fill", "--color-on-fill"].map((name) => look.getPropertyValue(name).trim());
    window.parent.postMessage({ mozaiks: "state", surface, unread, mode, chat_id: chatId, workflow_name: workflow, fill, ink }, parent);
  }, [parent, ready, signedIn, surface, unread, mode, chatId, workflow]);
  useEffect(
    () => () => {
      if (window.parent !== window && !/^\/embed\/?$/.test(location.pathname)) location.reload();
    },
    [],
  );
  return null;
}
