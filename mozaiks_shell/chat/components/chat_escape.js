// The Escape key for what is innermost: the pane listens itself, below React's own listeners.
import { useEffect, useRef } from "react";

export function useEscape(element, active, leave) {
  const latest = useRef(leave);
  useEffect(() => {
    latest.current = leave;
  });
  useEffect(() => {
    const at = element.current;
    if (!at || !active) return;
    const keys = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
      event.preventDefault();
      latest.current();
    };
    at.addEventListener("keydown", keys);
    return () => at.removeEventListener("keydown", keys);
  }, [element, active]);
}
