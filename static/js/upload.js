// Shows what was chosen, and for whom, before it is sent. The form works the same without this.
const form = document.querySelector("[data-upload]");
const input = form.querySelector("input[type=file]");
const area = form.querySelector(".drop");
const list = form.querySelector(".files");
const summary = form.querySelector("[data-summary]");
const words = form.dataset;

function show() {
  list.replaceChildren(...[...input.files].map(row));
  summarise();
}

function row(file) {
  const item = document.createElement("li");
  const picture = document.createElement("img");
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  picture.addEventListener("error", () => picture.removeAttribute("src"));
  const text = document.createElement("span");
  const tooLarge = file.size > Number(words.maxMb) * 2 ** 20;
  text.textContent = `${file.name} · ${shownSize(file.size)}${tooLarge ? ` · ${words.tooLarge}` : ""}`;
  item.append(picture, text);
  return item;
}

function shownSize(bytes) {
  const megabytes = bytes / 2 ** 20;
  return megabytes < 1 ? `${Math.ceil(bytes / 1024)} KB` : `${megabytes.toFixed(1)} MB`;
}

function people() {
  const ticked = [...form.querySelectorAll("input[name=recipients]:checked")].map((box) => box.dataset.name);
  const typed = [...form.querySelectorAll("input[name=recipients][type=text]")].map((box) => box.value.trim());
  return [...new Set([...ticked, ...typed.filter(Boolean)])];
}

function summarise() {
  const names = people();
  const sentence = names.length ? words.shared : words.draft;
  summary.textContent = sentence
    .replace("{names}", names.join(", "))
    .replace("{count}", String(input.files.length));
}

// What is dropped or pasted joins what was chosen.
function add(files) {
  const all = new DataTransfer();
  for (const file of [...input.files, ...files]) all.items.add(file);
  input.files = all.files;
  show();
}

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); area.classList.add("over"); });
}
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) area.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  area.classList.remove("over");
  add(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) add(event.clipboardData.files);
});

input.addEventListener("change", show);
form.addEventListener("input", summarise);
show();
