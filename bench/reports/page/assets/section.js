// The page of a benchmark: curves of all trackers, and tables by attribute and by sequence.
"use strict";

const number = (value, decimals) => value === null || value === undefined ? "–" : value.toFixed(decimals);

/** Zoom is kept while trackers are hidden or the theme changes. */
const kept = { uirevision: "kept" };

{
  const key = location.pathname.split("/").pop().replace(/\.html$/, "");
  const data = bench.data.get(decodeURIComponent(key));
  if (data) {
    drawCharts(data);
    fillBreakdown(data, data.groups, document.getElementById("by-group"));
    fillBreakdown(data, data.sequences, document.getElementById("by-sequence"));
  }
}

/** ...html#sequence=Bolt&frame=40 leads to that frame on the page of the sequence. */
function openNamed() {
  const { sequence } = bench.named();
  if (sequence === null) return;
  const link = [...document.querySelectorAll("#sequences tbody th a")].find((each) => each.textContent === sequence);
  if (link) location.replace(link.href + location.hash);
  else document.querySelector("h1").after(bench.element("p", { className: "notice" }, `No sequence is called “${sequence}” here.`));
}
openNamed();
addEventListener("hashchange", openNamed);

function drawCharts(data) {
  const shown = new Set(data.trackers.keys());
  const redraw = [];
  const box = document.getElementById("charts");
  for (const curve of data.curves) redraw.push(addChart(box, curve.title, (chart) => drawCurve(chart, data, curve, shown)));
  for (const points of data.points) redraw.push(addChart(box, points.title, (chart) => drawPoints(chart, data, points, shown)));
  document.getElementById("curves").hidden = !redraw.length;
  bench.chips(document.getElementById("chips"), data.trackers, shown, () => redraw.forEach((draw) => draw()));
}

function addChart(box, title, draw) {
  const chart = bench.element("div", { className: "chart" });
  box.append(bench.element("figure", {}, bench.element("figcaption", {}, title), chart));
  return charts.whenSeen(chart, () => draw(chart));
}

function drawCurve(chart, data, curve, shown) {
  const traces = data.trackers.map((tracker, index) => charts.line(tracker, {
    x: curve.x, y: curve.lines[index], visible: shown.has(index),
    hovertemplate: `%{x:.3~f}: <b>%{y:.3f}</b><extra>${charts.text(bench.label(tracker))}  ${number(curve.scores[index], 3)}</extra>`,
  }));
  const { band } = charts.colours();
  const shapes = curve.shaded ? [{ type: "rect", xref: "x", yref: "paper", x0: curve.shaded[0], x1: curve.shaded[1],
    y0: 0, y1: 1, fillcolor: band, line: { width: 0 }, layer: "below" }] : [];
  const end = curve.shaded ? Math.min(curve.x.at(-1), 2 * curve.shaded[1]) : curve.x.at(-1);
  return Plotly.react(chart, traces, charts.layout({ ...kept, shapes,
    xaxis: charts.axis(curve.xTitle, { range: [curve.x[0], end] }), yaxis: charts.axis("", { range: [0, 1] }) }), charts.config);
}

function drawPoints(chart, data, points, shown) {
  const traces = data.trackers.map((tracker, index) => ({
    name: charts.text(bench.label(tracker)), type: "scatter", mode: "markers", visible: shown.has(index),
    x: [points.places[index][0]], y: [points.places[index][1]],
    marker: { color: bench.tone(tracker.color), size: 11, symbol: tracker.symbol + (tracker.share ? "-open" : ""), line: { width: 1, color: charts.colours().paper } },
    hovertemplate: `%{x:.3~f}, <b>%{y:.3f}</b><extra>${charts.text(bench.label(tracker))}</extra>`,
  }));
  return Plotly.react(chart, traces, charts.layout({ ...kept,
    xaxis: charts.axis(points.xTitle, points.log ? logarithmic(points.places.map(([x]) => x)) : {}), yaxis: charts.axis(points.yTitle) }), charts.config);
}

/** A logarithmic axis with whole numbers beside its ticks: 1, 2, 5, 10 ... or decades only. */
function logarithmic(values) {
  const known = values.filter((value) => value > 0).map(Math.log10);
  const [low, high] = [Math.floor(Math.min(...known)), Math.ceil(Math.max(...known))];
  const steps = high - low > 3 ? [1] : [1, 2, 5];
  const tickvals = [];
  for (let decade = low; decade <= high; decade++) tickvals.push(...steps.map((step) => Number(`${step}e${decade}`)));
  return { type: "log", tickvals, ticktext: tickvals.map(String) };
}

/** A table of one measure, a row for each attribute or sequence, a column for each tracker. */
function fillBreakdown(data, part, section) {
  const measures = data.columns.filter((column) => column.key in part.values);
  if (!section || !part.rows.length || !measures.length) return;
  section.hidden = false;
  const kind = section.querySelector("[data-kind]");
  if (kind) kind.textContent = part.kind;
  const select = section.querySelector("[data-measure]");
  select.replaceChildren(...measures.map((column) => bench.element("option", { value: column.key },
    column.label + (column.lower ? " (lower is better)" : ""))));
  const table = section.querySelector("table");
  const draw = () => {
    const column = measures.find((each) => each.key === select.value);
    table.replaceChildren(breakdownHead(data, part, column), breakdownBody(data, part, column));
    section.querySelector("[data-filter]").dispatchEvent(new Event("input", { bubbles: true }));
  };
  select.onchange = draw;
  draw();
}

function breakdownHead(data, part, column) {
  const heading = (text, sort, lower) => {
    const cell = bench.element("th", { scope: "col", tabIndex: 0, className: sort === "number" ? "number" : "" }, text);
    cell.dataset.sort = sort;
    if (lower) cell.dataset.lower = "";
    return cell;
  };
  const title = part.kind[0].toUpperCase() + part.kind.slice(1);
  const unit = part.unit[0].toUpperCase() + part.unit.slice(1);
  return bench.element("thead", {}, bench.element("tr", {}, heading(title, "text"), heading(unit, "number"),
    ...data.trackers.map((tracker) => {
      const cell = heading(tracker.name, "number", column.lower);
      cell.title = tracker.name;
      if (tracker.share) cell.append(bench.element("small", { className: "caveat" }, tracker.share));
      return cell;
    })));
}

function breakdownBody(data, part, column) {
  const values = part.values[column.key];
  const rows = part.rows.map((row, index) => {
    const name = row.href ? bench.element("a", { href: row.href }, row.name) : row.name;
    const compared = (place) => part.kind === "sequence" || !data.trackers[place].share;
    const known = values[index].filter((value, place) => value !== null && compared(place));
    const best = column.lower ? Math.min(...known) : Math.max(...known);
    return bench.element("tr", {}, bench.element("th", { scope: "row" }, name), numberCell(row.count, 0),
      ...values[index].map((value, place) => shadedCell(value, column, compared(place) ? best : null, known.length)));
  });
  return bench.element("tbody", {}, ...rows);
}

function numberCell(value, decimals) {
  const cell = bench.element("td", { className: "number" }, number(value, decimals));
  cell.dataset.value = value ?? "";
  return cell;
}

/** Fractions are shaded by their value and the best of a row is bold; a dash means no value. */
function shadedCell(value, column, best, count) {
  const cell = numberCell(value, column.decimals);
  if (value === null) cell.classList.add("none");
  else if (column.shaded) cell.style.setProperty("--share", `${Math.round(100 * value)}%`);
  if (value !== null && best !== null && count > 1 && number(value, column.decimals) === number(best, column.decimals)) cell.classList.add("best");
  return cell;
}
