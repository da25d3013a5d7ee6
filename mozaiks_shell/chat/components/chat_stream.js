// One socket, one chat at a time: offsets, resume, reconnect. Knows nothing of React or the page.
const PING_MS = 25_000;
const SILENCE_MS = 65_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
const CROWDED_WAIT_MS = 20_000;

const EMPTY = { items: [], live: null, ask: null, pending: [], progress: null, caughtUp: false, refusal: null, choosing: null };

export const OVER = new Set(["completed", "interrupted", "stopped", "failed"]);
export const unanswered = (item) => item.k === "choice" && !item.over;
const closed = (item) => (unanswered(item) ? { ...item, over: true } : item);

export class ChatStream {
  // on: {attached(chat, workflow, title), tools(chat, arrived), navigate(path), arrived(message), refused(text, unheard)}
  constructor(on) {
    this.on = on;
    this.watchers = new Set();
    this.textWatcher = null;
    this.state = { ...EMPTY, connection: "connecting", chat: null, workflow: "", title: "", status: "connecting", detail: "", delayed: false };
    this.snapshot = this.state;
    this.wanted = { chat: null, workflow: "", fresh: false };
    this.offset = -1;
    this.attempt = 0;
    this.text = "";
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

  // The growing text of the message being written goes past React, once per frame of the screen.
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
      this.textWatcher?.(this.text);
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
    this.settled = false;
    this.told = "";
    this.set({ ...EMPTY, chat: chat || null, title: "", status: "connecting", detail: "", delayed: false });
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
    this.send({ t: "open", chat, workflow, from: this.offset, new: fresh, live: this.state.live?.id });
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
    if (frame.t === "chat") this.attach(frame);
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
    const { workflow, title, status, detail = "", delayed = false } = frame;
    this.set({ chat: frame.chat, connection: "live", workflow, title, status, detail, delayed });
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
    this.set({ caughtUp: true, pending: kept });
    lost.forEach((one) => this.on.refused(one.text, true));
    this.on.tools(this.state.chat, false);
  }

  append(offset, text) {
    if (!this.settled || offset <= this.offset || !this.state.live) return;
    this.offset = offset;
    this.text += text;
    this.textSoon();
  }

  item(frame) {
    if (frame.k === "live" && frame.id === this.state.live?.id) {
      this.offset = frame.o; // told again after a reconnect, the text so far follows
      this.text = "";
      return;
    }
    if (frame.o <= this.offset) return;
    this.offset = frame.o;
    const { items, caughtUp } = this.state;
    switch (frame.k) {
      case "live":
        this.text = "";
        return this.set({ live: { id: frame.id, who: frame.who } });
      case "message":
        return this.message(frame);
      case "ask":
        if (frame.prompt && !items.some((one) => one.k === "ask" && one.prompt === frame.prompt))
          this.set({ items: [...items, { ...frame, key: `ask-${frame.id}` }] });
        return this.set({ ask: { id: frame.id, password: Boolean(frame.password) } });
      case "asked":
        if (frame.by && items.some((one) => one.key === frame.by && one.queued))
          this.set({ items: items.map((one) => (one.key === frame.by ? { ...one, queued: false } : one)) });
        return this.state.ask?.id === frame.id && this.set({ ask: null });
      case "tool":
      case "tool_done": {
        const key = `tool-${frame.id}`;
        const known = items.find((one) => one.key === key);
        const merged = { ...known, ...frame, k: "tool", state: frame.state || "open", key };
        this.set({ items: known ? items.map((one) => (one.key === key ? merged : one)) : [...items, merged] });
        return caughtUp && this.on.tools(this.state.chat, frame.k === "tool");
      }
      case "tool_state":
        return caughtUp && this.toolsSoon();
      case "progress":
        return this.set({ progress: frame.percent >= 100 ? null : frame });
      case "choice":
        return this.set({ items: [...items.map(closed), { ...frame, key: frame.id }], choosing: null });
      case "chosen": {
        const mine = this.state.choosing;
        this.set({ items: items.map((one) => (unanswered(one) ? { ...closed(one), chosen: frame.option, chat: frame.chat } : one)), choosing: null });
        return mine && caughtUp && frame.chat && this.open(frame.chat, this.state.workflow, false);
      }
      case "navigate":
        return caughtUp && this.on.navigate(frame.path);
    }
  }

  message(frame) {
    const { items, pending, live, caughtUp } = this.state;
    if (frame.rest && live?.id === frame.id) frame = { ...frame, text: this.text + frame.text }; // the end of what is here
    const changes = { items: [...items.filter((one) => one.key !== frame.id), { ...frame, key: frame.id }], progress: null };
    if (live?.id === frame.id) {
      changes.live = null;
      this.text = "";
    }
    if (frame.role === "user") {
      const mine = pending.find((one) => one.id === frame.id) || pending[0];
      changes.pending = pending.filter((one) => one !== mine);
    }
    this.set(changes);
    if (caughtUp) this.on.arrived(frame);
  }

  say(text) {
    const id = `m${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
    if (this.state.connection !== "live" || !this.send({ t: "say", text, id })) return false;
    this.set({ pending: [...this.state.pending, { id, text }], refusal: null });
    return true;
  }
  choose(option) {
    const choice = this.state.items.find(unanswered);
    if (choice && this.send({ t: "choose", option, id: choice.id })) this.set({ choosing: option, refusal: null });
  }
  stop() {
    this.send({ t: "stop" });
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
