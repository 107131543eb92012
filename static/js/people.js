// Adds a field for another username. Without it a form takes one name at a time.
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
