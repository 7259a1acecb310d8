// Whether something that happened is told to this agent by a notice of the desktop, by a sound, or not at all. Pure: who,
// what and when come in, a decision comes out. For notify.js, which then shows and plays it.

import { _ } from './base.js';

/** @typedef {{desktop: boolean, sound: boolean, of: 'mine'|'teams'|'all'}} Wish */

/** Every event that a wish can be made for, and the wish of one who has made none. */
export const WISHES = {
  waiting: { desktop: true, sound: true, of: 'teams' },
  offered: { desktop: true, sound: true, of: 'mine' },
  message: { desktop: true, sound: true, of: 'mine' },
  assigned: { desktop: true, sound: true, of: 'mine' },
  mentioned: { desktop: true, sound: true, of: 'mine' },
  note: { desktop: false, sound: false, of: 'mine' },
  due: { desktop: true, sound: false, of: 'mine' },
  undelivered: { desktop: true, sound: true, of: 'mine' },
};

/** Those that can only be about oneself. */
export const OWN = new Set(['offered', 'assigned', 'mentioned', 'undelivered']);

export const titles = () => ({
  waiting: _('A new ticket that nobody has'), offered: _('A ticket is offered to you'), message: _('A customer writes'), assigned: _('A ticket is given to you'),
  mentioned: _('A colleague mentions you'), note: _('A colleague writes a note'), due: _('An answer is nearly due, or late'),
  undelivered: _('What I wrote did not go out'),
});

export const wish = (notify, event) => ({ ...WISHES[event], ...notify?.[event] });

/**
 * What happened, in the words of the matrix; null: nothing that one is told.
 * @param {object} frame an event as docs/protocol.md has it @param {object} me as `state.me`
 */
export function kind(frame, me) {
  const { name, ticket, by } = frame;
  const own = by?.kind === 'agent' && by.id === me.agent.id;
  if (!ticket || ticket.spam) return null;
  if (name === 'ticket.offered') return ticket.offered_to === me.agent.id ? 'offered' : null;
  if (name === 'reply.warned' || name === 'reply.breached') return 'due';
  if (unsent(frame, me)) return 'undelivered';
  if (own) return null;
  switch (name) {
    case 'message.received': return ticket.assignee_id == null && ticket.offered_to == null ? 'waiting' : 'message';
    case 'ticket.assigned': return ticket.assignee_id === me.agent.id ? 'assigned' : null;
    case 'agent.mentioned': return frame.agent_id === me.agent.id ? 'mentioned' : null;
    case 'note.written': return 'note';
    default: return null;
  }
}

/** Something that this agent wrote failed, may have failed, or was held back because the customer wrote first. */
function unsent({ name, by, message }, me) {
  const why = name === 'delivery.failed' || name === 'delivery.unknown' || (name === 'delivery.cancelled' && by?.kind !== 'agent');
  return why && message?.author_kind === 'agent' && message.author_id === me.agent.id;
}

/** @param {'mine'|'teams'|'all'} of @param {Set<number>} teams that one is in */
export function concerns(of, ticket, me, teams) {
  const mine = ticket.assignee_id === me.agent.id || ticket.offered_to === me.agent.id || (ticket.followers ?? []).includes(me.agent.id);
  if (of === 'all' || mine) return true;
  return of === 'teams' && ticket.assignee_id == null && (ticket.team_id == null || teams.has(ticket.team_id));
}

/** `quiet`: {"from": "22:00", "to": "07:00", "days": [1…7, Monday is 1] or none for every day}; over midnight, the day it began on counts. */
export function isQuiet(quiet, now) {
  if (!quiet) return false;
  const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
  const from = minutes(quiet.from), to = minutes(quiet.to), at = now.getHours() * 60 + now.getMinutes();
  const today = ((now.getDay() + 6) % 7) + 1, yesterday = today === 1 ? 7 : today - 1;
  const on = (day) => !quiet.days?.length || quiet.days.includes(day);
  if (from === to) return on(today);
  if (from < to) return on(today) && at >= from && at < to;
  return (on(today) && at >= from) || (on(yesterday) && at < to);
}

/**
 * @param {object} frame @param {{me: object, teams: Set<number>, preferences: object, now: Date, shown: number|null, inFront: boolean}} at
 *   `shown`: the ticket that is open in this window; `inFront`: whether one is looking at it
 * @returns {{event: string, number: number, desktop: boolean, sound: boolean}|null}
 */
export function decide(frame, { me, teams, preferences, now, shown, inFront }) {
  const event = kind(frame, me);
  if (!event) return null;
  const told = wish(preferences?.notify, event);
  if (!OWN.has(event) && !concerns(told.of, frame.ticket, me, teams)) return null;
  const looking = inFront && shown === frame.ticket.number;
  if (looking || (!told.desktop && !told.sound)) return null;
  const quiet = isQuiet(preferences?.quiet, now);
  // Who sits in front of the console sees it there; a sound still says that something came.
  const decided = { event, number: frame.ticket.number, desktop: told.desktop && !quiet && !inFront, sound: told.sound && !quiet };
  return decided.desktop || decided.sound ? decided : null;
}

/** The words of a notice: who, and what of it. What people wrote is theirs, the rest is ours. */
export function words(event, frame) {
  const { ticket } = frame;
  const name = ticket.contact_name || _('No name');
  const title = {
    waiting: _('{0} is waiting', name), offered: _('{0} is offered to you', name), message: name, assigned: _('{0} is now yours', name),
    mentioned: _('You are mentioned'), note: _('A note about {0}', name),
    undelivered: frame.name !== 'delivery.cancelled' ? _('Your answer to {0} could not be delivered', name)
      : frame.by?.kind === 'contact' ? _('{0} wrote first, so your answer was not sent', name) : _('Your answer to {0} was not sent', name),
    due: frame.name === 'reply.breached' ? _('The answer to {0} is late', name) : _('The answer to {0} is nearly due', name),
  }[event];
  const said = frame.message?.text || frame.note?.text || ticket.last_text || ticket.subject || '';
  return { title, body: `#${ticket.number} ${said.length > 140 ? `${said.slice(0, 140)}…` : said}` };
}

/** What the tab says: how many wait for an answer, of what is mine or nobody's. */
export const titled = (count, title) => (count ? `(${count > 99 ? '99+' : count}) ${title}` : title);
