// Charts drawn by Plotly, in the colours of the page, once they come into view.
"use strict";

const charts = {
  library: "assets/plotly-basic.min.js",

  /** A name as Plotly's small markup language prints it. */
  text: (name) => name.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"),

  config: { responsive: true, displaylogo: false,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] },

  colours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    return { ink: of("--ink"), quiet: of("--quiet"), line: of("--line"), paper: of("--paper"), band: of("--band"), accent: of("--accent") };
  },

  axis(title, more = {}) {
    const { line, quiet } = charts.colours();
    return { title: { text: title, font: { size: 12, color: quiet }, standoff: 8 }, gridcolor: line,
      linecolor: line, zerolinecolor: line, tickfont: { size: 11, color: quiet }, automargin: true, ...more };
  },

  layout(more = {}) {
    const { ink, paper, line, quiet, accent } = charts.colours();
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
      font: { family: getComputedStyle(document.body).fontFamily, color: ink, size: 12 },
      margin: { l: 48, r: 12, t: 12, b: 44 }, hovermode: "closest", hoverdistance: 30,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: quiet, activecolor: accent },
      hoverlabel: { bgcolor: paper, bordercolor: line, font: { color: ink, size: 12 }, namelength: -1 },
      ...more,
    };
  },

  line: (tracker, more = {}) => ({
    name: charts.text(bench.label(tracker)), type: "scatter", mode: "lines",
    line: { color: bench.tone(tracker.color), dash: tracker.dash, width: tracker.share ? 1 : 2 }, ...more,
  }),

  /** Call `draw` when the box comes near the window, and again when the theme changes. */
  whenSeen(box, draw) {
    let seen = false;
    const now = async () => {
      try {
        await bench.load(charts.library);
        await draw();
      } catch (error) {
        box.textContent = error.message;
      }
    };
    const watcher = new IntersectionObserver((entries) => {
      if (seen || !entries.some((entry) => entry.isIntersecting)) return;
      seen = true;
      watcher.disconnect();
      now();
    }, { rootMargin: "300px" });
    watcher.observe(box);
    document.addEventListener("themechange", () => { if (seen) now(); });
    addEventListener("beforeprint", () => { if (!seen) { seen = true; watcher.disconnect(); now(); } });
    return () => { if (seen) now(); };
  },
};

// The page is readable before its charts are; the library follows as soon as it is.
addEventListener("load", () => (globalThis.requestIdleCallback ?? setTimeout)(() => bench.load(charts.library).catch(() => {})));
