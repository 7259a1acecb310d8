// Which key may be given to what: keys that are taken where something acts, those that the browser or the page itself needs,
// and how a key is shown. Nothing here touches the page. For the sheet of keys (help.js) and the palette.

import { MAC, _, isLetter } from './base.js';

/** In the order in which the sheet has them. */
export const places = () => ({
  global: _('Everywhere'), list: _('List of tickets'), thread: _('Conversation'), composer: _('While writing'), queue: _('Queue'), contacts: _('Contacts'),
});

/** Where things act that are not there at the same time, so that they may share keys. The list stands beside the thread. */
const apart = (a, b) => a !== b && a !== 'global' && b !== 'global' && !(a !== 'composer' && b !== 'composer' && ['list', 'thread'].includes(a) && ['list', 'thread'].includes(b));

const clash = (a, b) => a === b || a.startsWith(`${b} `) || b.startsWith(`${a} `);

/**
 * What has this key already where `one` acts, if anything.
 * @param {{name: string, where: string}} one @param {string} key @param {object[]} actions @param {(one: object) => string} keyOf
 */
export function taken(one, key, actions, keyOf) {
  return actions.find((other) => other.name !== one.name && !apart(one.where, other.where) && !shared(one, other) &&
    keyOf(other).split(', ').some((had) => had && clash(had, key))) ?? null;
}

/** Of list and thread the one that has the focus gets the key: Shift+J goes on to the next ticket, or selects it. */
const shared = (one, other) => one.where !== other.where && one.where !== 'global' && other.where !== 'global' && one.key === other.key && Boolean(one.key);

const BROWSERS = new Set([...'twrlsfncvxpz'].map((letter) => `Mod+${letter}`).concat(['Mod+Shift+t', 'Mod+Shift+n', 'Mod+Shift+r', 'F1', 'F5', 'F6', 'F11', 'F12']));
const MOVING = new Set(['Tab', 'Shift+Tab', 'Space', 'Shift+Space', 'Escape', 'Enter', 'Backspace', 'Delete', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']);

/** Why a key cannot be given to an action; '' : it can. */
export function refused(one, key, actions, keyOf) {
  if (BROWSERS.has(key)) return _('The browser needs this key itself.');
  if (MOVING.has(key)) return _('This key moves about in every page. Choose another.');
  if (one.where === 'composer' && (isLetter(key) || !/^(Mod|Alt)\+/.test(key))) return _('While writing, a key needs Ctrl or ⌘ with it.');
  const other = taken(one, key, actions, keyOf);
  return other ? _('“{0}” has this key already.', other.text()) : '';
}

const CAPS = {
  ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', PageDown: 'PgDn', PageUp: 'PgUp', Space: '␣', Backspace: '⌫',
};

/** What stands on the caps of a key, one list for each of its strokes. */
export function caps(key, mac = MAC) {
  const held = mac ? { Mod: '⌘', Alt: '⌥', Shift: '⇧' } : { Mod: 'Ctrl' };
  return key.split(' ').map((one) => {
    const parts = one.length === 1 ? [one] : one.split(/\+(?=.)/);
    const shifted = parts.length === 1 && /^[A-Z]$/.test(one) ? ['Shift', one] : parts;
    return shifted.map((part) => held[part] ?? CAPS[part] ?? (part.length === 1 ? part.toUpperCase() : part));
  });
}
