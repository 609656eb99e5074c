// Long work on the page: asks every second how far it has come, and shows the page anew once it has ended.
document.querySelectorAll("[data-progress]").forEach((section) => {
  if (section.dataset.open !== "true") return;
  const part = (name) => section.querySelector(`[data-part="${name}"]`);
  const show = (name, value) => { if (part(name)) part(name).textContent = typeof value === "number" ? value.toLocaleString() : value; };
  let wait = 1000;
  const look = async () => {
    try {
      const answer = await fetch(section.dataset.progress, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const job = await answer.json();
      show("state", job.state_words);
      show("done", job.done_count);
      if (job.total_count !== null) show("total", job.total_count);
      if (job.percent !== null) section.querySelector("progress").value = job.percent;
      if (!job.open || (job.total_count !== null && !part("total"))) return window.location.reload();
      wait = 1000;
    } catch {
      wait = Math.min(wait * 2, 15000); // the line is down: less often
    }
    setTimeout(look, wait);
  };
  setTimeout(look, wait);
});
