// When something is to be said: in an hour, tomorrow at nine where the customer is, another time. Loaded when asked.

import { _, date, get } from './base.js';
import { choose } from './choose.js';
import { question } from './dialogs.js';
import { ask, may, state, tell } from './desk.js';
import { clock, field, known, place, read, times } from './zones.js';
import { html } from './vendor/lit.js';

const mine = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
const zones = () => Intl.supportedValuesOf?.('timeZone') ?? [mine()];

/** Asks for a time, and before it where the customer is, if nobody knows. @param {(at: number) => void} then */
export async function later(anchor, number, then) {
  const id = state.value.tickets[number]?.contact_id;
  const contact = id && may('contacts.read') ? await get(`/api/v1/contacts/${id}`).catch(() => null) : null;
  let zone = known(contact?.zone) ? contact.zone : null;
  if (!zone && contact && may('contacts.change')) zone = await whereabouts(contact);
  else zone ??= mine();
  if (!zone) return;
  const names = { hour: _('In an hour'), today: _('Today at 09:00, their time'), tomorrow: _('Tomorrow at 09:00, their time'), monday: _('On Monday at 09:00, their time') };
  const items = times(Date.now(), zone).map(({ name, at }) => ({ text: names[name], value: at, icon: 'clock', hint: both(at, zone) }));
  const other = { text: _('Another time…'), value: 'other', icon: 'day' };
  const elsewhere = contact && may('contacts.change') ? [{ text: _('They are somewhere else…'), value: 'zone', icon: 'person', hint: place(zone) }] : [];
  choose(anchor, {
    title: _('Send later'), search: false, items: [...items, other, ...elsewhere].map((item, at) => ({ ...item, key: String(at + 1) })),
    pick: async ({ value }) => {
      if (value === 'zone') return (await whereabouts(contact)) && later(anchor, number, then);
      return then(value === 'other' ? await another(zone) : value);
    },
  });
}

/** The time there, and what the clock shows here then. */
export function both(at, zone) {
  const there = `${date(at, 'day')} ${clock(at, zone)} ${place(zone)}`;
  return zone === mine() ? `${date(at, 'day')}, ${date(at, 'time')}` : `${there} · ${_('{0} for you', date(at, 'time'))}`;
}

async function whereabouts(contact) {
  const given = await question({
    title: _('Where is the customer?'), yes: _('Go on'),
    body: () => html`<p class="faint">${_('“Tomorrow at nine” is meant by their clock. It is kept with the contact.')}</p>
      <label class="field"><span>${_('Time zone')}</span><select name="zone" required autofocus dir="ltr">${zones().map((one) => html`<option value=${one} ?selected=${one === (contact.zone ?? mine())}>${one.replaceAll('_', ' ')}</option>`)}</select></label>`,
  });
  if (!given) return null;
  return (await ask('patch', `/contacts/${contact.id}`, { zone: given.zone })) ? given.zone : null;
}

async function another(zone) {
  const now = Date.now();
  const given = await question({
    title: _('Send later'), yes: _('Choose this time'),
    body: () => html`<label class="field"><span>${_('Day and time in {0}', place(zone))}</span><input type="datetime-local" name="at" required autofocus min=${field(now, zone)} .value=${field(now + 86_400_000, zone)}></label>`,
  });
  const at = given && read(given.at, zone);
  if (!given) return null;
  if (at > Date.now()) return at;
  tell(_('That time is over already.'));
  return null;
}
