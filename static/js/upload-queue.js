// Sends the files of an upload, each in a request of its own and several at once. What is busy or
// breaks off is tried again by itself, later each time; each file has its place in the upload, so
// that nothing is stored twice. It knows no page: upload.js shows what is told here.
import { csrfToken } from "./site.js";

const AT_ONCE = 3;
const MOST_TRIES = 8;
const LONGEST_PAUSE = 30; // seconds
const BUSY = new Set([0, 502, 503, 504]); // 0: no answer came

export class Queue {
  entries = []; // {place, file, state, loaded, reason, lost, removed, url, tries}
  #next = 0;
  #quietUntil = 0;
  #stopped = null;
  #sleepers = new Set();

  // `changed` is told of each entry that changes.
  constructor(address, changed) {
    this.address = address;
    this.changed = changed;
    window.addEventListener("online", () => {
      this.again((entry) => entry.lost);
      this.#wake();
    });
  }

  #wake() {
    this.#quietUntil = 0;
    for (const wake of this.#sleepers) wake();
  }

  add(file, place = this.#next) {
    this.#next = Math.max(this.#next, place + 1);
    const entry = { place, file, state: "waiting", loaded: 0, tries: 0, removed: [] };
    this.entries.push(entry);
    return entry;
  }

  remove(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    entry.request?.abort();
  }

  // Those that failed are sent once more, if `chosen` says so.
  again(chosen = () => true) {
    for (const entry of this.entries.filter((one) => one.state === "failed" && chosen(one))) {
      this.#set(entry, { state: "waiting", reason: "", lost: false, tries: 0 });
    }
  }

  in(...states) {
    return this.entries.filter((entry) => states.includes(entry.state));
  }

  // Sends what waits, with these fields. Returns what stopped it, an answer, or null at its end.
  async run(fields) {
    this.#stopped = null;
    this.#quietUntil = 0;
    // The first goes alone: what is refused of all is refused once, and all have its time.
    if (!this.in("done").length) await this.#work(fields, () => !this.in("done").length);
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work(fields, () => true)));
    return this.#stopped;
  }

  stop(answer = { status: 0 }) {
    this.#stopped ??= answer;
    for (const entry of this.in("uploading")) entry.request?.abort();
    this.#wake();
  }

  async #work(fields, goesOn) {
    while (!this.#stopped && goesOn() && this.in("waiting").length) {
      if (Date.now() < this.#quietUntil) await this.#pause();
      else await this.#send(this.in("waiting").reduce((one, other) => (other.tries < one.tries ? other : one)), fields);
    }
  }

  #pause() {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(wake);
        resolve();
      };
      this.#sleepers.add(wake);
      setTimeout(wake, this.#quietUntil - Date.now());
    });
  }

  async #send(entry, fields) {
    this.#set(entry, { state: "uploading", loaded: 0 });
    const readable = await isReadable(entry.file);
    if (!this.entries.includes(entry)) return; // removed meanwhile
    if (this.#stopped) return this.#set(entry, { state: "waiting" });
    if (!readable) return this.#set(entry, { state: "failed", reason: "unreadable" });
    const body = new FormData();
    for (const [name, value] of fields) body.append(name, value);
    body.set("upload_index", entry.place);
    body.append("images", entry.file);
    const answer = await this.#post(entry, body);
    if (!this.entries.includes(entry)) return;
    if (answer.status === 201) return this.#done(entry, answer.facts);
    if (this.#stopped) return this.#set(entry, { state: "waiting" });
    if (BUSY.has(answer.status)) return this.#later(entry, answer);
    const of = answer.facts?.errors?.[0]?.[0];
    if (of || answer.status === 413 || answer.status >= 500) {
      return this.#set(entry, { state: "failed", reason: of?.message ?? answer.facts?.message ?? "" });
    }
    this.#set(entry, { state: "waiting" });
    this.stop(answer); // it is no matter of this file: all would be refused
  }

  #done(entry, { images: [image], not_in_album: leftOut = [] }) {
    this.#set(entry, { state: "done", url: image.url, removed: image.removed, leftOut: leftOut.length > 0 });
  }

  #later(entry, { status, wait }) {
    const tries = entry.tries + 1, lost = status === 0;
    if (tries >= MOST_TRIES) return this.#set(entry, { state: "failed", reason: lost ? "lost" : "busy", lost, tries });
    const pause = Math.min(wait || 2 ** (tries - 1), LONGEST_PAUSE);
    this.#quietUntil = Math.max(this.#quietUntil, Date.now() + pause * 1000);
    this.#set(entry, { state: "waiting", reason: lost ? "lost" : "busy", tries });
  }

  #set(entry, facts) {
    Object.assign(entry, facts);
    if (entry.state === "done") entry.reason = "";
    this.changed(entry);
  }

  #post(entry, body) {
    return new Promise((resolve) => {
      const request = entry.request = new XMLHttpRequest();
      request.open("POST", this.address);
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.setRequestHeader("Accept", "application/json");
      request.upload.onprogress = (event) => this.#set(entry, { loaded: event.loaded / event.total });
      request.upload.onload = () => this.#set(entry, { state: "sealing", loaded: 1 });
      request.onloadend = () => {
        entry.request = null;
        const wait = Number(request.getResponseHeader("Retry-After"));
        resolve({ status: request.status, facts: parsed(request.responseText), wait });
      };
      request.send(body);
    });
  }
}

// A file that was moved or changed since it was chosen would look like a lost connection.
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
