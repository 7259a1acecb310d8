import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caps, refused } from '../js/keys.js';

const actions = [
  { name: 'reply', where: 'thread', key: 'r', text: () => 'Reply' }, { name: 'resolve', where: 'thread', key: 'e', text: () => 'Resolve' },
  { name: 'inbox', where: 'global', key: 'g i', text: () => 'To the inbox' }, { name: 'accept', where: 'queue', key: 'Enter', text: () => 'Accept' },
  { name: 'extend', where: 'list', key: 'J', text: () => 'Select' }, { name: 'onward', where: 'thread', key: 'J', text: () => 'Next' },
  { name: 'send', where: 'composer', key: 'Mod+Enter', text: () => 'Send' },
];
const why = (name, key, own = {}) => refused(actions.find((one) => one.name === name), key, actions, (one) => own[one.name] ?? one.key);

test('a key that is taken, the browser\'s, or moves about is refused with the reason', () => {
  assert.match(why('resolve', 'r'), /Reply/);
  assert.match(why('resolve', 'g'), /inbox/, 'another begins with it');
  assert.match(why('resolve', 'g i'), /inbox/);
  assert.match(why('resolve', 'Mod+t'), /browser/);
  assert.match(why('resolve', 'Tab'), /moves/);
  assert.match(why('send', 'q'), /Ctrl/);
  assert.equal(why('send', 'Mod+e'), '');
  assert.equal(why('resolve', 'd'), '');
  assert.equal(why('resolve', 'r', { reply: 'w' }), '', 'it was given away');
  assert.equal(why('accept', 'e'), '', 'not there at the same time');
  assert.equal(why('extend', 'J'), '', 'of list and conversation the one in use gets it');
});

test('a key is shown as it stands on the keyboard', () => {
  assert.deepEqual(caps('Mod+Shift+Enter', false), [['Ctrl', 'Shift', 'Enter']]);
  assert.deepEqual(caps('Mod+k', true), [['⌘', 'K']]);
  assert.deepEqual(caps('g i', false), [['G'], ['I']]);
  assert.deepEqual(caps('J', false), [['Shift', 'J']]);
  assert.deepEqual(caps('+', false), [['+']]);
  assert.deepEqual(caps('ArrowDown', false), [['↓']]);
});
