// Markdown as tokens (marked), block by block: what is finished is read once, however long the answer grows.
import { Marked } from "marked";

const DISPLAY = /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])(?:[ \t]*(?:\n|$))/;
const INLINE = /^(?:\$\$([^\n$]+?)\$\$|\\\(([^\n]+?)\\\)|\$(?![\s$])((?:\\.|[^\\\n$])+?)\$(?!\d))/;

const at = (pattern) => (source) => {
  const found = source.search(pattern);
  return found < 0 ? undefined : found;
};

const FORMULAS = [
  {
    name: "formula",
    level: "block",
    start: at(/\$\$|\\\[/),
    tokenizer(source) {
      const found = DISPLAY.exec(source);
      return found ? { type: "formula", raw: found[0], text: (found[1] ?? found[2]).trim(), display: true } : undefined;
    },
  },
  {
    name: "inlineFormula",
    level: "inline",
    start: at(/\$|\\\(/),
    tokenizer(source) {
      const found = INLINE.exec(source);
      const text = found && (found[1] ?? found[2] ?? found[3]);
      if (!text || (found[3] && /\s$/.test(text))) return undefined; // "$5 and $6" is money
      return { type: "formula", raw: found[0], text: text.trim(), display: Boolean(found[1]) };
    },
  },
];

const PLAIN = new Marked();
const MATHS = new Marked({ extensions: FORMULAS });
const MAY_HOLD_FORMULAS = /\$|\\[([]/;

const paragraph = (text) => [{ type: "paragraph", raw: text, tokens: [{ type: "text", raw: text, text, escaped: true }] }];

// The blocks of a whole text, with `refs` for what they refer to.
export function blocksOf(text) {
  try {
    const tokens = (MAY_HOLD_FORMULAS.test(text) ? MATHS : PLAIN).lexer(text);
    const refs = Object.keys(tokens.links).length ? JSON.stringify(tokens.links) : "";
    return tokens.filter((one) => one.type !== "space" && one.type !== "def").map((one) => Object.assign(one, { refs }));
  } catch {
    return paragraph(text); // nested too deep
  }
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;

// Whether a block of code still waits for its closing fence.
function isOpen(token) {
  const opened = token.type === "code" && FENCE.exec(token.raw);
  if (!opened) return false;
  const last = token.raw.trimEnd().split("\n").at(-1).trim();
  return !(token.raw.includes("\n") && last.startsWith(opened[1]) && /^(`+|~+)$/.test(last));
}

const odd = (text, mark) => text.split(mark).length % 2 === 0;

// A text in the middle of its growth, as it will most likely look: marks that wait for their other half are closed, what
// cannot be told yet (half a link, a line of dashes) is left out for the moment.
function mended(text) {
  const cut = text.lastIndexOf("\n") + 1;
  if (/^ {0,3}(-+|=+|[*+>]|#{1,6}|\d{1,9}[.)]?|\|[^\n]*)? *$/.test(text.slice(cut)) && cut) text = text.slice(0, cut - 1);
  text = text.replace(/!\[[^\]\n]*(\]\([^)\n]*)?$/, "").replace(/\[([^\]\n]*)(\](\([^)\n]*)?)?$/, "$1");
  if (odd(text, "`")) return `${text}\``;
  for (const mark of ["**", "~~"]) if (odd(text.replace(/`[^`]*`/g, ""), mark)) text = text.endsWith(mark) ? text.slice(0, -2) : text + mark;
  return text;
}

// Reads a growing text: `done` are blocks that nothing that comes can change, `tail` is what is being written.
export class Growing {
  constructor() {
    this.done = [];
    this.tail = [];
    this.at = 0;
  }

  grow(text) {
    const rest = text.slice(this.at);
    let tokens;
    try {
      tokens = (MAY_HOLD_FORMULAS.test(rest) ? MATHS : PLAIN).lexer(rest);
    } catch {
      this.tail = paragraph(rest);
      return;
    }
    let last = tokens.length - 1;
    while (last >= 0 && tokens[last].type === "space") last--;
    let [read, raw] = [0, ""];
    for (const token of tokens.slice(0, Math.max(last, 0))) {
      read += token.raw.length;
      if (token.type !== "space" && token.type !== "def") this.done = [...this.done, Object.assign(token, { refs: "" })];
    }
    this.at += read;
    raw = rest.slice(read);
    const open = last >= 0 && isOpen(tokens[last]);
    if (open) this.tail = [Object.assign(tokens[last], { refs: "", open })];
    else this.tail = tokens[last]?.type === "code" ? [Object.assign(tokens[last], { refs: "" })] : blocksOf(mended(raw));
  }
}
