// The theme shows nothing until its scripts have gone through the page. The first page is long and for reading: it is
// shown as soon as it is there, in the colours that were chosen, and only what those scripts open and shut waits for them.
(() => {
  const page = document.documentElement;
  const chosen = JSON.parse(localStorage.getItem("_x_adminTheme") ?? '"auto"'); // where Alpine's persist keeps it
  if (chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches)) page.classList.add("dark");
  page.removeAttribute("x-cloak");
  page.classList.add("ov-early");
  document.addEventListener("alpine:initialized", () => page.classList.remove("ov-early"));
})();
