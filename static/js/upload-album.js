// A folder becomes an album: it is named when the folder is chosen, and made before the first of its
// images is sent.
import { said } from "./site.js";
import { post } from "./upload-asking.js";

let named; // {title, id}: without an id until it is made

export function nameAlbum(form, title) {
  named = { title, id: "" };
  offerAlbum(form);
}

export function offerAlbum(form) {
  if (!named) return;
  const select = form.querySelector("select[name=album]");
  const option = new Option(said(form.dataset.newAlbumName, named), named.id, true, true);
  option.dataset.isNew = "";
  select.append(option);
  select.closest("[data-album-field]").hidden = false;
}

// Returns the fields of an upload with the new album in them, if it is chosen; null if it was
// refused. It is made once: a next try uses the same.
export async function intoNewAlbum(form, fields) {
  const option = form.querySelector("select[name=album]").selectedOptions[0];
  if (option.dataset.isNew === undefined) return fields;
  if (!named.id) {
    const body = new FormData();
    body.set("title", named.title.slice(0, 200));
    body.set("person", form.elements.person.value);
    const answer = await post(form.dataset.newAlbum, body, "application/json");
    if (!answer.ok) return null;
    named.id = (await answer.json()).id;
  }
  return [...fields.filter(([name]) => name !== "album"), ["album", named.id]];
}
