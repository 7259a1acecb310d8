import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Strokes, isLetter, meant, stroke } from '../js/base.js';

const pressed = (given) => ({ shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, ...given });

test('on a layout without Latin letters the place of the key counts', () => {
  assert.equal(meant({ key: 'о', code: 'KeyJ' }), 'j', 'Russian');
  assert.equal(meant({ key: 'О', code: 'KeyJ', shiftKey: true }), 'J', 'Russian with Shift');
  assert.equal(meant({ key: '؟', code: 'Slash', shiftKey: true }), '?', 'Arabic');
  assert.equal(meant({ key: 'لا', code: 'KeyB' }), 'b', 'Arabic: one key, two letters');
  assert.equal(meant({ key: 'х', code: 'BracketLeft' }), '[', 'Russian');
  assert.equal(meant({ key: 'ឆ', code: 'KeyQ' }), 'q', 'Khmer');
  assert.equal(meant({ key: 'Dead', code: 'KeyE' }), 'e', 'an accent is begun');
  assert.equal(meant({ key: 'n', code: 'KeyL' }), 'n', 'Dvorak keeps its own letters');
  assert.equal(meant({ key: 'J', code: 'KeyJ' }), 'j', 'Caps Lock is not Shift');
  assert.equal(meant({ key: '!', code: 'Digit1', shiftKey: true }), '!');
  assert.equal(meant({ key: 'Escape', code: 'Escape' }), 'Escape');
});

test('a stroke is written one way, whatever the system', () => {
  assert.equal(stroke(pressed({ key: 'k', code: 'KeyK', ctrlKey: true }), false), 'Mod+k');
  assert.equal(stroke(pressed({ key: 'л', code: 'KeyK', ctrlKey: true }), false), 'Mod+k', 'Russian');
  assert.equal(stroke(pressed({ key: 'k', code: 'KeyK', metaKey: true }), true), 'Mod+k');
  assert.equal(stroke(pressed({ key: 'k', code: 'KeyK', ctrlKey: true }), true), null, 'on a Mac it deletes to the end of the line');
  assert.equal(stroke(pressed({ key: 'Y', code: 'KeyY', ctrlKey: true, shiftKey: true }), false), 'Mod+Shift+y');
  assert.equal(stroke(pressed({ key: '?', code: 'Slash', shiftKey: true }), false), '?');
  assert.equal(stroke(pressed({ key: 'C', code: 'KeyC', shiftKey: true }), false), 'C');
  assert.equal(stroke(pressed({ key: 'Enter', shiftKey: true }), false), 'Shift+Enter');
  assert.equal(stroke(pressed({ key: 'Shift', shiftKey: true }), false), null);
  assert.equal(stroke(pressed({ key: 'j', code: 'KeyJ', isComposing: true }), false), null, 'an input method at work');
  const third = pressed({ key: '[', code: 'Digit8', ctrlKey: true, altKey: true, getModifierState: (name) => name === 'AltGraph' });
  assert.equal(stroke(third, false), '[', 'German: AltGr and 8');
});

const able = [['inbox', ['g i']], ['take', ['i']], ['resolve', ['e']], ['select', ['J']], ['onward', ['J']], ['down', ['j', 'ArrowDown']]];

test('two strokes one after the other are one key, and a slip does nothing', () => {
  const strokes = new Strokes(), press = (one, now) => strokes.press(one, able, now);
  assert.deepEqual(press('g', 1), { found: [], begun: true });
  assert.deepEqual(press('i', 100).found, ['inbox']);
  assert.deepEqual(press('i', 200), { found: ['take'], begun: false });
  press('g', 1_000);
  assert.deepEqual(press('e', 1_100), { found: [], begun: true }, 'nothing is resolved');
  press('g', 2_000);
  assert.deepEqual(press('e', 5_000).found, ['resolve'], 'too late to belong together');
  assert.deepEqual(press('J', 6_000).found, ['select', 'onward']);
  assert.deepEqual(press('ArrowDown', 6_100).found, ['down']);
});

test('letters are told from keys that may act while writing', () => {
  assert.deepEqual(['e', 'g i', '?', 'Mod+k', 'Enter', 'Shift+Enter'].map(isLetter), [true, true, true, false, false, false]);
});
