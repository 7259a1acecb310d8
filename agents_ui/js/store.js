// All that the console knows, as one value; `apply(state, frame)` makes the next one and changes nothing else.
// Frames are those of docs/protocol.md and a few of our own, whose type begins with "local.". Called by desk.js.

/**
 * @typedef {object} Thread  What was said in one ticket, as far as it was fetched.
 * @property {object[]} messages @property {object[]} notes @property {Record<number, object>} deliveries
 * @property {string|null} older @property {boolean} loaded @property {string} [failed]
 */

export const TYPING_LASTS = 6_000;
const LOGGED = 200; // so many changes of tickets are remembered one by one

export function empty() {
  return {
    cursor: null, ready: false, me: null, agents: {}, teams: {}, inboxes: {}, tags: {},
    tickets: {}, more: false, last: null, touched: {}, threads: {}, outbox: {}, typing: {}, viewers: {}, connection: 'connecting', since: 0,
    reads: {}, drafts: {}, counts: null, canned: {}, views: {}, found: {},
    rev: 0, log: [], // which tickets changed: `log` has the numbers of the latest changes, `rev` counts them all
  };
}

export function apply(state, frame) {
  const reduce = FRAMES[frame.type];
  return reduce ? reduce(state, frame) : state;
}

const FRAMES = {
  welcome: (state, { me }) => ({ ...state, me: me ?? state.me }),
  snapshot: (state, { cursor, state: now }) => ({
    ...state, ready: true, cursor, threads: {}, touched: {}, viewers: {}, typing: {}, found: {},
    tickets: by(now.tickets, 'number'), more: now.more ?? false, last: now.more ? now.tickets.at(-1) : null, agents: by(now.agents), teams: by(now.teams),
    inboxes: by(now.inboxes), tags: by(now.tags), rev: state.rev + LOGGED + 1, log: [], ...own(state, now),
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

  'local.page': (state, { items, since, view }) => ({
    ...put(state, newer(state, items, since)),
    found: view ? { ...state.found, [view]: { ...state.found[view], ...by(items.map(({ number }) => ({ number })), 'number') } } : state.found,
  }),
  'local.tickets': (state, { tickets }) => put(state, by(tickets, 'number')),
  'local.loading': (state, { number }) => inThread(state, number, (thread) => without(thread, 'failed')),
  'local.failed': (state, { number, text }) => inThread(state, number, (thread) => ({ ...thread, failed: text })),
  'local.forget': (state, { number }) => ({ ...state, threads: without(state.threads, number) }),
  'local.thread': (state, { number, thread, since, more }) => {
    const next = inThread(state, number, (had) => joined(had, thread, more));
    return put(next, newer(state, [thread.ticket], since));
  },
  'local.events': (state, { number, items, older }) => inThread(state, number, (thread) => ({
    ...thread, events: merged(thread.events ?? [], items), eventsOlder: older,
  })),
  'local.counts': (state, { counts }) => ({ ...state, counts }),
  'local.read': (state, { number, message_id: id }) => read(state, number, id),
  'local.draft': (state, frame) => OWN.draft(state, frame),
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

const RENUMBERS = new Set(['ticket.merged', 'ticket.joined', 'ticket.unmerged', 'ticket.parted', 'ticket.split']);
export const FORGETS = new Set([...RENUMBERS, 'ticket.entered', 'ticket.left', 'ticket.gathered']); // the thread is not held any longer

// --- events ---------------------------------------------------------------------------------------------------------

function happened(state, frame) {
  const { name, ticket } = frame;
  const number = frame.number ?? ticket?.number;
  if (name === 'ticket.left') {
    return { ...logged(state, [number]), tickets: without(state.tickets, number), threads: without(state.threads, number) };
  }
  let next = gone(house(retagged(state, frame), frame), frame);
  if (ticket) {
    next = { ...put(next, { [number]: ticket }), touched: { ...next.touched, [number]: frame.id } };
    if (name === 'ticket.entered') next = { ...next, threads: without(next.threads, number) };
  }
  if (name === 'agent.mentioned' && frame.agent_id === state.me?.agent.id) {
    next = logged({ ...next, found: { ...next.found, mentions: { ...next.found.mentions, [number]: { number } } } }, [number]);
  }
  if (RENUMBERS.has(name)) next = { ...next, threads: without(next.threads, number) }; // its words are in another ticket now, or others' in it
  if (name === 'ticket.gathered') {
    next = frame.left ? inThread(next, number, (thread) => ({ ...thread, moving: frame.left })) : { ...next, threads: without(next.threads, number) };
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
  for (const [field, table] of [['canned', 'canned'], ['view', 'views']]) {
    if (!frame.name.startsWith(`${field}.`)) continue;
    const id = frame[field]?.id ?? frame[`${field}_id`];
    const gone = frame.name.endsWith('.deleted') || !frame[field];
    next = { ...next, [table]: gone ? without(next[table], id) : { ...next[table], [id]: frame[field] } };
  }
  if (frame.contact) next = renamed(next, frame.contact);
  const agent = frame.agent;
  if (agent && next.me && agent.id === next.me.agent.id) {
    next = { ...next, me: { ...next.me, agent: { ...next.me.agent, availability: agent.availability, name: agent.name } } };
  }
  return next;
}

/** A tag that is called otherwise, or has become another or none, on every ticket that bears it. */
function retagged(state, { name, tag_id: id, into, tag }) {
  const was = state.tags[id]?.name, now = name === 'tag.changed' ? tag?.name : state.tags[into]?.name;
  if (!was || !RETAGS.has(name) || was === now || (name === 'tag.changed' && !now)) return state;
  const theirs = Object.values(state.tickets).filter((ticket) => ticket.tags.includes(was));
  const others = (tags) => tags.filter((one) => one !== was && one !== now);
  return put(state, by(theirs.map((ticket) => ({ ...ticket, tags: [...others(ticket.tags), ...(now ? [now] : [])].sort(folded) })), 'number'));
}

const RETAGS = new Set(['tag.changed', 'tag.merged', 'tag.deleted']);
const fold = (text) => text.normalize('NFKC').toLowerCase();
const folded = (a, b) => (fold(a) < fold(b) ? -1 : 1);

function gone(state, { name, tag_id: tag, team_id: team }) {
  if (name === 'tag.merged' || name === 'tag.deleted') return { ...state, tags: without(state.tags, tag) };
  return name === 'team.deleted' ? { ...state, teams: without(state.teams, team) } : state;
}

/** The colour of the tag of this name. */
export function colourOf(tags, name) {
  if (!colours.has(tags)) colours.set(tags, Object.fromEntries(Object.values(tags).map((tag) => [tag.name, tag.colour])));
  return colours.get(tags)[name] ?? 'grey';
}

const colours = new WeakMap();

function renamed(state, { id, name }) {
  const theirs = Object.values(state.tickets).filter((ticket) => ticket.contact_id === id && ticket.contact_name !== name);
  if (!theirs.length) return state;
  return put(state, by(theirs.map((ticket) => ({ ...ticket, contact_name: name })), 'number'));
}

/** What happened, as the thread tells it: the same as `GET …/events` gives, made of the frame. */
function told({ id, name, at, by: who, number: _n, type: _t, ticket: _k, message: _m, note: _o, ...payload }) {
  return { id, name, at, by_kind: who?.kind, by_id: who?.id, payload };
}

const FOLLOWING = new Set(['ticket.followed', 'ticket.unfollowed']);

function said(thread, frame) {
  let next = thread;
  if (frame.message) next = { ...next, messages: merged(next.messages, [frame.message]) };
  if (frame.note) next = { ...next, notes: merged(next.notes, [frame.note]) };
  if (FOLLOWING.has(frame.name)) {
    const others = (next.followers ?? []).filter((id) => id !== frame.agent_id);
    next = { ...next, followers: frame.name === 'ticket.followed' ? [...others, frame.agent_id].sort((a, b) => a - b) : others };
  }
  const parts = [...(frame.deliveries ?? []), ...(frame.delivery ? [frame.delivery] : [])];
  if (parts.length) next = { ...next, deliveries: { ...next.deliveries, ...by(parts) } };
  if (next.events && frame.name.startsWith('ticket.')) next = { ...next, events: merged(next.events, [told(frame)]) };
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
  if (!mine || !/\.(sent|planned|written)$/.test(name)) return next;
  const mode = message ? 'reply' : 'note';
  const entry = Object.values(state.outbox).find((one) =>
    one.number === number && one.mode === mode && !one.said && one.state === 'sending' && one.text.trim() === mine.text.trim());
  return entry ? outbox(next, { ...entry, said: mine.id }) : next;
}

// --- one's own --------------------------------------------------------------------------------------------------------

/** What an agent holds besides: what they have read and begun to write, their texts and views. */
function own(state, now) {
  return {
    reads: now.reads ?? {}, drafts: Object.fromEntries((now.drafts ?? []).map((one) => [`${one.number} ${one.mode}`, one])),
    counts: now.counts ?? null, canned: by(now.canned), views: by(now.views),
  };
}

const OWN = {
  all: (state, frame) => logged({ ...state, ...own(state, { counts: state.counts, canned: Object.values(state.canned), views: Object.values(state.views), ...frame }) },
    Object.keys(state.tickets).slice(0, LOGGED + 1).map(Number)),
  read: (state, { number, message_id: id }) => read(state, number, id),
  draft: (state, { number, mode, saved_at, text }) => ({
    ...state, drafts: text ? { ...state.drafts, [`${number} ${mode}`]: { number, mode, saved_at, text } } : without(state.drafts, `${number} ${mode}`),
  }),
  preferences: (state, { preferences }) => (state.me ? { ...state, me: { ...state.me, preferences } } : state),
};

const read = (state, number, id) => logged({ ...state, reads: { ...state.reads, [number]: id } }, [number]);

/** Whether the contact has written since one read it. */
export const unread = (state, ticket) => (ticket.last_incoming_id ?? 0) > (state.reads[ticket.number] ?? 0);

// --- what is shown --------------------------------------------------------------------------------------------------

export const VIEWS = ['mine', 'unassigned', 'open', 'waiting', 'mentions', 'snoozed', 'resolved', 'spam', 'all'];
const REMOTE = new Set(['mentions', 'following']); // who is in these, only the desk knows

const IN = {
  mine: (t, me) => t.assignee_id === me,
  unassigned: (t) => t.assignee_id == null,
  open: () => true,
  waiting: (t) => t.status === 'open' && t.waiting_since != null,
};

export function inView(state, view, ticket) {
  if (ticket.merged_into) return false;
  if (view === 'spam' || ticket.spam) return view === 'spam' && ticket.spam;
  if (view === 'all') return true;
  if (REMOTE.has(view)) return Boolean(state.found[view]?.[ticket.number]);
  if (view === 'snoozed' || view === 'resolved') return ticket.status === view;
  return (ticket.status === 'open' || ticket.status === 'pending') && Boolean(IN[view]?.(ticket, state.me?.agent.id));
}

const some = (given, value) => !given?.length || given.includes(String(value));

/** @param {{view: string, filter?: Record<string, string[]>}} want  a filter's values are as the address has them */
export function wanted(state, { view, filter = {} }, ticket) {
  const named = filter.status?.length && view !== 'spam';
  if (!(named ? some(filter.status, ticket.status) && inView(state, view, { ...ticket, status: view === 'snoozed' || view === 'resolved' ? view : 'open' })
    : inView(state, view, ticket))) return false;
  return some(filter.priority, ticket.priority) && some(filter.inbox_id, ticket.inbox_id) && some(filter.team_id, ticket.team_id) &&
    some(filter.assignee_id, ticket.assignee_id) && (!filter.tag?.length || ticket.tags.some((tag) => some(filter.tag, tag))) &&
    (!filter.unread?.length || unread(state, ticket));
}

const URGENCY = { urgent: 0, high: 1, normal: 2, low: 3 };
const NEVER = Number.MAX_SAFE_INTEGER;
const oldest = (a, b) => (a.waiting_since ?? NEVER) - (b.waiting_since ?? NEVER) || a.number - b.number;

export const SORTS = {
  newest: (a, b) => b.last_message_at - a.last_message_at || b.number - a.number,
  oldest_waiting: oldest,
  priority: (a, b) => URGENCY[a.priority] - URGENCY[b.priority] || oldest(a, b),
  due: (a, b) => (a.due_at ?? NEVER) - (b.due_at ?? NEVER) || oldest(a, b),
};

/**
 * The tickets that are wanted, in order. Given what it answered before, it only moves those that changed since: one event among
 * ten thousand tickets costs next to nothing.
 * @param {{key: string, view: string, filter?: object, sort?: string, until?: object}} want  `key` names all of it; `until`: a ticket
 *   behind which not all are here yet, so none is shown
 * @returns {{key: string, rev: number, numbers: number[]}}
 */
export function arranged(had, state, want) {
  const missed = had?.key === want.key ? state.rev - had.rev : Infinity;
  if (missed === 0) return had;
  const sort = SORTS[want.sort] ?? SORTS.newest;
  const belongs = (ticket) => ticket && wanted(state, want, ticket) && !(want.until && sort(ticket, want.until) > 0);
  if (missed > Math.min(LOGGED, state.log.length)) {
    const numbers = Object.values(state.tickets).filter(belongs).sort(sort).map(({ number }) => number);
    return { key: want.key, rev: state.rev, numbers };
  }
  const changed = new Set(state.log.slice(-missed));
  const rest = had.numbers.filter((number) => !changed.has(number));
  for (const number of changed) {
    const ticket = state.tickets[number];
    if (belongs(ticket)) rest.splice(place(rest, ticket, state.tickets, sort), 0, number);
  }
  const same = rest.length === had.numbers.length && rest.every((number, at) => number === had.numbers[at]);
  return { key: want.key, rev: state.rev, numbers: same ? had.numbers : rest };
}

function place(numbers, ticket, tickets, sort) {
  let from = 0, to = numbers.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sort(tickets[numbers[middle]], ticket) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** How many there are in each view, as far as that can be told from here. */
export function tally(state) {
  const counts = Object.fromEntries(VIEWS.map((view) => [view, 0]));
  for (const ticket of Object.values(state.tickets)) {
    for (const view of ['mine', 'unassigned', 'open', 'waiting', 'snoozed']) if (inView(state, view, ticket)) counts[view]++;
  }
  return counts;
}

/** Who waits for an agent and has none: what is offered to me first, then the most urgent, then the longest waiting. */
export function queue(state) {
  const me = state.me?.agent.id;
  const waits = (t) => t.assignee_id == null && t.waiting_since != null && t.status === 'open' && t.handler === 'agent' && !t.spam;
  return Object.values(state.tickets).filter(waits).sort((a, b) =>
    (b.offered_to === me) - (a.offered_to === me) || URGENCY[a.priority] - URGENCY[b.priority] ||
    a.waiting_since - b.waiting_since || a.number - b.number);
}

/** Messages and notes of a thread, what happened to it, and what is on its way, in the order of happening. */
export function timeline(state, number) {
  const thread = state.threads[number];
  if (!thread) return [];
  const said = [
    ...thread.messages.map((message) => ({ key: `m${message.id}`, kind: 'message', at: message.created_at, message })),
    ...thread.notes.map((note) => ({ key: `n${note.id}`, kind: 'note', at: note.created_at, note })),
  ];
  // Before the oldest words that are here there may be more; what happened then comes along with them.
  const from = thread.older ? Math.min(...said.map(({ at }) => at)) : -Infinity;
  const happenings = (thread.events ?? []).filter((one) => TOLD.has(one.name) && one.at >= from);
  const items = [...said, ...happenings.map((one) => ({ key: `e${one.id}`, kind: 'event', at: one.at, event: one }))]
    .sort((a, b) => a.at - b.at || (a.kind === 'event') - (b.kind === 'event') || (a.key < b.key ? -1 : 1));
  const there = new Set(said.map((item) => item.key));
  const going = Object.values(state.outbox)
    .filter((entry) => entry.number === number && !there.has(`${entry.mode === 'note' ? 'n' : 'm'}${entry.said}`));
  return [...items, ...going.map((entry) => ({ key: entry.id, kind: 'going', at: entry.at, entry }))];
}

const TOLD = new Set([
  'ticket.assigned', 'ticket.moved', 'ticket.resolved', 'ticket.reopened', 'ticket.snoozed', 'ticket.pending', 'ticket.priority_changed',
  'ticket.subject_changed', 'ticket.marked_spam', 'ticket.tagged', 'ticket.untagged', 'ticket.handed_off', 'ticket.merged', 'ticket.joined', 'ticket.unmerged', 'ticket.parted', 'ticket.split',
]);

const GROUPED = 5 * 60_000; // words of one person so close together stand as one

function author({ kind, message, note, entry }, own) {
  if (kind === 'note' || entry?.mode === 'note') return `note ${note?.agent_id ?? own}`;
  if (kind === 'event') return 'event';
  return message?.direction === 'incoming' ? 'contact' : `${message?.author_kind ?? 'agent'} ${message?.author_id ?? own}`;
}

/**
 * A timeline as it is laid out: with days, with where the unread begins, with what happened in a row as one, and each of the words
 * told whether it goes on from the one before.
 * @param {number|null} readTo up to which message it had been read when it was opened; null: nothing is marked
 */
export function laid(items, own, readTo = null) {
  const out = [];
  let day = '', marked = readTo === null, before = null;
  for (const item of items) {
    const date = new Date(item.at).toDateString();
    if (date !== day) out.push((before = { key: `day ${date}`, kind: 'day', at: item.at }));
    day = date;
    if (!marked && item.message?.direction === 'incoming' && item.message.id > readTo) {
      marked = true;
      out.push((before = { key: 'unread', kind: 'unread', at: item.at }));
    }
    const who = author(item, own);
    if (item.kind === 'event') {
      if (before?.kind === 'events') before.items.push(item);
      else out.push((before = { key: item.key, kind: 'events', at: item.at, items: [item] }));
      continue;
    }
    const joins = before?.who === who && item.at - before.at < GROUPED;
    out.push((before = { ...item, who, joins }));
  }
  return out;
}

/** The newest message that is on the screen: what a reply says it was written to. */
export const seen = (state, number) => Math.max(0, ...(state.threads[number]?.messages ?? []).map((message) => message.id));

export function typing(state, number, now) {
  return Object.values(state.typing[number] ?? {}).filter((who) => who.until > now);
}

const WORST = ['failed', 'unknown', 'held', 'cancelled', 'queued', 'sending', 'sent', 'delivered', 'read'];

/** Of the deliveries of a message the one that stands worst; null: it has none. */
export function delivered(thread, messageId) {
  const parts = Object.values(thread.deliveries).filter((one) => one.message_id === messageId);
  return parts.sort((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state) || a.id - b.id)[0] ?? null;
}

// --- pieces ---------------------------------------------------------------------------------------------------------

function moved(state, { cursor }) {
  return cursor > (state.cursor ?? -1) ? { ...state, cursor } : state;
}

function by(rows, key = 'id') {
  return Object.fromEntries((rows ?? []).map((row) => [row[key], row]));
}

/** `tickets` in the place of what was known of them, and noted down as changed. */
function put(state, tickets) {
  const numbers = Object.keys(tickets).map(Number);
  return numbers.length ? { ...logged(state, numbers), tickets: { ...state.tickets, ...tickets } } : state;
}

const logged = (state, numbers) => ({ ...state, rev: state.rev + numbers.length, log: [...state.log, ...numbers].slice(-LOGGED) });

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
    ...had, messages: merged(had.messages, read.messages), notes: merged(had.notes, read.notes), deliveries,
    followers: read.followers ?? had.followers, older: had.loaded && !more ? had.older : read.older, loaded: true, moving: read.moving ?? had.moving,
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
