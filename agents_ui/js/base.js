// What needs no page to run in: texts and dates, the only fetch, the only WebSocket. For every module; tried in Node.

// --- texts ----------------------------------------------------------------------------------------------------------
// In the reader's language; `{0}` stands where a value comes.

let catalogue = { lang: 'en', dir: 'ltr', plural: '', msgs: {}, dt: null };
let native = true;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** @param {{lang: string, dir: string, plural: string, msgs: object, dt: object}} given as hub/catalogues.py makes it */
export function use(given) {
  catalogue = given;
  native = Intl.DateTimeFormat.supportedLocalesOf([given.lang]).length > 0;
}

export const lang = () => catalogue.lang;

export function _(text, ...values) {
  return filled(catalogue.msgs[text] ?? text, values);
}

/** `{0}` is the number, `{1}` and on the other values. */
export function ngettext(one, many, number, ...values) {
  const found = catalogue.msgs[one];
  const form = catalogue.plural[number < 200 ? number : 100 + (number % 100)];
  const text = Array.isArray(found) ? found[Math.min(form ?? 0, found.length - 1)] : number === 1 ? one : many;
  return filled(text, [number, ...values]);
}

function filled(text, values) {
  if (values.length === 0) return text;
  return text.replace(/\{(\d)\}/g, (_hole, place) => isolated(values[place]));
}

/** A name that runs the other way must not turn the sentence around it. */
function isolated(value) {
  const turns = typeof value === 'string' && (catalogue.dir === 'rtl' || RIGHT_TO_LEFT.test(value));
  return turns ? `\u2068${value}\u2069` : String(value);
}

// --- times ----------------------------------------------------------------------------------------------------------

const MINUTE = 60_000;
const SHAPES = {
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  day: { day: 'numeric', month: 'short' },
  date: { day: 'numeric', month: 'short', year: 'numeric' },
  full: { day: 'numeric', month: 'long', year: 'numeric' },
};

/** @param {'time'|'day'|'date'|'full'} shape */
export function date(at, shape = 'date', plain = !native) {
  const when = new Date(at);
  if (plain && catalogue.dt) return pattern(when, catalogue.dt[shape], catalogue.dt);
  return new Intl.DateTimeFormat(catalogue.lang, SHAPES[shape]).format(when);
}

/** Day and time, for titles and screen readers. */
export const exact = (at) => `${date(at, 'full')}, ${date(at, 'time')}`;

/** For lists: today the time, this year the day, else the date. */
export function short(at, now = Date.now()) {
  const then = new Date(at), today = new Date(now);
  if (then.toDateString() === today.toDateString()) return date(at, 'time');
  return date(at, then.getFullYear() === today.getFullYear() ? 'day' : 'date');
}

export function day(at, now = Date.now()) {
  const name = new Date(at).toDateString();
  if (name === new Date(now).toDateString()) return _('Today');
  if (name === new Date(now - 24 * 60 * MINUTE).toDateString()) return _('Yesterday');
  return date(at, 'full');
}

/** How long somebody has waited. */
export function waited(ms) {
  const minutes = Math.floor(Math.max(0, ms) / MINUTE);
  if (minutes < 1) return ngettext('{0} second', '{0} seconds', Math.floor(Math.max(0, ms) / 1000));
  if (minutes < 60) return ngettext('{0} minute', '{0} minutes', minutes);
  if (minutes < 48 * 60) return ngettext('{0} hour', '{0} hours', Math.floor(minutes / 60));
  return ngettext('{0} day', '{0} days', Math.floor(minutes / 1440));
}

/** A pattern of Unicode's (CLDR), as far as dates need it. */
function pattern(when, text, dt) {
  const two = (number) => String(number).padStart(2, '0');
  const fields = {
    d: () => when.getDate(), dd: () => two(when.getDate()), M: () => when.getMonth() + 1, MM: () => two(when.getMonth() + 1),
    MMM: () => dt.monthsShort[when.getMonth()], MMMM: () => dt.months[when.getMonth()], y: () => when.getFullYear(),
    HH: () => two(when.getHours()), H: () => when.getHours(), mm: () => two(when.getMinutes()),
    EEE: () => dt.days[(when.getDay() + 6) % 7],
  };
  return text.replace(/'([^']*)'|([a-zA-Z])\2*/g, (token, quoted) => (quoted !== undefined ? quoted : String(fields[token]?.() ?? token)));
}

// --- keys ------------------------------------------------------------------------------------------------------------
// A stroke is written `e`, `E` (with Shift), `?`, `Enter`, `Shift+Enter` or `Mod+Shift+y`; Mod is Ctrl, on a Mac Command. Two
// with a space between are pressed one after the other; `, ` stands between keys of which each will do.

export const MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');
const LATIN = /^[\x20-\x7e]$/, LETTER = /^[a-z]$/i;
const PLACES = {
  Slash: '/?', Period: '.>', Comma: ',<', Semicolon: ';:', Quote: '\'"', BracketLeft: '[{', BracketRight: ']}', Minus: '-_', Equal: '=+', Backslash: '\\|',
  Digit1: '1!', Digit2: '2@', Digit3: '3#', Digit4: '4$', Digit5: '5%', Digit6: '6^', Digit7: '7&', Digit8: '8*', Digit9: '9(', Digit0: '0)',
};

/** The key that was meant: `event.key`, or what a Latin keyboard has in its place. Case is Shift's, not Caps Lock's. */
export function meant({ key, code, shiftKey }) {
  if (/^[A-Z][A-Za-z0-9]+$/.test(key) && key !== 'Dead' && key !== 'Process') return key;
  const sign = LATIN.test(key) ? key : code?.startsWith('Key') ? code.slice(3) : PLACES[code]?.[shiftKey ? 1 : 0] ?? key;
  if (!LETTER.test(sign)) return sign;
  return shiftKey ? sign.toUpperCase() : sign.toLowerCase();
}

/** A pressed key as it is written; null: one that no action can have. */
export function stroke(event, mac = MAC) {
  if (event.isComposing || event.key === undefined || /^(Control|Shift|Alt|Meta|AltGraph|CapsLock)$/.test(event.key)) return null;
  const third = event.getModifierState?.('AltGraph') ?? false; // how many layouts write [ and ]: Windows calls it Ctrl and Alt
  if (!third && (mac ? event.ctrlKey : event.metaKey)) return null;
  const mod = !third && (mac ? event.metaKey : event.ctrlKey);
  const alt = !third && event.altKey && !(mac && LATIN.test(event.key));
  const key = meant(event), held = mod || alt;
  const shift = event.shiftKey && (key.length > 1 || (held && LETTER.test(key)));
  return [mod && 'Mod', alt && 'Alt', shift && 'Shift', key === ' ' ? 'Space' : held && LETTER.test(key) ? key.toLowerCase() : key].filter(Boolean).join('+');
}

/** Whether it would be typed into a field: such keys act outside of fields only, and can be switched off in one click. */
export const isLetter = (key) => !/^(Mod|Alt)\+/.test(key) && key.split(' ')[0].length === 1;

const TOGETHER = 1_500; // ms within which two strokes are one key

/** Finds what a stroke means, and remembers the first of two. */
export class Strokes {
  #first = null; #at = 0;

  /**
   * @template T @param {[T, string[]][]} able what can be done now, each with its keys
   * @returns {{found: T[], begun: boolean}} `begun`: the next stroke decides, or this was the second of nothing
   */
  press(one, able, now) {
    const first = now - this.#at < TOGETHER ? this.#first : null;
    this.#first = null;
    const whole = first ? `${first} ${one}` : one;
    const found = able.filter(([, keys]) => keys.includes(whole)).map(([what]) => what);
    if (!first && able.some(([, keys]) => keys.some((key) => key.startsWith(`${one} `)))) {
      this.#first = one;
      this.#at = now;
      return { found: [], begun: true };
    }
    return { found, begun: Boolean(first) && one !== 'Escape' };
  }
}

// --- asking ---------------------------------------------------------------------------------------------------------
// The only fetch. Changes carry the header that other sites cannot set; whatever goes wrong is a Problem.

const ULID = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIMEOUT = 20_000;

export class Problem extends Error {
  /** @param {string} kind the last part of the problem's type; "offline": the desk could not be reached */
  constructor(kind, text, status = 0, body = {}) {
    super(text);
    Object.assign(this, { name: 'Problem', kind, status, body });
  }

  /** Whether the same request may come through later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** An id that sorts by time: 48 bits of it, then 80 bits by chance. */
export function clientId(now = Date.now()) {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ULID[rest % 32] + time;
  return time + Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => ULID[byte % 32]).join('');
}

export const get = (path, query = {}) => {
  const given = Object.entries(query).flatMap(([name, value]) => (Array.isArray(value) ? value.map((one) => [name, one]) : value == null ? [] : [[name, value]]));
  return ask('GET', given.length ? `${path}?${new URLSearchParams(given)}` : path);
};
export const post = (path, body = {}, options = {}) => ask('POST', path, body, options);
export const put = (path, body = {}, options = {}) => ask('PUT', path, body, options);
export const patch = (path, body = {}, options = {}) => ask('PATCH', path, body, options);
export const del = (path) => ask('DELETE', path);

async function ask(method, path, body, { id, signal, timeout = TIMEOUT } = {}) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Parley-CSRF'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (id) headers['Idempotency-Key'] = id;
  const limit = AbortSignal.timeout(timeout);
  let answer, text;
  try {
    answer = await fetch(path, {
      method, headers, credentials: 'same-origin', body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    text = await answer.text();
  } catch {
    throw new Problem('offline', _('The desk cannot be reached. Check your connection.'));
  }
  if (answer.ok) return text ? JSON.parse(text) : null;
  throw problem(answer.status, text);
}

function problem(status, text) {
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy in between has answered with a page of its own.
  }
  const kind = String(body.type ?? '').split('/').pop() || 'failed';
  return new Problem(kind, words(kind, body), status, body);
}

function words(kind, body) {
  switch (kind) {
    case 'unauthenticated': return _('You are signed out. Sign in again.');
    case 'forbidden': return _('Your role does not allow this.');
    case 'not_found': return _('This is not there any longer, or not for you to see.');
    case 'too_many': return _('Too much at once. Wait a moment and try again.');
    case 'too_large': return _('This is too long.');
    case 'unavailable': return _('The desk is busy. Try again in a moment.');
    case 'failed': return _('The desk failed. It is not your fault; try again in a moment.');
    default: return body.errors?.[0]?.text ?? body.detail ?? _('This did not work.');
  }
}

// --- the line -------------------------------------------------------------------------------------------------------
// The only WebSocket, or long polling where none gets through. It keeps the cursor, so that nothing is missed however
// often the line breaks. docs/protocol.md tells what goes over it. For desk.js.

const FIRST = 1_000, LONGEST = 30_000, SILENCE = 20_000, DEAD = 45_000;
const RETRY_SOCKET = 5 * 60_000; // after which one that polls tries a WebSocket again

export class Live {
  #socket = null; #stopped = false; #tries = 0; #broken = 0; #timer = 0; #beat = 0; #heard = 0; #told = 0;
  #poll = null; #polled = 0;

  /**
   * @param {object} with_
   * @param {string} with_.url of the WebSocket
   * @param {(path: string, body: object, options?: object) => Promise<any>} with_.post
   * @param {() => number|null} with_.cursor
   * @param {(frame: object) => void} with_.onframe
   * @param {(state: 'connecting'|'live'|'offline', problem?: Error) => void} with_.onstate
   */
  constructor({ url, post, cursor, onframe, onstate, WebSocket = globalThis.WebSocket, clock = Date.now }) {
    Object.assign(this, { url, post, cursor, onframe, onstate, WebSocket, clock });
  }

  start() {
    this.#stopped = false;
    this.#beat = setInterval(() => this.#pulse(), 5_000);
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#beat);
    this.#drop();
  }

  /** Now, not when the pause is over: the network or the window has come back. */
  nudge() {
    if (this.#stopped || this.#socket || this.#poll) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** A passing signal; where there is no line it is lost, as it may be. */
  send(frame) {
    if (this.#socket?.readyState === 1) this.#tell(frame);
    else if (this.#poll) this.#poll.out.push(frame);
  }

  // --- coming in ----------------------------------------------------------------------------------------------------

  async #connect() {
    this.onstate('connecting');
    let ticket;
    try {
      ({ ticket } = await this.post('/api/v1/live/tickets', {}));
    } catch (problem) {
      this.onstate('offline', problem);
      this.#again();
      return;
    }
    if (this.#stopped) return;
    const hello = { type: 'hello', ticket, cursor: this.cursor(), present: true };
    if (this.#broken >= 2 && this.clock() - this.#polled < RETRY_SOCKET) this.#longPoll(hello);
    else this.#open(hello);
  }

  #open(hello) {
    let welcomed = false;
    const socket = (this.#socket = new this.WebSocket(this.url));
    this.#heard = this.clock();
    socket.onopen = () => this.#tell(hello);
    socket.onmessage = ({ data }) => {
      welcomed = true;
      this.#broken = 0;
      this.#hear(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (!welcomed && code === 1006 && ++this.#broken >= 2) this.#polled = this.clock();
      this.onstate('offline');
      this.#again();
    };
  }

  #again() {
    if (this.#stopped) return;
    const pause = Math.min(LONGEST, FIRST * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#poll?.stop.abort();
    this.#poll = null;
  }

  // --- hearing and telling ------------------------------------------------------------------------------------------

  #hear(frame) {
    this.#heard = this.clock();
    switch (frame.type) {
      case 'ping': this.send({ type: 'pong' }); break;
      case 'pong': break;
      case 'snapshot_required': this.send({ type: 'snapshot' }); break;
      case 'live': this.#tries = 0; this.onframe(frame); this.onstate('live'); break;
      default:
        this.onframe(frame);
        if (frame.name === 'tag.restored') this.send({ type: 'snapshot' }); // what bears it, no event tells
    }
  }

  #tell(frame) {
    this.#told = this.clock();
    this.#socket.send(JSON.stringify(frame));
  }

  #pulse() {
    if (!this.#socket) return;
    const now = this.clock();
    if (now - this.#heard > DEAD) {
      this.#drop();
      this.onstate('offline');
      this.#again();
    } else if (this.#socket.readyState === 1 && now - Math.max(this.#heard, this.#told) > SILENCE) {
      this.#tell({ type: 'ping' });
    }
  }

  // --- long polling -------------------------------------------------------------------------------------------------

  async #longPoll(hello) {
    const poll = (this.#poll = { out: [], stop: new AbortController() });
    try {
      let answer = await this.post('/live/poll', { frames: [hello] });
      const path = `/live/poll/${answer.poll}`;
      while (this.#poll === poll) {
        for (const frame of answer.frames) this.#hear(frame);
        const frames = poll.out.splice(0);
        const wait = this.clock() - this.#polled < RETRY_SOCKET ? 25 : 0;
        answer = await this.post(path, { after: answer.after, frames, wait }, { signal: poll.stop.signal, timeout: 40_000 });
        if (!wait) break;
      }
      if (this.#poll === poll) this.#broken = 0;
    } catch (problem) {
      if (this.#poll !== poll) return;
      this.onstate('offline', problem);
    }
    if (this.#poll === poll) this.#poll = null;
    this.#again();
  }
}
