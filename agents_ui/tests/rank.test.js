import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits, fold, ranked } from '../js/rank.js';

const texts = (query, ...entries) => ranked(query, entries.map((text) => (typeof text === 'string' ? { text } : text))).map(({ text }) => text);

test('case and accents do not count, vowel signs of other scripts do', () => {
  assert.equal(fold('Élève ÅSA'), 'eleve asa');
  assert.notEqual(fold('កា'), fold('ក'));
  assert.deepEqual(texts('ដារ៉ា', 'សុខ ដារ៉ា', 'សុខ'), ['សុខ ដារ៉ា']);
});

test('the whole comes before a beginning, that before words, and those before what merely contains it', () => {
  assert.deepEqual(texts('ann', 'Joanna', 'Maria Anns', 'Annabel', 'Ann', 'Bo'), ['Ann', 'Annabel', 'Maria Anns', 'Joanna']);
});

test('several words may stand in any order, each has to be there', () => {
  assert.deepEqual(texts('berg anna', 'Anna Berg', 'Anna Bo'), ['Anna Berg']);
});

test('first letters of words find a command, letters from here and there do not', () => {
  assert.deepEqual(texts('gq', 'Go to the queue', 'Going quietly on'), ['Go to the queue', 'Going quietly on']);
  assert.equal(fits('oth', 'go to the queue'), 0);
});

test('what is also known of an entry finds it, a little later than its name would', () => {
  const entries = [{ text: 'Lea', also: 'kid@example.org' }, { text: 'Kid' }];
  assert.deepEqual(texts('kid', ...entries), ['Kid', 'Lea']);
});

test('nothing typed shows everything as it came, what is at hand first', () => {
  assert.deepEqual(texts('', 'b', 'a', { text: 'now', bonus: 5 }), ['now', 'b', 'a']);
});

test('two thousand entries take less time than a frame', () => {
  const entries = Array.from({ length: 2_000 }, (_none, n) => ({ text: `Somebody ${n} with a name`, also: `person${n}@example.org` }));
  const took = Array.from({ length: 5 }, () => {
    const began = performance.now();
    ranked('some 17 nam', entries);
    return performance.now() - began;
  });
  assert.ok(Math.min(...took) < 50, String(took));
});
