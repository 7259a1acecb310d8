// What can be chosen for a list or a ticket: filters and order; who, which team, until when, how urgent, which tags. Loaded when one is opened.

import { _, date, day } from './base.js';
import { choose } from './choose.js';
import { agents, ask, assign, change, did, inboxes, markUnread, may, me, prefer, preferences, state, teams, tell } from './desk.js';
import { finish, named, priority, sort, status, toggle, want } from './list.js';
import { avatar, go, path, route } from './parts.js';

// --- the list -------------------------------------------------------------------------------------------------------

export function filter(anchor) {
  const items = () => [
    ...option('unread', _('Reading'), ['1']),
    ...option('priority', _('Priority'), ['urgent', 'high', 'normal', 'low']),
    ...option('status', _('Status'), ['open', 'pending', 'snoozed', 'resolved']),
    ...option('assignee_id', _('Assigned to'), staff().map(({ id }) => String(id))),
    ...option('team_id', _('Team'), Object.keys(teams.value)),
    ...option('inbox_id', _('Inbox'), Object.keys(inboxes.value)),
    ...option('tag', _('Tag'), Object.values(state.value.tags).map(({ name }) => name).sort()),
  ];
  const found = (query) => items().filter(({ text, group }) => `${group} ${text}`.toLocaleLowerCase().includes(query.trim().toLocaleLowerCase()));
  choose(anchor, { title: _('Filter by…'), items: found, many: true, search: true, pick: ({ value: [field, value] }) => toggle(field, value) });
}

const option = (field, group, values) => values.map((value) => ({ value: [field, value], group, text: named(field, value), on: want.value.filter[field]?.includes(value) }));

export const sorts = () => ({ newest: _('Newest words'), oldest_waiting: _('Waiting longest'), due: _('Answer due first'), priority: _('Most urgent') });

export function arrange(anchor) {
  const items = () => [
    ...Object.entries(sorts()).map(([value, text]) => ({ value: ['sort', value], text, group: _('Order'), on: want.value.sort === value })),
    ...Object.entries({ comfortable: _('Comfortable'), compact: _('Compact') })
      .map(([value, text]) => ({ value: ['density', value], text, group: _('Rows'), on: preferences.value.density === value })),
    ...(may('tickets.export') ? [{ value: ['export'], text: _('Export CSV'), icon: 'out' }] : []),
  ];
  choose(anchor, {
    title: _('Order and density'), items, many: true, search: false,
    pick: ({ value: [what, value] }) => {
      if (what === 'density') return prefer({ density: value });
      if (what === 'export') return location.assign(`/api/v1/tickets.csv?${new URLSearchParams({ view: want.value.view, ...want.value.filter })}`);
      sort.value = value;
      if (route.value.query.has('sort')) go(path(route.value.number, { ...Object.fromEntries(route.value.query), sort: value }));
      return null;
    },
  });
}

export const saveView = () => import('./dialogs.js').then((dialogs) => dialogs.saveView());

const NUMBERS = new Set(['assignee_id', 'team_id', 'inbox_id']);

/** A filter of the address as a body of the API has it. */
export const typed = (filter) => Object.fromEntries(Object.entries(filter).map(([field, values]) =>
  [field, field === 'unread' ? true : NUMBERS.has(field) ? Number(values[0]) : field === 'tag' ? values[0] : values]));

// --- a ticket -------------------------------------------------------------------------------------------------------

const staff = () => Object.values(agents.value).filter((one) => !one.disabled).sort((a, b) => a.name.localeCompare(b.name));
const said = { online: () => _('Online'), busy: () => _('Busy'), away: () => _('Away'), offline: () => _('Offline') };

/** Everybody, oneself first, then who is there. */
export function people(chosen) {
  const own = me.value.agent.id, there = (one) => (one.availability === 'online' ? 0 : one.availability === 'offline' ? 2 : 1);
  return staff().sort((a, b) => (b.id === own) - (a.id === own) || there(a) - there(b)).map((one) => ({
    value: one.id, text: one.id === own ? _('{0} (you)', one.name) : one.name, hint: said[one.availability]?.(), on: one.id === chosen,
    face: avatar(one.name, one.id, `avatar--small avatar--${one.availability}`),
  }));
}

export function assignee(anchor, number) {
  const now = state.value.tickets[number]?.assignee_id ?? null;
  const nobody = { value: null, text: _('Nobody: back to the queue'), icon: 'inbox', on: now === null };
  const hand = { value: 'hand', text: _('Hand over with a note…'), icon: 'pencil' };
  choose(anchor, {
    title: _('Assign to'), search: true, items: [...people(now), nobody, hand].map((item) => ({ ...item, group: undefined })),
    pick: ({ value }) => (value === 'hand' ? import('./dialogs.js').then((dialogs) => dialogs.handOver(number)) : assign(number, value)),
  });
}

export function team(anchor, number) {
  const now = state.value.tickets[number]?.team_id ?? null;
  const items = [...Object.values(teams.value).sort((a, b) => a.name.localeCompare(b.name)).map((one) => ({ value: one.id, text: one.name, icon: 'team', on: one.id === now })),
    { value: null, text: _('No team'), icon: 'inbox', on: now === null }];
  choose(anchor, { title: _('Team'), items, pick: ({ value, text }) => move(number, value, text, now) });
}

async function move(number, teamId, name, was) {
  if (teamId === was) return;
  if (await change(number, 'move', { team_id: teamId }, { team_id: teamId })) {
    did(teamId === null ? _('#{0} belongs to no team now.', String(number)) : _('#{0} is with the team {1} now.', String(number), name),
      () => change(number, 'move', { team_id: was }, { team_id: was }));
  }
}

export function urgency(anchor, number) {
  const now = state.value.tickets[number]?.priority;
  const items = ['urgent', 'high', 'normal', 'low'].map((value, at) => ({ value, text: priority(value), icon: 'flag', on: value === now, key: String(at + 1) }));
  choose(anchor, { title: _('Priority'), items, pick: ({ value }) => setPriority(number, value, now) });
}

async function setPriority(number, value, was) {
  if (value === was) return;
  if (await change(number, '', { priority: value }, { priority: value }, 'patch')) {
    did(_('#{0} has the priority {1} now.', String(number), priority(value)), () => change(number, '', { priority: was }, { priority: was }, 'patch'));
  }
}

export function tags(anchor, number) {
  const has = () => state.value.tickets[number]?.tags ?? [];
  const items = (query) => {
    const names = [...new Set([...has(), ...Object.values(state.value.tags).map(({ name }) => name)])].sort((a, b) => a.localeCompare(b));
    const wish = query.trim(), found = names.filter((name) => name.toLocaleLowerCase().includes(wish.toLocaleLowerCase()));
    const fresh = wish && !names.some((name) => name.toLocaleLowerCase() === wish.toLocaleLowerCase());
    return [...found.map((name) => ({ value: name, text: name, icon: 'tag', on: has().includes(name) })),
      ...(fresh ? [{ value: wish, text: _('New tag “{0}”', wish), icon: 'plus' }] : [])];
  };
  choose(anchor, { title: _('Tags'), items, many: true, search: true, placeholder: _('Find or make a tag'), pick: ({ value, on }) => (on ? untag : tag)(number, value) });
}

const tag = (number, name) => change(number, 'tag', { tag: name }, { tags: [...state.value.tickets[number].tags, name] });
export const untag = (number, name) => change(number, 'untag', { tag: name }, { tags: state.value.tickets[number].tags.filter((one) => one !== name) });

// --- snoozing -------------------------------------------------------------------------------------------------------

const at = (days, hour) => {
  const when = new Date();
  when.setDate(when.getDate() + days);
  when.setHours(hour, 0, 0, 0);
  return when.getTime();
};

/** Times that people mean. */
export function times(now = new Date()) {
  const monday = (8 - now.getDay()) % 7 || 7;
  return [
    ...(now.getHours() < 17 ? [{ text: _('Later today'), value: Math.max(at(0, 17), 0) }] : [{ text: _('In two hours'), value: now.getTime() + 2 * 3_600_000 }]),
    { text: _('Tomorrow'), value: at(1, 9) }, { text: _('Next week'), value: at(monday, 9) },
  ].map((one) => ({ ...one, hint: `${day(one.value)}, ${date(one.value, 'time')}` }));
}

export function snooze(anchor, number, then = (until) => snoozed(number, until)) {
  const items = [...times(), { text: _('Until the customer writes'), value: null }, { text: _('Another time…'), value: 'other', icon: 'clock' }]
    .map((item, place) => ({ icon: 'snooze', ...item, key: String(place + 1) }));
  choose(anchor, {
    title: _('Snooze'), items,
    pick: ({ value }) => (value === 'other' ? import('./dialogs.js').then((dialogs) => dialogs.otherTime(then)) : then(value)),
  });
}

export async function snoozed(number, until) {
  if (!(await change(number, 'snooze', { until }, { status: 'snoozed', snoozed_until: until }))) return;
  const text = until === null ? _('#{0} sleeps until the customer writes.', String(number)) : _('#{0} sleeps until {1}.', String(number), `${day(until)}, ${date(until, 'time')}`);
  did(text, () => change(number, 'reopen', {}, { status: 'open', snoozed_until: null }));
}

// --- status and the rest --------------------------------------------------------------------------------------------

export function standing(anchor, number) {
  const now = state.value.tickets[number]?.status;
  const items = [['open', 'chat'], ['pending', 'clock'], ['snoozed', 'snooze'], ['resolved', 'resolve']]
    .map(([value, name], place) => ({ value, text: value === 'pending' ? _('Pending: the customer’s turn') : status(value), icon: name, on: value === now, key: String(place + 1) }));
  const steps = {
    open: () => change(number, 'reopen', {}, { status: 'open' }), pending: () => change(number, 'pending', {}, { status: 'pending' }),
    snoozed: () => snooze(anchor, number), resolved: () => finish(number),
  };
  choose(anchor, { title: _('Status'), items, pick: ({ value }) => value !== now && steps[value]() });
}

export function more(anchor, number) {
  const ticket = state.value.tickets[number], dialogs = () => import('./dialogs.js');
  const follows = state.value.threads[number]?.followers?.includes(me.value.agent.id);
  const changes = may('tickets.change');
  const items = [
    may('tickets.assign') && { text: _('Hand over with a note…'), icon: 'pencil', run: () => dialogs().then((d) => d.handOver(number)) },
    { text: follows ? _('Stop following') : _('Follow'), icon: 'eye', run: () => follow(number, !follows) },
    { text: _('Mark as unread'), icon: 'mail', run: () => markUnread(number) },
    changes && { text: _('Merge into another ticket…'), icon: 'merge', run: () => dialogs().then((d) => d.merge(number)) },
    may('tickets.reply') && { text: _('E-mail the conversation to the customer'), icon: 'mail', run: () => mailConversation(number) },
    { text: _('Copy the link'), icon: 'link', run: () => copy(new URL(`/inbox/${number}`, location.href).href) },
    { text: _('Print'), icon: 'print', run: () => print() },
    changes && !ticket.spam && { text: _('Spam…'), icon: 'spam', danger: true, run: () => dialogs().then((d) => d.spam(number)) },
    changes && ticket.spam && { text: _('Not spam'), icon: 'inbox', run: () => change(number, '', { spam: false }, { spam: false }, 'patch') },
  ].filter(Boolean);
  choose(anchor, { title: `#${number}`, items, search: false, pick: ({ run }) => run() });
}

async function mailConversation(number) {
  if (await ask('post', `/tickets/${number}/mail_conversation`)) tell(_('The conversation is on its way to the customer.'));
}

export async function copy(text) {
  await navigator.clipboard.writeText(text).then(() => tell(_('Copied.')), () => tell(_('Your browser does not let us copy.')));
}

async function follow(number, on) {
  if (await ask('post', `/tickets/${number}/${on ? 'follow' : 'unfollow'}`)) {
    tell(on ? _('You hear of what happens in #{0} from now on.', String(number)) : _('You do not follow #{0} any longer.', String(number)));
  }
}
