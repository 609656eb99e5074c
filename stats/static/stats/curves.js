// Draws the charts of the first page, of reports and rehearsals from the tables under them, so that both say the same;
// and gives each away as a picture on white paper.
(() => {
  const charts = new Map();
  const ratio = 2; // pixels of a picture for one of the page

  const config = (canvas, style) => {
    const rows = [...document.getElementById(canvas.dataset.table).tBodies[0].rows];
    if (canvas.dataset.order !== "ascending") rows.reverse();
    const points = rows.map((row) => row.dataset.point.split(" ").map(Number)); // "-": there is none, and NaN leaves a gap
    const names = (canvas.dataset.names ?? "").split("|");
    const kind = canvas.dataset.kind; // line or bar, a colour for each name; none: expected and real lines in turn
    const compared = "compared" in canvas.dataset; // the second name is of other days: paler
    const said = (item) => rows[item.dataIndex].dataset.said?.split("|")[item.datasetIndex] ?? rows[item.dataIndex].cells[1 + item.datasetIndex].textContent;
    const colour = (name) => style.getPropertyValue(name).trim();
    const line = (place) => colour(compared ? (place ? "--curve-before" : "--curve") : kind ? `--series-${place + 1}` : place % 2 ? "--curve-other" : "--curve");
    const area = (place) => (kind === "bar" ? line(place) : colour("--curve-area"));
    // The second half of several lines is what really happened: dashed.
    const dashed = (place) => (compared ? kind !== "bar" && place > 0 : !kind && names.length > 2 && place >= names.length / 2);
    const short = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 1 });
    return {
      type: kind ?? "line",
      data: {
        labels: rows.map((row) => row.dataset.label),
        datasets: names.map((name, place) => ({
          label: name, data: points.map((row) => row[place]), borderColor: line(place), backgroundColor: area(place),
          fill: names.length === 1 || (compared && place === 0) ? "origin" : false, borderDash: dashed(place) ? [5, 4] : [],
          borderWidth: kind === "bar" ? 0 : 2, maxBarThickness: 48, pointRadius: rows.length === 1 ? 3 : 0, pointHitRadius: 12, pointHoverRadius: 4, cubicInterpolationMode: "monotone",
        })),
      },
      options: {
        animation: false, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: names.length > 1, align: "start", labels: { color: colour("--curve-text"), boxWidth: 24, boxHeight: kind === "bar" ? 12 : 1 } },
          tooltip: {
            displayColors: false,
            callbacks: {
              title: ([item]) => rows[item.dataIndex].cells[0]?.innerText.replace(/\s+/g, " ") ?? item.label,
              label: (item) => [item.dataset.label, said(item)].filter(Boolean).join(": "),
            },
          },
        },
        scales: {
          x: { grid: { display: false }, border: { color: colour("--curve-grid") }, ticks: { color: colour("--curve-text"), maxRotation: 0, autoSkipPadding: 16 } },
          y: { beginAtZero: true, grace: "5%", border: { display: false }, grid: { color: colour("--curve-grid") }, ticks: { color: colour("--curve-text"), precision: 0, maxTicksLimit: 6, callback: (value) => short.format(value) } },
        },
      },
    };
  };

  const draw = (canvas) => {
    charts.get(canvas)?.destroy();
    charts.set(canvas, new Chart(canvas, config(canvas, getComputedStyle(canvas.parentElement))));
  };

  // A canvas without a width yet would stay empty.
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (contentRect.width > 0) {
        sizes.unobserve(target);
        setTimeout(draw, 0, target.querySelector("canvas")); // the page is painted first
      }
    }
  });
  for (const canvas of document.querySelectorAll(".ov-canvas canvas")) sizes.observe(canvas.parentElement);

  new MutationObserver(() => { for (const canvas of charts.keys()) draw(canvas); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });

  // --- pictures ----------------------------------------------------------------------------------------------------

  // Words of an element as they stand, line by line.
  const lines = (node) => {
    const range = document.createRange(), found = [];
    for (let place = 0; place < node.data.length; place++) {
      range.setStart(node, place); range.setEnd(node, place + 1);
      const { left, right, top, bottom, width } = range.getBoundingClientRect();
      if (!width && !node.data[place].trim()) continue;
      if (Math.abs(top - (found.at(-1)?.top ?? -1e6)) > 2) found.push({ left, top, bottom, text: "" });
      found.at(-1).text += node.data[place];
      found.at(-1).right = right;
    }
    return found;
  };

  // A table, drawn as it stands on the page.
  const paint = (pen, box, table, colour) => {
    const { left, top } = box.getBoundingClientRect();
    const fill = (element, name, alpha = 1) => {
      const there = element.getBoundingClientRect();
      pen.globalAlpha = alpha; pen.fillStyle = colour(name);
      pen.fillRect(there.left - left, there.top - top, there.width, there.height);
      pen.globalAlpha = 1;
    };
    for (const cell of box.querySelectorAll(".ov-shaded")) fill(cell, "--ov-accent", parseFloat(cell.style.getPropertyValue("--shade")) / 100);
    for (const bar of box.querySelectorAll(".ov-meter")) fill(bar, "--ov-line");
    for (const bar of box.querySelectorAll(".ov-meter > *, .ov-dot")) fill(bar, bar.matches(".ov-committed") ? "--ov-second" : bar.matches(".ov-free") ? "--ov-line" : "--ov-accent");
    for (const row of table.rows) { const there = row.getBoundingClientRect(); pen.fillStyle = colour("--ov-line"); pen.fillRect(0, there.bottom - top - 1, table.offsetWidth, 1); }
    const words = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    pen.textBaseline = "middle";
    while (words.nextNode()) {
      const about = words.currentNode.parentElement, { fontWeight, fontSize, fontFamily, textAlign } = getComputedStyle(about);
      pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
      pen.textAlign = textAlign === "right" || textAlign === "center" ? textAlign : "left"; // figures are narrower here
      pen.fillStyle = colour(about.closest(".ov-sub, .ov-notes") ? "--ov-mute" : "--ov-strong");
      for (const line of lines(words.currentNode)) pen.fillText(line.text, { left: line.left, right: line.right, center: (line.left + line.right) / 2 }[pen.textAlign] - left, (line.top + line.bottom) / 2 - top);
    }
  };

  const picture = (section) => {
    const paper = document.body.appendChild(document.createElement("div"));
    paper.className = "ov-paper";
    const shown = section.querySelector(".ov-canvas canvas"), box = section.querySelector(".ov-scroll"), table = section.querySelector("table");
    const margin = 20, head = 56;
    const width = shown ? Math.max(shown.parentElement.clientWidth, 640) : table.offsetWidth, height = shown ? 300 : box.scrollHeight;
    const holder = paper.appendChild(document.createElement("div"));
    holder.className = "ov-canvas";
    holder.style.width = `${width}px`; holder.style.height = `${height}px`;
    const style = getComputedStyle(holder), colour = (name) => style.getPropertyValue(name).trim();
    const sheet = document.createElement("canvas"), pen = sheet.getContext("2d");
    sheet.width = (width + 2 * margin) * ratio; sheet.height = (head + height + 2 * margin) * ratio;
    pen.scale(ratio, ratio);
    pen.fillStyle = "#fff"; pen.fillRect(0, 0, sheet.width, sheet.height);
    pen.textBaseline = "top"; pen.fillStyle = colour("--ov-strong");
    const { fontFamily } = getComputedStyle(document.body);
    pen.font = `600 16px ${fontFamily}`;
    pen.fillText(section.querySelector("h3").innerText.trim(), margin, margin);
    pen.font = `13px ${fontFamily}`; pen.fillStyle = colour("--ov-mute");
    const { said } = section.dataset; // which days, and of what
    pen.fillText(said, margin, margin + 26, width);
    pen.translate(margin, margin + head);
    if (shown) {
      const canvas = holder.appendChild(document.createElement("canvas"));
      Object.assign(canvas.dataset, shown.dataset);
      const made = config(canvas, style);
      Object.assign(made.options, { responsive: false, devicePixelRatio: ratio });
      canvas.width = width; canvas.height = height;
      const chart = new Chart(canvas, made);
      pen.drawImage(canvas, 0, 0, width, height);
      chart.destroy();
    } else {
      box.scrollLeft = 0;
      paint(pen, box, table, colour);
    }
    paper.remove();
    sheet.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${section.querySelector("h3").firstChild.data.trim()} ${said.split(" · ")[0]}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }, "image/png");
  };

  for (const button of document.querySelectorAll("[data-picture]")) {
    button.hidden = false;
    button.addEventListener("click", () => picture(document.getElementById(button.dataset.picture)));
  }
})();
