// The page of a sequence: overlap over time and the stage, in step with one cursor.
"use strict";

const POINTS = 1500; // along a curve; more are thinned out, and come back on zooming in
const BEST = 6; // trackers shown at first

if (!leave()) openSequence(document.getElementById("viewer").dataset.key);

async function openSequence(key) {
  const sequence = bench.data.get(key);
  await unpackAll(sequence);
  const usable = [...sequence.tracks.keys()].filter((index) => !sequence.tracks[index].problem);
  const shown = new Set(usable.slice(0, BEST));
  const timeline = new Timeline(document.getElementById("timeline"), sequence, shown);
  const player = new Player(sequence, shown, (frame) => { follow(sequence, frame, timeline); keepFrame(player, sequence); });
  timeline.clicked = (frame) => player.seek(frame);
  bench.chips(document.getElementById("chips"), sequence.tracks, shown, () => { player.draw(); timeline.redraw(); });
  drawLanes(sequence);
  connect(player, sequence);
  player.seek(startFrame(sequence));
  document.documentElement.dataset.ready = "";
  window.player = player;
}

async function unpackAll(sequence) {
  sequence.truth = await unpack(sequence.truth.packed, sequence.truth.width, sequence.pixelSteps);
  await Promise.all(sequence.tracks.filter((track) => !track.problem).map(async (track) => {
    track.columns = await unpack(track.regions.packed, track.regions.width, sequence.pixelSteps);
    track.masks = track.masks && await unpackMasks(track.masks);
    track.values = track.overlap ? (await unpack(track.overlap, 1, sequence.overlapSteps))[0] : null;
  }));
}

/** A link may name a frame: ...html#frame=120, as the benchmark counts. */
function startFrame(sequence) {
  const { frame } = bench.named();
  return frame === null ? 0 : frame - sequence.first;
}

/** The page of the benchmark knows where another sequence is that the address names. */
function leave() {
  const { sequence } = bench.named();
  if (sequence === null || sequence === document.getElementById("viewer").dataset.sequence) return false;
  location.replace(document.querySelector(".crumb").href + location.hash);
  return true;
}

/** Keep the frame in the address, once the cursor rests, so that a copied link leads here. */
function keepFrame(player, sequence) {
  clearTimeout(keepFrame.waiting);
  keepFrame.waiting = setTimeout(() => {
    if (player.playing) return keepFrame(player, sequence);
    const name = document.getElementById("viewer").dataset.sequence;
    const parts = new URLSearchParams({ sequence: name, frame: player.frame + sequence.first });
    const hash = player.frame ? `#${parts}` : "";
    if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname);
  }, 200);
}

function connect(player, sequence) {
  const slider = document.getElementById("slider");
  slider.oninput = () => player.seek(Number(slider.value));
  document.getElementById("play").onclick = () => player.toggle();
  document.getElementById("speed").onchange = (event) => player.setSpeed(Number(event.target.value));
  addEventListener("hashchange", () => leave() || player.seek(startFrame(sequence)));
  addEventListener("keydown", (event) => {
    if (event.target.matches("button, th, a") || bench.isTaken(event)) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === " ") player.toggle();
    else if (event.key in steps) player.seek(player.frame + steps[event.key] * (event.shiftKey ? 10 : 1));
    else if (event.key === "Home") player.seek(0);
    else if (event.key === "End") player.seek(sequence.frames - 1);
    else return;
    event.preventDefault();
  });
}

/** What moves with the frame: slider, number, cursor, and each tracker's overlap. */
function follow(sequence, frame, timeline) {
  document.getElementById("slider").value = frame;
  document.getElementById("frame").textContent = `${frame + sequence.first} / ${sequence.frames - 1 + sequence.first}`;
  timeline.moveCursor(frame);
  for (const row of document.querySelectorAll("#here tbody tr")) {
    const cell = row.querySelector(".now");
    if (!cell) continue;
    const track = sequence.tracks[Number(row.dataset.tracker)];
    const value = track.values?.[frame];
    const failed = sequence.resets && track.failures.includes(frame);
    const known = value !== undefined && !Number.isNaN(value);
    const started = sequence.resets && track.starts.includes(frame);
    const absent = !track.problem && isWithin(track.absent, frame);
    cell.textContent = failed ? "failed" : absent ? "absent" : started ? "started" : known ? value.toFixed(2) : "–";
    cell.dataset.value = known ? value : "";
  }
}

/** Strips under the curve: frames without the target, and each tag of frames. */
function drawLanes(sequence) {
  const lanes = Object.entries(sequence.tags);
  if (sequence.absent.length) lanes.unshift(["absent", sequence.absent]);
  const box = document.getElementById("lanes");
  box.replaceChildren(...lanes.map(([name, spans]) => bench.element("div", { className: "lane" },
    bench.element("span", { className: "lane-name" }, name),
    bench.element("span", { className: "lane-track" }, ...spans.map(([first, last]) => {
      const part = bench.element("i", { title: `${name}: frames ${first + sequence.first} to ${last + sequence.first}` });
      Object.assign(part.dataset, { from: first + sequence.first - 0.5, to: last + sequence.first + 0.5 });
      return part;
    })))));
}

/** Keep the strips under the part of the curve that is in view. */
function placeLanes({ axis, right }) {
  const box = document.getElementById("lanes");
  box.style.marginLeft = `${axis._offset}px`;
  box.style.marginRight = `${right}px`;
  for (const part of box.querySelectorAll("i")) {
    const left = axis.l2p(Number(part.dataset.from));
    part.style.left = `${left}px`;
    part.style.width = `${axis.l2p(Number(part.dataset.to)) - left}px`;
  }
}

class Timeline {
  constructor(box, sequence, shown) {
    Object.assign(this, { box, sequence, shown, frame: 0, clicked: () => {} });
    this.cursor = bench.element("div", { className: "cursor" });
    if (!sequence.tracks.some((track) => track.values)) {
      box.textContent = "No overlap to draw: the ground truth is not public, or no result can be read.";
      box.classList.add("none");
      this.redraw = () => {};
      return;
    }
    this.redraw = charts.whenSeen(box, () => this.draw());
  }

  async draw(range) {
    const { sequence, box } = this;
    const first = sequence.first;
    range ??= box.layout?.xaxis?.range?.map((value) => Math.round(value - first)) ?? [0, sequence.frames - 1];
    await Plotly.react(box, this.traces(range), this.layout(range), charts.config);
    if (!this.bound) this.bind();
    this.placed();
  }

  placed() {
    const axis = this.box._fullLayout.xaxis;
    placeLanes({ axis, right: this.box.clientWidth - axis._offset - axis._length });
    this.moveCursor(this.frame);
  }

  traces(range) {
    const { sequence, shown } = this;
    const lines = sequence.tracks.flatMap((track, index) => {
      if (!track.values || !shown.has(index)) return [];
      const [x, y] = thinned(track.values, range, sequence.first);
      return [charts.line(track, { x, y, hovertemplate: `%{x}: <b>%{y:.2f}</b><extra>${charts.text(track.name)}</extra>`,
        line: { color: bench.tone(track.color), dash: track.dash, width: 1.5 } })];
    });
    return [...lines, ...this.marks()];
  }

  marks() {
    const { sequence, shown } = this;
    const word = sequence.resets ? "failed" : "lost";
    return sequence.tracks.flatMap((track, index) => track.values && shown.has(index) && track.failures.length ? [{
      type: "scatter", mode: "markers", name: charts.text(track.name), cliponaxis: false,
      x: track.failures.map((frame) => frame + sequence.first), y: track.failures.map(() => 0),
      marker: { symbol: "x", size: 8, color: bench.tone(track.color), line: { width: 0 } },
      hovertemplate: `%{x}: <b>${word}</b><extra>${charts.text(track.name)}</extra>`,
    }] : []);
  }

  layout(range) {
    const { sequence } = this;
    const shapes = sequence.absent.map(([from, to]) => ({ type: "rect", xref: "x", yref: "paper", y0: 0, y1: 1,
      x0: from + sequence.first - 0.5, x1: to + sequence.first + 0.5,
      fillcolor: charts.colours().band, line: { width: 0 }, layer: "below" }));
    return charts.layout({ shapes, hovermode: "x", hoverdistance: 30, dragmode: "zoom",
      xaxis: charts.axis("Frame", { range: range.map((value) => value + sequence.first), hoverformat: "d", nticks: 8 }),
      yaxis: charts.axis("Overlap", { range: [-0.03, 1.02], fixedrange: true }) });
  }

  bind() {
    this.bound = true;
    this.box.append(this.cursor);
    this.box.on("plotly_relayout", (change) => {
      if ("xaxis.autorange" in change) this.draw([0, this.sequence.frames - 1]);
      else if ("xaxis.range[0]" in change) this.draw();
    });
    this.box.on("plotly_afterplot", () => this.placed());
    let pressed = null;
    this.box.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; }, true);
    // Plotly lays a sheet over the window while a button is down, so the release is not the box's.
    addEventListener("pointerup", (event) => { this.released(event, pressed); pressed = null; }, true);
  }

  /** A click anywhere in the plot seeks; a drag zooms, as Plotly does. */
  released(event, pressed) {
    if (!pressed || Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4) return;
    const { xaxis, yaxis } = this.box._fullLayout;
    const box = this.box.getBoundingClientRect();
    const x = event.clientX - box.left - xaxis._offset;
    const y = event.clientY - box.top - yaxis._offset;
    if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return;
    this.clicked(Math.round(xaxis.p2l(x)) - this.sequence.first);
  }

  moveCursor(frame) {
    this.frame = frame;
    const axis = this.box._fullLayout?.xaxis;
    if (!axis) return;
    const x = axis.l2p(frame + this.sequence.first);
    this.cursor.hidden = x < 0 || x > axis._length;
    this.cursor.style.transform = `translateX(${axis._offset + x}px)`;
    this.cursor.style.top = `${this.box._fullLayout.yaxis._offset}px`;
    this.cursor.style.height = `${this.box._fullLayout.yaxis._length}px`;
  }
}

/** The values within a range; of too many, the lowest and the highest of each piece. */
function thinned(values, [from, to], first) {
  const start = Math.max(0, from - 1);
  const end = Math.min(values.length - 1, to + 1);
  const x = [];
  const y = [];
  const keep = (frame) => { x.push(frame + first); y.push(Number.isNaN(values[frame]) ? null : values[frame]); };
  const step = Math.ceil(2 * (end - start + 1) / POINTS);
  if (step < 3) {
    for (let frame = start; frame <= end; frame++) keep(frame);
    return [x, y];
  }
  for (let piece = start; piece <= end; piece += step) {
    let low = -1;
    let high = -1;
    for (let frame = piece; frame < Math.min(piece + step, end + 1); frame++) {
      if (Number.isNaN(values[frame])) continue;
      if (low < 0 || values[frame] < values[low]) low = frame;
      if (high < 0 || values[frame] > values[high]) high = frame;
    }
    if (low < 0) keep(piece);
    else for (const frame of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) keep(frame);
  }
  return [x, y];
}
