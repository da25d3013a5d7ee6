// The offline page: the theme chosen in this browser, and back to the wanted page as soon as it answers.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.classList.add(theme);
  } catch { /* private mode: the system's */ }
  if (navigator.onLine) {
    for (const one of document.querySelectorAll("[data-away]")) one.textContent = one.dataset.away;
    document.title = document.title.replace(/^.* · /, document.querySelector("h1").textContent + " · ");
  }
  const again = document.getElementById("again");
  const back = () => location.reload();
  let pause = 4000;
  const look = async () => {
    try {
      const answer = await fetch("/health", { cache: "no-store" });
      if (answer.ok) return back();
    } catch { /* not yet */ }
    pause = Math.min(60000, pause * 1.5);
    setTimeout(look, pause);
  };
  again.addEventListener("click", (event) => {
    event.preventDefault();
    again.dataset.busy = "";
    back();
  });
  addEventListener("online", back);
  setTimeout(look, pause);
})();
