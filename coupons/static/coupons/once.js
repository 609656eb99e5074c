// A form is sent once, however often its button is pressed; after a while it may be sent again, for what only hands
// out a file. Coming back to the page makes it new.
(() => {
  "use strict";
  const WAIT = 5000;
  const sent = new WeakSet();
  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    setTimeout(() => sent.delete(form), WAIT);
  });
  window.addEventListener("pageshow", (event) => event.persisted && [...document.forms].forEach((form) => sent.delete(form)));
})();
