// The counter's page. Words come from the page; nothing is asked from anywhere but here. What is being redeemed is kept
// on the phone before it is sent, so that neither a second tap nor a lost line nor a reload redeems twice or forgets.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const words = JSON.parse($("words").textContent);
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const PENDING = "counter.pending", SILENCE = 8000;
  let shown = null, bill = 0, stream = null, busy = false;

  const yuan = (fen) => `¥${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, "0")}`;
  const fill = (text, ...values) => values.reduce((so_far, value, i) => so_far.replace(`%${i + 1}`, value), text.replace("%s", values[0]));
  const say = (text, bad = false) => { $("say").textContent = text || ""; $("say").hidden = !text; $("say").className = bad ? "bad" : ""; };
  const step = (name) => {
    for (const one of ["find", "bill", "sure", "end"]) $(`step-${one}`).hidden = one !== name;
    if (name !== "find") stop();
  };

  /** The answer's body with its status; status 0: no answer, so nobody knows. */
  async function ask(door, body, method = "POST") {
    const ends = new AbortController(), timer = setTimeout(() => ends.abort(), SILENCE);
    try {
      const answer = await fetch(door, {
        method, signal: ends.signal, credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token },
        body: body && JSON.stringify(body),
      });
      if (answer.status === 401) { location.assign("sign-in/"); return { status: 401 }; }
      return { ...(await answer.json()), status: answer.status };
    } catch { return { status: 0 }; } finally { clearTimeout(timer); }
  }
  const why = (answer) => (answer.reasons || []).map((reason) => reason.detail).filter(Boolean);
  const list = (into, lines) => into.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));

  // --- find the coupon ---------------------------------------------------------------------------------------------

  function stop() {
    for (const track of stream ? stream.getTracks() : []) track.stop();
    stream = null; $("camera").srcObject = null; $("view").hidden = true; $("scan").hidden = false;
  }

  async function scan() {
    say("");
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
    } catch { say(words.no_camera, true); $("code").focus(); return; }
    $("camera").srcObject = stream; $("view").hidden = false; $("scan").hidden = true; $("aim").textContent = words.aim;
    await $("camera").play();
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
    const turn = () => {
      const video = $("camera");
      if (!stream) return;
      if (video.videoWidth && !busy) {
        const scale = Math.min(1, 800 / video.videoWidth);
        canvas.width = video.videoWidth * scale; canvas.height = video.videoHeight * scale;
        pen.drawImage(video, 0, 0, canvas.width, canvas.height);
        const seen = jsQR(pen.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height, { inversionAttempts: "dontInvert" });
        if (seen && seen.data) { stop(); look(seen.data); return; }
      }
      setTimeout(turn, 120);
    };
    turn();
  }

  async function look(text) {
    if (busy) return;
    busy = true; say(words.looking);
    const found = await ask("look/", { text });
    busy = false;
    if (found.status !== 200) { say(found.status ? found.detail : words.offline, true); return; }
    shown = found; say("");
    $("name").textContent = found.name; $("short").textContent = found.short; $("until").textContent = fill(words.until, found.until);
    list($("rules"), found.rules);
    if (found.reasons.length) { end(false, words.unusable, "", why(found)); return; }
    $("amount").value = ""; $("wrong").hidden = true; step("bill"); $("amount").focus();
  }

  // --- the bill and the discount -----------------------------------------------------------------------------------

  function fen(text) {
    const plain = text.normalize("NFKC").trim().replace(/^[¥￥]/, "").replace(/元$/, "").replace(/,/g, "");
    if (!/^\d{1,10}(\.\d{1,2})?$/.test(plain)) return 0;
    const [whole, part = ""] = plain.split(".");
    return Number(whole) * 100 + Number(part.padEnd(2, "0"));
  }

  async function price(event) {
    event.preventDefault();
    bill = fen($("amount").value);
    $("wrong").hidden = true;
    const wrong = (text) => { $("wrong").textContent = text; $("wrong").hidden = false; };
    if (!bill) { wrong(words.wrong_amount); return; }
    if (busy) return;
    busy = true;
    const found = await ask("price/", { ticket: shown.ticket, bill_fen: bill });
    busy = false;
    if (found.status !== 200) { wrong(found.status ? why(found).join(" ") || found.detail : words.offline); return; }
    $("of").textContent = fill(words.bill, yuan(bill)); $("off").textContent = fill(words.off, yuan(found.discount_fen)); $("pay").textContent = fill(words.to_pay, yuan(found.payable_fen));
    step("sure"); $("confirm").focus();
  }

  // --- once --------------------------------------------------------------------------------------------------------

  const new_key = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  async function confirm_it() {
    if (busy) return;
    busy = true; $("confirm").disabled = true; say(words.sending);
    const pending = { ticket: shown.ticket, bill_fen: bill, key: new_key() };
    localStorage.setItem(PENDING, JSON.stringify(pending));
    await finish(await ask("take/", pending), pending);
  }

  /** A clear answer ends it; silence is followed by the question whether it went through, until there is an answer. */
  async function finish(answer, pending) {
    for (let wait = 1000; answer.status === 0 || answer.status >= 500; wait = Math.min(wait * 2, 15000)) {
      say(wait > 4000 ? words.still_asking : words.asking, true);
      await new Promise((done) => setTimeout(done, wait));
      answer = await ask("settle/", pending);
    }
    if (answer.status === 401) return;
    localStorage.removeItem(PENDING);
    busy = false; $("confirm").disabled = false; say("");
    if (answer.state === "done") end(true, `${words.done} · ${fill(words.off, yuan(answer.discount_fen))}`, fill(words.to_pay, yuan(answer.payable_fen)), []);
    else if (answer.state === "never") end(false, words.never, "", []);
    else end(false, words.refused, "", why(answer).length ? why(answer) : [answer.detail]);
  }

  function end(good, title, pay, lines) {
    $("end").textContent = title; $("end").className = `big ${good ? "good" : "bad"}`; $("end-pay").textContent = pay; list($("end-why"), lines);
    step("end");
  }

  function again() { shown = null; say(""); $("code").value = ""; step("find"); }

  // --- today -------------------------------------------------------------------------------------------------------

  async function today() {
    const found = await ask("today/", null, "GET");
    if (found.status !== 200) { say(words.offline, true); return; }
    $("sums").textContent = found.uses.length ? fill(words.sums, found.count, yuan(found.discount_fen)) : words.none_today;
    $("uses").replaceChildren(...found.uses.map(row));
  }

  function row(use) {
    const line = document.createElement("li"), head = document.createElement("span"), foot = document.createElement("small");
    head.textContent = `${use.at} · ${fill(words.off, yuan(use.discount_fen))}`;
    foot.textContent = [fill(words.bill, yuan(use.bill_fen)), use.clerk, use.state === "done" ? "" : words[use.state]].filter(Boolean).join(" · ");
    foot.className = "mute"; head.className = use.state === "done" ? "" : "gone";
    line.append(head, foot);
    if (use.undo_seconds) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: words.undo });
      button.addEventListener("click", async () => {
        if (!confirm(use.comes_back ? words.undo_sure : words.undo_sure_gone)) return;
        button.disabled = true;
        const answer = await ask("undo/", { id: use.id });
        if (answer.status === 200) say(answer.comes_back ? words.undone_back : words.undone_gone);
        else say(answer.status ? answer.detail : words.undo_failed, true);
        today();
      });
      line.append(button);
    }
    return line;
  }

  function tab(name) {
    for (const one of ["redeem", "today"]) { $(one).hidden = one !== name; $(`tab-${one}`).setAttribute("aria-selected", String(one === name)); }
    say("");
    if (name === "today") { stop(); today(); }
  }

  $("tab-redeem").addEventListener("click", () => tab("redeem"));
  $("tab-today").addEventListener("click", () => tab("today"));
  $("scan").addEventListener("click", scan);
  $("typed").addEventListener("submit", (event) => { event.preventDefault(); stop(); look($("code").value); });
  $("bill").addEventListener("submit", price);
  $("confirm").addEventListener("click", confirm_it);
  $("other-bill").addEventListener("click", () => { step("bill"); $("amount").focus(); });
  for (const button of document.querySelectorAll(".again")) button.addEventListener("click", again);

  const left = localStorage.getItem(PENDING);
  if (left) { busy = true; finish({ status: 0 }, JSON.parse(left)); }
})();
