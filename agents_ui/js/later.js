// What comes once the first screen stands: the palette, the sheet of keys, a new message, and what an agent has set
// otherwise. None of it is needed to read and answer; loaded by shell.js.

import { _ } from './base.js';
import { may, preferences, tell } from './desk.js';
import { action, bar, bring, go, keymap, letters, placed } from './parts.js';
import { effect } from './vendor/signals-core.js';

effect(() => {
  keymap.value = preferences.value.keys ?? {};
  letters.value = preferences.value.letters ?? true;
});

const palette = { name: 'palette', tag: 'p-palette', load: () => import('./palette.js'), css: 'palette.css' };
const help = { name: 'help', tag: 'p-help', load: () => import('./help.js'), css: 'help.css' };
const sheets = { name: 'sheets', load: () => import('./write.js'), css: 'contacts.css' };

const shown = (entry) => bring(entry).then(() => placed(entry).show?.());
const write = () => bring(sheets).then(() => import('./write.js')).then(({ compose }) => compose(), () => tell(_('The desk cannot be reached. Check your connection.')));

action({ name: 'palette', key: 'Mod+k', text: () => _('Find or do anything'), run: () => { shown(palette); }, opens: true });
action({ name: 'search', key: '/', text: () => _('Search'), run: () => { shown(palette); }, opens: true });
action({ name: 'help', key: '?', text: () => _('Show the keys'), run: () => { shown(help); }, opens: true, order: 90 });
action({ name: 'write', key: 'C', text: () => _('New message'), run: () => { write(); }, opens: true, able: () => may('tickets.reply') && may('contacts.read') });
action({ name: 'go.contacts', key: 'g p', text: () => _('To the contacts'), run: () => go('/contacts'), able: () => may('contacts.read') });
action({ name: 'go.board', key: 'g b', text: () => _('To the board'), run: () => go('/board'), able: () => may('tickets.read') });
action({ name: 'go.day', key: 'g d', text: () => _('To my day'), run: () => go('/day') });
action({ name: 'go.preferences', text: () => _('To the preferences'), run: () => go('/preferences') });

// --- what is told ---------------------------------------------------------------------------------------------------

const standing = () => import('./availability.js');
standing().then(() => {
  bar({ name: 'bell', tag: 'p-bell', load: standing, css: 'availability.css', order: 30 });
  bar({ name: 'presence', tag: 'p-availability', load: standing, css: 'availability.css', order: 40 });
}, () => {}); // the shell has a simple one
