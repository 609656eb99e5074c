// The first page: what takes longer is fetched once the page stands; fields that only one choice needs are shown with it.
(() => {
  const get = async (card) => {
    const [state, again] = [card.querySelector("[role=status]"), card.querySelector(".ov-again")];
    again.hidden = true;
    const waits = state.dataset.waits ??= state.textContent;
    state.textContent = waits;
    try {
      const answer = await fetch(card.dataset.fetch, { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      card.outerHTML = await answer.text();
    } catch {
      state.textContent = state.dataset.failed;
      again.hidden = false;
      again.onclick = () => get(card);
    }
  };
  for (const card of document.querySelectorAll("[data-fetch]")) get(card);

  for (const field of document.querySelectorAll("[data-only-with]")) {
    const [name, value] = field.dataset.onlyWith.split("=");
    const other = field.closest("form").elements[name];
    const show = () => { field.hidden = other.value !== value; };
    other.addEventListener("change", show);
    show();
  }
})();
