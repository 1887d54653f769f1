// Songs that are dropped or chosen are tagged one after another; one of them is shown and played.

import { minutes, tag } from "./song.js";
import { made, Taggram } from "./taggram.js";

const element = (id) => document.getElementById(id);
const audio = element("audio");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const songs = [];
let shown = null;
let busy = false;

const model = await (await fetch("model")).json();
const view = new Taggram(model, seek);
const size = (bytes) => `${Math.round(bytes / 1e6)} MB`;

element("model").textContent = `model ${model.model}, ${model.tags.length} tags`;
element("limits").textContent =
  `Up to ${+(model.most_seconds / 60).toFixed(1)} minutes and ${size(model.most_bytes)} each. ` +
  "They do not leave this computer, and no copy is kept.";
element("about").textContent =
  `Each cell has the scores of the ${+model.window.toFixed(1)} seconds around it, ` +
  `every ${+model.hop.toFixed(1)} seconds.`;
element("drop").classList.add("large");

// Songs

function add(files) {
  element("problem").hidden = true;
  for (const file of files) {
    const song = { file, url: URL.createObjectURL(file), abort: new AbortController() };
    song.state = "waiting";
    song.item = item(song);
    songs.push(song);
    element("songs").append(song.item);
    if (file.size > model.most_bytes) {
      fail(song, `larger than ${size(model.most_bytes)}`);
    }
    update(song);
  }
  element("drop").classList.toggle("large", songs.length === 0);
  const first = songs.at(-files.length);
  if (first && (!shown || audio.paused)) {
    show(first);
  }
  work();
}

/** Tag the songs that are waiting, one after another. */
async function work() {
  while (!busy) {
    const song = songs.find((each) => each.state === "waiting");
    if (!song) {
      return;
    }
    busy = true;
    song.state = "uploading";
    measure(song);
    update(song);
    try {
      song.taggram = await tag(song.file, song.abort.signal, (message) => {
        song.seconds = message.seconds;
        song.state = message.waiting ? "waiting for another song" : "tagging";
        update(song);
      });
      song.state = "done";
      say(`${song.file.name}: ${inWords(song)}`);
    } catch (error) {
      fail(song, error.message);
    }
    busy = false;
    if (songs.includes(song)) {
      update(song);
    }
  }
}

function fail(song, reason) {
  song.state = "failed";
  song.reason = reason;
  if (!song.abort.signal.aborted) {
    say(`${song.file.name}: ${reason}`);
  }
}

function remove(song) {
  song.abort.abort();
  URL.revokeObjectURL(song.url);
  const place = songs.indexOf(song);
  songs.splice(place, 1);
  song.item.remove();
  element("drop").classList.toggle("large", songs.length === 0);
  if (shown === song) {
    show(songs[Math.min(place, songs.length - 1)] ?? null);
  }
  (songs.length ? element("songs").querySelector(".open") : element("files")).focus();
}

/** Find the length of a song, if the browser can play it. */
function measure(song) {
  const other = new Audio();
  other.preload = "metadata";
  other.addEventListener("loadedmetadata", () => {
    song.length = Number.isFinite(other.duration) ? other.duration : undefined;
  });
  other.src = song.url;
}

function inWords(song) {
  return song.taggram.tags.join(", ") || "untagged";
}

function doing(song) {
  if (song.state === "tagging") {
    return `tagging, ${minutes(song.seconds)}${song.length ? ` of ${minutes(song.length)}` : ""}`;
  }
  return { done: () => inWords(song), failed: () => song.reason }[song.state]?.() ?? song.state;
}

// List

function item(song) {
  const row = made("li");
  const open = made("button", "", "open");
  const close = made("button", "×", "remove");
  open.type = close.type = "button";
  open.append(made("span", song.file.name, "name"), made("span", "", "state"));
  open.addEventListener("click", () => show(song));
  close.addEventListener("click", () => remove(song));
  row.append(open, close);
  return row;
}

function update(song) {
  const [open, close] = song.item.children;
  open.lastChild.textContent = doing(song);
  open.setAttribute("aria-current", song === shown);
  song.item.className = [song.state, song === shown && "shown"].filter(Boolean).join(" ");
  const verb = ["done", "failed"].includes(song.state) ? "Remove" : "Cancel";
  close.setAttribute("aria-label", `${verb} ${song.file.name}`);
  close.title = verb;
  if (song === shown) {
    showState(song);
  }
}

function say(text) {
  element("status").textContent = text;
}

// The song that is shown

function show(song) {
  shown = song;
  element("song").hidden = song === null;
  document.title = song ? `${song.file.name} – autotagging` : "autotagging";
  element("unplayable").hidden = true;
  audio.hidden = false;
  if (song) {
    element("title").textContent = song.file.name;
    audio.src = song.url;
  } else {
    audio.removeAttribute("src");
    audio.load();
  }
  songs.forEach(update);
}

function showState(song) {
  const { state, taggram } = song;
  const done = state === "done";
  element("taggram").hidden = !done;
  element("tagged").hidden = !done;
  element("reason").hidden = state !== "failed";
  element("working").hidden = done || state === "failed";
  element("warning").hidden = !taggram?.warning;
  if (state === "failed") {
    element("reason").textContent = `Not tagged: ${song.reason}.`;
    element("unplayable").hidden = true;
  } else if (done) {
    const tags = taggram.tags.map((name) => made("b", name));
    const none = made("span", "untagged: no score reaches the threshold of its tag");
    element("whole").replaceChildren(...(tags.length ? tags : [none]));
    element("warning").textContent = `Only the beginning was tagged: ${taggram.warning}.`;
    view.show(taggram, audio.currentTime);
  } else {
    const bar = element("progress");
    if (state === "tagging" && song.length) {
      bar.max = song.length;
      bar.value = Math.min(song.seconds, song.length);
    } else {
      bar.removeAttribute("value");
    }
    element("doing").textContent = doing(song);
  }
}

// Playing

function seek(seconds) {
  if (audio.hidden) {
    view.at(seconds);
  } else {
    audio.currentTime = seconds;
    follow();
  }
}

function follow() {
  if (shown?.state === "done" && !audio.hidden) {
    view.at(audio.currentTime);
  }
}

function play() {
  follow();
  if (!audio.paused && !still.matches) {
    requestAnimationFrame(play);
  }
}

audio.addEventListener("play", play);
audio.addEventListener("timeupdate", follow);
audio.addEventListener("pause", () => shown?.state === "done" && view.describe());
audio.addEventListener("error", () => {
  if (shown && audio.getAttribute("src")) {
    audio.hidden = true;
    element("unplayable").hidden = shown.state === "failed";
  }
});

// Dropping and choosing

element("files").addEventListener("change", (event) => {
  add([...event.target.files]);
  event.target.value = "";
});

let inside = 0;

function drag(event) {
  event.preventDefault();
  inside += { dragenter: 1, dragleave: -1 }[event.type] ?? 0;
  element("drop").classList.toggle("over", inside > 0);
}

for (const name of ["dragenter", "dragleave", "dragover"]) {
  document.addEventListener(name, drag);
}
document.addEventListener("drop", (event) => {
  inside = 0;
  drag(event);
  const items = [...event.dataTransfer.items].filter((each) => each.kind === "file");
  const files = items.filter((each) => !each.webkitGetAsEntry()?.isDirectory);
  add(files.map((each) => each.getAsFile()));
  if (files.length < items.length) {
    element("problem").textContent = "Folders can't be dropped here; open them and drop the songs.";
    element("problem").hidden = false;
  }
});
