import { useEffect, useRef, useState } from "react";
import { jsx } from "@emotion/react";
import { useLocation } from "react-router";

const KINDS = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const EDGE = 512; // pixels: what is sent is a square of at most this size, whatever the camera made
const LARGEST = 25 * 1024 * 1024;

// The middle square of the picture, without what the camera wrote into the file (place, time).
async function square(file) {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" });
  const side = Math.min(whole.width, whole.height), edge = Math.min(side, EDGE);
  const canvas = Object.assign(document.createElement("canvas"), { width: edge, height: edge });
  const at = [(whole.width - side) / 2, (whole.height - side) / 2];
  canvas.getContext("2d").drawImage(whole, ...at, side, side, 0, 0, edge, edge);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const small = await new Promise((done) => canvas.toBlob(done, "image/webp", .9));
  return small?.type === "image/webp" && small.size < blob.size ? small : blob;
}

// One's own picture: choose or drop a file; it is shown at once and sent to `url`. `onDone` runs when it is stored.
export function MzPicture({ src, url, words, onDone, onRemove, children, ...rest }) {
  const [shown, setShown] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const input = useRef(null), button = useRef(null);
  useEffect(() => () => shown && URL.revokeObjectURL(shown), [shown]);
  useEffect(() => { if (!busy) setShown(""); }, [src]);

  const take = async (file) => {
    if (!file || busy) return;
    setProblem("");
    if (!KINDS.includes(file.type)) return setProblem(words.type);
    if (file.size > LARGEST) return setProblem(words.size);
    setBusy(true);
    try {
      const blob = await square(file).catch(() => null);
      if (!blob) return setProblem(words.broken);
      setShown(URL.createObjectURL(blob));
      const body = new FormData();
      body.append("file", blob, "picture." + blob.type.split("/")[1]);
      const answer = await fetch(url, { method: "POST", body, headers: { accept: "application/json" } });
      if (!answer.ok) {
        const said = await answer.json().catch(() => ({}));
        setShown("");
        return setProblem(typeof said.detail === "string" ? said.detail : words.failed);
      }
      onDone?.();
    } catch {
      setShown("");
      setProblem(words.failed);
    } finally {
      setBusy(false);
    }
  };
  const chosen = (event) => { take(event.target.files[0]); event.target.value = ""; };
  const drag = {
    onDragOver: (event) => { event.preventDefault(); setOver(true); },
    onDragLeave: () => setOver(false),
    onDrop: (event) => { event.preventDefault(); setOver(false); take(event.dataTransfer.files[0]); },
  };
  const remove = () => { setProblem(""); setShown(""); onRemove?.(); button.current.focus(); };
  const picture = shown || src;
  return jsx("div", { ...rest, ...drag, "data-over": over || undefined, "aria-busy": busy || undefined },
    jsx("span", { className: "mz-picture-face" }, picture ? jsx("img", { src: picture, alt: "" }) : children),
    jsx("div", { className: "mz-picture-words" },
      jsx("div", { className: "mz-row mz-gap-2" },
        jsx("input", { ref: input, type: "file", accept: KINDS.join(","), hidden: true, onChange: chosen }),
        jsx("button", { ref: button, type: "button", className: "mz-button mz-secondary mz-button-small",
          "aria-describedby": rest.id + "-help " + rest.id + "-error", onClick: () => input.current.click() },
        picture ? words.change : words.choose),
        picture && jsx("button", { type: "button", className: "mz-button mz-ghost mz-button-small", onClick: remove }, words.remove)),
      jsx("p", { className: "mz-help", id: rest.id + "-help" }, words.help),
      jsx("p", { className: "mz-error", id: rest.id + "-error", role: "alert" }, problem),
      jsx("span", { className: "mz-hidden", role: "status" }, busy ? words.busy : "")));
}

// Names that time zone lists of browsers still spell the old way.
const NEW = {
  "Asia/Calcutta": "Asia/Kolkata", "Asia/Katmandu": "Asia/Kathmandu", "Asia/Rangoon": "Asia/Yangon", "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Europe/Kiev": "Europe/Kyiv", "Atlantic/Faeroe": "Atlantic/Faroe", "America/Godthab": "America/Nuuk", "Africa/Asmera": "Africa/Asmara",
};
const modern = (zone) => NEW[zone] || zone;
const here = () => modern(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
const city = (zone) => zone.slice(zone.indexOf("/") + 1).replaceAll("_", " ").replaceAll("/", ", ");
const offset = (zone) => {
  try {
    const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts();
    return parts.find((one) => one.type === "timeZoneName").value.replace("GMT", "UTC");
  } catch {
    return "";
  }
};
// The city first and bare, so that typing its name finds it (an isolate before it would hide it); the offset is isolated,
// because it is left to right everywhere.
const line = (zone) => [city(zone), zone !== "UTC" && offset(zone) && `\u2066(${offset(zone)})\u2069`].filter(Boolean).join(" ");

// A native choice of IANA time zones with the offset they have now; this device's zone comes first.
// "" is "automatic": the zone everybody has here (`fallback`), else this device's.
export function MzTimeZones({ value, fallback, words, regions, ...rest }) {
  const [groups, setGroups] = useState(null);
  useEffect(() => {
    const all = new Set((Intl.supportedValuesOf?.("timeZone") || []).map(modern));
    if (value) all.add(value);
    const found = new Map();
    for (const zone of [...all].sort((a, b) => city(a).localeCompare(city(b)))) {
      const region = zone.includes("/") ? zone.split("/")[0] : "";
      if (region in regions) found.set(region, [...(found.get(region) || []), [zone, line(zone)]]);
    }
    setGroups([here(), [...found].sort((a, b) => regions[a[0]].localeCompare(regions[b[0]]))]);
  }, []);
  const option = ([zone, text]) => jsx("option", { key: zone, value: zone }, text);
  const first = groups && groups[0] !== value ? [[groups[0], line(groups[0])]] : [];
  const automatic = words.unset ? words.unset : groups ? words.automatic + " · " + line(fallback || groups[0]) : words.automatic;
  return jsx("select", { ...rest, key: value, defaultValue: value },
    jsx("option", { value: "" }, automatic),
    value && option([value, groups ? line(value) : city(value)]),
    groups && first.length > 0 && jsx("optgroup", { label: words.here }, first.map(option)),
    groups && groups[1].map(([region, zones]) => jsx("optgroup", { key: region, label: regions[region] },
      zones.filter(([zone]) => zone !== value && zone !== groups[0]).map(option))),
    groups && value !== "UTC" && option(["UTC", "UTC"]));
}

// How dates and numbers look with what the form's language and time zone controls show.
export function MzRegionSample({ locale, timezone, ...rest }) {
  const ref = useRef(null);
  const [wish, setWish] = useState(null);
  useEffect(() => {
    const form = ref.current.closest("form");
    const look = () => setWish({
      locale: form.elements[locale]?.value || document.documentElement.lang,
      zone: form.elements[timezone]?.value || undefined,
      now: Date.now(),
    });
    look();
    const again = () => setTimeout(look);
    const timer = setInterval(look, 20000);
    form.addEventListener("input", look);
    form.addEventListener("reset", again);
    return () => { clearInterval(timer); form.removeEventListener("input", look); form.removeEventListener("reset", again); };
  }, [locale, timezone]);
  let text = "\u00a0", lang;
  if (wish) {
    try {
      const style = { dateStyle: "full", timeStyle: "short", timeZone: wish.zone };
      text = [new Intl.DateTimeFormat(wish.locale + "-u-nu-latn", style).format(wish.now), new Intl.NumberFormat(wish.locale + "-u-nu-latn").format(12345.67)].join("  ·  ");
      lang = wish.locale;
    } catch { /* a zone this browser does not know: no sample */ }
  }
  return jsx("p", { ...rest, ref, lang, dir: "auto", suppressHydrationWarning: true }, text);
}

// The area's navigation. Where it is one line that scrolls sideways, the page one is on stays in sight.
export function MzSettingsNav({ count, children, ...rest }) {
  const { pathname } = useLocation();
  const ref = useRef(null);
  useEffect(() => {
    const nav = ref.current, link = nav.querySelector("[aria-current=page]");
    if (!link || nav.scrollWidth <= nav.clientWidth) return;
    const box = nav.getBoundingClientRect(), at = link.getBoundingClientRect();
    nav.scrollBy({ left: at.left - box.left - (box.width - at.width) / 2 });
  }, [pathname, count]);
  return jsx("nav", { ...rest, ref }, children);
}

// The served page says which named theme is on; a choice made here changes that without a page load.
export function MzThemeNow({ theme, ready }) {
  useEffect(() => {
    if (!ready) return;
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }, [theme, ready]);
  return null;
}

// Leaves for an address of the server as soon as there is one: after signing out, nothing of the page may stay.
export function MzLeave({ to }) {
  useEffect(() => { if (to) location.assign(to); }, [to]);
  return null;
}
