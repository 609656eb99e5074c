// H5 pages work without this. With it: time that is left, a QR code that changes, a button that is pressed once, where one is.
(() => {
    "use strict";
    const MINUTE = 60000;

    const left = (time) => {
        const minutes = Math.floor((new Date(time.dateTime) - Date.now()) / MINUTE), said = time.dataset;
        const [words, count] = minutes < 0 ? [said.over, 0] : minutes < 60 ? [said.minutes, minutes + 1]
            : minutes < 2880 ? [said.hours, Math.floor(minutes / 60)] : [said.days, Math.floor(minutes / 1440)];
        time.textContent = words.replace("0", count);
    };
    document.querySelectorAll("time[data-left]").forEach((time) => {
        left(time);
        setInterval(left, MINUTE / 2, time);
    });

    const code = document.querySelector("img[data-qr]");
    if (code) {
        const address = code.src;
        const anew = () => { code.src = `${address}?at=${Math.floor(Date.now() / MINUTE)}`; next(); };
        const next = () => setTimeout(anew, MINUTE - Date.now() % MINUTE + 200);
        document.addEventListener("visibilitychange", () => { if (!document.hidden) code.src = `${address}?at=${Date.now()}`; });
        code.addEventListener("error", () => location.reload(), { once: true }); // used, expired or signed out meanwhile
        next();
    }

    document.querySelectorAll("button[data-once]").forEach((button) => {
        button.form.addEventListener("submit", (event) => {
            if (button.dataset.pressed) event.preventDefault();
            if (event.submitter === button) button.dataset.pressed = "yes";
            button.classList.add("button-busy");
        });
    });
    addEventListener("pageshow", () => document.querySelectorAll("[data-pressed]").forEach((button) => {
        delete button.dataset.pressed;
        button.classList.remove("button-busy");
    }));

    document.querySelectorAll("[data-position]").forEach((place) => {
        const button = place.querySelector("button"), said = place.querySelector("p"), form = button.form;
        place.hidden = !navigator.geolocation || !isSecureContext;
        button.addEventListener("click", () => {
            said.textContent = button.dataset.looking;
            navigator.geolocation.getCurrentPosition(({ coords }) => {
                form.elements.lat.value = coords.latitude;
                form.elements.lng.value = coords.longitude;
                said.textContent = button.dataset.found;
            }, () => { said.textContent = button.dataset.failed; }, { timeout: 15000, maximumAge: 60000 });
        });
    });

    document.querySelectorAll("button[data-wait]").forEach((button) => {
        const words = button.textContent, end = Date.now() + button.dataset.wait * 1000;
        const count = () => {
            const seconds = Math.ceil((end - Date.now()) / 1000);
            button.disabled = seconds > 0;
            button.textContent = seconds > 0 ? button.dataset.waiting.replace("0", seconds) : words;
            if (seconds > 0) setTimeout(count, 500);
        };
        count();
    });
})();
