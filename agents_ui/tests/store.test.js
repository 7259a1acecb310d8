import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, arranged, delivered, empty, inView, laid, queue, seen, timeline, typing, unread } from '../js/store.js';

const ME = { agent: { id: 1, name: 'Anna', availability: 'online' }, permissions: [] };
const ticket = (number, more = {}) => ({
  number, status: 'open', priority: 'normal', handler: 'agent', spam: false, assignee_id: null, offered_to: null,
  waiting_since: 100, last_message_at: 100 + number, contact_name: 'Abeba', tags: [], ...more,
});
const message = (id, more = {}) => ({ id, direction: 'incoming', author_kind: 'contact', author_id: 7, text: `text ${id}`, created_at: id * 10, edited_at: null, deleted_at: null, ...more });
const freeze = (value) => {
  if (value && typeof value === 'object' && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
};
const run = (...frames) => frames.reduce((state, frame) => freeze(apply(state, freeze(frame))), freeze(empty()));
const start = (...tickets) => [
  { type: 'welcome', me: ME },
  { type: 'snapshot', cursor: 10, state: { tickets, agents: [ME.agent], teams: [], inboxes: [], tags: [] } },
  { type: 'live', cursor: 10 },
];
const list = (state, want) => arranged(null, state, { key: 'one', ...want }).numbers;
const event = (id, name, more) => ({ type: 'event', id, name, at: id, by: { kind: 'contact', id: 7 }, ...more });
const opened = (number, messages = []) => ({
  type: 'local.thread', number, since: 10, thread: { ticket: ticket(number), messages, notes: [], deliveries: [], older: null },
});

test('a snapshot is where everything starts, and forgets what was held before', () => {
  const state = run(...start(ticket(1)), opened(1), ...start(ticket(2)));
  assert.deepEqual(Object.keys(state.tickets), ['2']);
  assert.deepEqual(state.threads, {});
  assert.equal(state.cursor, 10);
  assert.ok(state.ready);
});

test('an event that was heard already changes nothing', () => {
  const state = run(...start(ticket(1)), opened(1));
  const once = apply(state, event(11, 'message.received', { number: 1, ticket: ticket(1), message: message(5) }));
  assert.equal(apply(once, event(11, 'message.received', { number: 1, ticket: ticket(1), message: message(6) })), once);
});

test('unknown frames and unknown fields are passed over', () => {
  const state = run(...start(ticket(1)));
  assert.equal(apply(state, { type: 'news' }), state);
  assert.equal(apply(state, event(11, 'something.new', { colour: 'red' })).cursor, 11);
});

test('what was said while a thread was being fetched is in it once, and in order', () => {
  const heard = event(11, 'message.received', { number: 1, ticket: ticket(1), message: message(6) });
  const state = run(...start(ticket(1)), { type: 'local.loading', number: 1 }, heard, opened(1, [message(5), message(6)]));
  assert.deepEqual(state.threads[1].messages.map(({ id }) => id), [5, 6]);
  assert.equal(seen(state, 1), 6);
});

test('of two versions of a message the one edited later stays, whichever comes first', () => {
  const edited = event(11, 'message.edited', { number: 1, ticket: ticket(1), message: message(5, { text: 'new', edited_at: 99 }) });
  const state = run(...start(ticket(1)), { type: 'local.loading', number: 1 }, edited, opened(1, [message(5)]));
  assert.equal(state.threads[1].messages[0].text, 'new');
});

test('a ticket read from the API does not overwrite what an event has brought since', () => {
  const resolved = event(12, 'ticket.resolved', { number: 1, ticket: ticket(1, { status: 'resolved' }) });
  const state = run(...start(ticket(1)), resolved, opened(1), { type: 'local.page', items: [ticket(1), ticket(3)], since: 10 });
  assert.equal(state.tickets[1].status, 'resolved');
  assert.equal(state.tickets[3].number, 3);
});

test('older messages are put before, and the place of the next older ones is kept', () => {
  const page = { ...opened(1, [message(1)]), more: true };
  page.thread = { ...page.thread, older: 'more' };
  const state = run(...start(ticket(1)), opened(1, [message(5)]), page);
  assert.deepEqual(state.threads[1].messages.map(({ id }) => id), [1, 5]);
  assert.equal(state.threads[1].older, 'more');
});

test('a ticket that left is gone with its thread, one that entered is there', () => {
  const state = run(...start(ticket(1)), opened(1), event(11, 'ticket.left', { number: 1 }),
    event(12, 'ticket.entered', { number: 2, ticket: ticket(2) }));
  assert.deepEqual(Object.keys(state.tickets), ['2']);
  assert.equal(state.threads[1], undefined);
});

test('a reply is shown at once, and once only, whichever of answer and event comes first', () => {
  const entry = { id: '01A', number: 1, mode: 'reply', text: 'Hello ', at: 500, seen: 5 };
  const sent = event(11, 'message.sent', {
    number: 1, by: { kind: 'agent', id: 1 }, ticket: ticket(1),
    message: message(6, { direction: 'outgoing', author_kind: 'agent', author_id: 1, text: 'Hello' }),
  });
  const answer = { type: 'local.sent', id: '01A', answer: { message_id: 6 } };
  const before = run(...start(ticket(1)), opened(1, [message(5)]), { type: 'local.sending', entry });
  assert.deepEqual(timeline(before, 1).map(({ kind }) => kind), ['message', 'going']);
  for (const order of [[sent, answer], [answer, sent]]) {
    const after = order.reduce(apply, before);
    assert.deepEqual(timeline(after, 1).map(({ key }) => key), ['m5', 'm6']);
    assert.deepEqual(timeline(apply(before, order[0]), 1).length, 2, 'never both at once');
  }
});

test('a reply that is refused stays to be seen, as stale or failed, until it is discarded', () => {
  const entry = { id: '01A', number: 1, mode: 'reply', text: 'Hello', at: 500, seen: 5 };
  const refused = (kind) => run(...start(ticket(1)), opened(1), { type: 'local.sending', entry }, { type: 'local.unsent', id: '01A', problem: { kind } });
  assert.equal(refused('stale').outbox['01A'].state, 'stale');
  assert.equal(refused('offline').outbox['01A'].state, 'failed');
  assert.deepEqual(timeline(apply(refused('stale'), { type: 'local.discard', id: '01A' }), 1), []);
});

test('notes and messages stand in the order in which they were written', () => {
  const note = event(11, 'note.written', { number: 1, ticket: ticket(1), note: { id: 1, agent_id: 2, text: 'n', created_at: 55 } });
  const state = run(...start(ticket(1)), opened(1, [message(5), message(6)]), note);
  assert.deepEqual(timeline(state, 1).map(({ key }) => key), ['m5', 'n1', 'm6']);
});

test('the worst state of a message’s deliveries is what is shown', () => {
  const changed = (id, state) => event(20 + id, 'delivery.changed', { number: 1, ticket: ticket(1), delivery: { id, message_id: 5, state, changed_at: id } });
  const state = run(...start(ticket(1)), opened(1, [message(5)]), changed(1, 'sent'), changed(2, 'failed'));
  assert.equal(delivered(state.threads[1], 5).state, 'failed');
  assert.equal(delivered(state.threads[1], 6), null);
});

test('who has stopped, has spoken, or was last heard long ago does not type', () => {
  const types = (on) => ({ type: 'typing', number: 1, by: { kind: 'agent', id: 2 }, on, mode: 'reply', heard: 1_000 });
  const state = run(...start(ticket(1)), types(true));
  assert.equal(typing(state, 1, 2_000).length, 1);
  assert.equal(typing(state, 1, 8_000).length, 0);
  assert.equal(typing(apply(state, types(false)), 1, 2_000).length, 0);
  const spoken = event(11, 'message.sent', { number: 1, by: { kind: 'agent', id: 2 }, ticket: ticket(1), message: message(6) });
  assert.equal(typing(apply(state, spoken), 1, 2_000).length, 0);
});

test('views and queue show what belongs there, in their order', () => {
  const state = run(...start(
    ticket(1), ticket(2, { assignee_id: 1 }), ticket(3, { status: 'resolved' }), ticket(4, { spam: true }),
    ticket(5, { waiting_since: 50 }), ticket(6, { priority: 'urgent', waiting_since: 900 }),
    ticket(7, { waiting_since: 950, offered_to: 1 }), ticket(8, { waiting_since: null }), ticket(9, { handler: 'bot' }),
  ));
  assert.deepEqual(queue(state).map(({ number }) => number), [7, 6, 5, 1]);
  assert.deepEqual(list(state, { view: 'mine' }), [2]);
  assert.deepEqual(list(state, { view: 'open' }), [9, 8, 7, 6, 5, 2, 1]);
  assert.deepEqual(list(state, { view: 'open', filter: { priority: ['urgent'] } }), [6]);
  assert.deepEqual(list(state, { view: 'spam' }), [4]);
  assert.ok(inView(state, 'all', state.tickets[3]));
  assert.ok(!inView(state, 'all', state.tickets[4]));
});

test('what colleagues do to themselves is followed, my own availability too', () => {
  const busy = event(11, 'agent.availability_changed', { by: { kind: 'agent', id: 1 }, agent: { id: 1, name: 'Anna', availability: 'busy' } });
  const state = run(...start(), busy);
  assert.equal(state.me.agent.availability, 'busy');
  assert.equal(state.agents[1].availability, 'busy');
});

test('a list follows what happens as if it were made anew each time', () => {
  let seed = 7;
  const any = (n) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
  const wants = ['newest', 'oldest_waiting', 'priority'].map((sort) => ({ key: sort, view: 'open', sort }));
  let state = run(...start(...Array.from({ length: 60 }, (_n, n) => ticket(n + 1))));
  let lists = wants.map((want) => arranged(null, state, want));
  for (let id = 11; id < 400; id++) {
    const number = 1 + any(70), change = {
      last_message_at: any(1_000), waiting_since: any(3) ? any(1_000) : null, priority: ['urgent', 'normal'][any(2)],
      status: ['open', 'open', 'pending', 'resolved'][any(4)], spam: any(9) === 0,
    };
    state = apply(state, any(20) ? event(id, 'ticket.changed', { number, ticket: ticket(number, change) }) : event(id, 'ticket.left', { number }));
    if (any(4)) continue; // several between two looks
    lists = lists.map((had, at) => arranged(had, state, wants[at]));
    lists.forEach(({ numbers }, at) => assert.deepEqual(numbers, list(state, wants[at])));
  }
});

test('a list that has not changed is the same one', () => {
  const want = { key: 'mine', view: 'mine', sort: 'newest' };
  const state = run(...start(ticket(1, { assignee_id: 1 }), ticket(2)));
  const had = arranged(null, state, want);
  const next = arranged(had, apply(state, event(11, 'message.received', { number: 2, ticket: ticket(2, { last_message_at: 900 }) })), want);
  assert.equal(next.numbers, had.numbers);
});

test('behind what has been fetched nothing is shown, or it would have gaps', () => {
  const state = run(...start(ticket(1), ticket(2), ticket(3)));
  assert.deepEqual(list(state, { view: 'open', until: ticket(2) }), [3, 2]);
});

test('what the contact wrote is unread until it was read, in whichever window', () => {
  let state = run(...start(ticket(1, { last_incoming_id: 5 })));
  assert.ok(unread(state, state.tickets[1]));
  assert.deepEqual(list(state, { view: 'open', filter: { unread: ['1'] } }), [1]);
  state = apply(state, { type: 'own', what: 'read', number: 1, message_id: 5 });
  assert.ok(!unread(state, state.tickets[1]));
  assert.deepEqual(list(state, { view: 'open', filter: { unread: ['1'] } }), []);
});

test('texts and views of the desk come, change and go', () => {
  const one = { id: 3, short: 'hi', title: 'Hello', text: 'Hello!' };
  let state = run(...start(), event(11, 'canned.created', { canned: one }));
  assert.deepEqual(state.canned, { 3: one });
  state = apply(state, event(12, 'canned.deleted', { canned_id: 3 }));
  assert.deepEqual(state.canned, {});
});

test('a thread is laid out in days and in what one person said in a row, with where the unread begins', () => {
  const at = new Date(2026, 4, 1, 12).getTime(), minute = 60_000;
  const said = (id, minutes, more) => ({ key: `m${id}`, kind: 'message', at: at + minutes * minute, message: message(id, more) });
  const ours = { direction: 'outgoing', author_kind: 'agent', author_id: 1 };
  const happened = (id, minutes) => ({ key: `e${id}`, kind: 'event', at: at + minutes * minute, event: { id, name: 'ticket.tagged' } });
  const items = [said(1, 0), said(2, 3), said(3, 20), said(4, 21, ours), happened(9, 22), happened(10, 22), said(5, 23, ours), said(6, 24 * 60)];
  assert.deepEqual(laid(items, 1, 2).map((one) => (one.kind === 'message' ? `${one.key}${one.joins ? '+' : ''}` : one.items ? `events ${one.items.length}` : one.kind)),
    ['day', 'm1', 'm2+', 'unread', 'm3', 'm4', 'events 2', 'm5', 'day', 'm6']);
});

test('what happened stands between the words, and only as far back as these reach', () => {
  const events = [{ id: 1, name: 'ticket.assigned', at: 5, payload: {} }, { id: 2, name: 'ticket.tagged', at: 55, payload: {} }, { id: 3, name: 'ticket.offered', at: 56, payload: {} }];
  const first = { ...opened(1, [message(5), message(6)]) };
  const state = run(...start(ticket(1)), { ...first, thread: { ...first.thread, older: 'there is more' } }, { type: 'local.events', number: 1, items: events, older: null });
  assert.deepEqual(timeline(state, 1).map(({ key }) => key), ['m5', 'e2', 'm6']);
});
