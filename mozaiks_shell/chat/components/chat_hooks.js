// Where the log stands and where the focus is.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR_END_PX = 48;
const BY_HAND_MS = 1_000;
const HAND = ["wheel", "touchmove", "keydown", "pointerdown"];

// The line that is first on the screen: a page of the log is looked into.
function lineAt(content, top) {
  const under = (place) => [...place.children].find((one) => one.getBoundingClientRect().bottom > top);
  const page = under(content);
  return (page?.classList.contains("mzc-page") && under(page)) || page;
}

// Stays at the end while the reader is there; keeps the reader's line when the width changes and when older messages come
// before the first one (`first` is its key). Near the beginning it asks for them. Counts what came while the reader was away.
export function useScroll(scroller, content, first, earlier) {
  const pinned = useRef(true);
  const anchor = useRef(null);
  const held = useRef(null);
  const [away, setAway] = useState(false);
  const [count, setCount] = useState(0);
  const toEnd = useCallback(() => {
    pinned.current = true;
    setAway(false);
    setCount(0);
    scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [scroller]);
  const keep = useCallback(() => {
    const top = scroller.current.getBoundingClientRect().top;
    const first = scroller.current.querySelector(".mzc-page");
    const line = (first && lineAt(first, top)) || lineAt(content.current, top);
    held.current = line && { line, top: line.getBoundingClientRect().top };
  }, [scroller, content]);
  useLayoutEffect(() => {
    const was = held.current;
    held.current = null;
    if (was?.line.isConnected && !pinned.current) scroller.current.scrollTop += was.line.getBoundingClientRect().top - was.top;
  }, [first, scroller]);
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
      if (pinned.current) setCount(0);
      else if (box.scrollTop < box.clientHeight) earlier();
      const line = lineAt(content.current, box.getBoundingClientRect().top);
      const place = line?.getBoundingClientRect();
      anchor.current = line && { line, into: (box.getBoundingClientRect().top - place.top) / (place.height || 1) };
    };
    const observer = new ResizeObserver(() => {
      if (pinned.current) box.scrollTop = box.scrollHeight;
      else if (box.clientWidth !== width && anchor.current?.line.isConnected) {
        const { line, into } = anchor.current;
        const place = line.getBoundingClientRect();
        box.scrollTop += place.top - box.getBoundingClientRect().top + into * place.height;
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
  }, [scroller, content, earlier]);
  const missed = useCallback(() => !pinned.current && setCount((before) => before + 1), []);
  return { away, count, toEnd, keep, missed };
}

// Focus goes to the composer when a person opens the pane (not when a reload brings the widget back; the overlay is
// modal, however it came) and returns to the bubble on closing; Tab stays inside the overlay.
export function useFocus(root, box, { surface, bubble, chatId, fresh }, escape) {
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
