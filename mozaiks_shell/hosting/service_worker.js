// Shows the offline page when a page cannot be reached. Nothing else is kept: no page, no data, nothing of anybody.
const KEPT = "mozaiks-offline-__VERSION__";
const PAGE = "/offline", SCRIPT = "/offline.js";

self.addEventListener("install", (event) => {
  const fresh = [PAGE, SCRIPT].map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith("mozaiks-") && name !== KEPT).map((name) => caches.delete(name)));
    if (self.registration.navigationPreload) await self.registration.navigationPreload.enable();
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    const answer = async () => {
      try {
        return (await event.preloadResponse) || (await fetch(request));
      } catch {
        return (await caches.match(PAGE, { cacheName: KEPT })) || Response.error();
      }
    };
    event.respondWith(answer());
  } else if (new URL(request.url).pathname === SCRIPT) {
    event.respondWith(caches.match(SCRIPT, { cacheName: KEPT }).then((kept) => kept || fetch(request)));
  }
});
