// Draws each curve of the first page, and a report's chart, from the table under it, so that both say the same.
(() => {
  const charts = new Map();

  const draw = (canvas) => {
    const rows = [...document.getElementById(canvas.dataset.table).tBodies[0].rows];
    if (canvas.dataset.order !== "ascending") rows.reverse();
    const points = rows.map((row) => row.dataset.point.split(" ").map(Number)); // "-": there is none, and NaN leaves a gap
    const names = (canvas.dataset.names ?? "").split("|");
    const kind = canvas.dataset.kind; // of a report's chart: line or bar, a colour for each name
    const said = (item) => rows[item.dataIndex].dataset.said?.split("|")[item.datasetIndex] ?? rows[item.dataIndex].cells[1 + item.datasetIndex].textContent;
    const style = getComputedStyle(canvas.parentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const short = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 1 });
    charts.get(canvas)?.destroy();
    charts.set(canvas, new Chart(canvas, {
      type: kind ?? "line",
      data: {
        labels: rows.map((row) => row.dataset.label),
        // The second half of several lines is what really happened: dashed.
        datasets: names.map((name, place) => ({
          label: name, data: points.map((row) => row[place]),
          borderColor: colour(kind ? `--series-${place + 1}` : place % 2 ? "--curve-other" : "--curve"),
          backgroundColor: colour(kind === "bar" ? `--series-${place + 1}` : "--curve-area"),
          fill: names.length === 1 ? "origin" : false, borderDash: !kind && names.length > 2 && place >= names.length / 2 ? [5, 4] : [],
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
              title: ([item]) => rows[item.dataIndex].cells[0]?.textContent ?? item.label,
              label: (item) => [item.dataset.label, said(item)].filter(Boolean).join(": "),
            },
          },
        },
        scales: {
          x: { grid: { display: false }, border: { color: colour("--curve-grid") }, ticks: { color: colour("--curve-text"), maxRotation: 0, autoSkipPadding: 16 } },
          y: { beginAtZero: true, grace: "5%", border: { display: false }, grid: { color: colour("--curve-grid") }, ticks: { color: colour("--curve-text"), precision: 0, maxTicksLimit: 6, callback: (value) => short.format(value) } },
        },
      },
    }));
  };

  // A canvas without a width yet would stay empty.
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (contentRect.width > 0) {
        sizes.unobserve(target);
        draw(target.querySelector("canvas"));
      }
    }
  });
  for (const canvas of document.querySelectorAll(".ov-canvas canvas")) sizes.observe(canvas.parentElement);

  new MutationObserver(() => { for (const canvas of charts.keys()) draw(canvas); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
})();
