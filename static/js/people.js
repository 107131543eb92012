// Adds a field for another username, and finds people while one types. Without it a form takes
// exact usernames, one field at a time, and the page “People” finds them.
import { csrfToken, said } from "./site.js";

const PAUSE = 200; // milliseconds without a key before anybody is looked for
const LEAST = 2; // letters
let timer, asked;

document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-add-person]")?.form;
  if (!form) return;
  const fields = form.querySelectorAll("input[name=recipients][type=text]");
  const last = fields[fields.length - 1];
  const field = last.cloneNode();
  field.value = "";
  field.removeAttribute("id");
  field.setAttribute("aria-label", form.dataset.another);
  last.after(field);
  field.focus();
});

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches("input[name=recipients][type=text]")) return;
  clearTimeout(timer);
  const text = field.value.trim();
  // Several names with commas between them are exact ones.
  if (text.length >= LEAST && !/[,;]/.test(text)) timer = setTimeout(() => find(field, text), PAUSE);
});

async function find(field, text) {
  const place = field.form.querySelector("[data-find]");
  const body = new FormData();
  body.set("q", text);
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(place.dataset.find, {
      method: "POST", body, signal: asked.signal, headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
    });
    if (answer.ok && field.value.trim() === text) show(place, field, (await answer.json()).people);
  } catch {
    // No line, or typed on: the field takes exact usernames all the same.
  }
}

// Who is ticked stays; who was found before and is not goes.
function show(place, field, people) {
  const choices = place.querySelector(".choices");
  for (const box of choices.querySelectorAll("input:not(:checked)")) box.closest("label").remove();
  const ticked = [...field.form.querySelectorAll("input[name=recipients]:checked")].map((box) => box.value);
  for (const person of people.filter((one) => !ticked.includes(one.username))) choices.append(choice(place, field, person));
  const hint = place.querySelector("[data-found-count]");
  hint.textContent = people.length
    ? said(hint.dataset.foundCount, { count: people.length })
    : hint.dataset.foundNone;
  place.hidden = false;
}

function choice(place, field, person) {
  const label = place.querySelector("template").content.cloneNode(true).firstElementChild;
  const box = label.querySelector("input");
  box.value = person.username;
  box.dataset.name = person.display_name;
  const avatar = label.querySelector(".avatar");
  avatar.textContent = person.initials;
  avatar.classList.add(`avatar-${person.avatar_class}`);
  label.querySelector("[data-name]").textContent = person.display_name;
  label.querySelector("[data-username]").textContent = `@${person.username}`;
  label.querySelector("[data-first-time]").hidden = !person.first_time;
  // What was typed to find them is no username to share with.
  box.addEventListener("change", () => {
    if (!box.checked) return;
    field.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return label;
}
