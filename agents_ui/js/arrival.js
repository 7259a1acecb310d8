// What became of an answer: on its way, arrived, held back, failed, and what can be done about it. Loaded by thread.js with the first
// answer that is shown; by desk.js with the first that can be called back.

import { _, date, day, exact, ngettext } from './base.js';
import { write } from './composer.js';
import { ask, did, draft, held, keepDraft, may, redrafted, state, tell } from './desk.js';
import { question } from './dialogs.js';
import { go, icon, now, path, route } from './parts.js';
import { html, nothing } from './vendor/lit.js';

const THERE = ['sent', 'delivered', 'read'];

/** What the desk itself gives as a reason, in the agent's language; what a provider says stays as it says it. */
const reasons = () => [
  _('They wrote before it was time.'), _('Called back.'), _('The contact is blocked.'), _('The address was removed.'), _('Its inbox is gone.'),
  _('The contact asked not to be written to here.'), _('It did not arrive the first time.'), _('The inbox is switched off.'),
  _('No inbox of this desk can reach this contact yet. Connect one that can, or add an address; it then goes out.'),
  _('It may have arrived: the answer was lost, and this channel cannot be asked.'), _('It may have arrived: the channel could not be asked.'),
  _('It may have arrived: the desk failed while sending it.'), _('The desk failed to send it. An administrator sees why among the dead jobs.'),
  _('The outbox is frozen. Thaw it once you know what was sent.'), _('This contact is made up (sample data), so nobody is written to.'),
];
export const told = (reason) => {
  void reasons; // so that the texts stand in the catalogue
  return reason ? _(reason) : '';
};

const WORDS = {
  queued: () => _('Sending…'), sending: () => _('Sending…'), sent: () => _('Sent'), delivered: () => _('Delivered'), read: () => _('Read'),
  held: () => _('Held: nothing can carry it yet'), failed: () => _('Could not be delivered'), unknown: () => _('It may not have arrived'), cancelled: () => _('Not sent'),
};

/** @param {object} one the delivery that tells most of the message, of the store's `arrival` */
export function arrival(one, message) {
  const does = may('tickets.reply') ? doing(one, message) : [];
  const bad = one.state === 'failed' || one.state === 'unknown', planned = one.state === 'held' && one.send_at != null;
  const reason = bad || one.state === 'cancelled' || one.state === 'queued' || (one.state === 'held' && !planned) ? told(one.reason) : '';
  const word = planned ? when(one) : WORDS[one.state]?.() ?? '';
  const picture = bad ? 'alert' : one.state === 'cancelled' ? 'close' : one.state === 'sent' ? 'check' : THERE.includes(one.state) ? 'checks' : 'clock';
  return html`<div class=${bad ? 'bubble__state bubble__state--failed' : 'bubble__state'} data-state=${planned ? 'planned' : one.state}>
    ${icon(picture)}<span>${word}${reason ? html`<span class="bubble__why" dir="auto">${reason}</span>` : nothing}</span>
    ${does.length ? html`<span class="bubble__does">${does.map(({ text, run, key }) => html`<button class="quiet" aria-keyshortcuts=${key ?? nothing} @click=${run}>${text}</button>`)}</span>` : nothing}</div>`;
}

function when({ send_at: at, later }) {
  const left = Math.ceil((at - now.value) / 1000);
  if (!later) return left > 0 ? ngettext('Leaves in {0} second', 'Leaves in {0} seconds', left) : _('Sending…');
  const words = _('Will be sent {0}', `${day(at)}, ${date(at, 'time')}`);
  return html`${words} <span class="sr">${exact(at)}</span>`;
}

function doing(one, message) {
  const undo = { text: _('Undo'), key: 'Control+Z', run: () => callBack(one.id, route.peek().number, message.text) };
  const cancel = { text: _('Cancel'), run: () => callBack(one.id, route.peek().number, message.text) };
  if (one.state === 'held' && one.send_at != null) return one.later ? [
    { text: _('Another time'), run: (event) => import('./sendlater.js').then(({ later }) => later(event.target, route.peek().number, (at) => at && move(one.id, at))) },
    { text: _('Send now'), run: () => move(one.id, null) }, cancel,
  ] : [undo];
  if (one.state === 'held' || (one.state === 'queued' && one.reason)) return [cancel];
  if (one.state === 'failed') return [{ text: _('Try again'), run: () => resend(one) }, { text: _('Edit'), run: () => write('reply', message.text) }];
  if (one.state === 'unknown') return [{ text: _('Send again…'), run: () => resend(one, true) }];
  if (one.state === 'cancelled') return [{ text: _('Edit'), run: () => write('reply', message.text) }, { text: _('Send after all'), run: () => resend(one) }];
  return [];
}

async function move(id, at) {
  const done = await ask('patch', `/deliveries/${id}`, { send_at: at });
  if (done && at) tell(_('It will be sent {0}.', `${day(at)}, ${date(at, 'time')}`));
}

async function resend({ id }, doubtful = false) {
  const sure = !doubtful || await question({
    title: _('Send it once more?'), yes: _('Send again'),
    body: () => html`<p>${_('It may have arrived: nobody can tell. If it has, the customer gets it twice. Ask them first if that would do harm.')}</p>`,
  });
  if (sure) await ask('post', `/deliveries/${id}/resend`);
}

// --- calling back ---------------------------------------------------------------------------------------------------

/** It does not leave, and its words stand in the field again, on whatever device one goes on. */
export async function callBack(id, number, text) {
  if (held.peek()?.id === id) held.value = null;
  if (!(await ask('post', `/deliveries/${id}/cancel`))) return false;
  if (route.peek().number !== number) go(path(number));
  keepDraft(number, 'reply', [text, draft(number, 'reply')].filter(Boolean).join('\n\n'));
  redrafted.value += 1;
  write('reply');
  return true;
}

/** What was just said can be called back for some seconds: told where one is by then. */
export function offer(entry, answer) {
  const it = { id: answer.deliveries[0], number: entry.number, text: entry.text, until: answer.send_at };
  held.value = it;
  const name = state.value.tickets[entry.number]?.contact_name || `#${entry.number}`;
  const length = Math.max(1_000, answer.send_at - Date.now());
  did(_('Your answer to {0} leaves in a moment.', name), () => callBack(it.id, it.number, it.text), length);
  setTimeout(() => { if (held.peek() === it) held.value = null; }, length);
}

/** By the key, right after sending. @returns whether there was something to call back */
export function callBackLast(number) {
  const it = held.peek();
  if (!it || it.number !== number || it.until < Date.now()) return false;
  callBack(it.id, it.number, it.text);
  return true;
}
