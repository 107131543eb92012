// Keeps chosen files in this browser over a refresh, none of them in clear: each is encrypted, under
// a key that only this tab's session has. Where a browser cannot, nothing is kept, and the upload
// page asks before it is left. Leftovers of closed tabs open nothing and are deleted here.
const HELD = "kept-files"; // in this tab's session: whose they are, their queue, its key
export const SHARED = "shared-files"; // likewise: what a phone shared, until the upload page is there
const WISHES = -1; // their place among the files
const LEFT_OVER_AFTER = 12 * 60 * 60 * 1000; // a session lasts no longer

export async function openKept(person) {
  if (!window.crypto?.subtle || !window.indexedDB) return null;
  try {
    const held = JSON.parse(sessionStorage.getItem(HELD)) ?? {};
    const own = held.person === person ? held : anew(person);
    sessionStorage.setItem(HELD, JSON.stringify(own));
    const kept = await keptOf(own);
    await kept.deleteOthers(held.person === person ? null : held.queue);
    return kept;
  } catch {
    return null; // a private window, or no room
  }
}

// The files themselves go with the next visit to the upload page.
export function loseKeyOfAnother(person) {
  try {
    for (const name of [HELD, SHARED]) {
      const held = JSON.parse(sessionStorage.getItem(name));
      if (person && held?.key && held.person !== person) {
        sessionStorage.setItem(name, JSON.stringify({ queue: held.queue }));
      }
    }
  } catch {
    // A browser that keeps nothing.
  }
}

export async function keptOf({ queue, key }) {
  const opening = await crypto.subtle.importKey("raw", fromText(key), "AES-GCM", false, ["encrypt", "decrypt"]);
  return new Kept(await opened(), queue, opening);
}

export function anew(person) {
  const [queue, key] = [16, 32].map((length) => toText(crypto.getRandomValues(new Uint8Array(length))));
  return { person, queue, key };
}

class Kept {
  constructor(database, queue, key) {
    Object.assign(this, { database, queue, key });
  }

  async keepFile(place, file) {
    const head = new TextEncoder().encode(JSON.stringify({ name: file.name, type: file.type, changed: file.lastModified }));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, head.length);
    await this.put(place, await new Blob([length, head, file]).arrayBuffer());
  }

  keepWishes(wishes) {
    return this.put(WISHES, new TextEncoder().encode(JSON.stringify(wishes)));
  }

  // Returns the files by their places, in order, and what was wished for them if that was settled.
  async restore() {
    const files = new Map();
    let wishes = null;
    for (const place of await this.places()) {
      try {
        const bytes = await this.get(place);
        if (place === WISHES) wishes = JSON.parse(new TextDecoder().decode(bytes));
        else files.set(place, fileOf(bytes));
      } catch {
        await this.forget(place); // not as it was written: nobody's
      }
    }
    return { files, wishes };
  }

  forget(place) {
    return this.asked("readwrite", (rows) => rows.delete([this.queue, place]));
  }

  forgetWishes() {
    return this.forget(WISHES);
  }

  forgetAll() {
    return this.asked("readwrite", (rows) => rows.delete(placesOf(this.queue)));
  }

  async deleteOthers(known) {
    const queues = new Map((await this.asked("readonly", (rows) => rows.index("at").getAllKeys(
      IDBKeyRange.upperBound(Date.now() - LEFT_OVER_AFTER),
    ))).map(([queue]) => [queue, true]));
    if (known) queues.set(known, true);
    queues.delete(this.queue);
    for (const queue of queues.keys()) await this.asked("readwrite", (rows) => rows.delete(placesOf(queue)));
  }

  async places() {
    const keys = await this.asked("readonly", (rows) => rows.getAllKeys(placesOf(this.queue)));
    return keys.map(([, place]) => place);
  }

  async put(place, bytes) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: this.about(place) }, this.key, bytes);
    await this.asked("readwrite", (rows) => rows.put({ queue: this.queue, place, at: Date.now(), iv, sealed }));
  }

  async get(place) {
    const { iv, sealed } = await this.asked("readonly", (rows) => rows.get([this.queue, place]));
    return crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: this.about(place) }, this.key, sealed);
  }

  about(place) {
    return new TextEncoder().encode(`${this.queue}/${place}`);
  }

  asked(mode, ask) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction("files", mode);
      const request = ask(transaction.objectStore("files"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("kept-files", 1);
    request.onupgradeneeded = () => {
      const rows = request.result.createObjectStore("files", { keyPath: ["queue", "place"] });
      rows.createIndex("at", "at");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function placesOf(queue) {
  return IDBKeyRange.bound([queue, WISHES], [queue, Number.MAX_SAFE_INTEGER]);
}

function fileOf(bytes) {
  const length = new DataView(bytes).getUint32(0);
  const { name, type, changed } = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  return new File([new Uint8Array(bytes, 4 + length)], name, { type, lastModified: changed });
}

function toText(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

function fromText(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
