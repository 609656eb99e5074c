// Shows only the fields that the chosen type and validity need. Without it the form shows all of them, and says of
// each what does not fit.
(() => {
  "use strict";
  const NEEDS = {
    type: {
      amount_off: ["amount_fen", "threshold_fen"],
      percent_off: ["percent_off", "threshold_fen", "cap_fen"],
      no_threshold: ["amount_fen"],
    },
    validity_type: { claim_day: [], days_after_claim: ["valid_days", "starts_after_days"], period: ["valid_from", "valid_until"] },
  };

  function show(form, name, wanted) {
    const input = form.querySelector(`[name="${name}"]`);
    if (!input) return;
    const frozen = (input.dataset.frozen ??= input.disabled ? "yes" : "no") === "yes";
    if (!frozen) input.disabled = !wanted; // what is not shown is not sent
    const row = input.closest(".form-row");
    if (row) row.hidden = !wanted;
  }

  function choose(form, question) {
    const chosen = form.querySelector(`[name="${question}"]:checked`);
    if (!chosen) return;
    const all = new Set(Object.values(NEEDS[question]).flat());
    const wanted = new Set(NEEDS[question][chosen.value]);
    for (const name of all) show(form, name, wanted.has(name));
  }

  function fold(input) {
    const words = input.dataset.fold;
    if (!words) return;
    const said = document.createElement("p");
    said.className = "desk-fold";
    said.setAttribute("aria-live", "polite");
    input.insertAdjacentElement("afterend", said);
    const say = () => {
      const percent = Number(input.value);
      const sensible = input.value.trim() !== "" && percent > 0 && percent < 100;
      said.textContent = sensible ? words.replace("0", String(Math.round((100 - percent) * 100) / 1000)) : "";
    };
    input.addEventListener("input", say);
    say();
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const question of Object.keys(NEEDS)) {
      const options = document.querySelectorAll(`input[type="radio"][name="${question}"]`);
      if (!options.length) continue;
      const form = options[0].form;
      for (const option of options) option.addEventListener("change", () => choose(form, question));
      choose(form, question);
    }
    for (const input of document.querySelectorAll("input[data-fold]")) fold(input);
  });
})();
