// The chat in somebody else's page: one script tag, a bubble, a frame (docs/decisions/0013-embedding.md).
// <script src="https://app.example/embed.js" data-ticket-url="/chat-ticket" data-mode="ask" async></script>
(() => {
  const me = document.currentScript;
  if (!me || window.mozaiksChat) return;
  const app = new URL(me.src).origin;
  const { ticketUrl, mode = "", workflow = "", color = "CanvasText", label = "Open chat", title = "Chat" } = me.dataset;
  let frame = null;
  let ready = false;
  let wanted = null; // what was asked for last; asked again when the frame comes back from signing in
  let opening = false;
  let state = { surface: "closed", unread: 0 };

  const tell = (what, more) => frame.contentWindow.postMessage({ mozaiks: what, ...more }, app);
  const style = (node, rules) => Object.assign(node.style, rules);
  const button = document.createElement("button");
  const count = document.createElement("span");
  const SMALL = { inset: "auto 1.25rem 1.25rem auto", width: "min(26rem, calc(100vw - 2.5rem))", height: "max(22.5rem, min(70vh, 44rem))", maxHeight: "calc(100vh - 2.5rem)", borderRadius: "14px" };
  const LARGE = { inset: "0", width: "100vw", height: "100vh", maxHeight: "none", borderRadius: "0" };

  function draw() {
    const open = state.surface !== "closed";
    if (frame) style(frame, { ...(state.surface === "widget" || !open ? SMALL : LARGE), visibility: open && ready ? "visible" : "hidden" });
    style(button, { display: open && ready ? "none" : "grid" });
    style(count, { display: state.unread ? "grid" : "none" });
    count.textContent = state.unread > 99 ? "99+" : String(state.unread || "");
    button.setAttribute("aria-label", state.unread ? `${label} (${state.unread})` : label);
    button.setAttribute("aria-busy", String(Boolean(frame && !ready)));
  }

  function load() {
    if (frame) return;
    frame = document.createElement("iframe");
    frame.title = title;
    frame.src = `${app}/embed?origin=${encodeURIComponent(location.origin)}`;
    frame.allow = `clipboard-write ${app}`;
    style(frame, { position: "fixed", zIndex: 2147483000, border: "0", boxShadow: "0 12px 40px color-mix(in srgb, CanvasText 24%, transparent)", colorScheme: "auto", background: "transparent" });
    document.body.append(frame);
    draw();
  }

  async function ticket() {
    try {
      if (window.mozaiksAuth?.getToken) return await window.mozaiksAuth.getToken();
      if (!ticketUrl) return ""; // people sign in themselves, where browsers send the app's own cookie
      const answer = await fetch(ticketUrl, { method: "POST", credentials: "same-origin" });
      return answer.ok ? (await answer.json()).ticket : "";
    } catch (error) {
      console.error("Mozaiks chat: no ticket.", error);
      return "";
    }
  }

  addEventListener("message", async (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== app) return;
    const { mozaiks: what, ...told } = event.data || {};
    if (what === "ready") {
      ready = true;
      if (wanted) ask();
      draw();
    } else if (what === "ticket") {
      const given = await ticket();
      tell("ticket", { ticket: typeof given === "string" ? given : "" });
    } else if (what === "state") {
      const before = state.surface;
      const closed = told.surface === "closed";
      if (told.fill) style(button, { background: told.fill, color: told.ink });
      if (closed && opening) return;
      opening = false;
      if (closed && before !== "closed") wanted = null;
      state = told;
      draw();
      if ((before === "closed") !== closed) {
        const detail = { mode: told.mode, chat_id: told.chat_id, workflow_name: told.workflow_name, surface: told.surface };
        document.dispatchEvent(new CustomEvent(`mozaiks:chat:${closed ? "close" : "open"}`, { detail, bubbles: true }));
        if (closed) button.focus();
      }
    }
  });

  function ask() {
    opening = state.surface === "closed" || opening;
    tell("open", { wish: wanted });
  }

  let may = null;
  window.mozaiksChat = {
    open(wish = {}) {
      may = may || fetch(`${app}/api/embed/allowed`).then((answer) => answer.json());
      return may.then(({ allowed }) => {
        if (!allowed) return console.error(`Mozaiks chat: ${location.origin} is not among the origins that may embed ${app}. The operator adds it to MOZAIKS_EMBED_ORIGINS.`);
        wanted = { mode, workflow_name: workflow, ...wish };
        load();
        if (ready) ask();
      });
    },
    close() {
      wanted = null;
      opening = false;
      if (ready) tell("close");
    },
  };

  button.type = "button";
  button.innerHTML = '<svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M7.9 20A9 9 0 1 0 4 16.1L2 22Z"/></svg>';
  style(button, { position: "fixed", zIndex: 2147482999, inset: "auto 1.25rem 1.25rem auto", placeItems: "center", width: "3.25rem", height: "3.25rem", border: "0", borderRadius: "50%", background: color, color: me.dataset.color ? "white" : "Canvas", cursor: "pointer", boxShadow: "0 8px 24px color-mix(in srgb, CanvasText 20%, transparent)" });
  style(count, { position: "absolute", inset: "-.25rem -.25rem auto auto", placeItems: "center", minWidth: "1.375rem", height: "1.375rem", padding: "0 .3rem", boxSizing: "border-box", borderRadius: "1rem", background: "Highlight", color: "HighlightText", font: "650 .6875rem/1 system-ui" });
  button.append(count);
  button.onclick = () => window.mozaiksChat.open();
  document.body.append(button);
  draw();
})();
