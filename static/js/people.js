// Adds a field for another username. Without it a form takes one name at a time.
const form = document.querySelector("[data-people], [data-upload]");

form?.querySelector("[data-add-person]")?.addEventListener("click", () => {
  const fields = form.querySelectorAll("input[name=recipients][type=text]");
  const last = fields[fields.length - 1];
  const field = last.cloneNode();
  field.value = "";
  field.removeAttribute("id");
  field.setAttribute("aria-label", form.dataset.another);
  last.after(field);
  field.focus();
});
