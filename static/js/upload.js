// The upload page. Files join a queue as they are chosen; people and terms are checked before any of
// it is sent; then each file goes by itself (upload-queue.js). The form works without this: its one
// request brings all files.
import { askedForShared, busy, idle, said } from "./site.js";
import { SHARED, openKept } from "./kept-files.js";
import { intoNewAlbum, nameAlbum, offerAlbum } from "./upload-album.js";
import { agreed, letBackIn, pageOf, post, textOf } from "./upload-asking.js";
import { listen, listenTo } from "./upload-choose.js";
import { tooMuch, wrongWith } from "./upload-limits.js";
import { Queue } from "./upload-queue.js";
import { Rows } from "./upload-rows.js";

let form, words, rows, kept, isRunning = false, isAsking = false, unkept = 0;
let wishes = null; // what was agreed: the fields that go with each file
const queue = new Queue(document.querySelector("[data-upload]").dataset.upload, (entry) => {
  rows.change(entry);
  rows.showAll(queue.entries, isRunning);
  if (entry.state === "done") kept?.forget(entry.place).catch(() => {});
});

function begin() {
  form = document.querySelector("[data-upload]");
  words = form.dataset;
  rows = new Rows(form, { remove, again: (one) => { queue.again((entry) => entry === one); goOn(); } });
  listenTo(form, add);
  form.addEventListener("input", () => {
    disagree();
    summarise();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  form.querySelector("[data-again-all]").addEventListener("click", () => { queue.again(); goOn(); });
  form.querySelector("[data-stop]").addEventListener("click", () => queue.stop());
  form.querySelector("[data-remove-all]").addEventListener("click", removeAll);
  form.querySelector("[data-finish]").addEventListener("click", finish);
  offerAlbum(form); // the form was refused, and is another one now
  if (queue.entries.length) form.querySelector("[data-choose-again]")?.remove();
  show();
}

// ---- what was chosen -------------------------------------------------------------------------

async function add(files, folder) {
  const chosen = [...files];
  await restored;
  if (isRunning || isAsking) return refuse(words.notNow); // it was not checked with the others
  disagree();
  if (folder) nameAlbum(form, folder);
  const added = chosen.map((file) => {
    const problem = wrongWith(file, queue.entries, words), entry = queue.add(file);
    return problem ? Object.assign(entry, { problem, state: "refused" }) : entry;
  });
  show();
  for (const entry of added) await keep(entry);
}

async function keep(entry) {
  if (!kept || entry.problem || !queue.entries.includes(entry)) return;
  unkept += 1;
  try {
    await kept.keepFile(entry.place, entry.file);
    if (!queue.entries.includes(entry) || entry.state === "done") await kept.forget(entry.place);
    unkept -= 1;
  } catch {
    kept = null; // no room: leaving is asked about
  }
}

function remove(entry) {
  const next = rows.focusAfter(entry);
  queue.remove(entry);
  kept?.forget(entry.place).catch(() => {});
  show();
  (next.checkVisibility?.() ?? true ? next : form.querySelector("[data-running]")).focus();
}

function removeAll() {
  for (const entry of queue.in("waiting", "failed", "refused")) {
    queue.remove(entry);
    kept?.forget(entry.place).catch(() => {});
  }
  show();
  form.querySelector("input[type=file]").focus();
}

function show() {
  rows.show(queue.entries);
  rows.showAll(queue.entries, isRunning);
  const stored = queue.in("done").length, failed = queue.in("failed").length;
  for (const element of form.querySelectorAll("[data-while-choosing]")) element.hidden = isRunning;
  form.querySelector("[data-while-running]").hidden = !isRunning && !stored && !failed;
  form.querySelector("[data-stop]").hidden = !isRunning;
  form.querySelector("[data-again-all]").hidden = isRunning || !failed;
  form.querySelector("[data-finish]").hidden = isRunning || !stored;
  form.querySelector("[data-remove-all]").hidden = isRunning || queue.in("waiting", "failed", "refused").length < 2;
  form.querySelector("[data-heading]").textContent = isRunning ? words.running : words.stopped;
  summarise();
}

function people() {
  const ticked = [...form.querySelectorAll("input[name=recipients]:checked, input[name=invitations]:checked")].map((box) => box.dataset.name);
  const typed = [...form.querySelectorAll("input[name=recipients][type=text]")].map((box) => box.value.trim());
  return [...new Set([...ticked, ...typed.filter(Boolean)])];
}

function summarise() {
  const names = people(), album = form.querySelector("select[name=album]").selectedOptions[0];
  if (album.value || album.dataset.isNew !== undefined) names.push(said(words.members, { album: album.text }));
  const count = queue.in("waiting", "failed").length, draft = count ? words.draft : words.none;
  const sentence = names.length ? words.shared : draft;
  form.querySelector("[data-summary]").textContent = said(sentence, { names: names.join(", "), count });
}

// ---- sending ---------------------------------------------------------------------------------

async function send() {
  const button = form.querySelector("[type=submit]");
  if (isAsking || isRunning) return;
  disagree();
  queue.again();
  const problem = tooMuch(queue.in("waiting").map((entry) => entry.file), words);
  if (problem) return refuse(problem);
  busy(button);
  isAsking = true;
  try {
    const fields = new FormData(form);
    fields.delete("images");
    fields.set("image_count", queue.in("waiting").length);
    fields.set("upload_count", queue.in("waiting", "done").length);
    const main = await checked(fields);
    const fine = main && await agreed(main);
    if (fine) {
      wishes = await intoNewAlbum(form, fine);
      if (wishes) await kept?.keepWishes(wishes).catch(() => {});
      else await checked(fields); // it says why
    }
  } catch {
    refuse(words.brokenOff);
  }
  isAsking = false;
  idle(button);
  if (wishes) await run();
}

// Returns the page that says who will be able to open what; null if there is something else to do.
async function checked(fields) {
  const answer = await post(form.action, fields), page = await pageOf(answer);
  const main = page.querySelector("main");
  if (answer.redirected) {
    const isBack = await letBackIn(main, answer.url);
    if (isBack !== true) return isBack === false ? null : refuse(isBack || words.brokenOff);
    return checked(fields);
  }
  if (answer.ok) return main;
  if (!main.querySelector("[data-upload]")) return refuse(textOf(main));
  document.title = page.title;
  document.querySelector("main").replaceChildren(...main.childNodes);
  begin();
  window.scrollTo(0, 0);
  (document.querySelector("[data-error-summary]") ?? document.querySelector("main")).focus();
  return null;
}

async function run() {
  isRunning = true;
  form.querySelector("[data-problem]").hidden = true;
  show();
  form.querySelector("[data-running]").focus();
  const stopped = await queue.run(wishes);
  isRunning = false;
  show();
  if (stopped?.status === 401) return comeBack();
  if (stopped) disagree();
  else if (queue.entries.length && queue.in("done").length === queue.entries.length) return finish();
  if (stopped?.status) refuse(sentenceOf(stopped.facts) || words.fault);
  else form.querySelector("[data-running]").focus();
}

// What goes on from here is agreed to once more.
function disagree() {
  if (wishes) kept?.forgetWishes().catch(() => {});
  wishes = null;
}

// Locked or signed out in the middle: what leads back is asked here, and then it goes on.
async function comeBack() {
  const fields = new FormData();
  for (const [name, value] of wishes) fields.append(name, value);
  try {
    if (await checked(fields)) return run();
  } catch {
    refuse(words.brokenOff);
  }
  disagree();
}

function goOn() {
  if (isRunning) return;
  if (wishes) run();
  else send();
}

async function finish() {
  queue.entries = [];
  await kept?.forgetAll().catch(() => {});
  window.location.assign(words.result.replace(words.noId, form.elements.upload_id.value));
}

function sentenceOf(facts) {
  const errors = Object.values(facts?.errors ?? {}).flat();
  return errors.map((error) => error.message).join(" ") || facts?.message;
}

function refuse(sentence) {
  const problem = form.querySelector("[data-problem]");
  problem.querySelector("p").textContent = sentence;
  problem.hidden = false;
  problem.focus();
  return null;
}

// ---- this page, and the next one in its place -------------------------------------------------

// What an earlier page of this tab had chosen is chosen again; what it was sending goes on.
async function restore() {
  kept = await openKept(form.elements.person.value);
  const earlier = await kept?.restore().catch(() => null);
  if (!earlier?.files.size) return kept?.forgetAll().catch(() => {});
  for (const [place, file] of earlier.files) queue.add(file, place);
  wishes = earlier.wishes;
  if (wishes) form.elements.upload_id.value = new Map(wishes).get("upload_id");
  show();
}

// What a phone shared with this app, at the hands of the service worker.
async function addShared() {
  await askedForShared;
  if (isRunning || isAsking || !sessionStorage.getItem(SHARED)) return;
  const shared = await (await import("./shared-files.js")).openShared(form.elements.person.value);
  if (!shared.files.length) return;
  await add(shared.files);
  await shared.forget();
}

listen(add, (over) => form.querySelector(".drop").classList.toggle("over", over));
window.addEventListener("beforeunload", (event) => {
  const isSafe = kept && !unkept && !isRunning;
  if (queue.in("waiting", "failed", "uploading", "sealing").length && !isSafe) event.preventDefault();
});
begin();
const restored = restore();
restored.then(() => wishes && run()).then(addShared).catch(() => {});
