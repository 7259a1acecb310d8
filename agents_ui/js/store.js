// All that the console knows, as one value; `apply(state, frame)` makes the next one and changes nothing else.
// Frames are those of docs/protocol.md and a few of our own, whose type begins with "local.". Called by desk.js.

/**
 * @typedef {object} Thread  What was said in one ticket, as far as it was fetched.
 * @property {object[]} messages @property {object[]} notes @property {Record<number, object>} deliveries
 * @property {string|null} older @property {boolean} loaded @property {string} [failed]
 */

export const TYPING_LASTS = 6_000;

export function empty() {
  return {
    cursor: null, ready: false, me: null, agents: {}, teams: {}, inboxes: {}, tags: {},
    tickets: {}, reads: {}, counts: {}, touched: {}, threads: {}, outbox: {}, typing: {}, viewers: {}, connection: 'connecting', since: 0, waiting: 0,
  };
}

export function apply(state, frame) {
  const reduce = FRAMES[frame.type];
  return reduce ? reduce(state, frame) : state;
}

const FRAMES = {
  welcome: (state, { me }) => ({ ...state, me: me ?? state.me }),
  snapshot: (state, { cursor, state: now }) => ({
    ...state, ready: true, cursor, threads: {}, touched: {}, viewers: {}, typing: {},
    tickets: by(now.tickets, 'number'), agents: by(now.agents), teams: by(now.teams),
    inboxes: by(now.inboxes), tags: by(now.tags), reads: now.reads ?? {}, counts: now.counts ?? {},
  }),
  live: moved,
  cursor: moved,
  event: (state, frame) => (frame.id <= state.cursor ? state : moved(happened(state, frame), { cursor: frame.id })),
  own: (state, frame) => OWN[frame.what]?.(state, frame) ?? state,
  typing: (state, { number, by: who, on, mode, heard = 0 }) => {
    const rest = without(state.typing[number] ?? {}, who.kind + who.id);
    const now = on ? { ...rest, [who.kind + who.id]: { ...who, mode, until: heard + TYPING_LASTS } } : rest;
    return { ...state, typing: { ...state.typing, [number]: now } };
  },
  viewers: (state, { number, agents }) => ({ ...state, viewers: { ...state.viewers, [number]: agents } }),

  'local.me': (state, { me }) => ({ ...state, me }),
  'local.connection': (state, { connection, at = 0 }) =>
    connection === state.connection ? state : { ...state, connection, since: at },
  'local.page': (state, { items, since }) => ({ ...state, tickets: { ...state.tickets, ...newer(state, items, since) } }),
  'local.loading': (state, { number }) => inThread(state, number, (thread) => without(thread, 'failed')),
  'local.failed': (state, { number, text }) => inThread(state, number, (thread) => ({ ...thread, failed: text })),
  'local.forget': (state, { number }) => ({ ...state, threads: without(state.threads, number) }),
  'local.thread': (state, { number, thread, since, more }) => {
    const next = inThread(state, number, (had) => joined(had, thread, more));
    return { ...next, tickets: { ...next.tickets, ...newer(state, [thread.ticket], since) } };
  },
  'local.availability': (state, { availability }) => ({
    ...state, me: { ...state.me, agent: { ...state.me.agent, availability } },
  }),

  'local.sending': (state, { entry }) => outbox(state, { ...entry, state: 'sending', problem: null }),
  'local.sent': (state, { id, answer }) =>
    state.outbox[id] ? outbox(state, { ...state.outbox[id], state: 'sent', said: answer.message_id ?? answer.note_id }) : state,
  'local.unsent': (state, { id, problem }) =>
    state.outbox[id] ? outbox(state, { ...state.outbox[id], state: problem.kind === 'stale' ? 'stale' : 'failed', problem }) : state,
  'local.discard': (state, { id }) => ({ ...state, outbox: without(state.outbox, id) }),
};

// What the agent did in another window, and what of it a client that was away may have missed ("all").
const OWN = {
  all: (state, { reads }) => ({ ...state, reads }),
  read: (state, { number, message_id: id }) => ({ ...state, reads: { ...state.reads, [number]: id } }),
  preferences: (state, { preferences }) => (state.me ? { ...state, me: { ...state.me, preferences } } : state),
};

// --- events ---------------------------------------------------------------------------------------------------------

function happened(state, frame) {
  const { name, ticket } = frame;
  const number = frame.number ?? ticket?.number;
  if (name === 'ticket.left') {
    return { ...state, tickets: without(state.tickets, number), threads: without(state.threads, number) };
  }
  let next = house(state, frame);
  if (ticket) {
    next = { ...next, tickets: { ...next.tickets, [number]: ticket }, touched: { ...next.touched, [number]: frame.id } };
    if (name === 'ticket.entered') next = { ...next, threads: without(next.threads, number) };
  }
  if (number != null && next.threads[number]) next = inThread(next, number, (thread) => said(thread, frame));
  if (number != null && frame.by) next = spoke(next, number, frame);
  return next;
}

function house(state, frame) {
  let next = state;
  for (const [field, table] of [['agent', 'agents'], ['team', 'teams'], ['inbox', 'inboxes'], ['tag', 'tags']]) {
    if (frame[field]?.id) next = { ...next, [table]: { ...next[table], [frame[field].id]: frame[field] } };
  }
  if (frame.contact) next = renamed(next, frame.contact);
  const agent = frame.agent;
  if (agent && next.me && agent.id === next.me.agent.id) {
    next = { ...next, me: { ...next.me, agent: { ...next.me.agent, availability: agent.availability, name: agent.name } } };
  }
  return next;
}

function renamed(state, { id, name }) {
  const theirs = Object.values(state.tickets).filter((ticket) => ticket.contact_id === id && ticket.contact_name !== name);
  if (!theirs.length) return state;
  return { ...state, tickets: { ...state.tickets, ...by(theirs.map((ticket) => ({ ...ticket, contact_name: name })), 'number') } };
}

function said(thread, frame) {
  let next = thread;
  if (frame.message) next = { ...next, messages: merged(next.messages, [frame.message]) };
  if (frame.note) next = { ...next, notes: merged(next.notes, [frame.note]) };
  const parts = [...(frame.deliveries ?? []), ...(frame.delivery ? [frame.delivery] : [])];
  if (parts.length) next = { ...next, deliveries: { ...next.deliveries, ...by(parts) } };
  return next;
}

/** Who has said something is not typing it any longer; and what we were sending may have come out at the other end. */
function spoke(state, number, { name, by: who, message, note }) {
  if (!name.startsWith('message.') && !name.startsWith('note.')) return state;
  let next = state;
  if (next.typing[number]?.[who.kind + who.id]) {
    next = { ...next, typing: { ...next.typing, [number]: without(next.typing[number], who.kind + who.id) } };
  }
  const mine = who.kind === 'agent' && who.id === state.me?.agent.id && (message ?? note);
  if (!mine || !/\.(sent|written)$/.test(name)) return next;
  const mode = message ? 'reply' : 'note';
  const entry = Object.values(state.outbox).find((one) =>
    one.number === number && one.mode === mode && !one.said && one.state === 'sending' && one.text.trim() === mine.text.trim());
  return entry ? outbox(next, { ...entry, said: mine.id }) : next;
}

// --- what is shown --------------------------------------------------------------------------------------------------

export const VIEWS = ['mine', 'unassigned', 'open', 'all'];

export function inView(state, view, ticket) {
  if (ticket.spam) return false;
  if (view === 'all') return true;
  if (ticket.status === 'resolved' || ticket.status === 'snoozed') return false;
  if (view === 'mine') return ticket.assignee_id === state.me?.agent.id;
  return view === 'open' || ticket.assignee_id == null;
}

/** The tickets of a view, newest words first. */
export function listed(state, view) {
  const found = Object.values(state.tickets).filter((ticket) => inView(state, view, ticket));
  return found.sort((a, b) => b.last_message_at - a.last_message_at || b.number - a.number);
}

const URGENCY = { urgent: 0, high: 1, normal: 2, low: 3 };

/** Who waits for an agent and has none: what is offered to me first, then the most urgent, then the longest waiting. */
export function queue(state) {
  const me = state.me?.agent.id;
  const waits = (t) => t.assignee_id == null && t.waiting_since != null && t.status === 'open' && t.handler === 'agent' && !t.spam;
  return Object.values(state.tickets).filter(waits).sort((a, b) =>
    (b.offered_to === me) - (a.offered_to === me) || URGENCY[a.priority] - URGENCY[b.priority] ||
    a.waiting_since - b.waiting_since || a.number - b.number);
}

/** Messages and notes of a thread, and what is on its way, in the order of saying. */
export function timeline(state, number) {
  const thread = state.threads[number];
  if (!thread) return [];
  const items = [
    ...thread.messages.map((message) => ({ key: `m${message.id}`, kind: 'message', at: message.created_at, message })),
    ...thread.notes.map((note) => ({ key: `n${note.id}`, kind: 'note', at: note.created_at, note })),
  ].sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  const there = new Set(items.map((item) => item.key));
  const going = Object.values(state.outbox)
    .filter((entry) => entry.number === number && !there.has(`${entry.mode === 'note' ? 'n' : 'm'}${entry.said}`));
  return [...items, ...going.map((entry) => ({ key: entry.id, kind: 'going', at: entry.at, entry }))];
}

/** The newest message that is on the screen: what a reply says it was written to. */
export const seen = (state, number) => Math.max(0, ...(state.threads[number]?.messages ?? []).map((message) => message.id));

export function typing(state, number, now) {
  return Object.values(state.typing[number] ?? {}).filter((who) => who.until > now);
}

/** Where the deliveries of a message stand, as one word: the worst of them. */
export function delivered(thread, messageId) {
  const states = Object.values(thread.deliveries).filter((one) => one.message_id === messageId).map((one) => one.state);
  return ['failed', 'unknown', 'held', 'cancelled', 'queued', 'sending', 'sent', 'delivered', 'read'].find((s) => states.includes(s)) ?? null;
}

// --- pieces ---------------------------------------------------------------------------------------------------------

function moved(state, { cursor }) {
  return cursor > (state.cursor ?? -1) ? { ...state, cursor } : state;
}

function by(rows, key = 'id') {
  return Object.fromEntries((rows ?? []).map((row) => [row[key], row]));
}

function without(table, key) {
  const { [key]: _gone, ...rest } = table;
  return rest;
}

/** Rows read when the cursor stood at `since`: one that an event has brought later is newer. */
function newer(state, rows, since) {
  return by(rows.filter((row) => !(state.touched[row.number] > since)), 'number');
}

function inThread(state, number, change) {
  const had = state.threads[number] ?? { messages: [], notes: [], deliveries: {}, older: null, loaded: false };
  return { ...state, threads: { ...state.threads, [number]: change(had) } };
}

function joined(had, read, more) {
  const deliveries = { ...had.deliveries };
  for (const one of read.deliveries) {
    if (!(deliveries[one.id]?.changed_at > one.changed_at)) deliveries[one.id] = one;
  }
  return {
    messages: merged(had.messages, read.messages), notes: merged(had.notes, read.notes), deliveries,
    older: had.loaded && !more ? had.older : read.older, loaded: true,
  };
}

/** By id, oldest first; of two versions the one that was edited or deleted later. */
function merged(had, more) {
  const all = by(had);
  for (const one of more) {
    const version = (row) => Math.max(row?.edited_at ?? 0, row?.deleted_at ?? 0);
    if (!all[one.id] || version(one) >= version(all[one.id])) all[one.id] = one;
  }
  return Object.values(all).sort((a, b) => a.id - b.id);
}

function outbox(state, entry) {
  return { ...state, outbox: { ...state.outbox, [entry.id]: entry } };
}
