// How a contact is put in words: how sure a contact point is, when they are to be written to.
// Nothing here asks the desk for anything. For every screen that shows contacts.

import { _, date, day, lang, ngettext } from './base.js';

// --- names ----------------------------------------------------------------------------------------------------------

export const named = (contact) => contact?.name || _('No name');

/** The name of a language in the reader's own. */
export function language(code) {
  if (!code) return '';
  try {
    return new Intl.DisplayNames([lang()], { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

export const LANGUAGES = ['am', 'ar', 'bg', 'bn', 'cs', 'da', 'de', 'el', 'en', 'es', 'et', 'fa', 'fi', 'fr', 'he', 'hi', 'hr', 'hu', 'id', 'it', 'ja', 'ka',
  'km', 'ko', 'lo', 'lt', 'lv', 'ms', 'my', 'nl', 'no', 'om', 'pl', 'pt', 'ro', 'ru', 'sk', 'sl', 'so', 'sr', 'sv', 'sw', 'th', 'ti', 'tl', 'tr', 'uk', 'ur', 'vi', 'zh'];

// --- contact points -------------------------------------------------------------------------------------------------

export function sureness(of) {
  return {
    verified: { word: _('Verified'), why: _('They have shown that this is theirs.'), level: 2 },
    attested: { word: _('From the channel'), why: _('The channel that carried their message vouches for it.'), level: 1 },
    typed: { word: _('Typed in'), why: _('Somebody wrote it down. Nothing has shown yet that it is theirs.'), level: 0 },
  }[of] ?? { word: of, why: '', level: 0 };
}

/** The surest of their points: what one may rely on when they ask for something that is not everybody's business. */
export const surest = (points) => ['verified', 'attested', 'typed'].find((one) => points.some((point) => point.sureness === one)) ?? null;

export const point = (kind) => ({ email: _('E-mail'), phone: _('Phone'), visitor: _('Website visitor') }[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1));

/** Where a click on it leads; null: nowhere outside of the desk. */
export const reach = ({ kind, value }) => (kind === 'email' ? `mailto:${value}` : kind === 'phone' ? `tel:${value}` : null);

/** The newest word on every purpose, for each point. @param {object[]} consents oldest first */
export function current(consents) {
  const newest = new Map();
  for (const one of consents) newest.set(`${one.point_id} ${one.purpose}`, one);
  return [...newest.values()];
}

export const purpose = (name) => ({
  support: _('Answers to what they asked'), marketing: _('News and offers'), survey: _('Surveys'), recording: _('Recording of calls'), privacy: _('Privacy notice'),
}[name] ?? name);

// --- next contact ---------------------------------------------------------------------------------------------------

const DAY = 86_400_000;
const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);

/** @returns {'overdue'|'today'|'week'|'later'} */
export function due(at, now = Date.now()) {
  if (at < now) return 'overdue';
  const days = Math.round((midnight(at) - midnight(now)) / DAY);
  return days === 0 ? 'today' : days < 7 ? 'week' : 'later';
}

/** A moment to come, or gone by, as one would say it. */
export function soonish(at, now = Date.now()) {
  const days = Math.round((midnight(at) - midnight(now)) / DAY);
  const time = date(at, 'time');
  if (days === 0) return _('Today, {0}', time);
  if (days === 1) return _('Tomorrow, {0}', time);
  if (days < 0) return days === -1 ? _('Yesterday, {0}', time) : ngettext('{0} day ago', '{0} days ago', -days);
  return days < 7 ? ngettext('In {0} day, {1}', 'In {0} days, {1}', days, time) : `${date(at, 'date')}, ${time}`;
}

/** What a date field wants, in the reader's own time. */
export function local(at) {
  const when = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return when.toISOString().slice(0, 16);
}

/** A moment some days from now at nine: the next day, or the next Monday. */
export function morning(days, now = Date.now()) {
  const when = new Date(now);
  when.setDate(when.getDate() + (days === 'monday' ? ((8 - when.getDay()) % 7 || 7) : days));
  return when.setHours(9, 0, 0, 0);
}

export const ago = (at) => (at == null ? _('Never') : day(at));

// --- own fields -----------------------------------------------------------------------------------------------------

/** A field's value as one reads it. */
export function valued(field, value) {
  if (value == null || value === '') return '';
  if (field.type === 'bool') return value ? _('Yes') : _('No');
  if (field.type === 'date') return date(new Date(`${value}T12:00`).getTime(), 'date');
  if (field.type === 'number') return Number(value).toLocaleString(lang());
  return String(value);
}
