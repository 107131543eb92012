// All ways in which images come to the upload page: chosen, by camera, a folder, dropped anywhere,
// pasted. Each hands files, and the name of their folder, to `add`.
const pasted = document.querySelector("[data-pasted]");

export function listen(add, mark) {
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => { event.preventDefault(); mark(true); });
  }
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    const directory = entries.find((entry) => entry?.isDirectory);
    if (directory) filesIn(directory).then((files) => add(pictures(files), directory.name));
    else add(event.dataTransfer.files);
  });
  document.addEventListener("paste", async (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (await isWanted(files)) add(files);
  });
}

export function listenTo(form, add) {
  form.addEventListener("change", (event) => {
    const input = event.target;
    if (input.type !== "file" || !input.files.length) return;
    const folder = input.files[0].webkitRelativePath.split("/")[0];
    add(folder ? pictures(input.files) : input.files, folder);
    input.value = ""; // they are listed: choosing the same ones again is a change, too
  });
}

function pictures(files) {
  return [...files].filter((file) => /^image\/|^$/.test(file.type) && !file.name.startsWith("."));
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

// Nobody sees what is on a clipboard: what was pasted is shown first.
function isWanted(files) {
  const looks = files.map((file) => {
    const look = new Image();
    look.alt = file.name;
    look.src = URL.createObjectURL(file);
    return look;
  });
  pasted.querySelector("[data-looks]").replaceChildren(...looks);
  pasted.returnValue = "";
  pasted.showModal();
  return new Promise((resolve) => {
    pasted.addEventListener("close", () => {
      for (const look of looks) URL.revokeObjectURL(look.src);
      resolve(pasted.returnValue === "add");
    }, { once: true });
  });
}
