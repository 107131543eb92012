// Copy, save and print the recovery code. The code is on the page; nothing is fetched or kept.
const groups = [...document.querySelectorAll("[data-group]")].map((group) => group.dataset.group);
const code = groups.join("-");

document.querySelector("[data-copy]")?.addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(code);
  event.currentTarget.querySelector("span").textContent = event.currentTarget.dataset.done;
});

document.querySelector("[data-save]")?.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${document.title}\n${code}\n`], { type: "text/plain" }));
  link.download = "imageshare-recovery-code.txt";
  link.click();
  URL.revokeObjectURL(link.href);
});

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
