// Goes on with the rest by itself; without this one presses the button. Not after a reload or coming
// back: then somebody wants to look.
const [visit] = performance.getEntriesByType("navigation");
const form = document.querySelector("[data-go-on]");
if (visit?.type === "navigate") form?.requestSubmit(form.querySelector("button"));
