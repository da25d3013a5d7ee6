import { useEffect, useRef } from "react";

// One socket for all listeners of this tab, open while there are any. It comes back by itself, each time a little later.
const listeners = new Set();
let socket, retry, beat, wait = 1000, last = 0;

const address = () => (location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ws/live";

function open() {
  clearTimeout(retry);
  if (!listeners.size || (socket && socket.readyState <= 1)) return;
  const mine = (socket = new WebSocket(window.mzLiveAddress || address()));
  mine.onopen = () => {
    // What came while nobody listened is not told again: whoever shows it reads it anew.
    if (last) tell({ type: "reconnected" });
    last = 1;
    wait = 1000;
    clearInterval(beat);
    beat = setInterval(() => mine.readyState === 1 && mine.send("ping"), 45000);
  };
  mine.onmessage = (event) => {
    try { tell(JSON.parse(event.data)); } catch { /* not ours */ }
  };
  mine.onclose = (event) => {
    clearInterval(beat);
    if (socket === mine) socket = undefined;
    if (event.code === 4001 || event.code === 4003 || !listeners.size) return;
    retry = setTimeout(open, wait + Math.random() * 500);
    wait = Math.min(wait * 2, 30000);
  };
}

function tell(frame) {
  if (!frame || frame.type === "pong") return;
  for (const listener of [...listeners]) listener(frame);
  dispatchEvent(new CustomEvent("mozaiks:live", { detail: frame }));
}

function close() {
  clearTimeout(retry);
  if (!listeners.size && socket) { socket.close(1000); socket = undefined; last = 0; }
}

if (typeof window !== "undefined") {
  addEventListener("online", open);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && open());
}

// Draws nothing. kind is a frame's type; with "again" the handler also runs after the connection was lost.
export function MzLive({ kind, again, onFrame }) {
  const handler = useRef(onFrame);
  handler.current = onFrame;
  useEffect(() => {
    const hear = (frame) => {
      if (frame.type === kind) handler.current?.(String(frame.action ?? frame.subtype ?? ""), frame.data ?? {});
      else if (again && frame.type === "reconnected") handler.current?.("reconnected", {});
    };
    listeners.add(hear);
    setTimeout(open);  // not in the task that draws the page
    return () => { listeners.delete(hear); setTimeout(close, 1000); };
  }, [kind, again]);
  return null;
}
