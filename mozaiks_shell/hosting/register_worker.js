// Installs (or, when the operator has turned it off, removes) the service worker once the page is there.
addEventListener("load", () => {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const workers = navigator.serviceWorker;
  if (__ENABLED__) workers.register("/sw.js", { scope: "/", updateViaCache: "none" }).catch(() => {});
  else workers.getRegistrations().then((all) => all.forEach((one) => one.unregister())).catch(() => {});
});
