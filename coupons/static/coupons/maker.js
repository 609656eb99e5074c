// The live preview beside a template's form, the progress of its steps, pictures that are uploaded at once. Without it
// the form works the same: the preview is then that of the last answer.
(() => {
  "use strict";
  const PAUSE = 350; // milliseconds of not typing

  function preview(form, aside) {
    let waiting, going;
    const refresh = async () => {
      going?.abort();
      going = new AbortController();
      const data = new FormData(form);
      for (const [name, value] of [...data.entries()]) if (value instanceof File) data.delete(name);
      aside.classList.add("is-waiting");
      try {
        const answer = await fetch(aside.dataset.preview, { method: "POST", body: data, signal: going.signal, credentials: "same-origin" });
        if (!answer.ok) throw new Error(String(answer.status));
        const { html, steps, verdict } = await answer.json();
        const folded = new Map([...aside.querySelectorAll("details[data-keep]")].map((one) => [one.dataset.keep, one.open]));
        aside.innerHTML = html;
        for (const one of aside.querySelectorAll("details[data-keep]")) if (folded.has(one.dataset.keep)) one.open = folded.get(one.dataset.keep);
        progress(steps);
        const checker = document.querySelector("[data-verdict]");
        if (checker) checker.innerHTML = verdict;
      } catch (problem) {
        if (problem.name !== "AbortError") {
          aside.querySelector(".maker-failed")?.remove();
          const said = document.createElement("p");
          said.className = "desk-note maker-failed";
          said.textContent = aside.dataset.failed;
          aside.prepend(said);
        }
        return;
      } finally {
        aside.classList.remove("is-waiting");
      }
    };
    const later = () => {
      clearTimeout(waiting);
      waiting = setTimeout(refresh, PAUSE);
    };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    const jquery = window.django?.jQuery ?? window.jQuery; // searched lists tell only it
    jquery?.(form).on("change", "select", later);
    return later;
  }

  function progress(steps) {
    steps.forEach((count, place) => {
      const link = document.querySelector(`.maker-steps [data-step="${place}"]`);
      if (!link) return;
      link.classList.toggle("has-errors", count > 0);
      link.querySelector("[data-count]").textContent = count;
      link.querySelector(".maker-wrong").hidden = count === 0;
    });
  }

  function follow() {
    const links = new Map([...document.querySelectorAll(".maker-steps a")].map((link) => [link.hash.slice(1), link]));
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          for (const link of links.values()) link.removeAttribute("aria-current");
          links.get(entry.target.id)?.setAttribute("aria-current", "step");
        }
      },
      { rootMargin: "-20% 0px -70% 0px" },
    );
    for (const step of document.querySelectorAll(".maker-step[id]")) seen.observe(step);
  }

  function pictures(form, aside, later) {
    const input = form.querySelector('input[type="file"][name="looks-picture_file"]');
    const kept = form.querySelector('input[name="looks-picture"]');
    if (!input || !kept) return;
    input.addEventListener("change", async () => {
      const [file] = input.files;
      if (!file) return;
      const data = new FormData();
      data.append("csrfmiddlewaretoken", form.querySelector('[name="csrfmiddlewaretoken"]').value);
      data.append("picture", file);
      let said = input.parentElement.querySelector(".small-form-errors");
      try {
        const answer = await fetch(aside.dataset.picture, { method: "POST", body: data, credentials: "same-origin" });
        const told = await answer.json();
        if (!said) {
          said = document.createElement("div");
          said.className = "small-form-errors";
          said.setAttribute("role", "alert");
          input.insertAdjacentElement("afterend", said);
        }
        said.textContent = told.error ?? "";
        if (told.picture) kept.value = told.picture;
        input.value = ""; // it is kept; sent once more it would only be slow
      } catch {
        return; // it goes up with the form
      }
      later();
    });
  }

  /** Nothing is sent into the void: without a connection or a session the page stays, with all that was typed. */
  function sendSafely(form, aside) {
    const ANSWERS_WITHIN = 15000; // milliseconds
    const notes = [...document.querySelectorAll("[data-unsent]")];
    const token = form.querySelector('[name="csrfmiddlewaretoken"]');
    let safe = false;
    form.addEventListener(
      "submit",
      async (event) => {
        if (safe) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        // Who signed in anew in another window has another token since.
        token.value = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? token.value;
        let why = "";
        try {
          const data = new FormData();
          data.append("csrfmiddlewaretoken", token.value);
          const answer = await fetch(aside.dataset.preview, { method: "POST", body: data, redirect: "manual", credentials: "same-origin", signal: AbortSignal.timeout(ANSWERS_WITHIN) });
          if (answer.type === "opaqueredirect") why = "signed-out";
        } catch {
          why = "lost";
        }
        for (const note of notes) note.hidden = note.dataset.unsent !== why;
        if (why) return;
        safe = true;
        form.requestSubmit(event.submitter);
        safe = false;
      },
      { capture: true },
    );
  }

  /** The first field that needs another look is where the typing goes on. */
  function attend() {
    const first = document.querySelector(".maker-field.errors");
    if (!first) return;
    const inner = first.querySelector(".small-form-field.errors") ?? first;
    const input = inner.querySelector("input:not([type=hidden]):not([disabled]), select:not([disabled]), textarea:not([disabled])");
    const aim = input ?? document.querySelector("[data-errors]");
    if (!aim) return;
    let touched = false; // from then on the typing goes on where somebody says
    for (const deed of ["keydown", "pointerdown"]) addEventListener(deed, () => { touched = true; }, { capture: true, once: true });
    const go = () => { if (!touched && aim.offsetWidth) aim.focus(); };
    new ResizeObserver(go).observe(aim); // its tab may still be opening, and what is not shown takes no focus
    addEventListener("load", go); // until then Django's own script, whenever it comes, goes to the form's first field
  }

  document.addEventListener("DOMContentLoaded", () => {
    const aside = document.querySelector("[data-preview]");
    const form = document.querySelector("#coupontemplate_form");
    if (!form || !document.querySelector(".maker")) return;
    follow();
    attend();
    if (!aside) return;
    pictures(form, aside, preview(form, aside));
    sendSafely(form, aside);
  });
})();
