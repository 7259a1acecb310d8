// The keyboard: one letter, one action, when no field has the focus. On layouts without Latin letters the key's place counts.

const LATIN = /^[\x20-\x7e]$/;
const PLACES = { Slash: '/', KeyA: 'a' };

/** The key that was meant: `event.key`, or what a Latin keyboard has in its place. */
export function meant({ key, code, shiftKey }) {
  if (key.length > 1 || LATIN.test(key)) return key;
  if (code?.startsWith('Key')) return shiftKey ? code.slice(3) : code.slice(3).toLowerCase();
  if (code === 'Slash' && shiftKey) return '?';
  return PLACES[code] ?? key;
}

/** @param {Record<string, (event: KeyboardEvent) => void>} actions by key */
export function listen(actions, enabled) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = meant(event);
    const at = event.target;
    const inField = at.closest?.('input, textarea, select, [contenteditable]');
    if (inField || (at.closest?.('dialog') && key !== '?')) return;
    if (key.length === 1 && !enabled()) return;
    if ((key === 'Enter' || key.startsWith('Arrow')) && at.closest?.('a, button, [role=tab], [role=log], .log')) return;
    const action = actions[key];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}
