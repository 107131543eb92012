// The rows of the files of an upload, and how far all of them are: in words, as bars, in the page's
// title, and for screen readers at every quarter.
import { said } from "./site.js";
import { shownSize } from "./upload-limits.js";

const title = document.title;
let looks;

export class Rows {
  #rows = new Map();
  #said = 0;

  constructor(form, { remove, again }) {
    this.form = form;
    this.words = form.dataset;
    this.list = form.querySelector(".files");
    looks?.disconnect();
    looks = new IntersectionObserver(look);
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      const entry = button && this.#entryOf(button.closest("li"));
      if (entry) (button.matches("[data-again]") ? again : remove)(entry);
    });
  }

  show(entries) {
    for (const [entry, row] of this.#rows) {
      if (entries.includes(entry)) continue;
      row.remove();
      this.#rows.delete(entry);
    }
    for (const entry of entries) {
      if (!this.#rows.has(entry)) this.#add(entry);
      this.change(entry);
    }
  }

  change(entry) {
    const row = this.#rows.get(entry);
    if (!row) return;
    const bar = row.querySelector("progress"), isBusy = entry.state === "uploading" || entry.state === "sealing";
    const hadFocus = row.contains(document.activeElement);
    row.className = entry.problem ? "failed" : entry.state;
    row.querySelector("[data-state]").textContent = this.#state(entry);
    bar.hidden = !isBusy;
    if (entry.state === "sealing") bar.removeAttribute("value");
    else bar.value = entry.loaded;
    row.querySelector("[data-again]").hidden = entry.state !== "failed";
    row.querySelector("[data-remove]").hidden = entry.state === "sealing" || entry.state === "done";
    if (entry.state === "failed" && row.nextElementSibling) this.list.append(row); // failed ones last
    if (hadFocus && !row.contains(document.activeElement)) this.form.querySelector("[data-running]").focus();
  }

  // Where the focus goes when a row is removed.
  focusAfter(entry) {
    const row = this.#rows.get(entry);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    return next?.querySelector("[data-remove]") ?? this.form.querySelector("input[type=file]");
  }

  // How far all are: "3 of 12 · 1 needs attention".
  showAll(entries, isRunning) {
    const done = entries.filter((entry) => entry.state === "done").length;
    const failed = entries.filter((entry) => entry.state === "failed" || entry.problem).length;
    const bytes = entries.reduce((sum, entry) => sum + entry.file.size, 0);
    const sent = entries.reduce((sum, entry) => sum + entry.file.size * (entry.state === "done" ? 1 : entry.loaded * 0.9), 0);
    const bar = this.form.querySelector("[data-all]"), words = this.#counted(done, entries.length, failed);
    bar.value = bytes ? sent / bytes : 0;
    this.form.querySelector("[data-count]").textContent = words;
    document.title = isRunning ? `${done}/${entries.length} · ${title}` : title;
    const quarter = Math.floor((4 * done) / (entries.length || 1));
    if (isRunning && quarter !== this.#said) this.form.querySelector("[data-said]").textContent = words;
    this.#said = quarter;
  }

  #counted(done, all, failed) {
    const words = said(this.words.counted, { done, all });
    return failed ? `${words} · ${said(this.words.countedFailed, { failed })}` : words;
  }

  #state(entry) {
    const { words } = this;
    const reason = { lost: words.lost, busy: words.serverBusy, unreadable: words.unreadable }[entry.reason] ?? entry.reason;
    if (entry.problem) return said(words.failed, { reason: entry.problem });
    if (entry.state === "waiting") return reason ? said(words.triedAgain, { reason }) : words.waiting;
    if (entry.state === "uploading") return said(words.uploading, { percent: Math.floor(entry.loaded * 100) });
    if (entry.state === "sealing") return words.sealing;
    if (entry.state === "failed") return said(words.failed, { reason: reason || words.fault });
    const removed = entry.removed.length && said(words.removed, { what: entry.removed.join(", ") });
    return [words.done, removed, entry.leftOut && words.leftOut].filter(Boolean).join(" ");
  }

  #add(entry) {
    const row = this.form.querySelector("[data-row]").content.cloneNode(true).firstElementChild;
    row.querySelector("[data-name]").textContent = entry.file.name;
    row.querySelector("[data-size]").textContent = shownSize(entry.file.size);
    for (const button of row.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.textContent.trim()}: ${entry.file.name}`);
    }
    row.querySelector("progress").setAttribute("aria-label", entry.file.name);
    this.#rows.set(entry, row);
    this.list.append(row);
    const place = row.querySelector(".look");
    place.file = entry.file;
    looks.observe(place);
  }

  #entryOf(row) {
    for (const [entry, other] of this.#rows) if (other === row) return entry;
    return null;
  }
}

// A picture is decoded once it is seen: five hundred at once would take the browser's memory.
function look(seen) {
  for (const { target: place, isIntersecting } of seen) {
    if (!isIntersecting) continue;
    looks.unobserve(place);
    const picture = place.querySelector("img"), address = URL.createObjectURL(place.file);
    picture.addEventListener("load", () => { picture.hidden = false; URL.revokeObjectURL(address); });
    picture.src = address;
  }
}
