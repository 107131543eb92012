// The service worker: keeps static files, and a page of nobody that says there is no connection.
// It keeps no answer of the application, and asks for that page without cookies.
const KEPT = "static-{{ version }}";
const OFFLINE = "{% url 'offline' %}";
const NEEDED = [{% for address in kept %}"{{ address }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const UNCHANGING = /^\/static\/.+\.[0-9a-f]{12}\.\w+$/; // named by its contents

self.addEventListener("install", (event) => event.waitUntil(prepare()));
self.addEventListener("activate", (event) => event.waitUntil(dropEarlier()));
self.addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith("/static/")) event.respondWith(staticFile(request, pathname));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => kept(OFFLINE)));
});

async function prepare() {
  const cache = await caches.open(KEPT);
  await cache.addAll([...NEEDED, new Request(OFFLINE, { credentials: "omit", cache: "reload" })]);
  await self.skipWaiting();
}

async function dropEarlier() {
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
  await self.clients.claim();
}

async function staticFile(request, pathname) {
  if (!UNCHANGING.test(pathname)) return fetch(request).catch(() => kept(request));
  const known = await caches.match(request, { ignoreVary: true }).catch(() => null);
  if (known) return known;
  const answer = await fetch(request), copy = answer.clone();
  // Without room for it, it is asked for again.
  if (answer.status === 200) caches.open(KEPT).then((cache) => cache.put(request, copy)).catch(() => {});
  return answer;
}

async function kept(what) {
  return (await caches.match(what, { ignoreVary: true })) ?? Response.error();
}
