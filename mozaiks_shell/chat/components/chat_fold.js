// What the items of a chat's log come to, in order: the same whether they came one by one or a page at a time.
export const unanswered = (item) => item.k === "choice" && !item.over;
const closed = (item) => (unanswered(item) ? { ...item, over: true } : item);

// Tokens and money together; `priced` while every part of it has a price. Money is in pico units.
const NOTHING = { tokens: 0, pico: 0, priced: true, currency: "" };
const sum = (a, b) => ({ tokens: a.tokens + b.tokens, pico: a.pico + b.pico, priced: a.priced && b.priced, currency: b.currency || a.currency });
const call = ({ tokens, pico, currency }) => ({ tokens, pico: pico ?? 0, priced: pico != null, currency: currency || "" });

export class Folded {
  constructor() {
    this.frames = [];
    this.clear();
  }

  clear() {
    this.items = new Map();
    [this.ask, this.progress, this.live, this.total] = [null, null, null, null];
    [this.unspent, this.spent, this.answer, this.prompts] = [null, new Map(), "", new Map()];
  }

  list() {
    return [...this.items.values()];
  }

  // Older items come before everything that is here: all of it is read again.
  prepend(older) {
    const frames = [...older, ...this.frames];
    const total = this.total;
    this.clear();
    frames.forEach((frame) => this.read(frame));
    this.total ||= total;
    this.frames = frames;
  }

  take(frame) {
    this.frames.push(frame);
    return this.read(frame);
  }

  change(key, changes) {
    const item = this.items.get(key);
    if (item) this.items.set(key, { ...item, ...changes });
  }

  each(change) {
    for (const [key, item] of this.items) {
      const changed = change(item);
      if (changed !== item) this.items.set(key, changed);
    }
  }

  read(frame) {
    switch (frame.k) {
      case "live":
        this.live = { id: frame.id, who: frame.who };
        return this.spend(frame.id);
      case "message":
        return this.message(frame);
      case "ask":
        return this.question(frame);
      case "asked":
        if (frame.by && this.items.get(frame.by)?.queued) this.change(frame.by, { queued: false });
        if (this.ask?.id === frame.id) this.ask = null;
        return this.each((one) => {
          if (one.k !== "ask" || one.id !== frame.id) return one;
          return { ...one, over: frame.state || "answered", by: frame.by, answer: this.items.get(frame.by)?.text };
        });
      case "attachment":
        return this.items.set(`file-${frame.id}`, { ...frame, key: `file-${frame.id}` });
      case "tool":
      case "tool_done": {
        const key = `tool-${frame.id}`;
        return this.items.set(key, { ...this.items.get(key), ...frame, k: "tool", state: frame.state || "open", key });
      }
      case "progress":
        this.progress = frame.percent >= 100 ? null : frame;
        return undefined;
      case "step":
        if (this.progress?.id === frame.id) this.progress = null;
        return this.items.set(`step-${frame.o}`, { ...frame, key: `step-${frame.o}` });
      case "usage":
        this.total = frame.total;
        if (frame.tokens) this.unspent = sum(this.unspent || NOTHING, call(frame));
        return this.live && this.spend(this.live.id);
      case "choice":
        this.each(closed);
        return this.items.set(frame.id, { ...frame, key: frame.id });
      case "chosen":
        return this.each((one) => (unanswered(one) ? { ...closed(one), chosen: frame.option, chat: frame.chat } : one));
    }
    return undefined;
  }

  // Words that were asked before stand there already; what can be chosen from is shown each time. True: they are new.
  question(frame) {
    const { id, prompt, choices, file } = frame;
    this.ask = { id, password: Boolean(frame.password), prompt, choices, file };
    this.spend(this.answer);
    const special = choices?.length || file;
    if (!prompt && !special) return false;
    const known = special ? "" : this.prompts.get(prompt);
    if (known) {
      this.change(known, { id, over: undefined, by: undefined, answer: undefined });
      return false;
    }
    this.items.set(`ask-${id}`, { ...frame, key: `ask-${id}` });
    this.prompts.set(prompt, `ask-${id}`);
    return Boolean(prompt);
  }

  message(frame) {
    this.items.delete(frame.id);
    if (frame.role === "user") {
      this.spend(this.answer);
      this.each((one) => (one.k === "ask" && one.by === frame.id ? { ...one, answer: frame.text } : one));
    }
    if (frame.role === "agent") {
      this.answer = frame.id;
      this.spend(frame.id);
    }
    const spent = this.spent.get(frame.id);
    this.items.set(frame.id, { ...frame, key: frame.id, ...(spent && { spent }) });
    this.progress = null;
    if (this.live?.id === frame.id) this.live = null;
  }

  // What the model's calls cost belongs to the answer they led to.
  spend(answer) {
    if (!this.unspent || !answer) return;
    const spent = sum(this.spent.get(answer) || NOTHING, this.unspent);
    this.spent.set(answer, spent);
    this.change(answer, { spent });
    this.unspent = null;
  }
}
