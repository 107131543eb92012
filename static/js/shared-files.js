// What a phone shares with this app, on its way from the service worker to the upload page: encrypted
// as other chosen files are, under a key that is in the worker's memory, then in one tab's session.
import { SHARED, anew, keptOf } from "./kept-files.js";

// For the service worker: keeps what a phone shared, and returns what opens it.
export async function keepShared(person, files) {
  const own = anew(person), kept = await keptOf(own);
  for (const [place, file] of files.entries()) await kept.keepFile(place, file);
  return own;
}

// For the page that the worker led to: what opens it is from now on in this tab's session alone.
export async function askForShared() {
  const id = window.location.hash.replace("#shared=", "");
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  const { port1, port2 } = new MessageChannel();
  const own = await new Promise((resolve) => {
    port1.onmessage = (event) => resolve(event.data);
    navigator.serviceWorker.controller.postMessage(id, [port2]);
  });
  if (own) sessionStorage.setItem(SHARED, JSON.stringify(own));
  else window.location.assign("/images/upload/shared/"); // the worker ended: a page says so
}

// Returns the files that were shared with `person`, and what forgets them once they are elsewhere.
export async function openShared(person) {
  const held = JSON.parse(sessionStorage.getItem(SHARED));
  if (held?.person !== person) return { files: [] };
  const kept = await keptOf(held);
  const forget = async () => {
    sessionStorage.removeItem(SHARED);
    await kept.forgetAll();
  };
  return { files: [...(await kept.restore()).files.values()], forget };
}
