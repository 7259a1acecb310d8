// Figures in words: how long something takes, and how today stands against the same day a week ago. Pure. For the board
// and my day.

import { _, ngettext } from './base.js';

const MINUTE = 60_000;

/** A length of time, short: 45 s, 3 min, 2 h 5 min. */
export function lasting(ms) {
  if (ms == null) return '–';
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return _('{0} s', String(seconds));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return _('{0} min', String(minutes));
  const hours = Math.floor(minutes / 60), rest = minutes % 60;
  if (hours >= 48) return _('{0} days', String(Math.floor(hours / 24)));
  return rest ? _('{0} h {1} min', String(hours), String(rest)) : _('{0} h', String(hours));
}

/** A clock that runs: 3:07, 1:02:45. */
export function running(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000)), two = (number) => String(number).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  if (hours >= 100) return lasting(ms);
  return hours ? `${hours}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}` : `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

/**
 * Today against a week ago.
 * @returns {{text: string, way: 'more'|'less'|'same'}|null} null: there was nothing to compare with
 */
export function against({ today, week_ago: before } = {}) {
  if (today == null || before == null || (!today && !before)) return null;
  if (today === before) return { text: _('as a week ago'), way: 'same' };
  const by = Math.abs(today - before);
  return today > before ? { text: ngettext('{0} more than a week ago', '{0} more than a week ago', by), way: 'more' }
    : { text: ngettext('{0} fewer than a week ago', '{0} fewer than a week ago', by), way: 'less' };
}

/** The same for how long something takes: less is better. */
export function faster({ today, week_ago: before } = {}) {
  const now = today?.median, then = before?.median;
  if (now == null || then == null) return null;
  if (Math.abs(now - then) < Math.max(1_000, then * 0.05)) return { text: _('as a week ago'), way: 'same' };
  return now < then ? { text: _('{0} faster than a week ago', lasting(then - now)), way: 'good' } : { text: _('{0} slower than a week ago', lasting(now - then)), way: 'bad' };
}

/** How bad a wait is, by the minutes. @returns {'calm'|'warm'|'hot'} */
export const heat = (ms) => (ms == null || ms < 2 * MINUTE ? 'calm' : ms < 10 * MINUTE ? 'warm' : 'hot');
