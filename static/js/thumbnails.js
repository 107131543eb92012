// Fetches the thumbnails of a page in one answer (docs/http.md, "Thumbnails in one answer"), each
// shown as it arrives. What that answer did not bring is asked for by itself.
import { csrfToken } from "./site.js";

const MOST = 100;
const waiting = new Map(); // by the id in /images/<id>/thumbnail
for (const image of document.querySelectorAll("img[data-thumbnail]")) {
  const id = image.dataset.thumbnail.split("/")[2];
  waiting.set(id, [...(waiting.get(id) ?? []), image]);
}
const ids = [...waiting.keys()];
for (let first = 0; first < ids.length; first += MOST) fetchThumbnails(ids.slice(first, first + MOST));

async function fetchThumbnails(wanted) {
  try {
    for await (const [head, bytes] of partsOf(wanted)) take(head, bytes);
  } catch {
    // The line broke: the browser asks for the rest, and says what it cannot show.
  }
  for (const id of wanted) for (const image of imagesOf(id)) image.src = image.dataset.thumbnail;
}

// The head and the bytes of each of these images.
export async function* partsOf(wanted) {
  const answer = await fetch(document.querySelector("main").dataset.thumbnails, {
    method: "POST",
    body: new URLSearchParams(wanted.map((id) => ["images", id])),
    headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
  });
  if (answer.ok) yield* parts(answer.body);
}

async function* parts(stream) {
  const reader = stream.getReader();
  let held = new Uint8Array();
  async function next(length) {
    while (held.length < length) {
      const { done, value } = await reader.read();
      if (done) return null;
      const longer = new Uint8Array(held.length + value.length);
      longer.set(held);
      longer.set(value, held.length);
      held = longer;
    }
    const taken = held.slice(0, length);
    held = held.subarray(length);
    return taken;
  }
  for (let size = await next(4); size; size = await next(4)) {
    const head = JSON.parse(new TextDecoder().decode(await next(new DataView(size.buffer).getUint32(0))));
    const bytes = await next(head.length ?? 0);
    if (!bytes) return;
    yield [head, bytes];
  }
}

// Of what cannot be opened its words stay.
function take(head, bytes) {
  for (const image of imagesOf(head.id)) {
    if (head.code) continue;
    const address = URL.createObjectURL(new Blob([bytes], { type: head.media_type }));
    image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
    image.src = address;
  }
}

function imagesOf(id) {
  const images = waiting.get(id) ?? [];
  waiting.delete(id);
  for (const image of images) {
    image.classList.remove("awaited");
    image.addEventListener("error", () => image.parentElement.classList.add("failed"));
  }
  return images;
}
