// Shows what was chosen and for whom, has people and terms checked before any file is sent, and
// sends the form in a way that leaves chosen files chosen whatever the answer is. The form works
// without this; browsers then forget the files of a form that was refused.
import { busy, csrfToken, idle } from "./site.js";

const MEBIBYTE = 2 ** 20;
const BESIDE_A_FILE = 2048; // bytes at most of what stands around one in the request
const dialog = document.querySelector("[data-ask]");
let form, input, words, newAlbum;

function begin(files) {
  form = document.querySelector("[data-upload]");
  input = form?.querySelector("input[type=file]");
  words = form?.dataset;
  if (!form) return;
  if (files) input.files = files;
  if (newAlbum) offerNewAlbum(); // the form was refused, and is another one now
  if (input.files.length) form.querySelector("[data-choose-again]")?.remove();
  input.addEventListener("change", show);
  form.querySelector("[data-folder]").addEventListener("change", (event) => {
    addFolder(event.target.files[0]?.webkitRelativePath.split("/")[0], event.target.files);
    event.target.value = "";
  });
  form.addEventListener("input", summarise);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  show();
}

// ---- what was chosen -------------------------------------------------------------------------

function show() {
  form.querySelector(".files").replaceChildren(...[...input.files].map(row));
  summarise();
}

function row(file) {
  const item = document.createElement("li");
  const picture = document.createElement("img");
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
  picture.addEventListener("error", () => picture.removeAttribute("src"));
  const text = document.createElement("span");
  const tooLarge = file.size > Number(words.maxMb) * MEBIBYTE;
  text.textContent = `${file.name} · ${shownSize(file.size)}${tooLarge ? ` · ${words.tooLarge}` : ""}`;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "button quiet small";
  remove.textContent = words.remove;
  remove.setAttribute("aria-label", `${words.remove}: ${file.name}`);
  remove.addEventListener("click", () => {
    choose([...input.files].filter((other) => other !== file));
    input.focus();
  });
  item.append(picture, text, remove);
  return item;
}

function shownSize(bytes) {
  const megabytes = bytes / MEBIBYTE;
  return megabytes < 1 ? `${Math.ceil(bytes / 1024)} KB` : `${megabytes.toFixed(1)} MB`;
}

function people() {
  const ticked = [...form.querySelectorAll("input[name=recipients]:checked, input[name=invitations]:checked")].map((box) => box.dataset.name);
  const typed = [...form.querySelectorAll("input[name=recipients][type=text]")].map((box) => box.value.trim());
  return [...new Set([...ticked, ...typed.filter(Boolean)])];
}

function summarise() {
  const names = people();
  const album = form.querySelector("select[name=album]")?.selectedOptions[0];
  if (album?.value || album?.dataset.isNew !== undefined) names.push(words.members.replace("{album}", album.text));
  form.querySelector("[data-summary]").textContent = (names.length ? words.shared : words.draft)
    .replace("{names}", names.join(", "))
    .replace("{count}", String(input.files.length));
}

function choose(files) {
  if (isSending()) return;
  const all = new DataTransfer();
  for (const file of files) all.items.add(file);
  input.files = all.files;
  show();
}

// What is dropped or pasted joins what was chosen.
function add(files) {
  if (form) choose([...input.files, ...files]);
}

// The folder's pictures join what was chosen, and it is chosen as the album they go into.
function addFolder(title, files) {
  if (!form || !title) return;
  const pictures = [...files].filter((file) => /^image\/|^$/.test(file.type) && !file.name.startsWith("."));
  newAlbum = { title, id: "" };
  offerNewAlbum();
  choose([...input.files, ...pictures]);
}

function offerNewAlbum() {
  const select = form.querySelector("select[name=album]");
  const option = new Option(words.newAlbumName.replace("{title}", newAlbum.title), newAlbum.id, true, true);
  option.dataset.isNew = "";
  select.append(option);
  select.closest("[data-album-field]").hidden = false;
}

async function filesIn(directory) {
  const reader = directory.createReader(), files = [];
  for (;;) { // a reader hands out some at a time
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return files;
    for (const entry of entries) {
      if (entry.isDirectory) files.push(...await filesIn(entry));
      else files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    }
  }
}

// Made once, before the images are sent: a next try uses the same.
async function makeAlbum(whole) {
  const option = form.querySelector("select[name=album]").selectedOptions[0];
  if (option?.dataset.isNew === undefined) return;
  if (!newAlbum.id) {
    const body = new FormData();
    body.set("title", newAlbum.title.slice(0, 200));
    newAlbum.id = (await (await post(words.newAlbum, body, "application/json")).json()).id;
  }
  whole.set("album", newAlbum.id);
}

function mark(over) {
  form?.querySelector(".drop").classList.toggle("over", over);
}

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); mark(true); });
}
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(false); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  mark(false);
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
  const directory = entries.find((entry) => entry?.isDirectory);
  if (directory) filesIn(directory).then((files) => addFolder(directory.name, files));
  else add(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) add(event.clipboardData.files);
});
window.addEventListener("beforeunload", (event) => {
  if (input?.files.length) event.preventDefault();
});

// ---- sending ---------------------------------------------------------------------------------

async function send() {
  const button = form.querySelector("[type=submit]"), chooser = input, problem = tooMuch();
  if (isSending()) return;
  if (problem) return refuse(problem);
  const whole = new FormData(form), fields = new FormData(form);
  fields.delete("images");
  busy(button);
  chooser.disabled = true;
  try {
    fields.set("image_count", chooser.files.length);
    const checked = await post(form.action, fields);
    if (!checked.ok || checked.redirected) await take(checked);
    else if (await saysYes(await checked.text())) {
      await makeAlbum(whole);
      await take(await post(words.upload, whole));
    }
  } catch {
    refuse(words.brokenOff); // the same upload_id goes with the next try: nothing is made twice
  }
  chooser.disabled = false;
  idle(button);
}

// What is added meanwhile would vanish with the page, what is removed be shared all the same.
function isSending() {
  return form.querySelector("[type=submit]").hasAttribute("aria-busy");
}

function tooMuch() {
  const files = [...input.files];
  const most = Number(words.maxRequestMb) * MEBIBYTE;
  const total = files.reduce((sum, file) => sum + file.size + BESIDE_A_FILE, MEBIBYTE / 8);
  if (!files.length) return words.none;
  if (files.length > Number(words.maxFiles)) return words.tooMany.replace("{count}", String(files.length));
  if (total > most) return words.tooMuch.replace("{size}", shownSize(total));
  return "";
}

function post(address, body, accept = "text/html") {
  body.delete("csrfmiddlewaretoken");
  return fetch(address, { method: "POST", body, headers: { "X-CSRFToken": csrfToken(), Accept: accept } });
}

async function take(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  if (answer.redirected) return ask(main, answer.url);
  const isForm = main.querySelector("[data-upload]") !== null;
  if (answer.status !== 201 && !isForm) return refuse(textOf(main));
  const files = input.files;
  if (!isForm) newAlbum = null;
  document.title = page.title;
  document.querySelector("main").replaceChildren(...main.childNodes);
  begin(files);
  window.scrollTo(0, 0);
  (document.querySelector("[data-error-summary]") ?? document.querySelector("main")).focus();
}

function textOf(main) {
  return [...main.querySelectorAll("h1, p")].map((line) => line.textContent.trim()).join(" ");
}

function refuse(sentence) {
  const problem = form.querySelector("[data-problem]");
  problem.querySelector("p").textContent = sentence;
  problem.hidden = false;
  problem.focus();
}

// Asks about who gets access, if anybody does, as the page without scripts would.
async function saysYes(html) {
  const main = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  const question = main.querySelector("[data-ask-first]");
  if (!question) return true;
  for (const element of main.querySelectorAll("[data-page-only]")) element.remove();
  dialog.querySelector("[data-asked]").replaceChildren(...main.childNodes);
  dialog.showModal();
  const heading = dialog.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus(); // it is read from there, and no second Enter says yes
  return new Promise((resolve) => {
    question.addEventListener("submit", (event) => {
      event.preventDefault();
      resolve(true);
      dialog.close();
    });
    dialog.addEventListener("close", () => resolve(false), { once: true });
  });
}

// Locked or signed out meanwhile: what leads back is asked here, and the files stay chosen.
function ask(main, address) {
  const place = dialog.querySelector("[data-asked]"), question = main.querySelector("form");
  if (!question) {
    dialog.close();
    return refuse(textOf(main));
  }
  place.replaceChildren(...main.childNodes);
  question.addEventListener("submit", async (event) => {
    event.preventDefault();
    busy(event.submitter);
    try {
      const answer = await post(address, new FormData(event.target));
      if (answer.ok && answer.redirected) { // a page of its own is to be read: a recovery code
        dialog.close();
        return send();
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      ask(page.querySelector("main"), address);
    } catch {
      dialog.close();
      refuse(words.brokenOff);
    }
  });
  if (!dialog.open) dialog.showModal();
  place.querySelector("input:not([type=hidden])")?.focus();
}

begin();
