// The words of a message as the customer reads them, while they are typed; a variable is put in by its button.
document.addEventListener("DOMContentLoaded", () => {
    const panel = document.getElementById("message-words");
    const text = document.querySelector("textarea[name=text]");
    if (!panel || !text) return;
    const known = JSON.parse(document.getElementById("known-variables").textContent);
    const title = document.querySelector("input[name=title]");
    const occasion = document.querySelector("[name=occasion]"), channel = document.querySelector("[name=channel]");
    const [buttons, shownTitle, shownText, length] = ["variables", "title", "text", "length"].map(
        (name) => panel.querySelector(`[data-${name}]`));
    const variables = () => known[occasion.value] || {};
    const filled = (words) => words.replace(/\{([^{}]*)\}/g, (place, name) => variables()[name]?.[1] ?? place);

    const offer = () => {
        buttons.replaceChildren(...Object.entries(variables()).map(([name, [label]]) => {
            const button = document.createElement("button"), place = document.createElement("code"), words = document.createElement("span");
            button.type = "button";
            button.className = "desk-button";
            place.textContent = `{${name}}`;
            words.textContent = label;
            button.append(place, words);
            button.addEventListener("click", () => {
                text.setRangeText(place.textContent, text.selectionStart, text.selectionEnd, "end");
                text.focus();
                show();
            });
            return button;
        }));
    };
    const show = () => {
        const sms = channel.value === "sms", row = title?.closest(".form-row");
        if (row) row.hidden = sms && !title.value;
        shownTitle.textContent = title ? filled(title.value) : "";
        shownText.textContent = filled(text.value);
        const size = filled(text.value).length, count = size <= 70 ? 1 : Math.ceil(size / 67);
        length.textContent = sms ? panel.dataset.charged.replace("0", size).replace("1", count) : "";
    };
    panel.hidden = false;
    occasion.addEventListener("change", () => { offer(); show(); });
    [channel, title, text].forEach((input) => input?.addEventListener("input", show));
    offer();
    show();
});
