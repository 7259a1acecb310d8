// Files and voice notes in the chat: what is being attached, and what came. Loaded with the first of them; the chat and
// what it is drawn with are handed in, for this file stands alone.

const MOST = 5; // of one message
const LONGEST = 300; // seconds of a voice note
const SPEEDS = [1, 1.5, 2];
const KINDS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const ENDINGS = { "audio/webm": ".webm", "audio/mp4": ".m4a", "audio/ogg": ".ogg" };
const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  file: "M14 3H6v18h12V7zM14 3v4h4",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
};

let html, nothing, svg, _;

export function attach(chat, given) {
  ({ html, nothing, svg, _ } = given);
  return new Files(chat);
}

const drawing = (name) => svg`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]}></path></svg>`;
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function size(bytes) {
  const [unit, of] = bytes >= 1e6 ? ["megabyte", 1e6] : bytes >= 1e3 ? ["kilobyte", 1e3] : ["byte", 1];
  const shown = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang || "en", shown).format(bytes / of);
}

class Files {
  constructor(chat) {
    this.chat = chat;
    this.items = []; // {key, name, size, blob, look, state: "going" | "there" | "failed", part, id, why, voice, seconds}
    this.links = new Map(); // "id what" → address
    this.looks = new Map(); // id → what was sent from here, until the desk has a small picture of it
    this.sounds = new Map(); // id → {audio, at, speed}
    this.keys = 0;
    this.recording = null;
    this.wanted = null; // what is done once all has arrived
  }

  // --- attaching -----------------------------------------------------------------------------------------------------

  add(blobs, more = {}) {
    const room = MOST - this.items.length;
    if (blobs.length > room) this.chat.warn(_("Up to {0} files can be sent at once.", MOST));
    for (const blob of [...blobs].slice(0, Math.max(0, room))) {
      const picture = /^image\/(png|jpeg|gif|webp)$/.test(blob.type);
      const item = { key: ++this.keys, name: blob.name || _("File"), size: blob.size, blob, ...more };
      item.look = picture || more.voice ? URL.createObjectURL(blob) : null;
      item.picture = picture;
      this.items = [...this.items, item];
      this.begin(item);
    }
    this.chat.draw();
  }

  async begin(item) {
    Object.assign(item, { state: "going", part: 0, why: "" });
    try {
      const { name, size, voice, seconds } = item;
      const granted = await this.chat.line.command("upload", { name, size, voice: Boolean(voice), seconds: seconds ?? null });
      item.id = granted.file;
      await this.put(item, granted.url);
      item.state = "there";
      if (item.look) this.looks.set(item.id, item.look);
    } catch (problem) {
      if (!this.items.includes(item)) return;
      item.state = "failed";
      item.why = problem?.detail || _("It did not arrive.");
      this.chat.warn(item.why);
    }
    this.chat.draw();
    const then = this.wanted;
    if (!then || this.busy) return;
    this.wanted = null;
    then();
  }

  put(item, url) {
    return new Promise((done, fail) => {
      const request = (item.request = new XMLHttpRequest());
      request.open("PUT", url);
      request.upload.onprogress = ({ loaded, total }) => {
        item.part = total ? loaded / total : 0;
        this.chat.draw();
      };
      request.onload = () => {
        if (request.status < 300) return done();
        try {
          fail(JSON.parse(request.responseText));
        } catch {
          fail(null);
        }
      };
      request.onerror = request.onabort = () => fail(null);
      request.send(item.blob);
    });
  }

  remove(item) {
    this.items = this.items.filter((one) => one !== item);
    item.request?.abort();
    this.wanted = null;
    this.chat.draw();
    this.chat.writer?.focus();
  }

  get busy() {
    return this.items.some((item) => item.state === "going");
  }

  // What goes with the next message; null: it has to wait, and `then` is called once all is there.
  take(then) {
    if (this.busy) {
      this.wanted = then;
      this.chat.draw();
      return null;
    }
    this.wanted = null;
    const there = this.items.filter((item) => item.state === "there");
    this.items = this.items.filter((item) => item.state === "failed");
    return there.map(({ id, name, size, voice, seconds, picture }) => ({
      id, name, size, seconds, voice: Boolean(voice), state: "there", caption: "",
      kind: voice ? "audio" : picture ? "image" : "file",
    }));
  }

  tray() {
    if (this.recording) return this.recorder();
    if (!this.items.length) return nothing;
    return html`<ul class="tray" aria-label=${_("Attached files")}>${this.items.map((item) => html`<li class=${item.state}>
      ${item.picture ? html`<img src=${item.look} alt="">` : item.voice ? this.player(item.look, item) : drawing("file")}
      <span class="named"><bdi>${item.name}</bdi><small>${item.state === "failed" ? item.why : item.voice ? clock(item.seconds) : size(item.size)}</small></span>
      ${item.state === "going" ? html`<progress max="1" .value=${item.part} aria-label=${_("Sending {0}", item.name)}></progress>` : nothing}
      ${item.state === "failed" ? html`<button class="again" type="button" @click=${() => this.begin(item)}>${_("Try again")}</button>` : nothing}
      <button class="icon" type="button" aria-label=${_("Remove {0}", item.name)} @click=${() => this.remove(item)}>${drawing("close")}</button>
    </li>`)}</ul>${this.wanted ? html`<p class="bar" role="status">${_("Sent as soon as the files have arrived.")}</p>` : nothing}`;
  }

  // --- voice notes ---------------------------------------------------------------------------------------------------

  async record() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      return this.chat.warn(_("The microphone cannot be used. Allow it in the browser, then try again."));
    }
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(stream, { ...(mimeType && { mimeType }), audioBitsPerSecond: 32_000 });
    const parts = [], began = Date.now();
    recorder.ondataavailable = ({ data }) => data.size && parts.push(data);
    recorder.onstop = () => {
      clearInterval(this.recording.timer);
      for (const track of stream.getTracks()) track.stop();
      const { kept } = this.recording, seconds = Math.max(1, Math.round((Date.now() - began) / 1000));
      this.recording = null;
      const type = (recorder.mimeType || "audio/webm").split(";")[0];
      if (kept && parts.length) {
        this.add([new File(parts, _("Voice note") + (ENDINGS[type] ?? ""), { type })], { voice: true, seconds });
      }
      this.chat.draw();
      this.chat.writer?.focus();
    };
    const tick = () => {
      this.recording.seconds = (Date.now() - began) / 1000;
      if (this.recording.seconds >= LONGEST) this.stop(true);
      this.chat.draw();
    };
    this.recording = { recorder, kept: false, seconds: 0, timer: setInterval(tick, 500) };
    recorder.start(1_000);
    return this.chat.draw();
  }

  stop(kept) {
    this.recording.kept = kept;
    this.recording.recorder.stop();
  }

  recorder() {
    return html`<div class="tray recording" role="group" aria-label=${_("Voice note")}><i aria-hidden="true"></i>
      <span class="named" role="timer">${clock(this.recording.seconds)}</span>
      <button class="plain" type="button" @click=${() => this.stop(false)}>${_("Cancel")}</button>
      <button class="main" type="button" @click=${() => this.stop(true)}>${_("Done")}</button></div>`;
  }

  // --- what was sent -------------------------------------------------------------------------------------------------

  // The address of a file, asked for when it is first drawn; "" until it is known.
  link(id, what) {
    const key = `${id} ${what}`;
    if (!this.links.has(key)) {
      this.links.set(key, "");
      this.ask(id, what).then((url) => {
        this.links.set(key, url);
        this.chat.draw();
      }, () => setTimeout(() => this.links.delete(key), 5_000));
    }
    return this.links.get(key);
  }

  ask(id, what) {
    return this.chat.line.command("file_link", { file: id, what }).then(({ url }) => url);
  }

  // It was good for a while only.
  over(id, what) {
    const key = `${id} ${what}`;
    if (!this.links.get(key)) return;
    setTimeout(() => {
      this.links.delete(key);
      this.chat.draw();
    }, 1_000);
  }

  async open(id, what) {
    const url = await this.ask(id, what).catch(() => "");
    if (!url) return this.chat.warn(_("This file cannot be had just now."));
    const link = document.createElement("a");
    Object.assign(link, { href: url, rel: "noopener" }, what === "download" ? { download: "" } : { target: "_blank" });
    return link.click();
  }

  shown(files) {
    return html`<div class="files">${files.map((file) => this.one(file))}</div>`;
  }

  one(file) {
    const { id, name, kind, state, caption } = file;
    if (state !== "there") {
      const why = state === "fetching" || state === "uploading" ? _("On its way…") : _("This file is not there any more.");
      return html`<p class="file lost">${drawing("file")}<span class="named"><bdi>${name}</bdi><small>${why}</small></span></p>`;
    }
    if (kind === "image" && (file.preview || this.looks.has(id))) {
      const src = this.looks.get(id) ?? this.link(id, "preview");
      const shape = file.width ? `aspect-ratio:${file.width}/${file.height}` : "";
      return html`<button class="picture" type="button" aria-label=${_("Open {0}", caption || name)} @click=${() => this.open(id, "show")}>
        <img src=${src || nothing} alt=${caption || name} .style=${shape} @error=${() => this.over(id, "preview")}></button>`;
    }
    if (kind === "audio") {
      return html`<div class="sound">${this.player(this.looks.get(id) ?? id, file)}
        ${file.voice ? nothing : html`<small><bdi>${name}</bdi></small>`}</div>`;
    }
    return html`<button class="file" type="button" @click=${() => this.open(id, kind === "video" ? "show" : "download")}>${drawing("file")}
      <span class="named"><bdi>${name}</bdi><small>${file.size == null ? nothing : size(file.size)}</small></span></button>`;
  }

  // Plays it, at 1 to 2 times its speed. `from`: an address, or the id of a file of which one is asked for.
  player(from, { seconds }) {
    const sound = this.sounds.get(from) ?? { audio: null, at: 0, speed: 0 };
    this.sounds.set(from, sound);
    const { audio, speed, at } = sound;
    const whole = Number.isFinite(audio?.duration) ? audio.duration : seconds || 0;
    const plays = Boolean(audio && !audio.paused);
    const seek = ({ target }) => {
      sound.at = Number(target.value);
      if (audio) audio.currentTime = sound.at;
    };
    const faster = () => {
      sound.speed = (speed + 1) % SPEEDS.length;
      if (audio) audio.playbackRate = SPEEDS[sound.speed];
      this.chat.draw();
    };
    return html`<span class="player">
      <button class="icon" type="button" aria-label=${plays ? _("Pause") : _("Play")} @click=${() => this.play(from, sound)}>${drawing(plays ? "pause" : "play")}</button>
      <input type="range" min="0" max=${whole || 1} step="0.1" .value=${String(at)} aria-label=${_("Position")} @input=${seek}>
      <span>${clock(plays || at ? at : whole)}</span>
      <button class="again" type="button" aria-label=${_("Speed: {0} times", SPEEDS[speed])} @click=${faster}>${SPEEDS[speed]}×</button></span>`;
  }

  async play(from, sound) {
    if (!sound.audio) {
      const url = from.startsWith("blob:") ? from : await this.ask(from, "show").catch(() => "");
      if (!url) return this.chat.warn(_("This file cannot be had just now."));
      const audio = (sound.audio = new Audio(url));
      for (const name of ["play", "pause", "ended", "timeupdate", "loadedmetadata"]) {
        audio.addEventListener(name, () => {
          sound.at = name === "ended" ? 0 : audio.currentTime;
          this.chat.draw();
        });
      }
      audio.addEventListener("error", () => (sound.audio = null));
      audio.currentTime = sound.at;
    }
    const { audio } = sound;
    audio.playbackRate = SPEEDS[sound.speed];
    if (!audio.paused) return audio.pause();
    for (const other of this.sounds.values()) if (other !== sound) other.audio?.pause();
    return audio.play().catch(() => this.chat.warn(_("This cannot be played here.")));
  }
}
