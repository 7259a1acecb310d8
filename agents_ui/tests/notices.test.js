import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concerns, decide, isQuiet, kind, titled, WISHES, words } from '../js/notices.js';

const me = { agent: { id: 1, name: 'Anna' } };
const ticket = { number: 1001, assignee_id: null, offered_to: null, team_id: null, contact_name: 'Abeba', spam: false };
const received = (of = {}, by = { kind: 'contact', id: 9 }) =>
  ({ name: 'message.received', by, ticket: { ...ticket, ...of }, message: { text: 'Hello?' } });
const at = { me, teams: new Set([5]), preferences: {}, now: new Date(2026, 2, 3, 12, 0), shown: null, inFront: false };

test('a customer who writes is told to the one who looks after them, a new ticket to everybody it may concern', () => {
  assert.deepEqual(decide(received({ assignee_id: 1 }), at), { event: 'message', number: 1001, desktop: true, sound: true });
  assert.equal(decide(received({ assignee_id: 2 }), at), null, 'a colleague has it');
  assert.equal(decide(received(), at).event, 'waiting');
  assert.equal(decide(received({ team_id: 5 }), at).event, 'waiting', 'of my team');
  assert.equal(decide(received({ team_id: 6 }), at), null, 'of another team');
});

test('what one did oneself is no news, nor is spam', () => {
  assert.equal(kind({ name: 'ticket.assigned', by: { kind: 'agent', id: 1 }, ticket: { ...ticket, assignee_id: 1 } }, me), null);
  assert.equal(kind({ name: 'ticket.assigned', by: { kind: 'agent', id: 2 }, ticket: { ...ticket, assignee_id: 1 } }, me), 'assigned');
  assert.equal(kind(received({ spam: true }), me), null);
  assert.equal(kind({ name: 'agent.mentioned', agent_id: 2, by: { kind: 'agent', id: 3 }, ticket }, me), null, 'somebody else is meant');
});

test('who reads the ticket right now needs no notice, who sits in front of the console only a sound', () => {
  const mine = received({ assignee_id: 1 });
  assert.equal(decide(mine, { ...at, shown: 1001, inFront: true }), null);
  assert.deepEqual(decide(mine, { ...at, shown: 1002, inFront: true }), { event: 'message', number: 1001, desktop: false, sound: true });
  assert.equal(decide(mine, { ...at, shown: 1001, inFront: false }).desktop, true, 'open, but the window is behind others');
});

test('a wish holds for its event, and the rest stays as it is', () => {
  const preferences = { notify: { message: { desktop: true, sound: false, of: 'all' } } };
  assert.deepEqual(decide(received({ assignee_id: 2 }), { ...at, preferences }), { event: 'message', number: 1001, desktop: true, sound: false });
  assert.equal(decide(received(), { ...at, preferences: { notify: { waiting: { desktop: false, sound: false, of: 'all' } } } }), null);
  assert.equal(decide({ name: 'note.written', by: { kind: 'agent', id: 2 }, ticket: { ...ticket, assignee_id: 1 }, note: { text: 'Hm' } }, at), null);
  assert.equal(concerns('teams', { ...ticket, assignee_id: 2, team_id: 5 }, me, new Set([5])), false, 'somebody of the team has it');
  assert.equal(concerns('mine', { ...ticket, assignee_id: 2, followers: [1] }, me, new Set()), true, 'one follows it');
});

test('quiet hours go over midnight, and belong to the day they began on', () => {
  const on = (days, day, hour, minute = 0) => isQuiet({ from: '22:00', to: '07:00', days }, new Date(2026, 2, day, hour, minute)); // 2 March 2026: Monday
  assert.equal(on([], 2, 23), true);
  assert.equal(on([], 2, 7), false);
  assert.equal(on([1], 2, 22), true);
  assert.equal(on([1], 3, 6, 59), true, 'Monday\'s night lasts into Tuesday');
  assert.equal(on([1], 3, 22), false);
  assert.equal(isQuiet({ from: '12:00', to: '13:00', days: [] }, new Date(2026, 2, 2, 12, 59)), true);
  assert.equal(isQuiet({ from: '00:00', to: '00:00', days: [7] }, new Date(2026, 2, 8, 15)), true, 'all Sunday');
  assert.equal(isQuiet(null, new Date()), false);
  const quiet = { from: '11:00', to: '13:00', days: [] };
  assert.equal(decide(received({ assignee_id: 1 }), { ...at, preferences: { quiet } }), null);
});

test('a notice says who and what, the tab how many', () => {
  assert.deepEqual(words('waiting', received()), { title: 'Abeba is waiting', body: '#1001 Hello?' });
  assert.match(words('due', { name: 'reply.breached', ticket }).title, /late/);
  for (const event of Object.keys(WISHES)) assert.ok(words(event, received()).title, event);
  assert.equal(titled(0, 'Inbox · Parley'), 'Inbox · Parley');
  assert.equal(titled(120, 'Inbox'), '(99+) Inbox');
});

test('what I wrote and did not go out is told to me, and to nobody else', () => {
  const by = { kind: 'system', id: 0 }, mine = { author_kind: 'agent', author_id: 1, text: 'Tomorrow' };
  const frame = (name, more = {}) => ({ name, by, ticket, message: mine, ...more });
  assert.equal(decide(frame('delivery.failed'), at).event, 'undelivered');
  assert.equal(kind(frame('delivery.cancelled', { by: { kind: 'contact', id: 9 } }), me), 'undelivered');
  assert.equal(kind(frame('delivery.cancelled', { by: { kind: 'agent', id: 1 } }), me), null, 'I did it myself');
  assert.equal(kind(frame('delivery.failed', { message: { ...mine, author_id: 2 } }), me), null);
  assert.match(words('undelivered', frame('delivery.cancelled', { by: { kind: 'contact', id: 9 } })).title, /wrote first/);
});
