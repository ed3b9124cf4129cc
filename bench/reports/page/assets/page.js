// Shared by all pages: theme, data from scripts, sorting and filtering of tables.
"use strict";

const bench = {
  root: document.documentElement.dataset.root,
  data: new Map(),

  receive(key, content) {
    bench.data.set(key, content);
  },

  /** Load a script once; pages opened from disk cannot fetch anything else. */
  load(path) {
    bench.loading ??= new Map();
    if (!bench.loading.has(path)) {
      bench.loading.set(path, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = bench.root + path;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${path} is missing from the report`));
        document.head.append(script);
      }));
    }
    return bench.loading.get(path);
  },

  /** An element with properties and children; text is never read as HTML. */
  element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  },

  swatch(tracker) {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    const line = document.createElementNS(space, "line");
    drawing.setAttribute("class", "swatch");
    drawing.setAttribute("viewBox", "0 0 22 8");
    const attributes = { x1: 0, y1: 4, x2: 22, y2: 4, stroke: tracker.color, "stroke-width": 3,
      "stroke-dasharray": tracker.strokes.map((each) => 1.5 * each).join(" ") || "none" };
    for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
    drawing.append(line);
    return drawing;
  },

  /** A tracker's name, with the number of its sequences if some are missing. */
  label(tracker) {
    return tracker.share ? `${tracker.name} (${tracker.share})` : tracker.name;
  },

  /** A tracker's colour as it is drawn on the page: lighter on dark paper. */
  tone(colour) {
    if (!bench.isDark()) return colour;
    const parts = colour.match(/[0-9a-f]{2}/g).map((part) => parseInt(part, 16));
    return `rgb(${parts.map((part) => Math.round(part + 0.3 * (255 - part))).join(",")})`;
  },

  /** What the address names after #: a sequence and a frame. */
  named() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const frame = /^\d+$/.test(parts.get("frame") ?? "") ? Number(parts.get("frame")) : null;
    return { sequence: parts.get("sequence"), frame };
  },

  /** Whether a key pressed here belongs to a field or another control, or to the browser. */
  isTaken(event) {
    return document.querySelector("dialog[open]") || event.target.matches("input[type=search], select") || event.ctrlKey || event.metaKey || event.altKey;
  },

  isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  },

  /** Buttons that show and hide trackers; a double click shows one alone. */
  chips(box, trackers, shown, changed) {
    const buttons = trackers.map((tracker, index) => {
      const button = bench.element("button", { type: "button", className: "chip" },
        bench.swatch(tracker), bench.label(tracker));
      if (tracker.problem) Object.assign(button, { disabled: true, title: tracker.problem });
      button.onclick = () => { toggle(index); update(); };
      button.ondblclick = () => { only(index); update(); };
      return button;
    });
    const toggle = (index) => shown.has(index) ? shown.delete(index) : shown.add(index);
    const only = (index) => { shown.clear(); shown.add(index); };
    const usable = [...trackers.keys()].filter((index) => !trackers[index].problem);
    const all = bench.element("button", { type: "button", className: "chip plain" }, "all");
    const none = bench.element("button", { type: "button", className: "chip plain" }, "none");
    all.onclick = () => { usable.forEach((index) => shown.add(index)); update(); };
    none.onclick = () => { shown.clear(); update(); };
    const update = () => {
      buttons.forEach((button, index) => button.setAttribute("aria-pressed", shown.has(index)));
      changed();
    };
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", shown.has(index)));
    box.replaceChildren(...buttons, all, none);
  },
};

{
  const remembered = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (remembered) document.documentElement.dataset.theme = remembered;
}

/** The sort key of a cell; empty cells come last in either direction, after partial results. */
function sortValue(row, column, kind) {
  const cell = row.cells[column];
  if (!cell) return null;
  if (kind === "text") return cell.textContent.trim();
  const value = cell.dataset.value ?? "";
  return value === "" ? null : Number(value);
}

function sortTable(table, header) {
  const kind = header.dataset.sort;
  const before = header.getAttribute("aria-sort");
  const rising = kind === "text" || "lower" in header.dataset || header.textContent.trim() === "Rank";
  const first = rising ? "ascending" : "descending";
  const second = rising ? "descending" : "ascending";
  const order = before === first ? second : first;
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [sortValue(row, header.cellIndex, kind), row]);
  const partial = (row) => kind !== "text" && "partial" in (row.cells[header.cellIndex]?.dataset ?? {});
  const compare = kind === "text"
    ? (a, b) => a.localeCompare(b, "en", { numeric: true })
    : (a, b) => a - b;
  keyed.sort(([a, first], [b, second]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (partial(first) !== partial(second)) return partial(first) - partial(second);
    return sign * compare(a, b);
  });
  body.append(...keyed.map(([, row]) => row));
}

function filterTable(input) {
  const wanted = input.value.trim().toLowerCase();
  const table = document.getElementById(input.dataset.filter);
  const rows = [...table.tBodies[0]?.rows ?? []];
  for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
  const note = noteBelow(table.closest(".scroll"));
  note.hidden = !rows.length || rows.some((row) => !row.hidden);
  note.textContent = note.hidden ? "" : `Nothing here matches “${input.value.trim()}”.`;
}

/** The line that says that a filter leaves nothing. */
function noteBelow(box) {
  if (!box.nextElementSibling?.matches(".no-match")) {
    const note = bench.element("p", { className: "no-match", hidden: true });
    note.setAttribute("role", "status");
    box.after(note);
  }
  return box.nextElementSibling;
}

document.addEventListener("click", (event) => {
  const header = event.target.closest(".sortable thead th[data-sort]");
  if (header && !event.target.closest("a")) sortTable(header.closest("table"), header);
});
document.addEventListener("keydown", (event) => {
  const header = event.target.closest?.(".sortable thead th[data-sort]");
  if (header && !event.target.closest("a") && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    sortTable(header.closest("table"), header);
  }
});

const KEYS = [
  ["/", "filter the table in view"],
  ["?", "show these keys; Escape closes them"],
  ["Shift + ↑, Shift + ↓", "the sequence or tracker before, the one after", "a[rel=prev], a[rel=next]"],
  ["←, →", "one frame back, one on; ten with Shift", "#viewer"],
  ["Home, End", "the first frame, the last", "#viewer"],
  ["Space", "play or pause", "#viewer"],
];

/** The keys that work on this page. */
function showKeys() {
  let box = document.getElementById("keys");
  if (!box) {
    const lines = KEYS.filter(([, , needed]) => !needed || document.querySelector(needed));
    box = bench.element("dialog", { id: "keys" }, bench.element("h2", {}, "Keys"),
      bench.element("dl", {}, ...lines.flatMap(([keys, what]) => [bench.element("dt", {}, keys), bench.element("dd", {}, what)])),
      bench.element("form", { method: "dialog" }, bench.element("button", { className: "chip" }, "Close")));
    document.body.append(box);
  }
  if (!box.open) box.showModal();
}

/** The filter of the table in view, else the page's first. */
function focusFilter() {
  const fields = [...document.querySelectorAll("[data-filter]")].filter((field) => field.offsetParent);
  const top = document.querySelector("header.site").offsetHeight;
  const seen = fields.find((field) => field.closest("section").getBoundingClientRect().bottom > top);
  (seen ?? fields[0])?.focus();
  return fields.length > 0;
}

document.addEventListener("keydown", (event) => {
  if (bench.isTaken(event)) return;
  const relation = event.shiftKey && { ArrowUp: "prev", ArrowDown: "next" }[event.key];
  if (event.key === "?") showKeys();
  else if (event.key === "/") { if (!focusFilter()) return; }
  else if (relation) document.querySelector(`a[rel=${relation}]`)?.click();
  else return;
  event.preventDefault();
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter]")) filterTable(event.target);
});
document.addEventListener("DOMContentLoaded", () => {
  for (const header of document.querySelectorAll("th[data-sort]")) header.tabIndex = 0;
  document.getElementById("help").onclick = showKeys;
  document.getElementById("theme").onclick = () => {
    const theme = bench.isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try { localStorage.setItem("theme", theme); } catch { /* private windows keep nothing */ }
    document.dispatchEvent(new Event("themechange"));
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event("themechange")));
});

// Paper is light, whatever the screen is.
{
  let before;
  const repaint = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    document.dispatchEvent(new Event("themechange"));
  };
  addEventListener("beforeprint", () => { before = document.documentElement.dataset.theme; repaint("light"); });
  addEventListener("afterprint", () => repaint(before));
}
