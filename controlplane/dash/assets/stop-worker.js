// Keeps the shell of the page with the red button, and nothing that says how the house stands: what is shown of it is always
// asked for, and without an answer the shell shows a grey button.
"use strict";
const NAME = `shell ${SHELL.join(" ")}`;

self.addEventListener("install", (event) => {
  // The network is asked at the same moment, without waiting for this worker to wake: it must never stand before the button.
  if (event.addRoutes) {
    event.waitUntil(event.addRoutes({ condition: { requestMode: "navigate" }, source: "race-network-and-fetch-handler" }));
  }
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(SHELL)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("/stop/offline")));
  } else if (SHELL.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});
