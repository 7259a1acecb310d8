import assert from 'node:assert/strict';
import { test } from 'node:test';
import { _, date, ngettext, use } from '../js/base.js';

const dt = {
  months: ['មករា'], monthsShort: ['មករា'], days: ['ច'], day: 'd MMM', date: 'd MMM y', full: "d MMMM y", time: 'HH:mm',
};
const RU = Array.from({ length: 200 }, (_n, n) =>
  (n % 10 === 1 && n % 100 !== 11 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 10 || n % 100 >= 20) ? 1 : 2)).join('');

test('a text without a translation is itself, with what belongs into it', () => {
  use({ lang: 'en', dir: 'ltr', plural: '', msgs: {}, dt: null });
  assert.equal(_('{0} says: {1}', 'Anna', 'Hi {0}'), 'Anna says: Hi {0}');
  assert.equal(ngettext('{0} day', '{0} days', 1), '1 day');
  assert.equal(ngettext('{0} day', '{0} days', 21), '21 days');
});

test('plural forms are found by a digit, however large the number', () => {
  use({ lang: 'ru', dir: 'ltr', plural: RU, msgs: { '{0} day': ['{0} день', '{0} дня', '{0} дней'] }, dt: null });
  const said = [1, 2, 5, 11, 21, 111, 1_000_001, 1_000_011].map((n) => ngettext('{0} day', '{0} days', n));
  assert.deepEqual(said, ['1 день', '2 дня', '5 дней', '11 дней', '21 день', '111 дней', '1000001 день', '1000011 дней']);
});

test('a name that runs the other way is kept apart from the sentence', () => {
  use({ lang: 'ar', dir: 'rtl', plural: '', msgs: {}, dt: null });
  assert.equal(_('{0} is writing…', 'Anna'), '\u2068Anna\u2069 is writing…');
});

test('a date in a language that the browser does not know is written with the names that came along', () => {
  use({ lang: 'km', dir: 'ltr', plural: '', msgs: {}, dt });
  const at = new Date(2026, 0, 5, 7, 3).getTime();
  assert.equal(date(at, 'full', true), '5 មករា 2026');
  assert.equal(date(at, 'time', true), '07:03');
});
