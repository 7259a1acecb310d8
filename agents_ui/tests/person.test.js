import assert from 'node:assert/strict';
import { test } from 'node:test';
import { current, due, local, morning, reach, soonish, surest, valued } from '../js/person.js';

test('the surest point counts, and nothing is sure of somebody without any', () => {
  assert.equal(surest([{ sureness: 'typed' }, { sureness: 'verified' }]), 'verified');
  assert.equal(surest([]), null);
});

test('of what they said about one purpose the newest holds', () => {
  const said = [{ point_id: 1, purpose: 'marketing', given: true }, { point_id: 2, purpose: 'marketing', given: true }, { point_id: 1, purpose: 'marketing', given: false }];
  assert.deepEqual(current(said).map((one) => [one.point_id, one.given]), [[1, false], [2, true]]);
});

test('only an address or a number is a link', () => {
  assert.equal(reach({ kind: 'phone', value: '+85512345678' }), 'tel:+85512345678');
  assert.equal(reach({ kind: 'visitor', value: 'javascript:alert(1)' }), null);
});

test('when they are to be written to is said in days', () => {
  const now = new Date(2026, 2, 4, 15, 30).getTime(); // a Wednesday
  const at = (day, hour) => new Date(2026, 2, day, hour).getTime();
  assert.deepEqual([at(4, 9), at(4, 18), at(5, 9), at(10, 9), at(11, 9)].map((when) => due(when, now)), ['overdue', 'today', 'week', 'week', 'later']);
  assert.match(soonish(at(4, 18), now), /^Today, /);
  assert.match(soonish(at(5, 9), now), /^Tomorrow, /);
  assert.equal(soonish(at(1, 9), now), '3 days ago');
  assert.equal(morning(1, now), at(5, 9));
  assert.equal(morning('monday', now), at(9, 9));
  assert.equal(morning('monday', at(9, 12)), at(16, 9), 'on a Monday the next one is meant');
  assert.equal(local(at(5, 9)), '2026-03-05T09:00');
});

test('a field\'s value is shown by its type', () => {
  assert.equal(valued({ type: 'bool' }, false), 'No');
  assert.equal(valued({ type: 'text' }, null), '');
  assert.equal(valued({ type: 'date' }, '2026-03-05'), 'Mar 5, 2026');
  assert.equal(valued({ type: 'number' }, 12345.5), '12,345.5');
});
