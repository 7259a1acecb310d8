// Questions that need more than a choice: hand over with a note, another time, merge, spam, the name of a view. Loaded when asked.

import { _, date, day } from './base.js';
import { agentName, ask, change, did, may, state, teams, tell } from './desk.js';
import { people, typed } from './menus.js';
import { address, want } from './list.js';
import { Part, avatar, bring, go, path, route } from './parts.js';
import { html, nothing } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';

const asked = signal(null);

/** Asks; → what was answered as an object of the form's fields, or null. */
export async function question(what) {
  await bring({ name: 'dialogs.css', load: () => Promise.resolve(), css: 'dialogs.css' });
  let part = document.querySelector('p-dialog');
  if (!part) document.body.append((part = document.createElement('p-dialog')));
  return new Promise((answer) => {
    asked.value = { ...what, answer };
    part.updateComplete.then(() => part.open());
  });
}

class Dialog extends Part {
  open() {
    const dialog = this.querySelector('dialog');
    dialog.querySelector('form').reset();
    dialog.showModal();
    (dialog.querySelector('[autofocus]') ?? dialog.querySelector('input, select, textarea, button'))?.focus();
  }

  render() {
    const { title, body, yes, danger, wide } = asked.value ?? {};
    return html`<dialog class=${wide ? 'sheet sheet--wide' : 'sheet'} aria-labelledby="asked-title" @close=${this.#closed}>
      <form method="dialog" class="asked" @keydown=${sends}>
        <h2 id="asked-title">${title ?? nothing}</h2>
        ${body ? body() : nothing}
        <div class="sheet__do"><button class=${danger ? 'button button--danger' : 'button'} value="yes">${yes ?? _('OK')}</button>
          <button class="button button--plain" value="" formnovalidate>${_('Cancel')}</button></div>
      </form>
    </dialog>`;
  }

  #closed = (event) => {
    const dialog = event.target, { answer } = asked.value;
    const fields = Object.fromEntries(new FormData(dialog.querySelector('form')));
    const given = dialog.returnValue === 'yes' ? fields : null;
    dialog.returnValue = '';
    answer(given);
  };
}

function sends(event) {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit(event.currentTarget.querySelector('[value=yes]'));
}

// --- to a colleague or a team ---------------------------------------------------------------------------------------

export async function handOver(number) {
  const was = state.value.tickets[number];
  const given = await question({
    title: _('Hand over #{0}', String(number)), yes: _('Hand over'),
    body: () => html`<label class="field"><span>${_('To')}</span><select name="to" required autofocus>
        <option value="">${_('Choose…')}</option>
        <optgroup label=${_('Colleagues')}>${people(null).map(({ value, text, hint }) => html`<option value=${`a${value}`}>${text} · ${hint}</option>`)}</optgroup>
        <optgroup label=${_('Teams')}>${Object.values(teams.value).map(({ id, name }) => html`<option value=${`t${id}`}>${name}</option>`)}</optgroup>
      </select></label>
      <label class="field"><span>${_('Note for them')}</span><textarea name="note" rows="4" dir="auto" required maxlength="10000"></textarea>
        <small>${_('What has been tried, what is promised. The customer never sees it.')}</small></label>`,
  });
  if (!given) return;
  const id = Number(given.to.slice(1)), toTeam = given.to[0] === 't';
  const to = toTeam ? { team_id: id } : { agent_id: id };
  if (!(await change(number, 'hand_over', { ...to, note: given.note }, toTeam ? { team_id: id, assignee_id: null } : { assignee_id: id }))) return;
  did(_('{0} is with {1} now.', `#${number}`, toTeam ? teams.value[id]?.name ?? '' : agentName('agent', id)), may('tickets.assign') && (async () => {
    if (toTeam) await change(number, 'move', { team_id: was.team_id }, { team_id: was.team_id });
    await change(number, 'assign', { agent_id: was.assignee_id }, { assignee_id: was.assignee_id });
  }));
}

// --- another time ---------------------------------------------------------------------------------------------------

const local = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/** @param {(until: number) => void} then */
export async function otherTime(then) {
  const now = Date.now();
  const given = await question({
    title: _('Snooze until'), yes: _('Snooze'),
    body: () => html`<label class="field"><span>${_('Day and time')}</span><input type="datetime-local" name="until" required autofocus min=${local(now)} .value=${local(now + 86_400_000)}></label>`,
  });
  const until = given && new Date(given.until).getTime();
  if (!given) return;
  if (!(until > Date.now())) tell(_('That time is over already.'));
  else then(until);
}

// --- merging --------------------------------------------------------------------------------------------------------

export async function merge(number) {
  const one = state.value.tickets[number];
  const others = Object.values(state.value.tickets).filter((ticket) => ticket.number !== number && ticket.contact_id === one.contact_id);
  const given = await question({
    title: _('Merge #{0} into another ticket', String(number)), yes: _('Merge'),
    body: () => html`<p class="faint">${_('Everything that was said moves there, and this ticket is gone. It can be undone.')}</p>
      ${others.length ? html`<fieldset class="field"><legend>${_('Of the same customer')}</legend>${others.map((ticket) => html`<label class="option">
        <input type="radio" name="into" value=${ticket.number}><span><b>#${ticket.number}</b> <bdi>${ticket.subject || ticket.last_text}</bdi><small>${day(ticket.last_message_at)}, ${date(ticket.last_message_at, 'time')}</small></span></label>`)}</fieldset>` : nothing}
      <label class="field"><span>${others.length ? _('Or the number of another') : _('Number of the other ticket')}</span><input name="number" inputmode="numeric" pattern="#?[0-9]+" dir="ltr" ?autofocus=${!others.length}></label>`,
  });
  const into = Number(given?.number?.replace('#', '') || given?.into);
  if (!given || !into) return;
  const answer = await ask('post', `/tickets/${number}/merge`, { into });
  if (!answer) return;
  go(path(into));
  did(_('#{0} is part of #{1} now.', String(number), String(into)), async () => {
    if (await ask('post', `/tickets/${number}/unmerge`)) go(path(number));
  });
}

/** This message and what came after it get a ticket of their own. */
export async function split(number, messageId) {
  const given = await question({
    title: _('Split the ticket here?'), yes: _('Split'),
    body: () => html`<p>${_('This message and everything after it move to a new ticket of the same customer.')}</p>`,
  });
  if (!given) return;
  const answer = await ask('post', `/tickets/${number}/split`, { from_message_id: messageId });
  if (!answer) return;
  go(path(answer.number));
  did(_('#{0} has been split off.', String(answer.number)), async () => {
    if (await ask('post', `/tickets/${answer.number}/merge`, { into: number })) go(path(number));
  });
}

// --- spam -----------------------------------------------------------------------------------------------------------

export async function spam(number) {
  const ticket = state.value.tickets[number];
  if (!ticket) return;
  const given = await question({
    title: _('Mark #{0} as spam?', String(number)), yes: _('Spam'), danger: true,
    body: () => html`<p class="who">${avatar(ticket.contact_name, ticket.contact_id)}<bdi>${ticket.contact_name || _('No name')}</bdi></p>
      <p>${_('It leaves all lists but Spam.')}</p>
      ${may('contacts.change') ? html`<label class="option"><input type="checkbox" name="block"><span>${_('Block this sender too')}<small>${_('What they write from now on is put aside unread. It can be had back.')}</small></span></label>` : nothing}`,
  });
  if (!given || !(await change(number, '', { spam: true }, { spam: true }, 'patch'))) return;
  const blocked = given.block && (await ask('post', `/contacts/${ticket.contact_id}/block`, { reason: 'spam' }));
  if (route.peek().number === number) go(path(null));
  did(blocked ? _('#{0} is spam, and its sender is blocked.', String(number)) : _('#{0} is spam.', String(number)), async () => {
    if (blocked) await ask('post', `/contacts/${ticket.contact_id}/unblock`);
    await change(number, '', { spam: false }, { spam: false }, 'patch');
  });
}

// --- views ----------------------------------------------------------------------------------------------------------

export async function saveView() {
  const given = await question({
    title: _('Save as a view'), yes: _('Save'),
    body: () => html`<label class="field"><span>${_('Name')}</span><input name="name" required maxlength="60" dir="auto" autofocus></label>
      <label class="option"><input type="checkbox" name="shared"><span>${_('For everybody')}<small>${_('Everyone sees in it what they may see.')}</small></span></label>`,
  });
  if (!given) return;
  const { view, filter, sort } = want.peek();
  const answer = await ask('post', '/views', { name: given.name, filter: { view, ...typed(filter) }, sort: sort === 'due' ? 'oldest_waiting' : sort, shared: Boolean(given.shared) });
  if (!answer) return;
  tell(_('The view {0} is saved.', given.name));
  go(address(answer));
}

export async function deleteView(saved) {
  if (!(await ask('del', `/views/${saved.id}`))) return;
  go(path(null, { view: saved.filter.view ?? 'all' }));
  did(_('The view {0} is deleted.', saved.name), () => ask('post', '/views', { name: saved.name, filter: saved.filter, sort: saved.sort, shared: saved.shared }));
}

customElements.define('p-dialog', Dialog);
