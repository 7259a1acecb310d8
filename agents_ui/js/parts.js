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

const registers = { screen: signal([]), panel: signal([]), action: signal([]) };

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
 * Something that can be done: by its key, and from the palette.
 * @param {{name: string, text: () => string, run: (number?: number) => void, key?: string, where?: 'global'|'list'|
 *   'thread'|'queue'|'composer', group?: string, order?: number, able?: () => boolean}} given  `key`: as base.js writes keys,
 *   ("j, ArrowDown", "J", "g i", "Mod+k"); `where`: the screen on which it acts; "composer": the field sees to it, with `means`;
 *   `run` of where "thread" is given the open ticket's number; when it returns false the next one gets the key
 */
export const action = (given) => register('action', { where: 'global', ...given });

export const screens = computed(() => registers.screen.value.filter((one) => one.able()));
export const panels = computed(() => registers.panel.value.filter((one) => one.able()));
export const actions = computed(() => registers.action.value);

/** The name of the panel that stands open; '' : none. */
export const aside = kept('panel', '');
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

function styles(name) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL(`../${name}`, import.meta.url).pathname;
  document.head.append(link);
  return new Promise((done, wrong) => Object.assign(link, { onload: done, onerror: wrong }));
}

const elements = new Map();

/** The element of a screen or a panel, or what stands there until its module has come. */
export function placed(entry, properties = {}) {
  if (entry.load && !loaded.value.has(entry.name)) {
    if (failed.value.has(entry.name)) return unreached(entry);
    queueMicrotask(() => bring(entry));
    return skeleton();
  }
  if (!elements.has(entry.name)) elements.set(entry.name, document.createElement(entry.tag));
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

/** The address of a ticket, or of the list, within a view. */
export function path(number, view = route.value.view) {
  return `/inbox${number ? `/${number}` : ''}${view === 'open' ? '' : `?view=${view}`}`;
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
const MOVES = 'a, button, label, summary, [role=tab], [role=option], [role=log], .log'; // what Enter and arrows do something in already

/** Keys that somebody has set otherwise, by the action's name; '' : none. */
export const keymap = signal({});
export const letters = kept('letters', 'on');

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
  document.addEventListener('keydown', (event) => {
    const one = event.defaultPrevented ? null : stroke(event);
    if (!one) return;
    const at = event.target, bare = !/^(Mod|Alt)\+/.test(one), letter = isLetter(one);
    if (bare && (at.closest?.(FIELD) || at.closest?.('dialog, [popover]') || document.querySelector('dialog:modal'))) return;
    if (letter && letters.value === 'off') return;
    if (bare && !letter && one !== 'Escape' && at.closest?.(MOVES)) return;
    const able = actions.value.filter(possible).sort((a, b) => (a.where === 'global') - (b.where === 'global'));
    const { found, begun } = strokes.press(one, able.map((act) => [act, keysOf(act)]), event.timeStamp);
    if (begun || found.some((act) => perform(act) !== false)) event.preventDefault();
  });
}

// --- pictures -------------------------------------------------------------------------------------------------------
// Lines on a grid of 24, drawn in the colour of the text around them. They are never the only label.

const DRAWN = {
  inbox: svg`<path d="M4 13l2.500-8h11L20 13v6H4zM4 13h4.500l1 2.500h5l1-2.500H20"/>`,
  queue: svg`<circle cx="9" cy="8" r="3.200"/><path d="M3 19c.5-4 3-6 6-6s5.500 2 6 6M16 5.200a3.200 3.200 0 010 5.600M18 13.600c1.800.9 2.800 2.700 3 5.400"/>`,
  settings: svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
  help: svg`<circle cx="12" cy="12" r="8.500"/><path d="M9.500 9.500a2.500 2.500 0 114 2c-1 .7-1.500 1.200-1.500 2.300M12 16.800v.1"/>`,
  person: svg`<circle cx="12" cy="8.500" r="3.500"/><path d="M5 20c.6-4.300 3.400-6.500 7-6.500s6.400 2.200 7 6.500"/>`,
  back: svg`<path d="M15 5l-7 7 7 7"/>`,
  send: svg`<path d="M4 12l16-7-5 15-3.500-6z"/>`,
  lock: svg`<rect x="5.500" y="10.500" width="13" height="9" rx="1.500"/><path d="M8.500 10.500v-3a3.500 3.500 0 017 0v3"/>`,
  check: svg`<path d="M5 12.500l4.500 4.500L19 7.500"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5l3.200 2"/>`,
  alert: svg`<path d="M12 4l9 15.500H3zM12 10v4.500M12 17v.1"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  out: svg`<path d="M13 4H5v16h8M10 12h10M16.500 8.500L20 12l-3.500 3.500"/>`,
};

const MIRRORED = new Set(['back', 'send', 'out']);

export const icon = (name) => html`<svg class=${MIRRORED.has(name) ? 'icon icon--turns' : 'icon'} viewBox="0 0 24 24"
  aria-hidden="true">${DRAWN[name] ?? nothing}</svg>`;
