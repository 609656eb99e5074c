// The H5 page as customers will see it, drawn anew by the server while the form is being filled in.
document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("h5-preview"), form = document.getElementById("claimpage_form");
    if (!box || !form || !form.querySelector("[name=title]")) return;
    const frame = box.querySelector("iframe"), wrong = box.querySelector("[data-wrong]");
    let waiting, asked = 0;

    const draw = async () => {
        const mine = ++asked, said = new FormData(form);
        said.append("page", box.dataset.page);
        const answer = await fetch(box.dataset.url, { method: "POST", body: said, credentials: "same-origin" });
        if (!answer.ok || mine !== asked) return;
        const { html, wrong: why } = await answer.json();
        const top = frame.contentWindow?.scrollY || 0;
        frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, top), { once: true });
        frame.srcdoc = html;
        wrong.textContent = why;
    };
    const soon = () => { clearTimeout(waiting); waiting = setTimeout(draw, 300); };

    box.hidden = false;
    document.body.classList.add("has-preview");
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    draw();
});
