// The stage of a sequence: the video, if there is one, with regions drawn over it.
"use strict";

class Player {
  /**
   * @param sequence as written by views.py, regions unpacked
   * @param shown    indices of the trackers to draw
   * @param moved    called with the frame whenever it changes
   */
  constructor(sequence, shown, moved) {
    Object.assign(this, { sequence, shown, moved, frame: 0, playing: false, speed: 1 });
    this.canvas = document.getElementById("canvas");
    this.video = document.getElementById("video");
    this.screen = document.getElementById("screen");
    this.screen.style.aspectRatio = sequence.size.join(" / ");
    this.screen.style.setProperty("--ratio", sequence.size[0] / sequence.size[1]);
    if (sequence.video) this.openVideo();
    document.getElementById("no-video").hidden = Boolean(sequence.video);
    new ResizeObserver(() => this.fit()).observe(this.screen);
  }

  openVideo() {
    this.video.hidden = false;
    this.video.src = this.sequence.video;
    this.video.addEventListener("ended", () => {
      if (!this.playing) return; // seeking to the last frame ends the video, too
      this.show(this.sequence.frames - 1);
      this.pause();
    });
    this.video.addEventListener("error", () => {
      this.sequence.video = null;
      this.video.hidden = true;
      const note = document.getElementById("no-video");
      note.textContent = "This browser cannot play the video: regions alone.";
      note.hidden = false;
    });
  }

  fit() {
    const scale = devicePixelRatio;
    this.canvas.width = Math.round(this.screen.clientWidth * scale);
    this.canvas.height = Math.round(this.screen.clientHeight * scale);
    this.draw();
  }

  /** Show a frame, without moving the video. */
  show(frame) {
    this.frame = Math.max(0, Math.min(this.sequence.frames - 1, frame));
    this.draw();
    this.moved(this.frame);
  }

  seek(frame) {
    this.show(frame);
    // The middle of a frame: its edges belong to either neighbour in some decoders.
    if (this.sequence.video) this.video.currentTime = (this.frame + 0.5) / this.sequence.fps;
    this.started = performance.now() - 1000 * this.frame / this.sequence.fps / this.speed;
  }

  setSpeed(speed) {
    this.speed = speed;
    this.video.playbackRate = speed;
    this.seek(this.frame);
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  async play() {
    if (this.frame >= this.sequence.frames - 1) this.seek(0);
    this.playing = true;
    this.announce();
    if (this.sequence.video) {
      try { await this.video.play(); } catch { this.pause(); return; }
      this.followVideo();
    } else {
      this.seek(this.frame);
      this.followClock();
    }
  }

  pause() {
    this.playing = false;
    this.video.pause();
    this.announce();
    if (this.sequence.video) this.seek(this.frame);
  }

  announce() {
    const button = document.getElementById("play");
    button.textContent = this.playing ? "❚❚" : "▶";
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  followVideo() {
    if (!this.playing) return;
    const next = (now, picture) => {
      if (!this.playing) return;
      this.show(Math.floor((picture?.mediaTime ?? this.video.currentTime) * this.sequence.fps + 0.01));
      this.followVideo();
    };
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(next);
    else requestAnimationFrame((now) => next(now));
  }

  followClock() {
    requestAnimationFrame((now) => {
      if (!this.playing) return;
      const frame = Math.floor((now - this.started) / 1000 * this.sequence.fps * this.speed);
      if (frame >= this.sequence.frames) { this.show(this.sequence.frames - 1); this.pause(); return; }
      if (frame > this.frame) this.show(frame);
      this.followClock();
    });
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    const scale = this.canvas.width / this.sequence.size[0];
    const thick = 2 * devicePixelRatio;
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.lineJoin = "round";
    this.outline(pen, this.sequence.truth, scale, "#fff", [], thick);
    for (const index of this.shown) {
      const track = this.sequence.tracks[index];
      if (track.problem) continue;
      if (track.failures.includes(this.frame) && this.sequence.resets) this.cross(pen, track, scale, thick);
      if (isWithin(track.absent, this.frame)) this.absence(pen, track, scale, thick);
      else if (track.masks?.[this.frame].length) this.mask(pen, track, scale);
      else this.outline(pen, track.columns, scale, track.color, track.strokes, thick);
    }
  }

  /** A mask: x, y, width, height, and runs along its rows, alternately outside and inside. */
  mask(pen, track, scale) {
    const [x, y, width, , ...runs] = track.masks[this.frame];
    pen.beginPath();
    let place = 0;
    runs.forEach((length, index) => {
      const end = place + length;
      while (index % 2 && place < end) {
        const row = Math.floor(place / width);
        const stop = Math.min(end, (row + 1) * width);
        pen.rect((x + place - row * width) * scale, (y + row) * scale, (stop - place) * scale, scale);
        place = stop;
      }
      place = end;
    });
    pen.globalAlpha = 0.5;
    pen.fillStyle = track.color;
    pen.fill();
    pen.globalAlpha = 1;
  }

  /** A crossed circle at the last region before a tracker says that the target is not visible. */
  absence(pen, track, scale, thick) {
    let last = null;
    for (let frame = this.frame - 1; frame >= 0 && !last; frame--) last = corners(track.columns, frame);
    if (!last) return;
    const x = last.reduce((sum, point) => sum + point[0], 0) / last.length * scale;
    const y = last.reduce((sum, point) => sum + point[1], 0) / last.length * scale;
    const radius = 6 * thick;
    pen.setLineDash([]);
    pen.strokeStyle = track.color;
    pen.lineWidth = thick;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.moveTo(x - radius, y + radius); pen.lineTo(x + radius, y - radius);
    pen.stroke();
  }

  outline(pen, columns, scale, colour, strokes, thick) {
    const points = corners(columns, this.frame);
    if (!points) return;
    pen.beginPath();
    // Pixel centres have whole coordinates; the canvas counts from their left edges.
    for (const [x, y] of points) pen.lineTo((x + 0.5) * scale, (y + 0.5) * scale);
    pen.closePath();
    pen.setLineDash([]);
    pen.strokeStyle = "rgb(0 0 0 / 0.6)";
    pen.lineWidth = thick * 2;
    pen.stroke();
    pen.setLineDash(strokes.map((each) => each * thick));
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.stroke();
  }

  /** A cross at the last region before a failure. */
  cross(pen, track, scale, thick) {
    const last = corners(track.columns, this.frame - 1);
    if (!last) return;
    const x = last.reduce((sum, point) => sum + point[0], 0) / last.length * scale;
    const y = last.reduce((sum, point) => sum + point[1], 0) / last.length * scale;
    const arm = 7 * thick;
    pen.setLineDash([]);
    pen.strokeStyle = track.color;
    pen.lineWidth = 2 * thick;
    pen.beginPath();
    pen.moveTo(x - arm, y - arm); pen.lineTo(x + arm, y + arm);
    pen.moveTo(x + arm, y - arm); pen.lineTo(x - arm, y + arm);
    pen.stroke();
  }
}
