// Ranking of a short list against what was typed, and what was used before. Knows nothing of React.
const KEPT = "mz-palette";
const MOST = 60;

// Lower case without accents, so that "resume" finds "Résumé".
export const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const starts = (text, at) => at === 0 || /[\s\-_/.:·(«"'“]/.test(text[at - 1]);

// How well a word fits a text: 0 not at all, 100 the whole of it.
function fit(word, text) {
  if (text === word) return 100;
  let best = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    best = Math.max(best, at === 0 ? 84 : starts(text, at) ? 66 : 40);
    if (best >= 66) return best;
  }
  return best || scattered(word, text);
}

// The letters in order, mostly at the beginnings of words or beside each other: "np" finds "New project".
function scattered(word, text) {
  if (word.length < 2) return 0;
  let [points, at, last] = [0, 0, -2];
  for (const letter of word) {
    const found = [...Array(text.length - at).keys()].map((step) => at + step).filter((one) => text[one] === letter);
    const next = found.find((one) => one === last + 1) ?? found.find((one) => starts(text, one)) ?? found[0];
    if (next === undefined) return 0;
    points += next === last + 1 ? 2 : starts(text, next) ? 3 : 0;
    [last, at] = [next, next + 1];
  }
  return points >= word.length * 1.6 ? 12 + Math.min(16, points) : 0;
}

// Points of an item {title, words, text}; every word typed has to fit somewhere.
export function score(query, item) {
  const title = fold(item.title);
  const whole = fold(query.trim());
  let sum = title === whole ? 60 : 0;
  const words = whole.split(/\s+/).filter(Boolean);
  for (const word of words) {
    const inTitle = fit(word, title);
    const inWords = Math.min(38, fit(word, fold(item.words || "")) * 0.5);
    const inText = fold(item.text || "").includes(word) ? 10 : 0;
    const best = Math.max(inTitle, inWords, inText);
    if (!best) return 0;
    sum += best;
  }
  return sum / Math.max(1, words.length) + Math.min(8, 80 / title.length);
}

// -- what was used: id -> [how often, when] in this browser; ids only, no titles -----------------------------------------

export function used() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) || "{}");
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch {
    return {};
  }
}

export function use(id) {
  const kept = used();
  kept[id] = [((kept[id] || [])[0] || 0) + 1, Date.now()];
  const newest = Object.entries(kept).sort(([, one], [, other]) => other[1] - one[1]).slice(0, MOST);
  try { localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(newest))); } catch { /* private mode: not kept */ }
}

// A few points for what is used often and was used lately.
export function habit(kept, id) {
  const [times, when] = kept[id] || [0, 0];
  if (!times) return 0;
  const days = (Date.now() - when) / 86_400_000;
  return Math.min(14, Math.log2(times + 1) * 4) * (days < 1 ? 1 : days < 7 ? 0.7 : days < 30 ? 0.4 : 0.15);
}
