import { useEffect, useState } from "react";
import { mzN, mzT } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";

// The seconds until something may be tried again, counting down from when it was drawn.
export function MzWait({ seconds }) {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const end = Date.now() + 1000 * seconds;
    const tick = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [seconds]);
  return left ? mzN("You can try again in {count} second.", "You can try again in {count} seconds.", left) : mzT("You can try again now.");
}
