// The weight of an offer shows only where luck decides; a line of text is copied by a button.
document.addEventListener("DOMContentLoaded", () => {
    const offers = document.getElementById("offers-group");
    const picks = document.querySelectorAll("[name=pick]");
    if (offers && picks.length) {
        const show = () => {
            const chosen = document.querySelector("[name=pick]:checked");
            offers.classList.toggle("offers-by-order", !chosen || chosen.value !== "random");
        };
        picks.forEach((pick) => pick.addEventListener("change", show));
        show();
    }
    const needs = document.getElementById("needs-of-kind"), kinds = document.querySelectorAll("[name=kind]");
    if (needs && kinds.length) { // only the questions that the chosen kind answers
        const wanted = JSON.parse(needs.textContent), all = new Set(Object.values(wanted).flat());
        const show = () => {
            const chosen = document.querySelector("[name=kind]:checked");
            all.forEach((name) => {
                const row = document.querySelector(`[name=${name}]`)?.closest(".form-row, .field-row");
                if (row) row.hidden = !chosen || !wanted[chosen.value].includes(name);
            });
        };
        kinds.forEach((kind) => kind.addEventListener("change", show));
        show();
    }
    document.querySelectorAll("[data-copy]").forEach((button) => {
        button.addEventListener("click", async () => {
            const line = document.getElementById(button.dataset.copy);
            try {
                await navigator.clipboard.writeText(line.textContent);
            } catch {
                getSelection().selectAllChildren(line);
                document.execCommand("copy");
            }
            const words = button.lastElementChild, before = words.textContent;
            words.textContent = button.dataset.copied;
            setTimeout(() => { words.textContent = before; }, 2000);
        });
    });
});
