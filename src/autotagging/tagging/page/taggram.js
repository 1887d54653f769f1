// The taggram of a song: a row of cells for each tag, a playhead, and the scores at the playhead.

import { minutes } from "./song.js";

const FEW = 12;
const AXIS = 22; // pixels below the cells
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const KEYS = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };

const element = (id) => document.getElementById(id);

/** Make an element with a text. */
export function made(name, text = "", className = "") {
  const node = document.createElement(name);
  node.textContent = text;
  node.className = className;
  return node;
}

export class Taggram {
  /** onSeek is called with the seconds of a place that was chosen. */
  constructor(model, onSeek) {
    this.model = model;
    this.onSeek = onSeek;
    this.all = false;
    this.taggram = null;
    this.slider = element("slider");
    this.listen();
  }

  listen() {
    const seek = (event) => {
      const box = this.slider.getBoundingClientRect();
      this.seek(((event.clientX - box.left) / box.width) * this.taggram.seconds);
    };
    this.slider.addEventListener("pointerdown", (event) => {
      this.slider.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.slider.addEventListener("pointermove", (event) => {
      if (this.slider.hasPointerCapture(event.pointerId)) {
        seek(event);
      }
    });
    this.slider.addEventListener("keydown", (event) => {
      const ends = { Home: 0, End: this.taggram.seconds };
      const to = ends[event.key] ?? this.seconds + KEYS[event.key];
      if (!Number.isNaN(to)) {
        event.preventDefault();
        this.seek(to);
      }
    });
    element("all").addEventListener("click", () => {
      this.all = !this.all;
      this.show(this.taggram, this.seconds);
    });
    new ResizeObserver(() => this.draw()).observe(this.slider);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  seek(seconds) {
    this.onSeek(Math.min(Math.max(seconds, 0), this.taggram.seconds));
    this.describe();
  }

  /** Show the taggram of a song, with the playhead at some seconds. */
  show(taggram, seconds) {
    this.taggram = taggram;
    this.rows = this.strongest(this.all ? this.model.tags.length : FEW);
    this.window = undefined;
    element("labels").replaceChildren(...this.rows.map((tag) => this.label(tag)));
    element("values").replaceChildren(...this.rows.map(() => {
      const row = made("div");
      row.append(made("i"), made("span"));
      return row;
    }));
    const button = element("all");
    button.hidden = this.model.tags.length <= FEW;
    button.textContent = `all ${this.model.tags.length} tags`;
    button.setAttribute("aria-pressed", this.all);
    this.slider.setAttribute("aria-valuemax", Math.round(taggram.seconds));
    this.draw();
    this.at(seconds);
    this.describe();
  }

  /** Numbers of the tags with the highest levels in any window, the highest mean first. */
  strongest(top) {
    const levels = this.taggram.levels;
    const tags = this.model.tags.map((_, tag) => tag);
    const best = tags.map((tag) => levels.reduce((most, of) => Math.max(most, of[tag]), 0));
    const mean = tags.map((tag) => levels.reduce((sum, of) => sum + of[tag], 0));
    const chosen = tags.sort((a, b) => best[b] - best[a]).slice(0, top);
    return chosen.sort((a, b) => mean[b] - mean[a]);
  }

  label(tag) {
    const row = made("div");
    const name = made("span", this.model.tags[tag]);
    name.title = this.model.tags[tag];
    row.append(name, made("small", this.model.categories[this.model.tags[tag]] ?? ""));
    return row;
  }

  /** Move the playhead. */
  at(seconds) {
    this.seconds = seconds;
    const place = Math.min(seconds / this.taggram.seconds, 1) * this.slider.clientWidth;
    element("playhead").style.transform = `translateX(${place}px)`;
    this.slider.setAttribute("aria-valuenow", Math.round(seconds));
    element("time").textContent = `Now, at ${minutes(seconds)}:`;
    const found = this.taggram.spans.findIndex(([from, to]) => from <= seconds && seconds <= to);
    if (found !== this.window) {
      this.window = found;
      this.showScores();
    }
  }

  showScores() {
    const levels = this.taggram.levels[this.window];
    const scores = this.taggram.window_scores[this.window];
    this.rows.forEach((tag, row) => {
      const value = element("values").children[row];
      const on = levels !== undefined && levels[tag] >= 0.5;
      value.firstChild.style.setProperty("--level", levels ? levels[tag] : 0);
      value.lastChild.textContent = scores ? scores[tag].toFixed(2) : "";
      value.classList.toggle("on", on);
      element("labels").children[row].classList.toggle("on", on);
    });
    const names = this.given().map((name) => made("b", name));
    const none = made("span", this.none());
    element("tags").replaceChildren(...(names.length ? names : [none]));
  }

  /** Tags at or above their thresholds at the playhead, the highest score first. */
  given() {
    const levels = this.taggram.levels[this.window] ?? [];
    const scores = this.taggram.window_scores[this.window];
    const given = levels.map((_, tag) => tag).filter((tag) => levels[tag] >= 0.5);
    return given.sort((a, b) => scores[b] - scores[a]).map((tag) => this.model.tags[tag]);
  }

  /** What is said of a playhead without tags: no window covers a moment of silence. */
  none() {
    return this.taggram.levels[this.window] ? "untagged" : "silence";
  }

  /** Put the playhead into words, for screen readers. */
  describe() {
    const tags = this.given().join(", ") || this.none();
    const place = `${minutes(this.seconds)} of ${minutes(this.taggram.seconds)}`;
    this.slider.setAttribute("aria-valuetext", `${place}: ${tags}`);
  }

  draw() {
    const width = this.slider.clientWidth;
    if (!this.taggram || !width) {
      return;
    }
    const canvas = element("canvas");
    const row = element("labels").firstChild.getBoundingClientRect().height;
    const height = row * this.rows.length + AXIS;
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const colour = colours(style);
    const across = (seconds) => Math.round((seconds / this.taggram.seconds) * canvas.width);
    this.taggram.spans.forEach(([from, to], window) => {
      this.rows.forEach((tag, number) => {
        const top = Math.round((number * row + 2) * scale);
        const bottom = Math.round((number * row + row - 2) * scale);
        context.fillStyle = colour(this.taggram.levels[window][tag]);
        context.fillRect(across(from), top, across(to) - across(from), bottom - top);
      });
    });
    this.drawAxis(context, style, height, width, scale);
    this.at(this.seconds ?? 0);
  }

  drawAxis(context, style, height, width, scale) {
    const seconds = this.taggram.seconds;
    const step = STEPS.find((each) => (seconds / each) * 60 <= width) ?? 7200;
    context.scale(scale, scale);
    context.fillStyle = style.getPropertyValue("--muted");
    context.font = `12px ${style.fontFamily}`;
    for (let at = 0; at <= seconds; at += step) {
      const place = (at / seconds) * width;
      const text = minutes(at);
      const wide = context.measureText(text).width;
      context.fillRect(Math.min(place, width - 1), height - AXIS, 1, 4);
      const left = Math.min(Math.max(place - wide / 2, 0), width - wide);
      context.fillText(text, left, height - 5);
    }
  }
}

/** Make the function from levels to colours: grey below a threshold, blue above it. */
function colours(style) {
  const [low, high, from, middle, to] = ["below-0", "below-1", "above-0", "above-1", "above-2"].map(
    (name) => channels(style.getPropertyValue(`--${name}`).trim()),
  );
  return (level) => {
    if (level < 0.5) {
      return mixed(low, high, level / 0.5);
    }
    return level < 0.75
      ? mixed(from, middle, (level - 0.5) / 0.25)
      : mixed(middle, to, (level - 0.75) / 0.25);
  };
}

function channels(hex) {
  return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
}

function mixed(first, second, share) {
  const each = first.map((value, i) => Math.round(value + share * (second[i] - value)));
  return `rgb(${each.join(" ")})`;
}
