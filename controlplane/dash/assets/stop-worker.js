// Keeps the shell of the page with the red button, and nothing that says how the house stands: what is shown of it is always
// asked for, and without an answer the shell shows a grey button.
"use strict";
const NAME = `shell ${SHELL.join(" ")}`;

// Waking a worker takes time, and it must never stand before the button. So only where the browser asks the network at the
// same moment does this one listen to requests at all; elsewhere it keeps nothing from the network, and shows no shell.
const RACES = typeof InstallEvent === "function" && "addRoutes" in InstallEvent.prototype;

self.addEventListener("install", (event) => {
  if (RACES) {
    event.waitUntil(event.addRoutes({ condition: { requestMode: "navigate" }, source: "race-network-and-fetch-handler" }));
  }
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(SHELL)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => self.clients.claim()));
});
const answer = (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("/stop/offline")));
  } else if (SHELL.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
};
if (RACES) self.addEventListener("fetch", answer);
