// Nine o'clock somewhere else, over changes of the clock.

import assert from 'node:assert/strict';
import test from 'node:test';

import { clock, field, known, moment, read, times, wall } from '../js/zones.js';

const at = (text) => Date.parse(text);

test('a moment there and back again', () => {
  for (const zone of ['UTC', 'Africa/Addis_Ababa', 'Asia/Phnom_Penh', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia']) {
    for (const when of ['2026-11-25T23:30:00Z', '2026-03-08T06:59:00Z', '2026-11-01T05:30:00Z', '2026-12-31T23:59:59Z']) {
      const there = wall(at(when), zone);
      assert.ok([0, 3_600_000].includes(Math.abs(moment(there, zone) - at(when))), `${zone} ${when}`);
      assert.equal(wall(moment(there, zone), zone), there);
    }
  }
});

test('an hour that does not exist is the one after it', () => {
  assert.equal(new Date(moment(Date.UTC(2026, 2, 8, 2, 30), 'America/New_York')).toISOString(), '2026-03-08T07:30:00.000Z');
});

test('tomorrow and Monday are those of the customer', () => {
  const found = times(at('2026-11-27T21:30:00Z'), 'Africa/Addis_Ababa'); // Saturday 00:30 there
  const by = Object.fromEntries(found.map((one) => [one.name, new Date(one.at).toISOString()]));
  assert.deepEqual(by, {
    hour: '2026-11-27T22:30:00.000Z', today: '2026-11-28T06:00:00.000Z', tomorrow: '2026-11-29T06:00:00.000Z', monday: '2026-11-30T06:00:00.000Z',
  });
});

test('on a Sunday tomorrow is Monday, said once', () => {
  assert.deepEqual(times(at('2026-11-29T12:00:00Z'), 'UTC').map(({ name }) => name), ['hour', 'tomorrow']);
});

test('a field and a zone', () => {
  assert.equal(field(at('2026-11-25T06:00:00Z'), 'Africa/Addis_Ababa'), '2026-11-25T09:00');
  assert.equal(read('2026-11-25T09:00', 'Africa/Addis_Ababa'), at('2026-11-25T06:00:00Z'));
  assert.equal(clock(at('2026-11-25T06:00:00Z'), 'Asia/Phnom_Penh'), '13:00');
  assert.equal(known('Mars/Olympus'), false);
});
