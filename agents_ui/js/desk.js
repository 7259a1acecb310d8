// The console's one store and everything that can be done from it: components read `state` and call these. Wired by shell.js.

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
export const teams = computed(() => state.value.teams);
export const inboxes = computed(() => state.value.inboxes);
export const colourOf = (name) => store.colourOf(state.value.tags, name);
export const ready = computed(() => state.value.ready);
export const connection = computed(() => ({ state: state.value.connection, since: state.value.since }));
export const counts = signal(null); // by view; a number, or null where nobody has counted yet
export const toasts = signal([]);
export const busy = signal(false); // a page of the list is being fetched
export const pages = signal({}); // by the list's key: {next, until}, how far it has been fetched; next null: all of it

/** This window, for what the desk tells one's other windows. */
export const WINDOW = api.clientId();

let live = null;

const hearers = new Set();

/** Every frame that comes in, and those of our own, once the state has it: for screens that know more than the state does. */
export function hear(hearer) {
  hearers.add(hearer);
  return () => hearers.delete(hearer);
}

export function apply(frame) {
  if (frame.type === 'typing') frame = { ...frame, heard: Date.now() };
  if (frame.type === 'own' && frame.window === WINDOW) return;
  state.value = store.apply(state.value, frame);
  if (frame.type === 'own' && frame.what === 'draft') elsewhere(frame);
  if (frame.type === 'own' && frame.what === 'all') fetchDrafts();
  if (frame.type === 'snapshot') {
    pages.value = {};
    look();
    fetchDrafts();
  }
  if (frame.type === 'event' && store.FORGETS.has(frame.name)) queueMicrotask(look);
  if (frame.type === 'snapshot' || frame.type === 'event') countSoon(frame);
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
  for (const entry of outbox()) send(entry);
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
  if (!offered) tell(_('There is a new version of this page.'), { label: _('Reload the page'), run: () => location.reload(), stays: true });
  offered = true;
}

function signIn() {
  live.stop();
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// --- news -----------------------------------------------------------------------------------------------------------

const TOLD_FOR = 8_000;

/** @param {{label: string, run: () => void, undoes?: boolean, stays?: boolean, lasts?: number}} [action] */
export function tell(text, action = null) {
  const toast = { key: api.clientId(), text, action };
  toasts.value = [...toasts.value, toast].slice(-3);
  if (!action?.stays) setTimeout(() => dismiss(toast.key), action?.lasts ?? TOLD_FOR);
}

/** Says what was done, and how to take it back: by the button or by `undo`. */
export const did = (text, run, lasts = TOLD_FOR) => tell(text, run && { label: _('Undo'), run, undoes: true, lasts });

export const dismiss = (key) => { toasts.value = toasts.value.filter((toast) => toast.key !== key); };

export function undo() {
  const last = toasts.value.findLast((toast) => toast.action?.undoes);
  if (!last) return;
  dismiss(last.key);
  last.action.run();
}

export const may = (permission) => state.value.me?.permissions.includes(permission) ?? false;

export function agentName(kind, id) {
  if (kind === 'bot') return _('Bot');
  if (kind === 'system') return _('Parley');
  return agents.value[id]?.name ?? (id === me.value?.agent.id ? me.value.agent.name : _('A colleague'));
}

/** A change; what the desk refuses is told as it says it. → the answer, or null. */
export async function ask(method, path, body, { quiet = false } = {}) {
  try {
    return (await api[method](`/api/v1${path}`, body)) ?? true;
  } catch (problem) {
    if (problem.kind === 'unauthenticated') signIn();
    else if (!quiet) tell(problem.message);
    return null;
  }
}

// --- reading --------------------------------------------------------------------------------------------------------

/** What the present screen needs and is not there yet. */
export function look() {
  const { number } = route.value;
  if (state.value.ready && number && !state.value.threads[number]?.loaded) thread(number);
}

const asked = new Map(); // threads that are being fetched

export function thread(number, older = null) {
  const key = `${number} ${older}`;
  if (!asked.has(key)) asked.set(key, fetchThread(number, older).finally(() => asked.delete(key)));
  return asked.get(key);
}

async function fetchThread(number, older) {
  apply({ type: 'local.loading', number });
  const since = state.value.cursor;
  try {
    const read = await api.get(`/api/v1/tickets/${number}`, { limit: 50, cursor: older });
    apply({ type: 'local.thread', number, thread: read, since, more: older !== null });
    if (!older) events(number);
  } catch (problem) {
    if (problem.kind === 'unauthenticated') signIn();
    else apply({ type: 'local.failed', number, text: problem.message });
  }
}

/** What happened to it besides what was said: assignments and the like. */
async function events(number, cursor = null) {
  const page = await api.get(`/api/v1/tickets/${number}/events`, { limit: 100, cursor }).catch(() => null);
  if (page) apply({ type: 'local.events', number, items: page.items, older: page.next });
}

/** The threads that will be wanted next. */
export function foresee(numbers) {
  for (const number of numbers) if (state.value.ready && !state.value.threads[number]) thread(number);
}

/** The next page of a list; its first, where the snapshot does not have all of it. */
export async function page(want) {
  const had = pages.value[want.key];
  if (busy.value || had?.next === null) return;
  busy.value = true;
  const since = state.value.cursor;
  const query = { view: want.view, sort: want.sort, limit: 100, cursor: had?.next ?? null };
  for (const [field, values] of Object.entries(want.filter)) query[field] = values;
  try {
    const { items, next } = await api.get('/api/v1/tickets', query);
    apply({ type: 'local.page', items, since, view: want.view });
    pages.value = { ...pages.value, [want.key]: { next, until: next ? items.at(-1) : null } };
  } catch (problem) {
    if (problem.kind === 'unauthenticated') signIn();
    else pages.value = { ...pages.value, [want.key]: { ...had, next: had?.next ?? null, failed: problem.message } };
  } finally {
    busy.value = false;
  }
}

const CLOSED = new Set(['all', 'resolved', 'spam', 'mentions', 'following']);

/** Whether a list shows only what the snapshot has: what is neither resolved nor spam. */
export const isOpen = ({ view, filter }) => !CLOSED.has(view) && !filter.status?.includes('resolved');

/** Whether all tickets of a list are here already. */
export const complete = (want) => isOpen(want) && !state.value.more;

let counting = 0, elsewhereToo = false;
const FAR = new Set(['agent.mentioned', 'ticket.marked_spam']); // what changes counts that cannot be told from here

/** Counts again when it is quiet: here, where all that is open is here; else the desk does. */
function countSoon({ name = '' }) {
  elsewhereToo ||= FAR.has(name) || state.value.more;
  if (counting) return;
  counting = setTimeout(async () => {
    const far = elsewhereToo;
    counting = 0;
    elsewhereToo = false;
    if (far) apply({ type: 'local.counts', counts: (await api.get('/api/v1/counts').catch(() => null)) ?? state.value.counts });
    counts.value = { ...state.value.counts, ...(state.value.more ? {} : store.tally(state.value)) };
  }, counts.value === null ? 0 : state.value.more ? 5_000 : 400);
}

// --- doing ----------------------------------------------------------------------------------------------------------

/** One verb on one ticket. It is shown at once as `patch` has it, and as it was again if the desk refuses. */
export async function change(number, verb, body = {}, patch = {}, method = 'post') {
  const before = state.value.tickets[number];
  const after = { ...before, ...patch };
  if (before) apply({ type: 'local.tickets', tickets: [after] });
  const answer = await ask(method, ['/tickets', number, verb].filter(Boolean).join('/'), body);
  if (!answer && before && state.value.tickets[number] === after) apply({ type: 'local.tickets', tickets: [before] });
  if (answer?.number === number && answer.status) apply({ type: 'local.page', items: [answer], since: state.value.cursor });
  return answer;
}

const own = () => state.value.me.agent.id;
const named = (number) => `#${number}`;

export const claim = (number) => change(number, 'claim', {}, { assignee_id: own(), offered_to: null });
export const reopen = (number) => change(number, 'reopen', {}, { status: 'open', snoozed_until: null });

export async function resolve(number) {
  const done = await change(number, 'resolve', {}, { status: 'resolved' });
  if (done) did(_('{0} is resolved.', named(number)), () => reopen(number));
  return done;
}

export async function assign(number, agentId) {
  const was = state.value.tickets[number]?.assignee_id ?? null;
  if (was === agentId) return null;
  const done = await change(number, 'assign', { agent_id: agentId }, { assignee_id: agentId, offered_to: null });
  const text = agentId === null ? _('{0} is nobody’s now.', named(number)) : _('{0} is with {1} now.', named(number), agentName('agent', agentId));
  if (done) did(text, () => change(number, 'assign', { agent_id: was }, { assignee_id: was }));
  return done;
}

export function accept(ticket) {
  return change(ticket.number, ticket.offered_to === own() ? 'accept' : 'claim', {}, { assignee_id: own(), offered_to: null });
}

export const decline = (number) => change(number, 'decline', {}, { offered_to: null });

export async function setAvailability(availability) {
  if (await ask('put', '/me/availability', { availability })) apply({ type: 'local.availability', availability });
}

// --- what one has read ----------------------------------------------------------------------------------------------

/** The open ticket has been on the screen down to its newest words. */
export function markRead(number) {
  const ticket = state.value.tickets[number];
  if (!ticket || !store.unread(state.value, ticket)) return;
  const read = { number, message_id: ticket.last_incoming_id };
  apply({ type: 'local.read', ...read });
  ask('post', `/tickets/${number}/read`, { message_id: read.message_id, window: WINDOW }, { quiet: true });
}

export async function markUnread(number) {
  const answer = await ask('post', `/tickets/${number}/unread`, { window: WINDOW });
  if (answer) apply({ type: 'local.read', ...answer });
  return answer;
}

// --- preferences ----------------------------------------------------------------------------------------------------

/** How this agent wants the console to be, on every device; a field that is missing is as docs/api.md has it. */
export const preferences = computed(() => me.value?.preferences ?? {});

const preferring = (wanted) => apply({ type: 'local.me', me: { ...me.value, preferences: wanted } });

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
export function say(number, mode, text, more = {}) {
  return send({ id: api.clientId(), number, mode, text, at: Date.now(), seen: store.seen(state.value, number), hold: preferences.value.undo_seconds ?? 5, draft: state.value.drafts[`${number} ${mode}`]?.saved_at ?? 0, ...more });
}

/** What one has said last and can still call back: {id, number, text, until}; see arrival.js. */
export const held = signal(null);

const HELD = [0, 5, 10, 20];

/** → whether it has been said, or will be */
export async function send(entry, anyway = false) {
  apply({ type: 'local.sending', entry });
  keep();
  const path = `/api/v1/tickets/${entry.number}/${entry.mode}`;
  const body = { text: entry.text, ...(entry.mode === 'reply' ? { seen: entry.seen, anyway, ...time(entry), ...whom(entry) } : entry.mentions?.length && { mentions: entry.mentions }) };
  if (entry.draft != null) body.draft = entry.draft; // of another that was written elsewhere since, nothing is taken away
  if (entry.files?.length) body.files = entry.files.map(({ id }) => id);
  let done = false;
  for (let tries = 0; ; tries++) {
    try {
      const answer = await api.post(path, body, { id: entry.id });
      apply({ type: 'local.sent', id: entry.id, answer });
      if (answer.send_at && !entry.send_at) import('./arrival.js').then(({ offer }) => offer(entry, answer));
      done = true;
      break;
    } catch (problem) {
      if (problem.passing && tries < RETRIES.length) {
        await new Promise((next) => { setTimeout(next, RETRIES[tries]); });
        continue;
      }
      apply({ type: 'local.unsent', id: entry.id, problem });
      if (problem.kind === 'unauthenticated') signIn();
      break;
    }
  }
  keep();
  return done;
}

/** Who gets a letter besides the customer. */
const whom = ({ to, cc, bcc }) => ({ ...(to && { to }), ...(cc && { cc }), ...(bcc && { bcc }) });

/** When it is said: at a time of one's own, or once it can no longer be called back, where the channel has such. */
const time = (entry) => (entry.send_at ? { send_at: entry.send_at } : { hold: HELD.includes(entry.hold) ? entry.hold : 0 });

export function discard(id) {
  apply({ type: 'local.discard', id });
  keep();
}

/** What is not known to have arrived outlives a reload. */
function keep() {
  const open = Object.values(state.value.outbox).filter((entry) => entry.state !== 'sent');
  const entries = open.map(({ problem: _problem, state: _state, ...entry }) => ({ ...entry, by: me.value?.agent.id }));
  sessionStorage.setItem(KEPT, JSON.stringify(entries));
}

function outbox() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? '[]').filter((entry) => entry.by === me.value.agent.id);
  } catch {
    return [];
  }
}

// --- passing signals ------------------------------------------------------------------------------------------------

export const view = (number) => live?.send({ type: 'viewing', number });
export const type = (number, on, mode) => live?.send({ type: 'typing', number, on, mode });
export const signalDesk = (frame) => live?.send(frame);

// --- drafts ---------------------------------------------------------------------------------------------------------
// In this browser at once, at the desk 800 ms after the last key: begun here, gone on with elsewhere.

const DRAFT = /^parley\.draft\.(\d+)\.(\w+)$/;
const SAVED_AFTER = 800;
const draftOf = (number, mode) => `parley.draft.${number}.${mode}`;
const TRY_AGAIN = 10_000;
const unsavedOf = (number, mode) => `parley.unsaved.${number}.${mode}`; // there as long as the desk has something older
const saving = new Map(); // by ticket and mode: when it is saved

const here = signal(readDrafts());

/** The tickets for which something is begun, here or on another device. */
export const drafted = computed(() => new Set([...here.value, ...Object.values(state.value.drafts).map(({ number }) => number)]));

/** Grows when a draft has come from another device. */
export const redrafted = signal(0);

export const draft = (number, mode) => localStorage.getItem(draftOf(number, mode)) ?? state.value.drafts[`${number} ${mode}`]?.text ?? '';

function readDrafts() {
  return new Set(Object.keys(localStorage).map((key) => DRAFT.exec(key)?.[1]).filter(Boolean).map(Number));
}

export function keepDraft(number, mode, text) {
  const key = draftOf(number, mode);
  if (text) localStorage.setItem(key, text);
  else localStorage.removeItem(key);
  if (here.value.has(number) !== Boolean(text)) here.value = readDrafts();
  localStorage.setItem(unsavedOf(number, mode), '1');
  saveSoon(number, mode, text ? SAVED_AFTER : 0);
}

function saveSoon(number, mode, after) {
  const key = draftOf(number, mode);
  clearTimeout(saving.get(key));
  saving.set(key, setTimeout(() => saveDraft(number, mode), after));
}

async function saveDraft(number, mode) {
  const text = localStorage.getItem(draftOf(number, mode)) ?? '', base = state.value.drafts[`${number} ${mode}`]?.saved_at ?? 0;
  const saved = () => {
    if ((localStorage.getItem(draftOf(number, mode)) ?? '') === text) localStorage.removeItem(unsavedOf(number, mode));
  };
  if (!text && !base) return saved();
  try {
    const answer = await api.put(`/api/v1/tickets/${number}/draft`, { mode, text, base, window: WINDOW });
    apply({ type: 'local.draft', number, mode, text, saved_at: answer.saved_at });
    saved();
  } catch (problem) {
    if (problem.passing) saveSoon(number, mode, TRY_AGAIN);
    else saved();
    if (problem.kind === 'stale') differs(number, mode, problem.body);
  }
  return null;
}

/** Another device has gone on with it meanwhile: what is written here stays, the other can be had instead. */
function differs(number, mode, { text = '', saved_at: savedAt }) {
  apply({ type: 'local.draft', number, mode, text, saved_at: savedAt });
  tell(_('This draft was changed on another device.'), { label: _('Use that one'), stays: true, run: () => take(number, mode, text) });
}

function take(number, mode, text) {
  if (text) localStorage.setItem(draftOf(number, mode), text);
  else localStorage.removeItem(draftOf(number, mode));
  here.value = readDrafts();
  redrafted.value += 1;
}

/** Written in another window or on another device; what is being written here is not touched. */
function elsewhere({ number, mode, text = '' }) {
  // A reply takes the draft away that it was; what has been begun here meanwhile is another.
  const said = Object.values(state.value.outbox).some((entry) => entry.number === number && entry.mode === mode);
  if (!text && said) keepDraft(number, mode, localStorage.getItem(draftOf(number, mode)) ?? '');
  else if (!localStorage.getItem(unsavedOf(number, mode))) queueMicrotask(() => take(number, mode, text));
}

async function fetchDrafts() {
  for (const key of Object.keys(localStorage)) {
    const [, number, mode] = /^parley\.unsaved\.(\d+)\.(\w+)$/.exec(key) ?? [];
    if (number) saveSoon(Number(number), mode, SAVED_AFTER);
  }
  if (!Object.values(state.value.drafts).some((one) => one.text === undefined)) return;
  const found = await api.get('/api/v1/me/drafts').catch(() => null);
  for (const one of found?.items ?? []) {
    apply({ type: 'local.draft', ...one });
    elsewhere(one);
  }
}
