// The service worker: keeps static files, and a page of nobody that says there is no connection.
// It keeps no answer of the application, and asks for that page without cookies. What a phone shares
// it encrypts for who is signed in, and hands the key to the page it leads to.
import { keepShared } from "{{ shared_files }}";

const KEPT = "static-{{ version }}";
const OFFLINE = "{% url 'offline' %}";
const SHARED = "{% url 'gallery:shared' %}", UPLOAD = "{% url 'gallery:upload' %}";
const NEEDED = [{% for address in kept %}"{{ address }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const WAIT = 60 * 1000;
const handedOver = new Map();
const UNCHANGING = /^\/static\/.+\.[0-9a-f]{12}\.\w+$/; // named by its contents

self.addEventListener("install", (event) => event.waitUntil(prepare()));
self.addEventListener("activate", (event) => event.waitUntil(dropEarlier()));
self.addEventListener("message", (event) => {
  event.ports[0].postMessage(handedOver.get(event.data)?.own);
  handedOver.get(event.data)?.done();
  handedOver.delete(event.data);
});
self.addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method === "POST" && pathname === SHARED) event.respondWith(takeShared(event).catch(() => Response.redirect(SHARED)));
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

async function takeShared(event) {
  const files = (await event.request.formData()).getAll("images");
  const answer = await fetch(SHARED, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer) return kept(OFFLINE);
  if (!answer.ok) return Response.redirect(SHARED); // nobody is signed in: nothing is kept
  const own = await keepShared((await answer.json()).person, files);
  // A worker ends when it has nothing to wait for.
  event.waitUntil(new Promise((done) => {
    handedOver.set(own.queue, { own, done });
    setTimeout(done, WAIT);
  }));
  return Response.redirect(`${UPLOAD}#shared=${own.queue}`);
}

async function kept(what) {
  return (await caches.match(what, { ignoreVary: true })) ?? Response.error();
}
