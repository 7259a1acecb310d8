// The kit that screens are made of: components that follow signals, addresses, the register of screens, panels and
// actions, the keyboard, pictures. A module adds itself with `screen`, `panel` or `action` and is loaded when it is needed.

import { LitElement, html, nothing, svg } from './vendor/lit.js';
import { computed, effect, signal } from './vendor/signals-core.js';
import { Strokes, _, isLetter, stroke } from './base.js';

// --- components -----------------------------------------------------------------------------------------------------

/** A lit element in the light DOM that draws itself anew when a signal it read changes. */
export class Part extends LitElement {
  #end = null;

  createRenderRoot() {
    return this;
  }

  performUpdate() {
    if (!this.isUpdatePending) return;
    this.#end?.();
    let first = true;
    this.#end = effect(() => {
      if (first) {
        first = false;
        super.performUpdate();
      } else {
        this.requestUpdate();
      }
    });
  }

  connectedCallback() {
    super.connectedCallback();
    this.requestUpdate();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#end?.();
    this.#end = null;
  }
}

/** The time, for whatever ticks: one timer for all. */
export const now = signal(Date.now());
setInterval(() => { now.value = Date.now(); }, 1_000);

/** The same, for what need not be exact to the second. */
export const soon = computed(() => Math.floor(now.value / 10_000) * 10_000);

/** What a person keeps in this browser: a signal that outlives a reload. */
export function kept(name, otherwise) {
  const key = `parley.${name}`;
  const found = signal(localStorage.getItem(key) ?? otherwise);
  return { get value() { return found.value; }, set value(given) { localStorage.setItem(key, given); found.value = given; } };
}

export const skeleton = () => html`<div class="skeleton" role="status"><span class="sr">${_('Loading…')}</span>
  ${[0, 1, 2, 3].map(() => html`<i></i>`)}</div>`;

// --- the register ---------------------------------------------------------------------------------------------------

const registers = { screen: signal([]), panel: signal([]), bar: signal([]), action: signal([]) };

function register(kind, given) {
  const others = registers[kind].peek().filter((one) => one.name !== given.name);
  registers[kind].value = [...others, { order: 50, able: () => true, ...given }].sort((a, b) => a.order - b.order);
}

/**
 * A screen: what stands beside the rail at an address.
 * @param {{name: string, at: RegExp, title: () => string, tag: string, load?: () => Promise<any>, css?: string,
 *   rail?: {href: string, icon: string, count?: () => number, said?: (n: number) => string}, order?: number,
 *   able?: () => boolean}} given  named groups of `at` are the route's `params`; `able` false: not for this agent;
 *   the server has to answer these addresses with the console's page (hub/web/routes.py)
 */
export const screen = (given) => register('screen', given);

/**
 * A panel at the end side of an open ticket; its element is given `number`.
 * @param {{name: string, title: () => string, icon: string, tag: string, load?: () => Promise<any>, css?: string,
 *   order?: number, able?: () => boolean}} given
 */
export const panel = (given) => register('panel', given);

/**
 * A small thing that is always there: at the foot of the rail, on a phone at the head of the window.
 * @param {{name: string, tag: string, load?: () => Promise<any>, css?: string, order?: number, able?: () => boolean}} given
 */
export const bar = (given) => register('bar', given);

/**
 * Something that can be done: by its key, and from the palette.
 * @param {{name: string, text: () => string, run: (number?: number) => void, key?: string, where?: 'global'|'list'|
 *   'thread'|'queue'|'composer', group?: string, order?: number, able?: () => boolean, opens?: boolean}} given  `opens`: a list or sheet that gets what is typed next; `key`: as base.js writes keys,
 *   ("j, ArrowDown", "J", "g i", "Mod+k"); `where`: the screen on which it acts; "composer": the field sees to it, with `means`;
 *   `run` of where "thread" is given the open ticket's number; when it returns false the next one gets the key
 */
export const action = (given) => register('action', { where: 'global', ...given });

export const screens = computed(() => registers.screen.value.filter((one) => one.able()));
export const panels = computed(() => registers.panel.value.filter((one) => one.able()));
export const bars = computed(() => registers.bar.value.filter((one) => one.able()));
export const actions = computed(() => registers.action.value);

/** The name of the panel that stands open; '' : none. Where there is room the contact stands beside the thread from the start. */
export const aside = kept('panel', globalThis.innerWidth >= 1440 ? 'contact' : '');
export const openPanel = computed(() => panels.value.find((one) => one.name === aside.value) ?? null);

const loading = new Map();
const loaded = signal(new Set());
const failed = signal(new Set());

/** Fetches the module and the styles of a screen or a panel, once. */
export function bring(entry) {
  if (!entry.load || loaded.peek().has(entry.name)) return Promise.resolve();
  if (!loading.has(entry.name)) {
    loading.set(entry.name, Promise.all([entry.load(), entry.css && styles(entry.css)]).then(
      () => { loaded.value = new Set(loaded.peek()).add(entry.name); },
      () => { loading.delete(entry.name); failed.value = new Set(failed.peek()).add(entry.name); },
    ));
  }
  return loading.get(entry.name);
}

const linked = new Map();

const styles = (name) => linked.get(name) ?? linked.set(name, link(name)).get(name);

function link(name) {
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = new URL(`../${name}`, import.meta.url).pathname;
  document.head.append(sheet);
  return new Promise((done, wrong) => Object.assign(sheet, { onload: done, onerror: wrong })).catch((problem) => {
    linked.delete(name);
    throw problem;
  });
}

const elements = new Map();

/** The element of a screen or a panel, or what stands there until its module has come. */
export function placed(entry, properties = {}) {
  if (entry.load && !loaded.value.has(entry.name)) {
    if (failed.value.has(entry.name)) return unreached(entry);
    queueMicrotask(() => bring(entry));
    return skeleton();
  }
  if (elements.get(entry.name)?.localName !== entry.tag) elements.set(entry.name, document.createElement(entry.tag));
  return Object.assign(elements.get(entry.name), properties);
}

function unreached(entry) {
  const again = () => { failed.value = new Set([...failed.peek()].filter((name) => name !== entry.name)); };
  return html`<div class="empty" role="alert"><p>${_('The desk cannot be reached. Check your connection.')}</p>
    <button class="button button--plain" @click=${again}>${_('Try again')}</button></div>`;
}

// --- addresses ------------------------------------------------------------------------------------------------------

const here = signal(location.pathname + location.search);

/** Which screen is shown: the address is the state. */
export const route = computed(() => {
  const url = new URL(here.value, location.origin);
  for (const one of registers.screen.value) {
    const found = one.at.exec(url.pathname);
    if (!found) continue;
    const params = { ...found.groups };
    return { screen: one.name, params, number: params.number ? Number(params.number) : null, query: url.searchParams, view: url.searchParams.get('view') ?? 'open' };
  }
  return { screen: 'inbox', params: {}, number: null, query: url.searchParams, view: 'open' };
});

export function go(path) {
  if (path === here.value) return;
  history.pushState(null, '', path);
  here.value = path;
}

/** The address of a ticket, or of the list: within what is shown, or another view and what is given to narrow it. */
export function path(number, given = null) {
  const query = given ? new URLSearchParams() : new URLSearchParams(route.value.screen === 'inbox' ? route.value.query : '');
  for (const [field, value] of Object.entries(given ?? {})) if (value?.length && !(field === 'view' && value === 'open')) query.set(field, value);
  return `/inbox${number ? `/${number}` : ''}${query.size ? `?${query}` : ''}`;
}

/** Links to the console's own screens are followed without a page load. */
export function follow() {
  addEventListener('popstate', () => { here.value = location.pathname + location.search; });
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target || event.defaultPrevented) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.hash || !registers.screen.peek().some((one) => one.at.test(url.pathname))) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}

// --- the keyboard ---------------------------------------------------------------------------------------------------

const FIELD = 'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]';
const MOVES = 'a, button, label, summary, [role=tab], [role=option], [role=log], [role=separator], .log'; // what Enter and arrows do something in already

/** Keys that somebody has set otherwise, by the action's name; '' : none. */
export const keymap = signal({});
export const letters = signal(true);

/** An own key stands in the place of the first; arrows and Enter besides stay what they are everywhere. */
export function keyOf(one) {
  const own = keymap.value[one.name];
  if (own === undefined) return one.key ?? '';
  return [own, ...(one.key ?? '').split(', ').slice(1).filter((key) => !isLetter(key) && key !== own)].filter(Boolean).join(', ');
}

const keysOf = (one) => keyOf(one).split(', ').filter(Boolean);

const shows = (one) => one.where === 'global' || (one.where === 'thread' ? route.value.number != null
  : one.where === 'list' ? route.value.screen === 'inbox' : route.value.screen === one.where);

/** Whether it can be done now, where one is. */
export const possible = (one) => shows(one) && one.able();

/** @returns false when there was nothing to do after all */
export const perform = (one) => one.run(one.where === 'thread' ? route.value.number : undefined);

/** Whether a key pressed in a field of one's own is that of this action: for what is done while writing. */
export const means = (event, name) => {
  const one = actions.peek().find((act) => act.name === name);
  return Boolean(one) && keysOf(one).includes(stroke(event));
};

/** One letter, one action, when nothing is being written. */
export function listen() {
  const strokes = new Strokes();
  document.addEventListener('focusin', ({ target }) => target.closest?.(OPENED) && queueMicrotask(handOver));
  document.addEventListener('keydown', (event) => {
    const one = event.defaultPrevented ? null : stroke(event);
    if (!one) return;
    if (coming && !event.target.closest?.(OPENED)) {
      if (!/^(Mod|Alt)\+/.test(one)) coming.push(event);
      event.preventDefault();
      return;
    }
    const at = event.target, bare = !/^(Mod|Alt)\+/.test(one), letter = isLetter(one);
    if (bare && (at.closest?.(FIELD) || at.closest?.('dialog[open], [popover]:popover-open') || document.querySelector('dialog:modal'))) return;
    if (letter && !letters.value) return;
    if (bare && !letter && one !== 'Escape' && at.closest?.(MOVES)) return;
    const able = actions.value.filter(possible).sort((a, b) => (a.where === 'global') - (b.where === 'global'));
    const { found, begun } = strokes.press(one, able.map((act) => [act, keysOf(act)]), event.timeStamp);
    const done = found.find((act) => perform(act) !== false);
    if (done || begun) event.preventDefault();
    if (done?.opens) awaitIt();
  });
}

const OPENED = 'dialog[open], [popover]:popover-open', LOADS = 2_000; // ms in which what is opened is there, or will not be
let coming = null;

/** A list or a sheet may have to be loaded: the keys that are pressed meanwhile are meant for it. */
function awaitIt() {
  const keys = (coming = []);
  setTimeout(() => { if (coming === keys) coming = null; }, LOADS);
}

function handOver() {
  const keys = coming ?? [];
  coming = null;
  for (const event of keys) {
    const at = document.activeElement;
    if ([...event.key].length === 1 && 'setRangeText' in at) {
      at.setRangeText(event.key, at.selectionStart, at.selectionEnd, 'end');
      at.dispatchEvent(new InputEvent('input', { bubbles: true }));
    } else at.dispatchEvent(new KeyboardEvent('keydown', { key: event.key, code: event.code, shiftKey: event.shiftKey, bubbles: true, cancelable: true }));
  }
}

// --- pictures -------------------------------------------------------------------------------------------------------
// Lines on a grid of 24, drawn in the colour of the text around them. They are never the only label.

const DRAWN = {
  inbox: svg`<path d="M4 13l2.500-8h11L20 13v6H4zM4 13h4.500l1 2.500h5l1-2.500H20"/>`,
  queue: svg`<path d="M7 3.500h10M7 20.500h10M8 3.500c0 5 8 5.500 8 8.500s-8 3.500-8 8.500M16 3.500c0 5-8 5.500-8 8.500s8 3.500 8 8.500"/>`,
  people: svg`<circle cx="9" cy="8" r="3.200"/><path d="M3 19c.5-4 3-6 6-6s5.500 2 6 6M16 5.200a3.200 3.200 0 010 5.600M18 13.600c1.800.9 2.800 2.700 3 5.400"/>`,
  settings: svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
  help: svg`<circle cx="12" cy="12" r="8.500"/><path d="M9.500 9.500a2.500 2.500 0 114 2c-1 .7-1.500 1.200-1.500 2.300M12 16.800v.1"/>`,
  keys: svg`<rect x="3" y="6.500" width="18" height="11" rx="2"/><path d="M7 10.500v.01M10.300 10.500v.01M13.700 10.500v.01M17 10.500v.01M8 14h8"/>`,
  person: svg`<circle cx="12" cy="8.500" r="3.500"/><path d="M5 20c.6-4.300 3.400-6.500 7-6.500s6.400 2.200 7 6.500"/>`,
  assign: svg`<circle cx="10" cy="8.500" r="3.500"/><path d="M3.500 20c.5-4.300 3-6.500 6.500-6.500 1.300 0 2.500.3 3.500.9M18 13.500v6M15 16.500h6"/>`,
  contacts: svg`<rect x="5" y="4" width="14.500" height="16" rx="1.800"/><path d="M3 8h2M3 12h2M3 16h2M8.800 16.500c.4-2 1.700-3 3.500-3s3.100 1 3.500 3"/><circle cx="12.300" cy="9.800" r="2"/>`,
  board: svg`<path d="M4 20V10M9.300 20V4.500M14.700 20v-8M20 20V7.500"/>`,
  day: svg`<circle cx="12" cy="12" r="3.800"/><path d="M12 3.500v2M12 18.500v2M3.500 12h2M18.500 12h2M6 6l1.400 1.400M16.600 16.600L18 18M6 18l1.400-1.400M16.600 7.400L18 6"/>`,
  back: svg`<path d="M15 5l-7 7 7 7"/>`,
  ahead: svg`<path d="M9 5l7 7-7 7"/>`,
  down: svg`<path d="M6 9.500l6 6 6-6"/>`,
  up: svg`<path d="M6 14.500l6-6 6 6"/>`,
  end: svg`<path d="M12 4v14M6 12.500l6 6 6-6"/>`,
  send: svg`<path d="M4 12l16-7-5 15-3.500-6z"/>`,
  forward: svg`<path d="M14 6l6 6-6 6M19.500 12H10c-3.500 0-6 2.500-6 6.500"/>`,
  reply: svg`<path d="M10 6L4 12l6 6M4.500 12H14c3.500 0 6 2.500 6 6.500"/>`,
  lock: svg`<rect x="5.500" y="10.500" width="13" height="9" rx="1.500"/><path d="M8.500 10.500v-3a3.500 3.500 0 017 0v3"/>`,
  check: svg`<path d="M5 12.500l4.500 4.500L19 7.500"/>`,
  checks: svg`<path d="M3 12.500l4 4.500L15.500 7.500M11.500 15.500l1.500 1.500L21.500 7.500"/>`,
  resolve: svg`<circle cx="12" cy="12" r="8.500"/><path d="M8.200 12.300l2.700 2.700 5-5.500"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5l3.200 2"/>`,
  snooze: svg`<circle cx="12" cy="13" r="7.500"/><path d="M9.500 10.500h5l-5 5h5M4 6l2.500-2.500M20 6l-2.500-2.500"/>`,
  alert: svg`<path d="M12 4l9 15.500H3zM12 10v4.500M12 17v.1"/>`,
  urgent: svg`<path d="M12 5v9M12 18.200v.1"/>`,
  flag: svg`<path d="M6 20.500V4.500c4-2 7 2 12 0v9c-5 2-8-2-12 0"/>`,
  tag: svg`<path d="M4 4.500h7.500l8.500 8.500-7 7L4.500 11.500zM8.500 8.800v.1"/>`,
  team: svg`<circle cx="12" cy="7.500" r="3"/><path d="M6.500 19c.4-3.700 2.500-5.500 5.500-5.500s5.100 1.800 5.500 5.500M4.800 6.500a2.600 2.600 0 000 4.400M3 17c.2-1.600.8-2.800 1.700-3.600M19.200 6.500a2.600 2.600 0 010 4.400M21 17c-.2-1.600-.8-2.800-1.700-3.600"/>`,
  more: svg`<path d="M5.500 12h.01M12 12h.01M18.500 12h.01" stroke-width="2.800"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  filter: svg`<path d="M4 6h16M7 12h10M10 18h4"/>`,
  sort: svg`<path d="M8 5v14M4.500 15.500L8 19l3.500-3.500M16 19V5M12.500 8.500L16 5l3.500 3.500"/>`,
  search: svg`<circle cx="10.500" cy="10.500" r="6"/><path d="M15 15l5 5"/>`,
  at: svg`<circle cx="12" cy="12" r="3.600"/><path d="M15.600 8.400v4.800c0 3.400 4.900 3 4.900-1.200A8.500 8.500 0 1017 18.900"/>`,
  smile: svg`<circle cx="12" cy="12" r="8.500"/><path d="M8.500 14c1.700 2.600 5.300 2.600 7 0M9 9.500v.1M15 9.500v.1"/>`,
  canned: svg`<path d="M5 4.500h14v11h-7l-4 4v-4H5zM12 7l-1.500 3h3L12 13"/>`,
  clip: svg`<path d="M19.500 11.500l-8 8a4.600 4.600 0 01-6.500-6.500l8.500-8.500a3.200 3.200 0 014.500 4.500l-8.300 8.300a1.600 1.600 0 01-2.300-2.300L15 7.500"/>`,
  mic: svg`<path d="M12 14.500a3 3 0 003-3v-5a3 3 0 00-6 0v5a3 3 0 003 3zM6 11.500a6 6 0 0012 0M12 17.500v3"/>`,
  file: svg`<path d="M6 3.500h8l4 4v13H6zM14 3.500v4h4"/>`,
  play: svg`<path d="M8 5l11 7-11 7z"/>`,
  pause: svg`<path d="M8.500 5v14M15.500 5v14"/>`,
  pencil: svg`<path d="M4.500 19.500l1-4.500L16 4.500l3.500 3.500L9 18.500z"/>`,
  copy: svg`<rect x="8.500" y="8.500" width="11" height="11" rx="1.500"/><path d="M15.500 8.500v-4h-11v11h4"/>`,
  quote: svg`<path d="M5 18.500c3-.8 4.500-3 4.500-6H5v-6h5.500v6M14 18.500c3-.8 4.500-3 4.500-6H14v-6h5.500v6"/>`,
  link: svg`<path d="M10 14a4 4 0 005.700 0l3-3a4 4 0 00-5.700-5.700l-1 1M14 10a4 4 0 00-5.700 0l-3 3A4 4 0 0011 18.700l1-1"/>`,
  merge: svg`<path d="M6 4v4c0 4 6 4 6 8v4M18 4v4c0 4-6 4-6 8M8.800 17L12 20.200l3.200-3.200"/>`,
  split: svg`<path d="M12 20v-5c0-4-6-4-6-8V4M12 15c0-4 6-4 6-8V4M3.500 6.500L6 4l2.500 2.500M15.500 6.500L18 4l2.500 2.500"/>`,
  spam: svg`<path d="M8.500 3.500h7l5 5v7l-5 5h-7l-5-5v-7zM12 8v5M12 16v.1"/>`,
  block: svg`<circle cx="12" cy="12" r="8.500"/><path d="M6 6l12 12"/>`,
  print: svg`<path d="M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z"/>`,
  eye: svg`<path d="M2.500 12C5 7.500 8.300 5.500 12 5.500s7 2 9.500 6.500c-2.500 4.500-5.800 6.500-9.500 6.500S5 16.500 2.500 12z"/><circle cx="12" cy="12" r="2.800"/>`,
  bell: svg`<path d="M6 16.500V11a6 6 0 0112 0v5.500l1.500 1.500h-15zM10 20.500h4"/>`,
  chat: svg`<path d="M4 5h16v11H11l-4.500 4v-4H4z"/>`,
  mail: svg`<rect x="3.500" y="5.500" width="17" height="13" rx="1.500"/><path d="M4 7l8 6 8-6"/>`,
  form: svg`<rect x="5" y="3.500" width="14" height="17" rx="1.500"/><path d="M8.500 8h7M8.500 12h7M8.500 16h4"/>`,
  phone: svg`<path d="M6 4h3.500l1.500 4-2 1.500a11 11 0 005.500 5.500l1.500-2 4 1.500V18c0 1.200-.9 2-2 2C11 20 4 13 4 6c0-1.100.8-2 2-2z"/>`,
  views: svg`<path d="M4 6h.01M4 12h.01M4 18h.01M8.500 6H20M8.500 12H20M8.500 18H20"/>`,
  chart: svg`<path d="M4 20h16M7 16v-5M12 16V6M17 16v-8"/>`,
  sun: svg`<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M18.400 5.600L17 7M7 17l-1.400 1.400"/>`,
  out: svg`<path d="M13 4H5v16h8M10 12h10M16.500 8.500L20 12l-3.500 3.500"/>`,
};

const MIRRORED = new Set(['back', 'ahead', 'send', 'reply', 'out', 'views', 'canned', 'chat', 'quote']);

export const icon = (name) => html`<svg class=${MIRRORED.has(name) ? 'icon icon--turns' : 'icon'} viewBox="0 0 24 24"
  aria-hidden="true">${DRAWN[name] ?? nothing}</svg>`;

// --- faces ----------------------------------------------------------------------------------------------------------

const letter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const first = (word) => letter.segment(word)[Symbol.iterator]().next().value?.segment ?? '';

/** The first letters of a name, as its own script has letters. */
export function initials(name) {
  const words = name.split(/[\s\u200b]+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  return (words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0] ?? '')).toUpperCase();
}

/** A face without a picture; `id` gives the colour. Never the only name of somebody: hidden from screen readers. */
export const avatar = (name, id, more = '') => html`<span class=${`avatar hue-${(id ?? 0) % 8} ${more}`} aria-hidden="true">${initials(name ?? '') || icon('person')}</span>`;
