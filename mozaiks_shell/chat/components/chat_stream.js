// One socket, one chat at a time: offsets, resume, reconnect. Knows nothing of React or the page.
import { Folded, unanswered } from "./chat_fold.js";

export { unanswered };
const PING_MS = 25_000;
const SILENCE_MS = 65_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
const CROWDED_WAIT_MS = 20_000;
const PAGE = 60; // items of the log that are asked for at once
const PACE_MS = 66; // between two pieces of a text that grows; they are drawn as they come

const EMPTY = {
  offers: null, feedback: {}, items: [], live: null, ask: null, pending: [], progress: null, total: null, caughtUp: false, refusal: null, choosing: null,
};

export const OVER = new Set(["completed", "interrupted", "stopped", "failed"]);
export const spoken = (item) => item.k === "message" && item.role === "user" && !item.queued && !item.undelivered;
export const newId = () => `m${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;

export class ChatStream {
  // on: {attached(chat, workflow, title), tools(chat, arrived), navigate(path), arrived(message), refused(text), unheard({id, text})}
  constructor(on) {
    this.on = on;
    this.watchers = new Set();
    this.textWatcher = null;
    this.state = { ...EMPTY, me: "", connection: "connecting", chat: null, workflow: "", title: "", status: "connecting", detail: "", delayed: false };
    this.snapshot = this.state;
    this.wanted = { chat: null, workflow: "", fresh: false };
    this.offset = -1;
    this.attempt = 0;
    this.text = "";
    this.folded = new Folded();
    this.first = 0;
    this.settled = false;
    this.closed = false;
    this.told = "";
    this.online = () => this.state.connection !== "live" && this.retry();
  }

  subscribe = (watcher) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
  getSnapshot = () => this.snapshot;

  set(changes) {
    this.state = { ...this.state, ...changes };
    if (this.publishing) return;
    const wait = this.state.caughtUp || this.state.connection !== "live" ? 0 : 120; // a replay is drawn once
    this.publishing = setTimeout(() => {
      this.publishing = 0;
      this.snapshot = this.state;
      this.watchers.forEach((watcher) => watcher());
    }, wait);
  }

  // What the log comes to now.
  show(changes) {
    const { live, ask, progress, total } = this.folded;
    this.set({ items: this.folded.list(), live, ask, progress, total, ...changes });
  }

  // The growing text of the message being written goes past the snapshot, a few times a second.
  watchText(watcher) {
    this.textWatcher = watcher;
    watcher(this.text);
    return () => {
      if (this.textWatcher === watcher) this.textWatcher = null;
    };
  }
  textSoon() {
    this.raf ||= requestAnimationFrame(() => {
      this.raf = 0;
      if (this.folded.live) this.textWatcher?.(this.text);
    });
  }

  // An artifact may change many times a second; what is drawn of it is asked for a few times.
  toolsSoon() {
    this.asking ||= setTimeout(() => {
      this.asking = 0;
      this.on.tools(this.state.chat, false);
    }, 120);
  }

  open(chat, workflow, fresh) {
    this.left = this.state.chat;
    this.wanted = { chat: chat || null, workflow: workflow || null, fresh: Boolean(fresh) };
    this.offset = -1;
    this.text = "";
    this.folded = new Folded();
    this.settled = false;
    this.told = "";
    this.set({ ...EMPTY, earlier: false, loading: false, chat: chat || null, title: "", status: "connecting", detail: "", delayed: false });
    if (this.socket?.readyState === WebSocket.OPEN) this.sendOpen();
    else this.connect();
  }

  connect() {
    if (this.closed || (this.socket && this.socket.readyState <= WebSocket.OPEN)) return;
    clearTimeout(this.timer);
    addEventListener("online", this.online);
    const url = new URL("/ws/chat", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.onopen = () => {
      this.heardAt = Date.now();
      this.beat = setInterval(() => this.heartbeat(), PING_MS);
      this.sendOpen();
    };
    socket.onmessage = (event) => socket === this.socket && this.receive(event.data);
    socket.onclose = (event) => socket === this.socket && this.lost(event.code);
  }

  sendOpen() {
    const { chat, workflow, fresh } = this.wanted;
    this.set({ loading: false }); // an answer that was waited for is lost with its connection
    this.send({ t: "open", chat, workflow, from: this.offset, page: PAGE, pace: PACE_MS, new: fresh, live: this.folded.live?.id });
  }
  send(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }
  heartbeat() {
    if (Date.now() - this.heardAt > SILENCE_MS) this.socket.close(4000);
    else this.send({ t: "ping" });
  }

  lost(code) {
    clearInterval(this.beat);
    this.socket = null;
    if (this.closed) return;
    this.set({ pending: this.state.pending.map((one) => ({ ...one, late: true })), choosing: null });
    if (code === 4001) return this.set({ connection: "signedOut" });
    if (code === 4003) {
      if (!this.wanted.chat) return this.set({ connection: "refused" });
      return this.open(null, this.wanted.workflow, false); // a remembered chat of somebody else
    }
    const again = this.attempt > 0 || this.settled;
    this.settled = false;
    this.set({ connection: code === 4008 ? "crowded" : again ? "reconnecting" : "connecting" });
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempt++);
    this.timer = setTimeout(() => this.connect(), code === 4008 ? CROWDED_WAIT_MS : wait * (0.7 + Math.random() * 0.6));
  }
  retry() {
    clearTimeout(this.timer);
    this.attempt = 0;
    if (this.socket?.readyState === WebSocket.OPEN) this.sendOpen();
    else this.connect();
  }
  close() {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.publishing);
    clearTimeout(this.asking);
    clearInterval(this.beat);
    cancelAnimationFrame(this.raf);
    removeEventListener("online", this.online);
    this.socket?.close(1000);
  }

  receive(raw) {
    this.heardAt = Date.now();
    let frame;
    try {
      frame = JSON.parse(raw);
    } catch {
      return;
    }
    if (Array.isArray(frame)) return this.append(frame[0], frame[1]);
    if (frame.k) return this.settled && this.item(frame);
    if (frame.t === "page") this.page(frame);
    else if (frame.t === "older") this.older(frame);
    else if (frame.t === "chat") this.attach(frame);
    else if (frame.t === "offers") this.settled && frame.chat === this.state.chat && this.set({ offers: frame, me: frame.me, feedback: frame.feedback });
    else if (frame.t === "caught_up") this.caughtUp();
    else if (frame.t === "refused") this.refuse(frame.id, frame.message, frame.code);
    else if (frame.t === "starting" && !this.settled) this.set({ detail: frame.message }); // it opens by itself
  }

  attach(frame) {
    const { chat, fresh } = this.wanted;
    if (!this.settled && ((chat && frame.chat !== chat) || (fresh && frame.chat === this.left))) return; // of the chat before
    const news = !this.settled || frame.chat !== this.state.chat || frame.title !== this.state.title;
    this.settled = true;
    this.attempt = 0;
    this.wanted = { chat: frame.chat, workflow: frame.workflow, fresh: false };
    const { workflow, title, status, detail = "", delayed = false, who = "" } = frame;
    this.set({ chat: frame.chat, connection: "live", workflow, title, status, detail, delayed, who });
    if (news) this.on.attached(frame.chat, frame.workflow || "", frame.title || "");
    this.stands(OVER.has(status) ? status : "", OVER.has(status) ? detail : "");
  }

  // What ends a chat, or keeps it from being opened, is told once; so is that it goes on again.
  stands(code, reason) {
    const told = code && `${this.state.chat} ${code} ${reason}`;
    if (told === this.told) return;
    this.told = told;
    this.on.stands(this.state.chat || "", this.state.workflow || this.wanted.workflow || "", code, reason);
  }

  caughtUp() {
    if (!this.settled) return;
    const [lost, kept] = [this.state.pending.filter((one) => one.late), this.state.pending.filter((one) => !one.late)];
    clearTimeout(this.publishing);
    this.publishing = 0;
    this.set({ caughtUp: true, pending: kept });
    lost.forEach((one) => this.on.unheard(one));
    this.on.tools(this.state.chat, false);
  }

  // Where the newest page of a long log begins.
  page(frame) {
    if (!this.settled || this.offset >= 0) return;
    this.first = frame.first;
    if (frame.usage) this.folded.total = frame.usage.total;
    this.show({ earlier: frame.more });
  }

  earlier() {
    const { earlier, loading, connection, caughtUp } = this.state;
    if (earlier && !loading && caughtUp && connection === "live" && this.send({ t: "older", before: this.first, page: PAGE })) this.set({ loading: true });
  }

  older(frame) {
    if (!this.settled || frame.before !== this.first) return;
    this.first = frame.first;
    this.folded.prepend(frame.items);
    this.on.older?.();
    this.show({ earlier: frame.more, loading: false });
  }

  append(offset, text) {
    if (!this.settled || offset <= this.offset || !this.folded.live) return;
    this.offset = offset;
    this.text += text;
    this.textSoon();
  }

  item(frame) {
    const { live } = this.folded;
    if (frame.k === "live" && frame.id === live?.id) {
      this.offset = frame.o; // told again after a reconnect, the text so far follows
      this.text = "";
      return;
    }
    if (frame.o <= this.offset) return;
    this.offset = frame.o;
    const { caughtUp, chat, choosing } = this.state;
    if (frame.k === "navigate") return caughtUp && this.on.navigate(frame.path);
    if (frame.rest && live?.id === frame.id) frame = { ...frame, text: this.text + frame.text }; // the end of what is here
    if (frame.k === "tool_state") return caughtUp && this.toolsSoon();
    const news = this.folded.take(frame);
    if (frame.k === "live" || (frame.k === "message" && live?.id === frame.id)) this.text = "";
    if (frame.k === "message") return this.message(frame);
    this.show(frame.k === "choice" || frame.k === "chosen" ? { choosing: null } : {});
    if (!caughtUp) return;
    if (frame.k === "ask" && news) this.on.arrived({ role: "agent", who: "", text: frame.prompt });
    if (frame.k === "tool" || frame.k === "tool_done") this.on.tools(chat, frame.k === "tool");
    if (frame.k === "chosen" && choosing && frame.chat) this.open(frame.chat, this.state.workflow, false);
  }

  message(frame) {
    const { pending, caughtUp } = this.state;
    const mine = frame.role === "user" && (pending.find((one) => one.id === frame.id) || pending[0]);
    this.show({ pending: mine ? pending.filter((one) => one !== mine) : pending });
    if (caughtUp) this.on.arrived(frame);
  }

  // A text that was said with this id before is not said again, not even by another tab.
  say(text, id = newId()) {
    if (this.state.connection !== "live" || !this.send({ t: "say", text, id })) return false;
    this.set({ pending: [...this.state.pending, { id, text }], refusal: null });
    return true;
  }
  choose(option) {
    const choice = this.folded.list().find(unanswered);
    if (choice && this.send({ t: "choose", option, id: choice.id })) this.set({ choosing: option, refusal: null });
  }
  // Of the answer that is being written now: a stop that arrives late must not end the next one.
  stop() {
    this.send({ t: "stop", turn: this.state.items.findLast(spoken)?.id || "" });
  }
  refuse(id, message, code) {
    if (!this.settled && !id) {
      this.stands(code || "", message || "");
      return this.set({ connection: "unopened", detail: message || "" });
    }
    const one = this.state.pending.find((each) => each.id === id) || (id ? null : this.state.pending.at(-1));
    this.set({ pending: this.state.pending.filter((each) => each !== one), refusal: message || "", choosing: null });
    if (one) this.on.refused(one.text);
  }
}
