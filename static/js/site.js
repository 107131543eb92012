// What every page may use when scripts run. Nothing depends on it.
document.documentElement.classList.add("scripted");

// A form is sent once: its button says so and stays as wide as it was.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!(button instanceof HTMLButtonElement) || !button.dataset.busy) return;
  button.setAttribute("aria-busy", "true");
  button.textContent = button.dataset.busy;
  setTimeout(() => { button.disabled = true; });
});

// Coming back through the browser's history shows the page as it was: usable again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// An error summary takes the focus, so that it is read first.
document.querySelector("[data-error-summary]")?.focus();
