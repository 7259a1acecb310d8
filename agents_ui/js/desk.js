// The console's one store and everything that can be done from it: components read `state` and call these. Wired by app.js.

import * as api from './base.js';
import { Live, _ } from './base.js';
import { route } from './parts.js';
import * as store from './store.js';
import { computed, signal } from './vendor/signals-core.js';

const KEPT = 'parley.outbox';
const RETRIES = [1_000, 2_000, 5_000, 10_000];

export const state = signal(store.empty());
export const me = computed(() => state.value.me);
export const agents = computed(() => state.value.agents);
export const inboxes = computed(() => state.value.inboxes);
export const connection = computed(() => ({ state: state.value.connection, since: state.value.since }));
export const toasts = signal([]);
export const busy = signal(false); // a page of the list is being fetched
export const more = signal({}); // view → where the next page begins; null: there is none

let live = null;

const hearers = new Set();

/** Every frame that comes in, and those of our own, once the state has it: for screens that know more than the state does. */
export function hear(hearer) {
  hearers.add(hearer);
  return () => hearers.delete(hearer);
}

export function apply(frame) {
  if (frame.type === 'typing') frame = { ...frame, heard: Date.now() };
  state.value = store.apply(state.value, frame);
  if (frame.type === 'snapshot') {
    more.value = {};
    look();
  }
  for (const hearer of hearers) hearer(frame);
}

export function start(boot) {
  apply({ type: 'local.me', me: boot.me });
  live = new Live({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`,
    post: api.post,
    cursor: () => state.value.cursor,
    onframe: (frame) => {
      if (frame.type === 'welcome' && frame.version !== boot.version) renew();
      apply(frame);
    },
    onstate: (connection, problem) => {
      if (problem?.kind === 'unauthenticated') return signIn();
      apply({ type: 'local.connection', connection, at: Date.now() });
      if (connection === 'live') view(route.value.number);
    },
  });
  live.start();
  addEventListener('online', () => live.nudge());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) live.nudge(); });
  for (const sign of ['keydown', 'pointerdown', 'pointermove', 'wheel']) addEventListener(sign, sitsHere, { passive: true });
  for (const entry of kept()) send(entry);
}

const SIGN_OF_LIFE = 60_000; // so often at most: without one the desk takes this agent to be away after a while
let sat = -SIGN_OF_LIFE;

function sitsHere({ timeStamp }) {
  if (timeStamp - sat < SIGN_OF_LIFE) return;
  sat = timeStamp;
  live.send({ type: 'active' });
}

let offered = false;

/** The desk has other pages than this one: never a forced reload, something may be half written. */
function renew() {
  if (!offered) tell(_('There is a new version of this page.'), { label: _('Reload the page'), run: () => location.reload() });
  offered = true;
}

function signIn() {
  live.stop();
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

export function tell(text, action = null) {
  const toast = { key: api.clientId(), text, action };
  toasts.value = [...toasts.value, toast];
  setTimeout(() => dismiss(toast.key), 8_000);
}

export const dismiss = (key) => { toasts.value = toasts.value.filter((toast) => toast.key !== key); };

export function agentName(kind, id) {
  if (kind === 'bot') return _('Bot');
  return agents.value[id]?.name ?? (id === me.value?.agent.id ? me.value.agent.name : _('A colleague'));
}

export const may = (permission) => state.value.me?.permissions.includes(permission) ?? false;

/** A change; what the desk refuses is told as it says it. True: done. */
async function ask(method, path, body) {
  try {
    return (await api[method](`/api/v1${path}`, body)) ?? true;
  } catch (problem) {
    if (problem.kind === 'unauthenticated') signIn();
    else tell(problem.message);
    return null;
  }
}

// --- reading --------------------------------------------------------------------------------------------------------

/** What the present screen needs and is not there yet. */
export function look() {
  if (!state.value.ready) return;
  const { number, view: of } = route.value;
  if (number && !state.value.threads[number]?.loaded) thread(number);
  if (of === 'all' && more.value.all === undefined) page('all');
}

export async function thread(number, older = null) {
  apply({ type: 'local.loading', number });
  const since = state.value.cursor;
  try {
    const read = await api.get(`/api/v1/tickets/${number}`, { limit: 50, cursor: older });
    apply({ type: 'local.thread', number, thread: read, since, more: older !== null });
  } catch (problem) {
    if (problem.kind === 'unauthenticated') signIn();
    else apply({ type: 'local.failed', number, text: problem.message });
  }
}

const ASKED = { mine: { view: 'mine' }, unassigned: { view: 'unassigned' }, open: {}, all: {} };

export async function page(of) {
  if (busy.value || more.value[of] === null) return;
  busy.value = true;
  const since = state.value.cursor;
  try {
    const { items, next } = await api.get('/api/v1/tickets', { ...ASKED[of], limit: 100, cursor: more.value[of] });
    apply({ type: 'local.page', items, since });
    more.value = { ...more.value, [of]: next };
  } catch (problem) {
    tell(problem.message);
  } finally {
    busy.value = false;
  }
}

// --- doing ----------------------------------------------------------------------------------------------------------

const one = (number, verb) => ask('post', `/tickets/${number}/${verb}`);

export const claim = (number) => one(number, 'claim');
export const reopen = (number) => one(number, 'reopen');

export async function resolve(number) {
  if (await one(number, 'resolve')) tell(_('#{0} is resolved.', String(number)), { label: _('Undo'), run: () => reopen(number) });
}

export function accept(ticket) {
  return one(ticket.number, ticket.offered_to === state.value.me.agent.id ? 'accept' : 'claim');
}

export const decline = (number) => one(number, 'decline');

export async function setAvailability(availability) {
  if (await ask('put', '/me/availability', { availability })) apply({ type: 'local.availability', availability });
}

// --- preferences ----------------------------------------------------------------------------------------------------

/** How this agent wants the console to be, on every device; a field that is missing is as docs/api.md has it. */
export const preferences = computed(() => me.value?.preferences ?? {});

const preferring = (wanted) => apply({ type: 'local.me', me: { ...me.value, preferences: wanted } });

hear((frame) => {
  if (frame.type === 'own' && frame.what === 'preferences') preferring(frame.preferences);
});

/** Changes some of them: at once here, then at the desk; what that refuses is taken back. */
export async function prefer(some) {
  const before = preferences.value, wanted = { ...before, ...some };
  preferring(wanted);
  const kept = await ask('put', '/me/preferences', wanted);
  if (!kept) preferring(before);
  return Boolean(kept);
}

// --- saying ---------------------------------------------------------------------------------------------------------

/** Shows it at once and sends it; the entry's id is the client id, so that it happens once however often it is sent. */
export function say(number, mode, text) {
  return send({ id: api.clientId(), number, mode, text, at: Date.now(), seen: store.seen(state.value, number) });
}

export async function send(entry, anyway = false) {
  apply({ type: 'local.sending', entry });
  keep();
  const path = `/api/v1/tickets/${entry.number}/${entry.mode}`;
  const body = { text: entry.text, ...(entry.mode === 'reply' && { seen: entry.seen, anyway }) };
  for (let tries = 0; ; tries++) {
    try {
      apply({ type: 'local.sent', id: entry.id, answer: await api.post(path, body, { id: entry.id }) });
      break;
    } catch (problem) {
      if (problem.passing && tries < RETRIES.length) {
        await new Promise((done) => { setTimeout(done, RETRIES[tries]); });
        continue;
      }
      apply({ type: 'local.unsent', id: entry.id, problem });
      if (problem.kind === 'unauthenticated') signIn();
      break;
    }
  }
  keep();
}

export function discard(id) {
  apply({ type: 'local.discard', id });
  keep();
}

/** What is not known to have arrived outlives a reload. */
function keep() {
  const open = Object.values(state.value.outbox).filter((entry) => entry.state !== 'sent');
  const entries = open.map(({ id, number, mode, text, at, seen }) => ({ id, number, mode, text, at, seen, by: me.value?.agent.id }));
  sessionStorage.setItem(KEPT, JSON.stringify(entries));
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? '[]').filter((entry) => entry.by === me.value.agent.id);
  } catch {
    return [];
  }
}

// --- passing signals ------------------------------------------------------------------------------------------------

export const view = (number) => live?.send({ type: 'viewing', number });
export const type = (number, on, mode) => live?.send({ type: 'typing', number, on, mode });

// --- drafts ---------------------------------------------------------------------------------------------------------

const DRAFT = /^parley\.draft\.(\d+)\./;
const draftOf = (number, mode) => `parley.draft.${number}.${mode}`;

export const draft = (number, mode) => localStorage.getItem(draftOf(number, mode)) ?? '';

/** The tickets for which something is begun. */
export const drafted = signal(readDrafts());

function readDrafts() {
  return new Set(Object.keys(localStorage).map((key) => DRAFT.exec(key)?.[1]).filter(Boolean).map(Number));
}

export function keepDraft(number, mode, text) {
  if (text) localStorage.setItem(draftOf(number, mode), text);
  else localStorage.removeItem(draftOf(number, mode));
  if (drafted.value.has(number) !== Boolean(text)) drafted.value = readDrafts();
}
