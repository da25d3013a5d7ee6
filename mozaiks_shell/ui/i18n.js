// Texts, dates and numbers in the person's language. The served page carries what is needed in #mz-boot
// (hosting/documents.py). While the build prerenders a page there is no person yet: a text is then written as a mark
// (private-use characters around its call), and the server puts the person's words there for each request.
const LIVE = typeof document !== "undefined";
const read = () => {
  try { return JSON.parse(document.getElementById("mz-boot").textContent); } catch { return window.mzBoot || {}; }
};
const boot = LIVE ? read() : {};
export const locale = boot.locale || "en";
const format = locale + "-u-nu-latn"; // the digits Babel writes, too
const catalogues = boot.catalogues || {};
// What the domain's catalogue says, else the shell's, else any plugin's: titles travel without their domain.
const said = (text, domain) => {
  for (const name of [domain, ...Object.keys(catalogues)]) {
    if (Object.hasOwn(catalogues, name) && Object.hasOwn(catalogues[name], text)) return catalogues[name][text];
  }
};
const mark = (...call) => "\uE000" + encodeURIComponent(JSON.stringify(call)) + "\uE001";
const marking = !LIVE && import.meta.env.PROD;

const isolate = (text) => (boot.dir === "rtl" ? "\u2068" + text + "\u2069" : text);
const fill = (text, values) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => {
    if (!values || !Object.hasOwn(values, name)) return whole;
    const value = values[name] ?? "";
    return typeof value === "number" ? mzNumber(value) : isolate(String(value));
  });

// `text` is the English sentence, `values` what its {names} stand for, `domain` a plugin's name or "".
export function mzT(text, values, domain = "") {
  if (!text) return "";
  if (marking) return mark("t", text, values || {}, domain);
  const found = said(text, domain) || text;
  return fill(Array.isArray(found) ? found[found.length - 1] : found, values);
}

export function mzN(one, many, count, values, domain = "") {
  if (marking) return mark("n", one, many, count, values || {}, domain);
  const category = new Intl.PluralRules(locale).select(count);
  const forms = said(one, domain);
  const order = boot.plurals || ["one", "other"];
  const at = order.indexOf(category) < 0 ? order.length - 1 : order.indexOf(category);
  const form = forms ? forms[Math.min(at, forms.length - 1)] : category === "one" ? one : many;
  return fill(form, { count, ...values });
}

export function mzNumber(value) {
  if (typeof value !== "number") return String(value ?? "");
  return marking ? mark("#", value) : new Intl.NumberFormat(format).format(value);
}

export function mzMoney(amount, currency) {
  if (marking) return mark("$", amount, currency);
  try {
    return new Intl.NumberFormat(format, { style: "currency", currency }).format(amount);
  } catch {
    return amount + " " + currency; // no ISO 4217 code
  }
}

const STYLES = {
  date: { dateStyle: "medium" },
  time: { timeStyle: "short" },
  datetime: { dateStyle: "short", timeStyle: "short" },
};
const STEPS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

// `iso` is a point in time as ISO 8601; without an offset it is UTC.
export function mzDate(iso, style = "datetime") {
  if (!iso) return "";
  if (marking) return mark("d", iso, style);
  const moment = new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(iso) ? iso : iso + "Z");
  if (isNaN(moment)) return String(iso);
  if (style === "relative") {
    const seconds = (moment - Date.now()) / 1000;
    const words = new Intl.RelativeTimeFormat(format, { numeric: "auto" });
    const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
    return step ? words.format(Math.round(seconds / step[1]), step[0]) : words.format(0, "second");
  }
  const zone = document.documentElement.dataset.timezone || undefined;
  return new Intl.DateTimeFormat(format, { ...STYLES[style], timeZone: zone }).format(moment);
}

// A word of this app's brand: name, tagline, logo, wordmark.
export function mzBrand(part) {
  return marking ? mark("b", part) : (boot.brand || {})[part] || "";
}

// Anything else the served page says of itself, by path: "error.status".
export function mzBoot(path) {
  return path.split(".").reduce((value, name) => (value ?? {})[name], boot) ?? "";
}
