// Says how many images are ticked, ticks all of them, and a range with the shift key. The form
// works without this.
const form = document.querySelector("[data-select]");
const boxes = [...(form?.querySelectorAll("input[name=images]") ?? [])];
const told = form?.querySelector("[data-selected]");
const all = form?.querySelector("[data-tick-all]");
let last;

function tell() {
  const ticked = boxes.filter((box) => box.checked).length;
  const words = told.dataset;
  const sentence = ticked === 0 ? words.none : ticked === 1 ? words.one : words.many;
  told.textContent = sentence.replace("%(count)s", ticked);
  all.textContent = ticked === boxes.length ? all.dataset.none : all.dataset.all;
}

function tickThrough(box) {
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
  for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
}

form?.addEventListener("click", (event) => {
  const box = event.target.closest(".selectable")?.control;
  if (!box) return;
  if (event.target !== box) {
    if (!event.shiftKey) return; // the label clicks the box
    event.preventDefault(); // browsers differ in whether a label does so with shift
    box.checked = !box.checked;
  }
  if (event.shiftKey && last) tickThrough(box);
  last = box;
  tell();
});

all?.addEventListener("click", () => {
  const tick = !boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = tick;
  tell();
});

if (form) tell();
