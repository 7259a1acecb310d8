import assert from 'node:assert/strict';
import { test } from 'node:test';
import { against, faster, heat, lasting, running } from '../js/measures.js';

const MINUTE = 60_000;

test('a length of time is said in its largest parts', () => {
  assert.deepEqual([0, 45_400, 3 * MINUTE, 60 * MINUTE, 125 * MINUTE, 50 * 60 * MINUTE].map(lasting), ['0 s', '45 s', '3 min', '1 h', '2 h 5 min', '2 days']);
  assert.equal(lasting(null), '–', 'nothing was measured');
});

test('a clock runs by the second, and not backwards', () => {
  assert.deepEqual([-5, 7_000, 187_000, 3_765_000].map(running), ['0:00', '0:07', '3:07', '1:02:45']);
});

test('today is set against a week ago only where there is something to set it against', () => {
  assert.deepEqual(against({ today: 12, week_ago: 8 }), { text: '4 more than a week ago', way: 'more' });
  assert.deepEqual(against({ today: 3, week_ago: 4 }), { text: '1 fewer than a week ago', way: 'less' });
  assert.equal(against({ today: 3, week_ago: 3 }).way, 'same');
  assert.equal(against({ today: 3, week_ago: null }), null);
  assert.equal(against(undefined), null);
});

test('an answer that takes less time is better, and a few seconds are nothing', () => {
  assert.deepEqual(faster({ today: { median: MINUTE }, week_ago: { median: 3 * MINUTE } }), { text: '2 min faster than a week ago', way: 'good' });
  assert.equal(faster({ today: { median: 3 * MINUTE }, week_ago: { median: MINUTE } }).way, 'bad');
  assert.equal(faster({ today: { median: 100_000 }, week_ago: { median: 101_000 } }).way, 'same');
  assert.equal(faster({ today: { median: null }, week_ago: { median: 5 } }), null);
});

test('a wait grows warm', () => {
  assert.deepEqual([null, 60_000, 5 * MINUTE, 11 * MINUTE].map(heat), ['calm', 'calm', 'warm', 'hot']);
});
