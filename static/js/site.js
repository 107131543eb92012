// What every page may use when scripts run. Nothing depends on it.
import { loseKeyOfAnother } from "./kept-files.js";

document.documentElement.classList.add("scripted");

// Whoever signs in in a tab in which somebody else had chosen files cannot open them.
loseKeyOfAnother(document.documentElement.dataset.person);

// The service worker led here with what a phone shared.
export const askedForShared = window.location.hash.startsWith("#shared=")
  ? import("./shared-files.js").then((shared) => shared.askForShared()).catch(() => {}) : null;

// Not over plain http to another machine, nor in every private window.
navigator.serviceWorker?.register("/service-worker.js", { type: "module" }).catch(() => {});

// The token of the moment: signing in in another tab gives the browser another one.
export function csrfToken() {
  return document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1] ?? "";
}

// Times are shown and asked for as they are here, from the next page on. A page that asks for one
// says in which zone, and is read in that.
const zone = `time_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone ?? ""}`;
const asksForTime = document.querySelector("[type=datetime-local]");
if (!asksForTime && !document.cookie.split("; ").includes(zone)) {
  const secure = window.location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
}

// Returns a sentence with what belongs in it: names, which may hold anything, as they are.
export function said(sentence, facts) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

// A form is sent once: its button says so and stays as wide as it was.
document.addEventListener("submit", (event) => {
  if (event.submitter instanceof HTMLButtonElement && !event.defaultPrevented) busy(event.submitter);
});

export function busy(button) {
  if (!button.dataset.busy) return;
  button.dataset.idle = button.textContent;
  button.setAttribute("aria-busy", "true");
  button.textContent = button.dataset.busy;
  setTimeout(() => { button.disabled = button.hasAttribute("aria-busy"); });
}

export function idle(button) {
  if (!button.dataset.idle) return;
  button.removeAttribute("aria-busy");
  button.textContent = button.dataset.idle;
  button.disabled = false;
}

// Coming back through the browser's history shows the page as it was: usable again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// An error summary takes the focus, so that it is read first.
document.querySelector("[data-error-summary]")?.focus();

// A picture that ended before its end: what is there of it is genuine, and not all of it.
export function watchPictures(part) {
  for (const picture of part.querySelectorAll("[data-picture]")) {
    const say = () => { part.querySelector("[data-picture-missing]").hidden = false; };
    picture.addEventListener("error", say);
    if (picture.complete && !picture.naturalWidth) say();
  }
}

watchPictures(document);
