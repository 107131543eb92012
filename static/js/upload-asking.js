// What the upload page asks in a dialog: whether these people shall get access, and, locked or
// signed out meanwhile, for what leads back. The page behind stays as it is.
import { busy, csrfToken } from "./site.js";

const dialog = document.querySelector("[data-ask]");

export function post(address, body, accept = "text/html") {
  body.delete("csrfmiddlewaretoken");
  return fetch(address, { method: "POST", body, headers: { "X-CSRFToken": csrfToken(), Accept: accept } });
}

export async function pageOf(answer) {
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

export function textOf(main) {
  return [...main.querySelectorAll("h1, p")].map((line) => line.textContent.trim()).join(" ");
}

// Asks about who gets access, if anybody does, as the page without scripts would. Returns what to
// send with each file: the very people who were shown. Null if the answer is no.
export async function agreed(main) {
  const question = main.querySelector("form");
  const fields = [...new FormData(question)].filter(([name]) => !["csrfmiddlewaretoken", "images"].includes(name));
  if (!question.matches("[data-ask-first]")) return fields;
  for (const element of main.querySelectorAll("[data-page-only]")) element.remove();
  show(main);
  const heading = dialog.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus(); // it is read from there, and no second Enter says yes
  return new Promise((resolve) => {
    question.addEventListener("submit", (event) => {
      event.preventDefault();
      resolve(fields);
      dialog.close();
    });
    dialog.addEventListener("close", () => resolve(null), { once: true });
  });
}

// Shows the page that asks for a password until its answer leads on. Resolves to true then, to false
// if it was closed, and to a sentence if it asks for nothing or the line broke.
export function letBackIn(main, address) {
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(false), { once: true });
    ask(main, address, (result) => {
      resolve(result);
      dialog.close();
    });
  });
}

function ask(main, address, end) {
  const question = main.querySelector("form");
  if (!question) return end(textOf(main));
  show(main);
  question.addEventListener("submit", async (event) => {
    event.preventDefault();
    busy(event.submitter);
    try {
      const answer = await post(address, new FormData(event.target));
      if (answer.ok && answer.redirected) end(true); // a page of its own is to be read: a recovery code
      else ask((await pageOf(answer)).querySelector("main"), address, end);
    } catch {
      end("");
    }
  });
  dialog.querySelector("[data-asked] input:not([type=hidden])")?.focus();
}

function show(main) {
  dialog.querySelector("[data-asked]").replaceChildren(...main.childNodes);
  if (!dialog.open) dialog.showModal();
}
