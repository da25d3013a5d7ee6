// Development only: shows what is wrong with a saved plugin file on the open page, whatever state that page is in.
(() => {
  const here = document.currentScript.src;
  const words = { kept: "The last version that worked stays in service.", none: "The plugin is out of service until this is corrected." };
  let hidden = "", told = "", wait = 250;

  const part = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const sheet = part("link");
  sheet.rel = "stylesheet";
  sheet.href = here.replace("notice.js", "notice.css");

  const root = part("section", "mz-hot");
  root.id = "mz-hot";
  root.lang = "en";
  root.dir = "ltr";
  root.setAttribute("aria-label", "Development");
  root.setAttribute("aria-live", "assertive");

  // React draws the whole document when a page begins, and so takes out what it does not know.
  const stay = () => {
    if (!root.childElementCount) return;
    if (!sheet.isConnected) document.head.append(sheet);
    if (!root.isConnected) document.body.append(root);
  };

  const code = (lines) => {
    const made = part("pre", "mz-hot-code");
    made.tabIndex = 0;
    made.setAttribute("aria-label", "Source");
    for (const line of lines) {
      const row = part(line.at_fault ? "mark" : "span", "mz-hot-line");
      row.append(part("span", "mz-hot-number", String(line.number)), part("span", "", line.text || " "));
      made.append(row);
    }
    return made;
  };

  const card = (problem) => {
    const made = part("article", "mz-hot-card");
    const head = part("div", "mz-hot-head");
    const close = part("button", "mz-button mz-ghost mz-small", "Hide");
    close.type = "button";
    close.addEventListener("click", () => { hidden = told; draw([]); });
    head.append(part("h2", "mz-hot-title", problem.plugin + " could not be reloaded"), close);
    made.append(head, part("code", "mz-hot-place", problem.place), part("p", "mz-hot-message", problem.message));
    if (problem.lines.length) made.append(code(problem.lines));
    made.append(part("p", "mz-hot-rest", problem.kept ? words.kept : words.none + " " + problem.remedy));
    return made;
  };

  const draw = (problems) => {
    root.replaceChildren(...problems.map(card));
    stay();
  };

  const below = (path) => (location.pathname.replace(/\/$/, "") + "/").startsWith(path.replace(/\/$/, "") + "/");

  // Vite's update can be lost while a page is still loading: what a page shows tells, and a reload always helps.
  const check = (version, path) => {
    const mark = document.querySelector("[data-mz-hot]");
    if (location.pathname === path && Number(mark ? mark.dataset.mzHot : 0) < Number(version)) location.reload();
  };

  const hear = ({ data }) => {
    const message = JSON.parse(data);
    if (message.reload && below(message.reload)) location.reload();
    if (message.changed && below(message.changed)) setTimeout(check, 1500, message.version, location.pathname);
    if (!message.problems) return;
    told = JSON.stringify(message.problems);
    draw(told === hidden ? [] : message.problems);
  };

  const listen = () => {
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/hot");
    socket.addEventListener("open", () => { wait = 250; });
    socket.addEventListener("message", hear);
    socket.addEventListener("close", () => { setTimeout(listen, wait); wait = Math.min(wait * 2, 4000); });
  };

  setInterval(stay, 300);
  if (document.body) listen();
  else document.addEventListener("DOMContentLoaded", listen);
})();
