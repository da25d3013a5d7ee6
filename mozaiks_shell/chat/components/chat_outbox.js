// What a person wrote and the run has not heard yet: drafts, and texts that wait their turn. Kept per person, chat and tab.
import { newId, OVER, spoken } from "./chat_stream.js";
import { upload } from "./chat_files.js";

const DRAFT = "mozaiks.chat.draft.";
const QUEUE = "mozaiks.chat.queue.";

const answered = (item) => item.k === "message" && item.role !== "notice" && !item.undelivered;
export const working = ({ live, pending, status, ask, items }) =>
  Boolean(live || pending.length || (status === "running" && !ask && items.some(answered)));
const prompts = (state) => state.items.filter((one) => one.k === "ask").map((one) => one.prompt);

function read(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export class Outbox {
  // refused(entry, why): an entry that could not be sent goes back to where it was written.
  constructor(stream, labels, refused) {
    this.stream = stream;
    this.labels = labels;
    this.refused = refused;
    this.lists = new Map();
    this.early = []; // of the chat that is being opened
    this.me = "";
    this.watchers = new Set();
    this.answering = null; // the question that was answered last, until the server says so, too
    this.snapshot = [];
    this.leave = stream.subscribe(() => this.look());
  }
  subscribe = (watcher) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
  getSnapshot = () => this.snapshot;

  // -- drafts: nothing is kept before it is known whose it is --
  key(chat) {
    return `${DRAFT}${this.me}.${chat || "new"}`;
  }
  draft(chat) {
    if (!this.me) return "";
    const early = sessionStorage.getItem(this.key("")); // typed before the chat had an id
    if (chat && early) {
      if (!sessionStorage.getItem(this.key(chat))) sessionStorage.setItem(this.key(chat), early);
      sessionStorage.removeItem(this.key(""));
    }
    return sessionStorage.getItem(this.key(chat)) || "";
  }
  keep(chat, text) {
    if (!this.me) return;
    if (text) sessionStorage.setItem(this.key(chat), text);
    else sessionStorage.removeItem(this.key(chat));
  }
  arrived(me) {
    this.me = me;
    const theirs = Object.keys(sessionStorage).filter((one) => [DRAFT, QUEUE].some((kind) => one.startsWith(kind) && !one.startsWith(kind + me)));
    theirs.forEach((one) => sessionStorage.removeItem(one));
  }

  // -- texts that wait --
  get list() {
    const { chat } = this.stream.state;
    if (!chat) return this.early;
    if (!this.lists.has(chat)) this.lists.set(chat, this.me ? read(`${QUEUE}${this.me}.${chat}`, []) : []);
    return this.lists.get(chat);
  }
  change(list, chat = this.stream.state.chat) {
    if (chat) {
      this.lists.set(chat, list);
      const kept = list.map(({ id, text, answer, prompts: seen, files, lost }) => ({ id, text, answer, prompts: seen, files: [], lost: lost || files.length > 0 }));
      if (this.me && list.length) sessionStorage.setItem(`${QUEUE}${this.me}.${chat}`, JSON.stringify(kept));
      else if (this.me) sessionStorage.removeItem(`${QUEUE}${this.me}.${chat}`);
    } else this.early = list;
    this.publish();
  }
  update(id, changes, chat) {
    const list = chat ? this.lists.get(chat) || [] : this.list;
    this.change(list.map((one) => (one.id === id ? { ...one, ...changes } : one)), chat);
  }
  publish() {
    this.snapshot = this.list;
    this.watchers.forEach((watcher) => watcher());
  }

  look() {
    const { me, chat } = this.stream.state;
    if (chat !== this.chat) [this.chat, this.answering] = [chat, null];
    if (me && me !== this.me) {
      const typed = this.me ? [] : this.lists.get(chat) || []; // before it was known who is there
      this.lists.clear();
      this.arrived(me);
      if (chat && typed.length) this.change([...this.list.filter((one) => typed.every(({ id }) => id !== one.id)), ...typed]);
    }
    if (chat && me && this.early.length) {
      const early = this.early;
      this.early = [];
      this.change([...this.list, ...early]);
    }
    if (this.list !== this.snapshot) this.publish();
    this.flush();
  }

  // answer: the question this is meant for, and no other; first: before what waits.
  add(text, files = [], { id = newId(), first = false, answer = "" } = {}) {
    const { caughtUp, connection, items } = this.stream.state;
    const seen = caughtUp && connection === "live" && items.some(spoken) ? prompts(this.stream.state) : null; // null: whatever is asked, as for a first text
    if (answer && (answer === this.answering || this.list.some((one) => one.answer === answer))) return; // pressed twice
    const entry = { id, text, files, answer, prompts: seen };
    this.change(first ? [entry, ...this.list] : [...this.list, entry]);
    this.flush();
  }
  // A text is on its way as the answer to this question: nothing else is.
  said(ask = this.stream.state.ask) {
    this.answering = ask?.id ?? null;
  }
  // It did not get there.
  unsaid() {
    this.answering = null;
  }
  take(id) {
    const entry = this.list.find((one) => one.id === id);
    entry?.upload?.abort();
    this.change(this.list.filter((one) => one.id !== id));
    return entry;
  }
  sendNow(id) {
    this.update(id, { prompts: null, lost: false, answer: this.stream.state.ask?.id || "" });
    this.flush();
  }

  // Why the first entry waits: "" when it may go, else a word for the person.
  waits(entry = this.list[0]) {
    const state = this.stream.state;
    if (state.connection !== "live" || !state.caughtUp || !this.me) return "connection";
    if (OVER.has(state.status)) return "over";
    if (working(state) || (this.answering && (state.ask?.id ?? this.answering) === this.answering)) return "answer";
    if (entry?.lost) return "files";
    const { ask } = state;
    if (entry?.answer) return entry.answer === ask?.id ? "" : "question";
    if (ask && (ask.password || ask.choices?.length || ask.file)) return "question";
    return ask?.prompt && entry?.prompts && !entry.prompts.includes(ask.prompt) ? "question" : "";
  }

  async flush() {
    const [entry] = this.list;
    if (!entry || entry.upload || this.waits(entry)) return;
    const { chat, ask } = this.stream.state;
    if (entry.files.length && !(await this.sendFiles(entry, chat))) return;
    if (this.stream.state.chat !== chat || this.waits(entry)) return;
    if (!this.lists.get(chat)?.some((one) => one.id === entry.id)) return; // taken back meanwhile
    if (entry.text && !this.stream.say(entry.text, entry.id)) return;
    this.said(ask);
    this.change(this.list.filter((one) => one.id !== entry.id));
    if (!entry.text) this.flush();
  }

  // The files of an entry, one after another; what was sent is no longer in it.
  async sendFiles(entry, chat) {
    let left = entry.files;
    while (left.length) {
      const [file] = left;
      const sending = upload(chat, file.file, (part) => this.update(entry.id, { files: left.map((one) => (one === file ? { ...one, part } : one)) }, chat), this.labels.uploadLost);
      this.update(entry.id, { upload: sending }, chat);
      const why = await sending.done;
      if (!this.lists.get(chat)?.some((one) => one.id === entry.id)) return false;
      if (why) {
        this.change(this.lists.get(chat).filter((one) => one.id !== entry.id), chat);
        if (chat === this.stream.state.chat) this.refused({ text: entry.text, files: left }, `${file.file.name}: ${why}`);
        else this.keep(chat, [entry.text, this.draft(chat)].filter(Boolean).join("\n"));
        return false;
      }
      left = left.slice(1);
      this.update(entry.id, { files: left, upload: undefined }, chat);
    }
    return true;
  }

  close() {
    this.leave();
  }
}
