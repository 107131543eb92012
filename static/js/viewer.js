// Looking at one picture after the other without loading all of the page anew. Each is asked for
// when somebody goes to it, and only then is it on record as opened: ahead of that come thumbnails
// alone, as on a list. Without this the same links lead to the same pages.
import { watchPictures } from "./site.js";
import { partsOf } from "./thumbnails.js";
import { Zoom } from "./zoom.js";

const viewer = document.querySelector("[data-viewer]");
const announced = document.querySelector("[data-announced]");
const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
const back = document.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
const ahead = new Map(); // of the neighbours, by the address of the thumbnail: a blob's address
let zoom, isMoving = false;

const find = (selector) => viewer.querySelector(selector);
const link = (step) => find(step > 0 ? "a[rel=next]" : "a[rel=prev]");
const isFull = () => viewer.classList.contains("full");

function begin() {
  const stage = find("[data-stage]");
  const picture = find("[data-picture]");
  zoom = new Zoom(stage, picture, { swiped: go, isFull });
  const loaded = () => {
    find("[data-standin]")?.remove();
    zoom.fit();
    fetchAhead();
  };
  if (picture.complete) loaded();
  else picture.addEventListener("load", loaded, { once: true });
  find("[data-full]").setAttribute("aria-pressed", String(isFull()));
}

// ---- to the next ------------------------------------------------------------------------------

function go(step) {
  const to = link(step);
  if (to) show(to, step);
}

// What is refused, ended or locked meanwhile, and a line that broke, are pages: the browser goes there.
async function show(to, step) {
  if (isMoving) return;
  isMoving = true;
  viewer.setAttribute("aria-busy", "true");
  const next = await viewerAt(to.href);
  if (!next) return void location.assign(to.href);
  const hadFocus = viewer.contains(document.activeElement);
  const wasOnLink = document.activeElement === to;
  viewer.replaceChildren(...next.childNodes);
  document.title = next.ownerDocument.title;
  history.replaceState(null, "", to.href); // going back leads to the list
  watchPictures(viewer);
  standIn(to.dataset.ahead);
  begin();
  if (hadFocus) ((wasOnLink && link(step)) || find("[data-stage]")).focus({ preventScroll: true });
  announced.textContent = find("[data-announce]").dataset.announce;
  viewer.removeAttribute("aria-busy");
  isMoving = false;
}

async function viewerAt(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("[data-viewer]");
  } catch {
    return null;
  }
}

// ---- what is ahead ----------------------------------------------------------------------------

async function fetchAhead() {
  const wanted = [link(1), link(-1)].filter(Boolean).map((one) => one.dataset.ahead);
  for (const [address, blob] of ahead) {
    if (wanted.includes(address)) continue;
    URL.revokeObjectURL(blob);
    ahead.delete(address);
  }
  const missing = wanted.filter((address) => !ahead.has(address));
  if (!missing.length) return;
  const byId = new Map(missing.map((address) => [address.split("/")[2], address]));
  try {
    for await (const [head, bytes] of partsOf([...byId.keys()])) {
      if (!head.code) ahead.set(byId.get(head.id), URL.createObjectURL(new Blob([bytes], { type: head.media_type })));
    }
  } catch {
    // Then the picture comes without one before it.
  }
}

// The thumbnail that is here already, until the picture is. The server has just let this person open it.
function standIn(address) {
  const picture = find("[data-picture]");
  if (!ahead.has(address) || picture.complete) return;
  const image = new Image();
  image.alt = "";
  image.dataset.standin = "";
  image.src = ahead.get(address);
  picture.before(image);
}

// ---- full screen ------------------------------------------------------------------------------

// Some browsers fill no screen with an element; it fills the window all the same.
async function setFull(full) {
  if (full === isFull()) return;
  viewer.classList.toggle("full", full);
  viewer.classList.remove("with-side");
  if (full) {
    viewer.setAttribute("role", "dialog");
    viewer.setAttribute("aria-modal", "true");
  } else for (const name of ["role", "aria-modal"]) viewer.removeAttribute(name);
  for (const one of outside()) one.inert = full;
  find("[data-full]").setAttribute("aria-pressed", String(full));
  zoom.fit();
  find("[data-stage]").focus({ preventScroll: true });
  try {
    if (full) await viewer.requestFullscreen?.();
    else if (document.fullscreenElement) await document.exitFullscreen();
  } catch {
    // Not allowed here: the window has to do.
  }
}

function outside() {
  const around = [];
  for (let one = viewer; one !== document.body; one = one.parentElement) {
    around.push(...[...one.parentElement.children].filter((other) => other !== one && other !== announced));
  }
  return around;
}

document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement) setFull(false);
});

function about() {
  if (isFull()) viewer.classList.toggle("with-side");
  const side = find("[data-side]");
  if (isFull() && !viewer.classList.contains("with-side")) find("[data-stage]").focus();
  else side.focus();
}

// ---- buttons and keys -------------------------------------------------------------------------

const ACTS = {
  closer: () => zoom.closer(),
  farther: () => zoom.farther(),
  fit: () => zoom.fit(),
  actual: () => zoom.actual(),
  full: () => setFull(!isFull()),
};
const LETTERS = { "+": "closer", "=": "closer", "-": "farther", 0: "fit", 1: "actual", f: "full" };
const PANS = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };

viewer?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const to = event.target.closest("a[rel=next], a[rel=prev]");
  const act = event.target.closest("[data-act]");
  if (to) {
    event.preventDefault();
    show(to, to.rel === "next" ? 1 : -1);
  } else if (act) ACTS[act.dataset.act]();
  else if (event.target.closest("[data-about]")) {
    event.preventDefault();
    about();
  }
});

// Letters count only where the viewer has the focus, so that none is pressed by accident (WCAG 2.1.4).
document.addEventListener("keydown", (event) => {
  if (!viewer || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  if (at.closest("input, textarea, select, summary, [contenteditable]")) return;
  const looks = Boolean(at.closest("[data-look]"));
  if (looks && zoom.isZoomed && PANS[event.key]) zoom.move(...PANS[event.key]);
  else if (event.key === forward) go(1);
  else if (event.key === back) go(-1);
  else if (event.key === "Escape" && isFull()) setFull(false);
  else if ((looks || isFull()) && event.key === "i") about();
  else if (looks && LETTERS[event.key]) ACTS[LETTERS[event.key]]();
  else return;
  event.preventDefault();
});

if (viewer) begin();
