// Files: what is being attached to an answer or a note, voice notes, and what came with a message. Loaded with the first of them.

import { Problem, _, lang, ngettext } from './base.js';
import { ask, may, tell } from './desk.js';
import { question } from './dialogs.js';
import { bring, icon } from './parts.js';
import { glyph } from './pictures.js';
import { html, nothing } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';

bring({ name: 'files.css', load: () => Promise.resolve(), css: 'files.css' });

const MOST = 5; // of one message
const KEPT = 23 * 3_600_000; // ms: the desk keeps what was not sent for a day
const LONGEST = 300; // seconds of a voice note
const SPEEDS = [1, 1.5, 2];
const RECORDED = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'];
const ENDINGS = { 'audio/webm': '.webm', 'audio/mp4': '.m4a', 'audio/ogg': '.ogg' };

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

function size(bytes) {
  const [unit, of] = bytes >= 1e6 ? ['megabyte', 1e6] : bytes >= 1e3 ? ['kilobyte', 1e3] : ['byte', 1];
  return new Intl.NumberFormat(lang(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 }).format(bytes / of);
}

const address = (file, more = '') => `/files/${encodeURIComponent(file.id)}${more}`;

// --- attaching ------------------------------------------------------------------------------------------------------

const trays = new Map(); // by ticket and kind: what is attached outlives a look at another ticket
const looks = new Map(); // id → what was sent from here, until the desk has a small picture of it
export const changes = signal(0); // grows with everything that happens here

const changed = () => { changes.value = changes.peek() + 1; };

export function trayOf(number, mode) {
  const key = `${number} ${mode}`;
  if (!trays.has(key)) trays.set(key, new Tray(`parley.files.${number}.${mode}`));
  return trays.get(key);
}

class Tray {
  items = []; // {key, name, size, blob, look, picture, state: 'going' | 'there' | 'failed', part, id, why, voice, seconds}
  recording = null;
  wanted = null; // what is called once all has arrived
  #keys = 0;
  #kept; // under which name this browser keeps what is there, until it is sent

  constructor(kept) {
    this.#kept = kept;
    try {
      this.restore(JSON.parse(localStorage.getItem(kept) ?? '[]').filter(({ at }) => Date.now() - at < KEPT), false);
    } catch {
      localStorage.removeItem(kept);
    }
  }

  /** A reload loses nothing that has arrived. */
  #keep() {
    const there = this.items.filter((item) => item.state === 'there').map(({ id, name, kind, size: bytes, voice, seconds, at }) =>
      ({ id, name, kind, size: bytes, voice, seconds, at: at ?? Date.now() }));
    if (there.length) localStorage.setItem(this.#kept, JSON.stringify(there));
    else localStorage.removeItem(this.#kept);
    changed();
  }

  add(blobs, more = {}) {
    const room = Math.max(0, MOST - this.items.length);
    if (blobs.length > room) tell(ngettext('Up to {0} file can be sent at once.', 'Up to {0} files can be sent at once.', MOST));
    for (const blob of [...blobs].slice(0, room)) {
      const picture = /^image\/(png|jpeg|gif|webp)$/.test(blob.type);
      const item = { key: ++this.#keys, name: blob.name || _('File'), size: blob.size, blob, picture, ...more };
      item.look = picture || more.voice ? URL.createObjectURL(blob) : null;
      this.items = [...this.items, item];
      this.begin(item);
    }
    changed();
  }

  async begin(item) {
    Object.assign(item, { state: 'going', part: 0, why: '' });
    changed();
    try {
      const { id, kind } = await put(item);
      Object.assign(item, { id, kind, state: 'there' });
      if (item.look) looks.set(id, item.look);
    } catch (problem) {
      if (!this.items.includes(item)) return;
      Object.assign(item, { state: 'failed', why: problem.message });
      this.wanted = null;
    }
    this.#keep();
    const then = this.wanted;
    if (!then || this.busy) return;
    this.wanted = null;
    then();
  }

  /** What was attached to something that was not sent after all. */
  restore(files = [], anew = true) {
    const look = ({ id, kind, voice }) => looks.get(id) ?? (kind === 'image' || voice ? `/files/${id}` : null);
    this.items = [...this.items, ...files.map((file) => ({ ...file, key: ++this.#keys, state: 'there', look: look(file), picture: file.kind === 'image' }))];
    if (anew) this.#keep();
  }

  remove(item) {
    this.items = this.items.filter((one) => one !== item);
    this.wanted = null;
    item.request?.abort();
    if (item.id) ask('delete', `/files/${item.id}`, undefined, { quiet: true });
    this.#keep();
  }

  get busy() {
    return this.items.some((item) => item.state === 'going');
  }

  /** What goes with what is said now; null: something is still on its way, `then` is called once it is there. */
  take(then) {
    if (this.busy) {
      this.wanted = then;
      changed();
      return null;
    }
    const there = this.items.filter((item) => item.state === 'there');
    this.items = this.items.filter((item) => item.state === 'failed');
    this.#keep();
    return there.map(({ id, name, kind, size: bytes, voice, seconds }) => ({
      id, name, kind, size: bytes, seconds, voice: Boolean(voice), state: 'there', caption: '', preview: false,
    }));
  }

  render() {
    void changes.value;
    if (this.recording) return this.#recorder();
    if (!this.items.length) return nothing;
    return html`<ul class="tray" aria-label=${_('Attached files')}>${this.items.map((item) => html`<li class=${`tray__one tray__one--${item.state}`}>
      ${item.picture ? html`<img src=${item.look} alt="">` : item.voice ? player(item.look, item) : icon('file')}
      <span class="tray__name"><bdi>${item.name}</bdi><small dir="auto">${item.state === 'failed' ? item.why : item.voice ? clock(item.seconds) : size(item.size)}</small></span>
      ${item.state === 'going' ? html`<progress max="1" .value=${item.part} aria-label=${_('Uploading {0}', item.name)}></progress>` : nothing}
      ${item.state === 'failed' ? html`<button type="button" class="quiet" @click=${() => this.begin(item)}>${_('Try again')}</button>` : nothing}
      <button type="button" class="tool" aria-label=${_('Take {0} out', item.name)} title=${_('Take {0} out', item.name)} @click=${() => this.remove(item)}>${icon('close')}</button>
    </li>`)}</ul>${this.wanted ? html`<p class="tray__waits" role="status">${icon('clock')}${_('It is sent as soon as the files have arrived.')}</p>` : nothing}`;
  }

  // --- voice notes ---

  async record() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      return tell(_('The microphone cannot be used. Allow it for this page in the browser, then try again.'));
    }
    const mimeType = RECORDED.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(stream, { ...(mimeType && { mimeType }), audioBitsPerSecond: 32_000 });
    const parts = [], began = Date.now();
    recorder.ondataavailable = ({ data }) => data.size && parts.push(data);
    recorder.onstop = () => {
      const { timer, kept } = this.recording, seconds = Math.max(1, Math.round((Date.now() - began) / 1000));
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      this.recording = null;
      const type = (recorder.mimeType || 'audio/webm').split(';')[0];
      if (kept && parts.length) this.add([new File(parts, _('Voice note') + (ENDINGS[type] ?? ''), { type })], { voice: true, seconds });
      changed();
    };
    const tick = () => {
      this.recording.seconds = (Date.now() - began) / 1000;
      if (this.recording.seconds >= LONGEST) this.stop(true);
      changed();
    };
    this.recording = { recorder, kept: false, seconds: 0, timer: setInterval(tick, 500) };
    recorder.start(1_000);
    return changed();
  }

  stop(kept) {
    this.recording.kept = kept;
    this.recording.recorder.stop();
  }

  #recorder() {
    return html`<div class="tray tray--records" role="group" aria-label=${_('Voice note')}><i aria-hidden="true"></i>
      <span class="tray__name" role="timer">${clock(this.recording.seconds)}</span>
      <button type="button" class="button button--plain" @click=${() => this.stop(false)}>${_('Cancel')}</button>
      <button type="button" class="button" @click=${() => this.stop(true)}>${_('Done')}</button></div>`;
  }
}

/** Uploads it; → what the desk made of it. A Problem with words of the desk, or that it could not be reached. */
function put(item) {
  const query = new URLSearchParams({ name: item.name });
  if (item.voice) query.set('voice', 'true');
  if (item.seconds) query.set('seconds', String(item.seconds));
  return new Promise((done, fail) => {
    const request = (item.request = new XMLHttpRequest());
    request.open('POST', `/api/v1/files?${query}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('X-Parley-CSRF', '1');
    request.upload.onprogress = ({ loaded, total }) => {
      item.part = total ? loaded / total : 0;
      changed();
    };
    const broken = () => fail(new Problem('offline', _('It did not arrive.')));
    request.onload = () => {
      try {
        const body = JSON.parse(request.responseText);
        if (request.status < 300) done(body);
        else fail(new Problem(body.type?.split('/').at(-1) ?? 'failed', body.detail ?? _('It did not arrive.'), request.status, body));
      } catch {
        broken();
      }
    };
    request.onerror = request.onabort = broken;
    request.send(item.blob);
  });
}

// --- what came ------------------------------------------------------------------------------------------------------

/** The files of a message or a note. */
export function shown(files) {
  void changes.value;
  const pictures = files.filter(isPicture), others = files.filter((file) => !isPicture(file));
  return html`<div class="files">
    ${pictures.length ? html`<div class=${pictures.length > 1 ? 'files__grid' : 'files__grid files__grid--one'}>${pictures.map(picture)}</div>` : nothing}
    ${others.map((file) => (file.state !== 'there' ? absent(file) : file.kind === 'audio' ? sound(file) : file.kind === 'video' ? film(file) : card(file)))}
  </div>`;
}

const isPicture = (file) => file.state === 'there' && file.kind === 'image' && (file.preview || looks.has(file.id));

const REASONS = () => [
  _('Taken back by who sent it.'), _('The desk failed to fetch it. An administrator sees why among the failed jobs.'), _('Its inbox is gone.'),
  _('This channel has no files.'),
];

function absent(file) {
  const coming = file.state === 'fetching' || file.state === 'uploading';
  void REASONS; // so that the texts stand in the catalogue
  const why = file.reason ? _(file.reason) : _('It is not there any more.');
  return html`<div class=${`filecard filecard--${coming ? 'coming' : 'absent'}`} role="status">${icon(coming ? 'clock' : 'alert')}
    <span class="filecard__name"><bdi>${file.name}</bdi><small dir="auto">${coming ? _('Still being fetched…') : file.state === 'failed' ? _('Could not be fetched: {0}', why) : why}</small></span>
    ${file.state === 'failed' && may('tickets.reply') ? html`<button class="quiet" @click=${() => ask('post', `/files/${file.id}/fetch`)}>${_('Try again')}</button>` : nothing}</div>`;
}

function picture(file) {
  const { width, height, name, caption } = file;
  return html`<figure class="picture"><a href=${address(file)} target="_blank" rel="noopener" aria-label=${_('Open {0}', caption || name)}>
      <img src=${looks.get(file.id) ?? address(file, '?preview=1')} alt=${caption || name} width=${width ?? nothing} height=${height ?? nothing}
        .style=${width ? `aspect-ratio: ${width} / ${height}` : ''} decoding="async"></a>
    ${below(file)}</figure>`;
}

function sound(file) {
  return html`<div class="filecard filecard--sound">${player(looks.get(file.id) ?? address(file), file)}
    ${file.voice ? nothing : html`<small class="filecard__name"><bdi>${file.name}</bdi></small>`}${below(file)}</div>`;
}

function film(file) {
  return html`<figure class="picture"><video controls preload="metadata" src=${address(file)} aria-label=${file.caption || file.name}></video>${below(file)}</figure>`;
}

const WARNINGS = {
  runs: () => _('Opening this may run a program.'),
  unscanned: () => _('It could not be looked at for viruses.'),
};

function card(file) {
  const warning = WARNINGS[file.warning]?.();
  const save = async (event) => {
    if (!warning) return;
    event.preventDefault();
    const link = event.currentTarget.href;
    const body = () => html`<p>${warning} ${_('Open it only if you expected it and know who sent it.')}</p><p><bdi>${file.name}</bdi></p>`;
    if (await question({ title: _('Save this file?'), body, yes: _('Save'), danger: true })) location.assign(link);
  };
  return html`<div class=${warning ? 'filecard filecard--warns' : 'filecard'}><a class="filecard__link" href=${address(file, '?download=1')} download=${file.name} @click=${save}>
    ${warning ? icon('alert') : icon('file')}<span class="filecard__name"><bdi>${file.name}</bdi><small>${file.size == null ? nothing : size(file.size)}${warning ? html` · ${warning}` : nothing}</small></span>
    ${glyph('download')}</a>${below(file)}</div>`;
}

/** Its caption, and how to change that. */
function below(file) {
  if (!may('tickets.note')) return file.caption ? html`<p class="caption" dir="auto">${file.caption}</p>` : nothing;
  const label = file.caption ? _('Change the caption') : _('Add a caption');
  const edit = async () => {
    const body = () => html`<label for="caption">${_('What is to be seen or said in it? Others find it by these words.')}</label>
      <textarea id="caption" name="caption" rows="3" maxlength="2000" dir="auto" autofocus .value=${file.caption}></textarea>`;
    const given = await question({ title: label, body, yes: _('Save') });
    if (given) ask('patch', `/files/${file.id}`, { caption: given.caption.trim() });
  };
  return html`<div class="caption">${file.caption ? html`<span dir="auto">${file.caption}</span>` : nothing}
    <button class="quiet caption__edit" @click=${edit} aria-label=${_('{0}: {1}', label, file.name)}>${icon('pencil')}${file.caption ? nothing : html`<span>${label}</span>`}</button></div>`;
}

// --- sounds ---------------------------------------------------------------------------------------------------------

const sounds = new Map(); // by address: {audio, at, speed}

/** Plays it, at 1 to 2 times its speed. */
export function player(from, { seconds }) {
  const it = sounds.get(from) ?? { audio: null, at: 0, speed: 0 };
  sounds.set(from, it);
  const { audio, speed, at } = it, plays = Boolean(audio && !audio.paused);
  const whole = Number.isFinite(audio?.duration) ? audio.duration : seconds || 0;
  const seek = ({ target }) => {
    it.at = Number(target.value);
    if (audio) audio.currentTime = it.at;
  };
  const faster = () => {
    it.speed = (speed + 1) % SPEEDS.length;
    if (audio) audio.playbackRate = SPEEDS[it.speed];
    changed();
  };
  return html`<span class="player"><button type="button" class="tool" aria-label=${plays ? _('Pause') : _('Play')} @click=${() => play(from, it)}>${icon(plays ? 'pause' : 'play')}</button>
    <input type="range" min="0" max=${whole || 1} step="0.1" .value=${String(at)} aria-label=${_('Position')} @input=${seek}>
    <span class="player__time">${clock(plays || at ? at : whole)}</span>
    <button type="button" class="quiet" aria-label=${_('Speed: {0} times', SPEEDS[speed])} @click=${faster}>${SPEEDS[speed]}×</button></span>`;
}

function play(from, it) {
  if (!it.audio) {
    const audio = (it.audio = new Audio(from));
    for (const name of ['play', 'pause', 'ended', 'timeupdate', 'loadedmetadata']) {
      audio.addEventListener(name, () => {
        it.at = name === 'ended' ? 0 : audio.currentTime;
        changed();
      });
    }
    audio.addEventListener('error', () => { it.audio = null; });
    audio.currentTime = it.at;
  }
  const { audio } = it;
  audio.playbackRate = SPEEDS[it.speed];
  if (!audio.paused) return audio.pause();
  for (const other of sounds.values()) if (other !== it) other.audio?.pause();
  return audio.play().catch(() => tell(_('This cannot be played here.')));
}
